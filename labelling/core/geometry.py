"""Geometries on the ellipsoid, EPSG:4326: checked before they are believed, measured in metres and hectares."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod
from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from labelling.core.errors import BadGeometry

GEOD = Geod(ellps="WGS84")
MAX_VERTICES = 50_000
MAX_REPAIR_VERTICES = 10_000
# Pairs of edges whose boxes overlap: what a repair costs grows with them, not with the vertices.
MAX_REPAIR_PAIRS = 20_000
MAX_REPAIR_CHANGE = 0.01
MAX_WIDTH_DEG = 180.0
# Files round 180 up by as much.
ROUNDING_DEG = 1e-6
SAME_PLACE_GAP_M = 100.0
MAX_PARTS = 2_000
KINDS = ("Point", "Polygon", "MultiPolygon")
_METRES_PER_DEGREE = 110_500.0
_EDGE_BATCH = 256
_EDGES = np.array([180.0, 90.0])


@np.errstate(invalid="ignore")
def clean_geometry(geometry: BaseGeometry, *, max_vertices: int = MAX_VERTICES) -> tuple[BaseGeometry, bool]:
    """Check a geometry from outside, drop its heights and repair what can be repaired at once.

    Args:
        geometry: any geometry, longitude and latitude in degrees, EPSG:4326.
        max_vertices: more are refused.

    Returns:
        A valid point, polygon or multipolygon, and whether it was repaired.

    Raises:
        BadGeometry: another kind, empty, not finite, out of range, too large, without area, wider than half
            the Earth, or crossing itself beyond repair.
    """
    flat = shapely.force_2d(_single(geometry))
    _check_kind(flat)
    _check_coordinates(flat, max_vertices)
    flat = shapely.transform(flat, lambda xy: np.clip(xy, -_EDGES, _EDGES))
    if isinstance(flat, Point):
        return flat, False
    _check_edges(flat)
    # Validity first: it costs milliseconds, and a repair of a hostile ring costs minutes.
    repaired = not shapely.is_valid(flat)
    if repaired:
        flat = _repair(flat)
    if flat.area <= 0:
        msg = "has no area"
        raise BadGeometry(msg)
    return flat, repaired


def _single(geometry: BaseGeometry) -> BaseGeometry:
    parts: list[BaseGeometry] = list(shapely.get_parts(geometry))
    return parts[0] if len(parts) == 1 else geometry


def _check_kind(geometry: BaseGeometry) -> None:
    if not shapely.get_num_coordinates(geometry):
        msg = "the geometry is empty"
        raise BadGeometry(msg)
    if geometry.geom_type not in KINDS:
        msg = f"a {geometry.geom_type}: only points, polygons and multipolygons are taken"
        raise BadGeometry(msg)


def _check_coordinates(geometry: BaseGeometry, max_vertices: int) -> None:
    count = shapely.get_num_coordinates(geometry)
    if count > max_vertices:
        msg = f"{count} vertices, at most {max_vertices} are taken: simplify it"
        raise BadGeometry(msg)
    xy = shapely.get_coordinates(geometry)
    if not np.isfinite(xy).all():
        msg = "a coordinate is not a finite number"
        raise BadGeometry(msg)
    for name, values, limit in (("longitude", xy[:, 0], 180.0), ("latitude", xy[:, 1], 90.0)):
        worst = float(values[np.abs(values).argmax()])
        if abs(worst) > limit + ROUNDING_DEG:
            msg = f"{name} {worst:g} is outside -{limit:g} to {limit:g}: is its CRS the right one?"
            raise BadGeometry(msg)


def _check_edges(geometry: BaseGeometry) -> None:
    for ring in _rings(geometry):
        wide = np.abs(np.diff(ring[:, 0])) > MAX_WIDTH_DEG
        along_pole = (np.abs(ring[:-1, 1]) == 90) & (np.abs(ring[1:, 1]) == 90)
        if (wide & ~along_pole).any():
            msg = "an edge spans more than half the Earth: split it at the antimeridian (RFC 7946)"
            raise BadGeometry(msg)


def _rings(geometry: BaseGeometry) -> list[NDArray[np.float64]]:
    polygons = shapely.get_parts(geometry)
    return [shapely.get_coordinates(ring) for polygon in polygons for ring in shapely.get_rings(polygon)]


def _repair(geometry: BaseGeometry) -> BaseGeometry:
    reason = shapely.is_valid_reason(geometry).replace("[", " at ").rstrip("]").lower()
    if shapely.get_num_coordinates(geometry) > MAX_REPAIR_VERTICES or _edge_pairs(geometry) > MAX_REPAIR_PAIRS:
        msg = f"{reason}, and too tangled to repair"
        raise BadGeometry(msg)
    fixed = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
    polygons = [part for part in shapely.get_parts(shapely.get_parts(fixed)) if isinstance(part, Polygon)]
    if not polygons or not all(part.area > 0 for part in polygons):
        msg = f"{reason}, and nothing is left of it after repair"
        raise BadGeometry(msg)
    # A ring that touches itself has one meaning; of a bow-tie nobody knows which half was meant.
    if abs(fixed.area - geometry.area) > MAX_REPAIR_CHANGE * geometry.area:
        msg = f"it crosses itself ({reason}): draw its outline anew"
        raise BadGeometry(msg)
    return polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)


def _edge_pairs(geometry: BaseGeometry) -> int:
    edges = [np.stack([xy[:-1], xy[1:]], axis=1) for xy in _rings(geometry)]
    lines: Any = shapely.linestrings(np.concatenate(edges))
    tree, pairs = shapely.STRtree(lines), 0
    for start in range(0, len(lines), _EDGE_BATCH):
        left, right = tree.query(lines[start : start + _EDGE_BATCH])
        # Neighbours on the ring always touch; they say nothing.
        pairs += int(np.count_nonzero(right - left - start > 1))
        if pairs > MAX_REPAIR_PAIRS:
            break
    return pairs


def area_ha(geometry: BaseGeometry) -> float:
    """Measure a geometry (EPSG:4326) on the WGS 84 ellipsoid, hectares; 0 for a point."""
    if geometry.geom_type == "Point":
        return 0.0
    parts = [geometry] if isinstance(geometry, Polygon) else shapely.get_parts(geometry).tolist()
    return sum(_ring_m2(part.exterior) - sum(map(_ring_m2, part.interiors)) for part in parts) / 10_000


def _ring_m2(ring: BaseGeometry) -> float:
    lon, lat = shapely.get_coordinates(ring).T
    area_m2, _ = GEOD.polygon_area_perimeter(lon, lat)
    return abs(float(area_m2))  # below zero for a ring the other way round


def distances_m(from_xy: NDArray[np.float64], to_xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Measure geodesic distances between pairs of points.

    Args:
        from_xy: longitude and latitude in degrees, shape (N, 2).
        to_xy: the same for the other ends, shape (N, 2).

    Returns:
        Metres, shape (N,).
    """
    _, _, metres = GEOD.inv(from_xy[:, 0], from_xy[:, 1], to_xy[:, 0], to_xy[:, 1])
    return np.asarray(metres, np.float64)


def distance_m(point: Point, geometry: BaseGeometry) -> float:
    """Measure how far a point lies from a geometry, both EPSG:4326, metres; 0 inside.

    The nearest place is sought in a plane stretched at the point's latitude, which is right to a fraction
    of a percent within a few hundred kilometres, and the distance to it is geodesic.
    """
    stretch = max(float(np.cos(np.radians(point.y))), 1e-6)

    def squeeze(xy: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
        return np.column_stack([(xy[:, 0] - point.x) * factor, xy[:, 1]])

    flat = shapely.transform(geometry, lambda xy: squeeze(xy, stretch))
    _, nearest = nearest_points(Point(0.0, point.y), flat)
    here = np.array([[point.x, point.y]])
    there = np.array([[point.x + nearest.x / stretch, nearest.y]])
    return float(distances_m(here, there)[0])


def search_boxes(bounds: NDArray[np.float64], metres: float) -> NDArray[np.float64]:
    """Widen boxes by a distance on the ground.

    Args:
        bounds: west, south, east, north in degrees, shape (N, 4).
        metres: how far to every side.

    Returns:
        Wider boxes, shape (N, 4); beyond the poles and the antimeridian where they reach over.
    """
    up = metres / _METRES_PER_DEGREE
    highest = np.minimum(np.maximum(np.abs(bounds[:, 1]), np.abs(bounds[:, 3])) + up, 89.9)
    aside = np.minimum(up / np.cos(np.radians(highest)), 180.0)
    return np.column_stack([bounds[:, 0] - aside, bounds[:, 1] - up, bounds[:, 2] + aside, bounds[:, 3] + up])


def wrapped_boxes(bounds: NDArray[np.float64]) -> tuple[NDArray[np.intp], Any]:
    """Make rectangles of boxes, and a second one on the other side where a box reaches over the antimeridian.

    Args:
        bounds: west, south, east, north in degrees, shape (N, 4).

    Returns:
        For each rectangle the index of its box, and the rectangles.
    """
    shifts = ((0.0, bounds[:, 0] <= 180), (360.0, bounds[:, 0] < -180), (-360.0, bounds[:, 2] > 180))
    indexes = [np.flatnonzero(rows) for _, rows in shifts]
    moved = [bounds[rows] + [shift, 0, shift, 0] for shift, rows in shifts]
    return np.concatenate(indexes), shapely.box(*np.concatenate(moved).T)


def inner_point(geometry: BaseGeometry) -> Point:
    """Give a point inside the geometry: its centre where that lies inside."""
    if isinstance(geometry, Point):
        return geometry
    centre = geometry.centroid
    return centre if geometry.intersects(centre) else geometry.representative_point()


def areal(geometry: BaseGeometry) -> MultiPolygon:
    """Keep the polygons of a geometry."""
    return MultiPolygon([part for part in shapely.get_parts(geometry) if isinstance(part, Polygon)])


def split_places(geometry: BaseGeometry) -> list[BaseGeometry]:
    """Take a multipolygon apart where its parts lie more than 100 m from each other.

    Files hold all outlines of a tile or of a company in one multipolygon; a site is one place on the ground.

    Args:
        geometry: valid, EPSG:4326.

    Returns:
        Polygons, and multipolygons of parts that belong together; from west to east.

    Raises:
        BadGeometry: more than ``MAX_PARTS`` parts; each is compared with all that lie near.
    """
    parts = list(shapely.get_parts(geometry))
    if len(parts) == 1:
        return [geometry]
    if len(parts) > MAX_PARTS:
        msg = f"{len(parts)} parts, at most {MAX_PARTS} are taken: give each place a row of its own"
        raise BadGeometry(msg)
    lat = float(np.mean(geometry.bounds[1::2]))
    gap = SAME_PLACE_GAP_M / _METRES_PER_DEGREE
    # Degrees of longitude shrink towards the poles: stretched, the gap is as long in both directions.
    squeeze = np.array([max(np.cos(np.radians(lat)), 1e-6), 1.0])
    on_both_sides = geometry.bounds[2] - geometry.bounds[0] > MAX_WIDTH_DEG
    flat = shapely.transform(np.array(parts), lambda xy: _eastward(xy, on_both_sides) * squeeze)
    group = list(range(len(parts)))
    near = shapely.STRtree(flat).query(flat, predicate="dwithin", distance=gap)
    for left, right in near[:, near[0] < near[1]].T.tolist():
        one, other = _root(group, left), _root(group, right)
        group[max(one, other)] = min(one, other)
    group = [_root(group, member) for member in group]
    members = [[part for part, place in zip(parts, group, strict=True) if place == wanted] for wanted in set(group)]
    found = [polygons[0] if len(polygons) == 1 else MultiPolygon(polygons) for polygons in members]
    return sorted(found, key=lambda place: place.bounds)


def _root(group: list[int], member: int) -> int:
    while group[member] != member:
        group[member] = group[group[member]]
        member = group[member]
    return member


def _eastward(xy: NDArray[np.float64], on_both_sides: bool) -> NDArray[np.float64]:
    """Longitudes from 0 to 360 where a geometry lies on both sides of the antimeridian."""
    return np.column_stack([xy[:, 0] % 360, xy[:, 1]]) if on_both_sides else xy
