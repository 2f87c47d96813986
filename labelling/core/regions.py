"""Which region a point lies in, or lies nearest to."""

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from labelling.core.geometry import distance_m, search_boxes

NEAREST_M = 100_000.0


class RegionIndex:
    """Polygons that can be asked for the one around, or nearest to, a point. EPSG:4326."""

    def __init__(self, polygons: Sequence[BaseGeometry]) -> None:
        self._polygons = np.array(polygons, dtype=object)
        self._tree = shapely.STRtree(self._polygons)

    def locate(self, points: Sequence[Point], *, nearest_m: float = NEAREST_M) -> list[int | None]:
        """Find the polygon of each point.

        Args:
            points: EPSG:4326.
            nearest_m: a point inside none belongs to the nearest within so many metres (geodesic).

        Returns:
            Index of the polygon for each point, the lowest where several hold it; None where none is near.
        """
        nowhere = len(self._polygons)
        if not nowhere or not points:
            return [None] * len(points)
        query, hit = self._tree.query(np.array(points, dtype=object), predicate="intersects")
        lowest = np.full(len(points), nowhere)
        np.minimum.at(lowest, query, hit)
        return [
            self._nearest(point, nearest_m) if place == nowhere else place
            for point, place in zip(points, lowest.tolist(), strict=True)
        ]

    def _nearest(self, point: Point, limit_m: float) -> int | None:
        west, south, east, north = search_boxes(np.array([[point.x, point.y, point.x, point.y]]), limit_m)[0]
        offers = []
        for shift in (0.0, 360.0, -360.0):
            box = shapely.box(west + shift, south, east + shift, north)
            here = Point(point.x + shift, point.y)
            offers += [(distance_m(here, self._polygons[hit]), int(hit)) for hit in self._tree.query(box)]
        best = min(offers, default=None)
        return best[1] if best is not None and best[0] <= limit_m else None
