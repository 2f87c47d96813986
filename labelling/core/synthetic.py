"""Synthetic Sentinel-2 scenes for the demonstration and the tests: made up, plausible, and marked as such.

A *place* is 5 km of invented ground with mines, look-alikes and a truth; it can be seen on several dates.
The spectra are rough means of published reflectances of such surfaces; none is a measurement.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
import shapely
from affine import Affine
from shapely import affinity
from shapely.geometry import LineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from labelling.core.raster import transformer

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")
ATTRIBUTION = "Synthetic scene made by MAD Web; no place on Earth"
PIXEL_M = 10.0
CRS = "EPSG:32727"  # the open Atlantic south of the equator, where no real mine can be meant
DATES = (datetime(2024, 2, 9, 10, 36, tzinfo=UTC), datetime(2024, 7, 18, 10, 36, tzinfo=UTC))

MINES = (
    "open_pit",
    "tailings_storage_facility",
    "waste_rock_dump",
    "heap_leach_pad",
    "pond",
    "artisanal_diggings",
)
LOOK_ALIKES = ("bare field", "riverbank", "natural pond", "town")


@dataclass(frozen=True)
class Biome:
    """One invented ecoregion: what covers its ground, and what its soil does to the colour of a mine."""

    name: str
    ground: tuple[str, str]
    tint: tuple[float, float]  # factor on the visible and on the shortwave-infrared bands of whatever is bare


BIOMES = (
    Biome("Synthetic moist forest", ("moist forest", "clearing"), (1.0, 0.95)),
    Biome("Synthetic dry savanna", ("dry savanna", "dry grass"), (1.12, 1.10)),
)


@dataclass(frozen=True, eq=False)
class Thing:
    """A mine or a look-alike: its outline in metres of the scene's CRS.

    Attributes:
        kind: a type code of the axis ``feature``, or one of ``LOOK_ALIKES``.
        outline: polygon in ``CRS``.
    """

    kind: str
    outline: Polygon

    @property
    def is_mine(self) -> bool:
        """Whether the truth calls it a mine."""
        return self.kind in MINES

    @property
    def lonlat(self) -> Polygon:
        """The outline in EPSG:4326."""
        result = to_lonlat(self.outline)
        assert isinstance(result, Polygon)
        return result


@dataclass(frozen=True, eq=False)
class Place:
    """Invented ground and what stands on it.

    Attributes:
        name: such as ``synthetic-03``.
        biome: the ecoregion it lies in.
        seed: of everything random about it.
        side: rows and columns, pixels.
        transform: pixel to ``CRS``.
        things: mines and look-alikes that do not overlap.
    """

    name: str
    biome: Biome
    seed: int
    side: int
    transform: Affine
    things: tuple[Thing, ...] = field(default=())

    @property
    def bounds(self) -> Polygon:
        """The square of the place in ``CRS``."""
        x, y = self.transform @ (0, 0)
        return box(x, y - self.side * PIXEL_M, x + self.side * PIXEL_M, y)

    @property
    def lonlat_bounds(self) -> Polygon:
        """The square of the place in EPSG:4326."""
        result = to_lonlat(self.bounds)
        assert isinstance(result, Polygon)
        return result

    @property
    def mines(self) -> tuple[Thing, ...]:
        """The truth."""
        return tuple(thing for thing in self.things if thing.is_mine)


def make_places(count: int, *, side: int = 512, seed: int = 0) -> tuple[Place, ...]:
    """Invent places, 20 km apart, half of them in each ecoregion.

    Args:
        count: how many.
        side: rows and columns of each, pixels of 10 m.
        seed: the same seed gives the same places.
    """
    return tuple(_place(index, side, seed) for index in range(count))


def _place(index: int, side: int, seed: int) -> Place:
    biome = BIOMES[index % 2]
    column, row = index // 2 % 4, index // 8
    x = 500_000 + (index % 2) * 200_000 + column * 20_000
    y = 8_900_000 - row * 20_000
    rng = np.random.default_rng((seed, index))
    bare = Place(f"synthetic-{index + 1:02d}", biome, seed * 1000 + index, side, Affine(PIXEL_M, 0, x, 0, -PIXEL_M, y))
    return replace(bare, things=_settle(bare, rng))


def make_lone_place(kind: str, *, name: str, corner: tuple[float, float], side: int, seed: int) -> Place | None:
    """Invent a place where a single mine or look-alike stands.

    Args:
        kind: one of ``MINES`` or ``LOOK_ALIKES``, but no riverbank.
        name: of the place.
        corner: upper left, metres of ``CRS``.
        side: rows and columns, pixels of 10 m; at least 150.
        seed: of everything random about it, the ecoregion included.

    Returns:
        The place; None where the ground of this seed has no room for it.
    """
    rng = np.random.default_rng(seed)
    biome = BIOMES[int(rng.integers(len(BIOMES)))]
    bare = Place(name, biome, seed, side, Affine(PIXEL_M, 0, corner[0], 0, -PIXEL_M, corner[1]))
    outline = _find_room(kind, bare, river_of(bare).buffer(40), rng)
    return replace(bare, things=(Thing(kind, outline),)) if outline is not None else None


def region_of(biome: Biome, *, margin_m: float = 15_000) -> Polygon:
    """The outline of an invented ecoregion in EPSG:4326; it holds up to 16 places."""
    first = 500_000 + BIOMES.index(biome) * 200_000
    area = box(first - margin_m, 8_900_000 - 70_000 - margin_m, first + 66_000 + margin_m, 8_900_000 + margin_m)
    result = to_lonlat(area.segmentize(10_000))
    assert isinstance(result, Polygon)
    return result


def _settle(place: Place, rng: np.random.Generator) -> tuple[Thing, ...]:
    """Put a river, mines and look-alikes on the ground so that no two touch."""
    things: list[Thing] = []
    taken: BaseGeometry = river_of(place).buffer(40)
    if rng.random() < 0.7:
        things.append(Thing("riverbank", _sandbar(river_of(place), rng)))
        taken = taken.union(things[0].outline.buffer(60))
    wanted = [*rng.permutation(MINES)[: int(rng.integers(4, 7))], *rng.choice(MINES[:5], int(rng.integers(1, 4)))]
    wanted += list(rng.permutation(("bare field", "natural pond", "town", "bare field"))[: int(rng.integers(2, 5))])
    for kind in wanted:
        outline = _find_room(str(kind), place, taken, rng)
        if outline is not None:
            things.append(Thing(str(kind), outline))
            taken = taken.union(outline.buffer(60))
    return tuple(things)


def _find_room(kind: str, place: Place, taken: BaseGeometry, rng: np.random.Generator) -> Polygon | None:
    for _ in range(40):
        shape = _SHAPES[kind](rng)
        reach = max(abs(value) for value in shape.bounds) + 30
        left, bottom, right, top = place.bounds.bounds
        x, y = rng.uniform(left + reach, right - reach), rng.uniform(bottom + reach, top - reach)
        outline = affinity.translate(shape, x, y)
        if not outline.intersects(taken):
            return Polygon(outline.exterior)
    return None


def _ring(rng: np.random.Generator, radius: float, *, rough: float, lobes: int, stretch: float) -> Polygon:
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    waves = sum(rough / order * np.cos(order * angles + rng.uniform(0, 2 * np.pi)) for order in range(2, lobes + 1))
    r = radius * (1 + np.asarray(waves))
    ring = Polygon(np.column_stack([r * np.cos(angles) * stretch, r * np.sin(angles) / stretch]))
    return affinity.rotate(ring.buffer(0), rng.uniform(0, 180), origin=(0, 0))


def _pit(rng: np.random.Generator) -> Polygon:
    return _ring(rng, rng.uniform(180, 420), rough=0.08, lobes=3, stretch=rng.uniform(1.0, 1.3))


def _dump(rng: np.random.Generator) -> Polygon:
    return _ring(rng, rng.uniform(160, 360), rough=0.28, lobes=6, stretch=rng.uniform(1.0, 1.5))


def _tailings(rng: np.random.Generator) -> Polygon:
    valley = _ring(rng, rng.uniform(220, 460), rough=0.12, lobes=4, stretch=rng.uniform(1.1, 1.4))
    left, bottom, right, top = valley.bounds
    dammed = valley.intersection(box(left, bottom, right * rng.uniform(0.2, 0.5), top))  # the straight dam
    return affinity.rotate(_largest(dammed), rng.uniform(0, 360), origin=(0, 0))


def _pad(rng: np.random.Generator) -> Polygon:
    width, height = rng.uniform(260, 620), rng.uniform(160, 320)
    return affinity.rotate(box(-width / 2, -height / 2, width / 2, height / 2), rng.uniform(0, 180), origin=(0, 0))


def _process_pond(rng: np.random.Generator) -> Polygon:
    width, height = rng.uniform(110, 240), rng.uniform(90, 160)
    pond = box(-width / 2, -height / 2, width / 2, height / 2).buffer(-15).buffer(15)
    return affinity.rotate(pond, rng.uniform(0, 180), origin=(0, 0))


def _diggings(rng: np.random.Generator) -> Polygon:
    line = np.cumsum(rng.normal((60, 0), (15, 45), (int(rng.integers(7, 13)), 2)), axis=0)
    patches = [Point(x, y).buffer(rng.uniform(40, 75)) for x, y in line - line.mean(axis=0)]
    joined = unary_union([*patches, LineString(line - line.mean(axis=0)).buffer(28)])
    return affinity.rotate(_largest(joined), rng.uniform(0, 360), origin=(0, 0))


def _field(rng: np.random.Generator) -> Polygon:
    width, height = rng.uniform(300, 700), rng.uniform(200, 500)
    corners = [
        (-width / 2, -height / 2),
        (width / 2, -height / 2),
        (width / 2 + 60, height / 2),
        (-width / 2, height / 2),
    ]
    return affinity.rotate(Polygon(corners), rng.uniform(0, 180), origin=(0, 0))


def _natural_pond(rng: np.random.Generator) -> Polygon:
    return _ring(rng, rng.uniform(60, 160), rough=0.2, lobes=4, stretch=rng.uniform(1.0, 1.6))


def _town(rng: np.random.Generator) -> Polygon:
    return _ring(rng, rng.uniform(220, 420), rough=0.15, lobes=4, stretch=1.1)


_SHAPES = {
    "open_pit": _pit,
    "tailings_storage_facility": _tailings,
    "waste_rock_dump": _dump,
    "heap_leach_pad": _pad,
    "pond": _process_pond,
    "artisanal_diggings": _diggings,
    "bare field": _field,
    "natural pond": _natural_pond,
    "town": _town,
}


def river_of(place: Place) -> LineString:
    """The course of the place's river in ``CRS``, the same on every call."""
    rng = np.random.default_rng((place.seed, 11))
    left, bottom, right, top = place.bounds.bounds
    steps = np.linspace(left - 200, right + 200, 40)
    course = rng.uniform(bottom + 600, top - 600) + rng.uniform(150, 500) * np.sin(
        (steps - left) / rng.uniform(500, 1100) + rng.uniform(0, 6)
    )
    return LineString(np.column_stack([steps, course]))


def _sandbar(river: LineString, rng: np.random.Generator) -> Polygon:
    middle = river.interpolate(rng.uniform(0.3, 0.7), normalized=True)
    bank = river.buffer(95, single_sided=True).intersection(middle.buffer(rng.uniform(250, 450)))
    return _largest(bank)


def _largest(shape: BaseGeometry) -> Polygon:
    """The largest part of a shape, without its holes."""
    parts = [part for part in getattr(shape, "geoms", [shape]) if isinstance(part, Polygon)]
    return Polygon(max(parts, key=lambda part: part.area).exterior)


def to_lonlat(geometry: BaseGeometry) -> BaseGeometry:
    """Bring a geometry from ``CRS`` to EPSG:4326."""
    place = transformer(CRS, "EPSG:4326").transform
    moved: BaseGeometry = shapely.transform(geometry, lambda xy: np.column_stack(place(xy[:, 0], xy[:, 1])))
    return moved
