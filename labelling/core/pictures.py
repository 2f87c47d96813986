"""A square of ground for a small picture, and outlines drawn on it as SVG paths."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from labelling.core.raster import transformer

ROOM = 1.6  # side of the picture over the longer side of what it shows
LEAST_M = 800.0  # a point, or a small pond, still shows the ground around it
SIDE = 100.0  # of the SVG's own units
DOT = 3.0
_DETAIL = 0.3  # in the same units: finer bends are not seen
_MAX_LATITUDE = 85.05
_HALF_WORLD_DEG = 180.0
# Half a side of the map, east-west to 180 degrees and north-south to _MAX_LATITUDE, rounded down.
_EDGES_M = np.array([20_037_508.0, 20_036_051.0])


@dataclass(frozen=True)
class Frame:
    """A square in Web Mercator (EPSG:3857), in the metres of that projection.

    Attributes:
        left: west edge.
        low: south edge.
        side: length of a side.
    """

    left: float
    low: float
    side: float

    @classmethod
    def around(cls, geometries: Sequence[BaseGeometry]) -> "Frame":
        """Choose the square around geometries (EPSG:4326), with room at each side.

        Args:
            geometries: at least one, none empty. Of those on both sides of 180 degrees the largest part is shown.
        """
        west, south, east, north = shapely.total_bounds(np.asarray(geometries, dtype=object))
        if east - west > _HALF_WORLD_DEG:
            west, south, east, north = max(shapely.get_parts(geometries), key=lambda part: part.area).bounds
        south, north = np.clip([south, north], -_MAX_LATITUDE, _MAX_LATITUDE)
        (left, right), (low, high) = transformer("EPSG:4326", "EPSG:3857").transform([west, east], [south, north])
        side = float(max((right - left) * ROOM, (high - low) * ROOM, LEAST_M))
        return cls((left + right - side) / 2, (low + high - side) / 2, side)

    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees, cut at the edges of the map."""
        # Cut in metres: beyond the edge degrees would begin again at the other side.
        first = np.array([self.left, self.low])
        edges = np.clip([first, first + self.side], -_EDGES_M, _EDGES_M)
        (west, east), (south, north) = transformer("EPSG:3857", "EPSG:4326").transform(*edges.T)
        return float(west), float(south), float(east), float(north)

    def path(self, geometry: BaseGeometry) -> str:
        """Write a geometry (EPSG:4326) as the ``d`` of an SVG path in a view box of ``SIDE`` by ``SIDE``."""
        drawn = shapely.transform(geometry, self._place)
        if isinstance(drawn, Point):
            return f"M{drawn.x - DOT:.1f} {drawn.y:.1f}a{DOT} {DOT} 0 1 0 {2 * DOT} 0a{DOT} {DOT} 0 1 0 {-2 * DOT} 0Z"
        rings = shapely.get_rings(shapely.get_parts(drawn.simplify(_DETAIL)))
        return "".join(_ring(shapely.get_coordinates(ring)) for ring in rings)

    def _place(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = transformer("EPSG:4326", "EPSG:3857").transform(lonlat[:, 0], lonlat[:, 1])
        scale = SIDE / self.side
        return np.column_stack([(x - self.left) * scale, SIDE - (y - self.low) * scale])


def _ring(xy: NDArray[np.float64]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in xy[:-1]) + "Z"
