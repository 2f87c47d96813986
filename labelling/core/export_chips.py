"""Chips around labels: only what people have looked through is shown on them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely.affinity import affine_transform
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from labelling.core.chips import ChipGrid, Grid, chip_grid, cut_grid, geometry_in_chip, stretch_to_uint8
from labelling.core.export import MIN_VISIBLE, ExportLabel, ExportSettings
from labelling.core.geometry import areal, inner_point
from labelling.core.globe import to_crs
from labelling.core.raster import SceneRef, utm_of

# Narrower than this, a box is no more than the edge of a pixel.
MIN_BOX_PX = 1.0
MIN_AREA_PX = 0.01
# A chip for ground without mines shows at least so much ground.
MIN_SHOWN = 0.5
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Ground:
    """What people said of the ground, EPSG:4326.

    Attributes:
        reviewed: areas in which everything is labelled.
        labels: the labels to export, with an area, their middle in a reviewed area.
        unknown: places that are neither: contested, untyped, not asked for, or known only as a point.
    """

    reviewed: Sequence[BaseGeometry]
    labels: Sequence[ExportLabel]
    unknown: Sequence[BaseGeometry]


@dataclass(frozen=True, eq=False)
class Example:
    """A chip and what is labelled on it.

    Attributes:
        image: uint8 of shape (H, W, C); 0 where nothing is shown.
        placed: labels with their visible geometry in pixels.
        shown: share of the pixels that is shown.
    """

    image: NDArray[np.uint8]
    placed: tuple[tuple[ExportLabel, BaseGeometry], ...]
    shown: float


def chip_name(scene_version: str, grid: ChipGrid, settings: ExportSettings) -> str:
    """Name a chip by the imagery and the place that it shows, the same on every machine."""
    place = json.dumps([scene_version, grid.crs, list(grid.transform)[:6], grid.width, list(settings.bands)])
    return hashlib.sha256(place.encode()).hexdigest()[:20]


def place_on_labels(labels: Sequence[ExportLabel], settings: ExportSettings) -> list[ChipGrid]:
    """Lay chips so that every label is whole on one, as far as it fits, and few labels are on many.

    Args:
        labels: with an area, in the order in which they are looked at.
        settings: side and pixel size.

    Returns:
        One chip per label that no earlier chip shows whole.
    """
    geometries = np.array([label.geometry for label in labels], dtype=object)
    tree = shapely.STRtree(geometries)
    grids, covered = [], np.zeros(len(labels), np.bool_)
    for index, geometry in enumerate(geometries):
        if covered[index]:
            continue
        west, south, east, north = geometry.bounds
        middle = (west + east) / 2, (south + north) / 2
        lon, lat = middle if east - west < 180 else (inner_point(geometry).x, inner_point(geometry).y)
        grid = chip_grid(lon=lon, lat=lat, side_px=settings.chip_px, pixel_m=settings.pixel_m)
        grids.append(grid)
        covered[tree.query(grid.footprint(), predicate="covers")] = True
        covered[index] = True
    return grids


def place_on_nothing(ground: Ground, settings: ExportSettings, *, most: int) -> list[ChipGrid]:
    """Lay chips where people looked and found nothing: on a fixed lattice, clear of everything that was settled.

    Args:
        ground: what people said.
        settings: side and pixel size.
        most: at most so many, spread by their names.
    """
    found = {grid for area in ground.reviewed for grid in _lattice(area, settings)}
    taken = shapely.STRtree([*(label.geometry for label in ground.labels), *ground.unknown])
    reviewed = shapely.STRtree(list(ground.reviewed))
    empty = []
    for grid in found:
        footprint = grid.footprint()
        near = [ground.reviewed[index] for index in reviewed.query(footprint)]
        shown = geometry_in_chip(areal(shapely.union_all(near)), grid).area / (grid.width * grid.height)
        if shown >= MIN_SHOWN and not len(taken.query(footprint, predicate="intersects")):
            empty.append(grid)
    return sorted(empty, key=lambda grid: chip_name("", grid, settings))[:most]


def _lattice(area: BaseGeometry, settings: ExportSettings) -> list[ChipGrid]:
    middle = inner_point(area)
    crs, side = utm_of(middle.x, middle.y), settings.chip_px * settings.pixel_m
    west, south, east, north = to_crs(area, crs).bounds
    columns = range(int(west // side), int(east // side) + 1)
    rows = range(int(south // side), int(north // side) + 1)
    steps = (Affine(settings.pixel_m, 0, x * side, 0, -settings.pixel_m, (y + 1) * side) for x in columns for y in rows)
    return [ChipGrid(crs, step, settings.chip_px, settings.chip_px) for step in steps]


def cut_example(*, ref: SceneRef, grid: ChipGrid, ground: Ground, settings: ExportSettings) -> Example:
    """Cut a chip and put its labels on it; what nobody has looked through, or is unknown, is black.

    Args:
        ref: the scene.
        grid: the chip.
        ground: what people said around there; what lies elsewhere costs time only.
        settings: bands and what they are stretched to.

    Raises:
        BadRaster: the scene lacks a band, or cannot be read.
    """
    pixels = cut_grid(ref, grid, bands=settings.bands)
    parts = [(label, geometry_in_chip(label.geometry, grid)) for label in ground.labels]
    known = shapely.union_all([part for _, part in parts])
    reviewed = geometry_in_chip(areal(shapely.union_all(ground.reviewed)), grid)
    unknown = shapely.union_all([geometry_in_chip(place, grid) for place in ground.unknown])
    shown = areal(shapely.union(shapely.difference(reviewed, unknown), known))
    seen = pixels.mask & ~touched(shapely.difference(box(0, 0, grid.width, grid.height), shown), grid)
    placed = [(label, part) for label, part in parts if _counts(label, part, seen, grid)]
    kept = shapely.union_all([part for _, part in placed])
    seen &= ~touched(shapely.difference(known, kept), grid)
    image = stretch_to_uint8(pixels.reflectance(), pixels.mask, *settings.stretch) * seen[:, :, None]
    return Example(image, tuple(placed), round(float(seen.mean()), 4))


def _counts(label: ExportLabel, part: BaseGeometry, seen: Mask, grid: Grid) -> bool:
    if part.is_empty:
        return False
    x0, y0, x1, y1 = part.bounds
    if min(x1 - x0, y1 - y0) < MIN_BOX_PX or part.area < MIN_AREA_PX:
        return False
    whole = affine_transform(to_crs(label.geometry, grid.crs), (~grid.transform).to_shapely()).area
    on_data = float(seen[touched(part, grid)].mean())
    return bool(part.area * on_data >= MIN_VISIBLE * min(whole, grid.width * grid.height))


def touched(geometry: BaseGeometry, grid: Grid) -> Mask:
    """Say which pixels a geometry in pixels touches with an area that counts, bool of shape (H, W)."""
    parts = [part for part in shapely.get_parts(geometry) if part.area > MIN_AREA_PX]
    if not parts:
        return np.zeros((grid.height, grid.width), np.bool_)
    return np.asarray(rasterize(parts, out_shape=(grid.height, grid.width), all_touched=True), np.bool_)
