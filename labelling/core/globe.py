"""Outlines between metric CRSs and longitude and latitude, over the antimeridian and the poles."""

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Point, Polygon
from shapely.affinity import translate
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from labelling.core.geometry import GEOD
from labelling.core.raster import transformer, utm_of

LONLAT = "EPSG:4326"
_EDGE_PARTS = 16


def to_crs(geometry: BaseGeometry, crs: str) -> BaseGeometry:
    """Bring a geometry from longitude and latitude into another CRS.

    Args:
        geometry: EPSG:4326.
        crs: ``EPSG:n`` or WKT.

    Returns:
        The geometry in that CRS; empty where it lies beyond what the CRS can express. Parts that were split
        at the antimeridian are one again where they touch.
    """
    moved: BaseGeometry = shapely.transform(
        geometry, lambda xy: np.column_stack(transformer(LONLAT, crs).transform(xy[:, 0], xy[:, 1]))
    )
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        return Polygon()
    if geometry.geom_type == "MultiPolygon" and np.isin([-180, 180], geometry.bounds).all():
        # A micrometre closes the seam that two transforms of the same meridian leave.
        moved = shapely.union_all(moved, grid_size=1e-6)
    return moved


def outline_to_lonlat(outline: Polygon, crs: str) -> BaseGeometry:
    """Bring the outer ring of a polygon to longitude and latitude.

    Args:
        outline: polygon in ``crs``; its holes are left out.
        crs: ``EPSG:n`` or WKT.

    Returns:
        Polygon or MultiPolygon, EPSG:4326, longitudes -180 to 180: split at the antimeridian, and closed
        over the pole where the ring goes around one (RFC 7946, section 3.1.9).

    Raises:
        ValueError: a corner has no longitude and latitude in that CRS.
    """
    ring = np.asarray(shapely.segmentize(outline, outline.length / (4 * _EDGE_PARTS)).exterior.coords)
    lon, lat = (np.asarray(axis) for axis in transformer(crs, LONLAT).transform(ring[:, 0], ring[:, 1]))
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        msg = f"an outline with corners that {crs} cannot place on the Earth"
        raise ValueError(msg)
    lon = np.unwrap(lon, period=360)
    if abs(lon[-1] - lon[0]) > 180:  # once around a pole
        pole = float(np.copysign(90, lat.mean()))
        lon, lat = np.append(lon, [lon[-1], lon[0], lon[0]]), np.append(lat, [pole, pole, lat[0]])
    else:
        lon[-1] = lon[0]  # unwrapping adds up roundings: a ring that misses its start by one crosses itself
    return split_at_antimeridian(Polygon(np.column_stack([lon, lat])))


def circle_on_ground(lon: float, lat: float, radius_m: float) -> BaseGeometry:
    """Draw a circle around a place (degrees, EPSG:4326), in EPSG:4326, split at the antimeridian."""
    crs = utm_of(lon, lat)
    return outline_to_lonlat(to_crs(Point(lon, lat), crs).buffer(radius_m), crs)


def unwrap(geometry: BaseGeometry, *, near: float | None = None) -> BaseGeometry:
    """Bring what was split at the antimeridian next to each other.

    Args:
        geometry: EPSG:4326, narrower than half the Earth.
        near: a longitude, degrees; None: that of its first corner.

    Returns:
        The same ground with longitudes within 180 degrees of ``near``, perhaps beyond -180 or 180.
    """
    middle = shapely.get_coordinates(geometry)[0, 0] if near is None else near

    def turned(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        turns = np.where(xy[:, 0] > middle + 180, -360, np.where(xy[:, 0] < middle - 180, 360, 0))
        return np.column_stack([xy[:, 0] + turns, xy[:, 1]])

    return shapely.transform(geometry, turned)


def shift_on_ground(geometry: BaseGeometry, *, east_m: float, north_m: float) -> BaseGeometry:
    """Move an outline over the ground without turning or stretching it.

    Its corners keep their distance and direction from its middle on the plane that touches the ellipsoid there
    (azimuthal equidistant), and east and north are those of the middle.

    Args:
        geometry: EPSG:4326, some kilometres wide.
        east_m: metres on the ellipsoid; below zero to the west.
        north_m: metres on the ellipsoid; below zero to the south.

    Returns:
        The geometry at its new place, EPSG:4326, split at the antimeridian.
    """
    whole = unwrap(geometry)
    if whole.bounds != geometry.bounds:
        whole = shapely.union_all(whole)  # the seam at the antimeridian does not travel
    middle = whole.centroid

    def moved(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = np.full(len(xy), middle.x), np.full(len(xy), middle.y)
        azimuth, _, distance = GEOD.inv(lon, lat, xy[:, 0], xy[:, 1])
        east = distance * np.sin(np.radians(azimuth)) + east_m
        north = distance * np.cos(np.radians(azimuth)) + north_m
        lon, lat, _ = GEOD.fwd(lon, lat, np.degrees(np.arctan2(east, north)), np.hypot(east, north))
        return np.column_stack([lon, lat])

    return split_at_antimeridian(unwrap(shapely.transform(whole, moved), near=middle.x))


def split_at_antimeridian(geometry: BaseGeometry) -> BaseGeometry:
    """Cut a geometry with longitudes beyond -180 or 180 and bring each piece back between them.

    Args:
        geometry: EPSG:4326 with longitudes from -540 to 540.

    Returns:
        The same ground with longitudes -180 to 180.
    """
    west, _, east, _ = geometry.bounds
    if west >= -180 and east <= 180:
        return geometry
    world = box(-180, -90, 180, 90)
    shifts = (shift for shift in (-360, 0, 360) if west + shift < 180 and east + shift > -180)
    return shapely.union_all([shapely.intersection(translate(geometry, shift), world) for shift in shifts])
