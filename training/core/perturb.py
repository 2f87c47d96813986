"""Several chips of one label: at other zooms and off the middle, all from the imagery already held."""

import hashlib
import math
from dataclasses import replace
from random import Random

from affine import Affine
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from labelling.core.chips import ChipGrid, chip_grid
from labelling.core.globe import to_crs
from labelling.core.raster import transformer, utm_of
from training.core.recipe import Recipe


def place_chips(recipe: Recipe, *, lon: float, lat: float, key: str) -> list[ChipGrid]:
    """Lay the chips of one label: at each zoom one in the middle and the others off it.

    Args:
        recipe: zooms, centrings, how far off, seed.
        lon: longitude of the label's middle, degrees, EPSG:4326.
        lat: latitude of the label's middle, degrees, EPSG:4326.
        key: names the label; the same seed and key give the same places.

    Returns:
        ``len(zooms) * centrings`` grids, no two alike while ``off_centre`` leaves room for another.
    """
    chance = seeded(recipe.split_seed, key)
    reach = recipe.off_centre * recipe.chip_px
    grids = []
    for zoom in recipe.zooms:
        middle = chip_grid(lon=lon, lat=lat, side_px=recipe.chip_px, pixel_m=recipe.pixel_m * zoom)
        grids += [move_grid(middle, x, y) for x, y in _shifts(chance, reach, recipe.centrings)]
    return grids


def _shifts(chance: Random, reach: float, count: int) -> list[tuple[int, int]]:
    """Whole pixels right and down: none, then by chance within reach."""
    room = (2 * math.floor(reach) + 1) ** 2
    shifts = [(0, 0)]
    while len(shifts) < count:
        shift = round(chance.uniform(-reach, reach)), round(chance.uniform(-reach, reach))
        if shift not in shifts or len(shifts) >= room:
            shifts.append(shift)
    return shifts


def seeded(seed: int, key: str) -> Random:
    """Chance that is the same for the same seed and key on every machine."""
    return Random(hashlib.sha256(f"{seed}:{key}".encode()).digest())  # noqa: S311


def move_grid(grid: ChipGrid, columns: int, rows: int) -> ChipGrid:
    """Shift a grid by whole pixels, right and down."""
    return replace(grid, transform=grid.transform @ Affine.translation(columns, rows))


def keep_within(grid: ChipGrid, ground: BaseGeometry) -> ChipGrid:
    """Shift a grid by as little as needed to show as much as it can of the ground it may show.

    Args:
        grid: the chip.
        ground: what may be shown around it, EPSG:4326.

    Returns:
        The grid where the ground is wide enough on both sides, or shifted by whole pixels.
    """
    bounds = to_crs(ground, grid.crs).bounds
    if not bounds or not all(abs(edge) < 1e12 for edge in bounds):
        return grid
    left, bottom = ~grid.transform @ (bounds[0], bounds[1])
    right, top = ~grid.transform @ (bounds[2], bounds[3])
    return move_grid(grid, _nearest_shift(left, right - grid.width), _nearest_shift(top, bottom - grid.height))


def _nearest_shift(one: float, other: float) -> int:
    low, high = min(one, other), max(one, other)
    return round(min(max(0.0, low), high))


def widen(grid: ChipGrid) -> ChipGrid:
    """Give a grid of three times the side around a grid: as far as a chip may be shifted."""
    moved = move_grid(grid, -grid.width, -grid.height)
    return replace(moved, width=3 * grid.width, height=3 * grid.height)


def cover(area: BaseGeometry, side_m: float) -> list[Point]:
    """Lay the middles of chips over an area, half a chip apart, the outer ones along its edges.

    Args:
        area: polygon, EPSG:4326.
        side_m: side of a chip, metres.

    Returns:
        Points in the area, EPSG:4326; its middle alone where it is smaller than a chip.
    """
    middle = area.representative_point()
    crs = utm_of(middle.x, middle.y)
    west, south, east, north = to_crs(area, crs).bounds
    back = transformer(crs, "EPSG:4326")
    places = [(x, y) for y in _middles(south, north, side_m) for x in _middles(west, east, side_m)]
    points = [Point(*back.transform(x, y)) for x, y in places]
    return [point for point in points if area.intersects(point)]


def _middles(low: float, high: float, side: float) -> list[float]:
    room = high - low - side
    if room <= 0:
        return [(low + high) / 2]
    count = math.ceil(room / (side / 2)) + 1
    return [low + side / 2 + room * index / (count - 1) for index in range(count)]
