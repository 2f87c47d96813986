"""Spatial blocks: near-equal squares of ground that test sets and splits take whole."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, box
from shapely.geometry.base import BaseGeometry

from labelling.core.globe import split_at_antimeridian

# Radius of the sphere with the area of the WGS 84 ellipsoid, metres.
AUTHALIC_RADIUS_M = 6_371_007.181
# The shortest degree of latitude on the ellipsoid, metres: a buffer by it is never too narrow.
SHORTEST_DEGREE_M = 110_574.0
MIN_BLOCK_M = 100.0
# A tenth of a millimetre: what rounding may put on the other side of a block's edge.
ROUNDING_DEG = 1e-9


@dataclass(frozen=True, order=True)
class Block:
    """A cell of the grid: row from the south pole, column from the antimeridian eastwards."""

    row: int
    column: int


@dataclass(frozen=True)
class BlockGrid:
    """The whole Earth in blocks of about the same area, on the integerized sinusoidal grid.

    Each row of latitude has as many columns as blocks fit around it. A block is a rectangle in longitude and
    latitude, about square everywhere but next to the poles; none reaches over the antimeridian or a pole.
    After Rossow and Garder (1984), as MODIS level-3 products use it.

    Attributes:
        side_m: side of a block, metres.
    """

    side_m: float

    def __post_init__(self) -> None:
        """Refuse a side that makes no blocks.

        Raises:
            ValueError: a side under 100 m or over 1 000 km.
        """
        if not MIN_BLOCK_M <= self.side_m <= 1e6:
            msg = f"the side of a block lies between {MIN_BLOCK_M:g} m and 1 000 000 m, not {self.side_m:g} m"
            raise ValueError(msg)

    @property
    def rows(self) -> int:
        """Rows between the poles."""
        return max(2, round(math.pi * AUTHALIC_RADIUS_M / self.side_m))

    def columns(self, row: int) -> int:
        """Columns around the Earth in a row."""
        middle = math.radians((row + 0.5) * 180 / self.rows - 90)
        return max(3, round(2 * math.pi * AUTHALIC_RADIUS_M * math.cos(middle) / self.side_m))

    def block_at(self, lon: float, lat: float) -> Block:
        """Find the block of a place, degrees, EPSG:4326; the antimeridian belongs to the east of it."""
        row = min(int((lat + 90) / 180 * self.rows), self.rows - 1)
        count = self.columns(row)
        return Block(row, 0 if lon == 180 else min(int((lon + 180) / 360 * count), count - 1))

    def blocks_touching(self, geometry: BaseGeometry) -> list[Block]:
        """Find the blocks that a geometry (EPSG:4326) has ground in."""
        found = set()
        for part in shapely.get_parts(geometry):
            west, south, east, north = part.bounds
            first, last = self.block_at(west, south).row, self.block_at(west, north).row
            found |= {block for row in range(first, last + 1) for block in self._in_row(row, west, east)}
        cells = shapely.box(*np.array([self.bounds(block) for block in sorted(found)]).reshape(-1, 4).T)
        hits = shapely.dwithin(geometry, cells, ROUNDING_DEG)
        return [block for block, hit in zip(sorted(found), hits, strict=True) if hit]

    def _in_row(self, row: int, west: float, east: float) -> list[Block]:
        count = self.columns(row)
        first, last = (min(int((lon + 180) / 360 * count), count - 1) for lon in (west, east))
        return [Block(row, column) for column in range(first, last + 1)]

    def bounds(self, block: Block) -> tuple[float, float, float, float]:
        """West, south, east, north of a block, degrees, EPSG:4326."""
        step, width = 180 / self.rows, 360 / self.columns(block.row)
        west, south = block.column * width - 180, block.row * step - 90
        return west, south, west + width, south + step

    def polygon(self, block: Block) -> BaseGeometry:
        """The rectangle of a block, EPSG:4326."""
        return box(*self.bounds(block))

    def key(self, block: Block) -> str:
        """A name that says grid and place, such as ``20000m-r0766-c0753``."""
        return f"{self.side_m:g}m-r{block.row:04d}-c{block.column:04d}"


def buffered_box(bounds: tuple[float, float, float, float], buffer_m: float) -> MultiPolygon:
    """Widen a box by a distance on the ground, never by less.

    Args:
        bounds: west, south, east, north, degrees, EPSG:4326.
        buffer_m: metres to every side.

    Returns:
        The wider box, EPSG:4326, split at the antimeridian; around a pole all the way where it reaches one.
    """
    west, south, east, north = bounds
    up = buffer_m / SHORTEST_DEGREE_M
    south, north = max(south - up, -90.0), min(north + up, 90.0)
    shrink = math.cos(math.radians(max(abs(south), abs(north))))
    aside = up / shrink if shrink > 1e-6 else 360.0
    if east - west + 2 * aside >= 360:
        west, east, aside = -180.0, 180.0, 0.0
    return MultiPolygon(
        shapely.get_parts(split_at_antimeridian(box(west - aside, south, east + aside, north))).tolist()
    )


def leaks(buffered: Sequence[BaseGeometry], footprints: Sequence[BaseGeometry]) -> list[int]:
    """Find the footprints that touch a test block or its buffer.

    Args:
        buffered: the blocks of a test set with their buffers, EPSG:4326.
        footprints: the ground of training chips, EPSG:4326.

    Returns:
        Indexes of the footprints that must not train, in order.
    """
    if not buffered or not footprints:
        return []
    tree = shapely.STRtree(list(buffered))
    hits = tree.query(np.asarray(footprints, dtype=object), predicate="intersects")[0]
    return [int(index) for index in np.unique(hits)]
