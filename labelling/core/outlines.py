"""Outlines that people draw: taken as they are or refused, never repaired."""

import json
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadGeometry
from labelling.core.geometry import KINDS, area_ha, clean_geometry

MAX_DRAWN_VERTICES = 10_000
AREAL = ("Polygon", "MultiPolygon")
# A window that a person has looked through: half of a Sentinel-2 granule's side is beyond what anybody scans.
MAX_WINDOW_HA = 250_000.0


def read_outline(value: object) -> BaseGeometry:
    """Read a GeoJSON geometry that came from outside.

    Args:
        value: a decoded GeoJSON geometry, longitude and latitude in degrees.

    Returns:
        A valid point, polygon or multipolygon, EPSG:4326, without heights.

    Raises:
        BadGeometry: not a geometry, or what ``check_outline`` refuses.
    """
    if not isinstance(value, dict) or value.get("type") not in KINDS:
        msg = f"not a GeoJSON geometry: send an object whose type is one of {', '.join(KINDS)}"
        raise BadGeometry(msg)
    plain = {"type": value["type"], "coordinates": value.get("coordinates")}
    try:
        geometry = shapely.from_geojson(json.dumps(plain, allow_nan=False))
    except (shapely.errors.GEOSException, ValueError, RecursionError) as error:
        msg = "the coordinates are not those of a closed GeoJSON geometry of finite numbers"
        raise BadGeometry(msg) from error
    if geometry is None or geometry.geom_type != value["type"]:
        msg = "the geometry is empty"
        raise BadGeometry(msg)
    return check_outline(geometry)


def check_outline(geometry: BaseGeometry) -> BaseGeometry:
    """Check an outline without repairing it: a repair of a hostile ring takes minutes, this milliseconds.

    Args:
        geometry: EPSG:4326.

    Returns:
        The same point, polygon or multipolygon without heights; a multipolygon of one part as a polygon.

    Raises:
        BadGeometry: another kind, empty, over 10 000 vertices, not finite, out of range, crossing itself,
            without area, or wider than half the Earth.
    """
    count = int(shapely.get_num_coordinates(geometry))
    if count > MAX_DRAWN_VERTICES:
        msg = f"{count} vertices, at most {MAX_DRAWN_VERTICES} are taken: simplify it"
        raise BadGeometry(msg)
    flat = shapely.force_2d(geometry)
    # NaN is not below anything: what lies off the Earth is told by ``clean_geometry``.
    on_earth = bool((np.abs(shapely.get_coordinates(flat)) <= (180, 90)).all())
    if on_earth and not shapely.is_valid(flat):
        msg = f"the outline is not valid ({shapely.is_valid_reason(flat).lower()}): move the vertex at fault"
        raise BadGeometry(msg)
    return clean_geometry(flat, max_vertices=MAX_DRAWN_VERTICES)[0]


def check_window(geometry: BaseGeometry) -> BaseGeometry:
    """Check a window of which a person says that everything in it is labelled.

    Args:
        geometry: EPSG:4326.

    Returns:
        A valid polygon of at most 250 000 ha.

    Raises:
        BadGeometry: not one polygon, too large, or what ``check_outline`` refuses.
    """
    window = check_outline(geometry)
    if window.geom_type != "Polygon":
        msg = f"a {window.geom_type}: a reviewed window is one polygon"
        raise BadGeometry(msg)
    size = area_ha(window)
    if size > MAX_WINDOW_HA:
        msg = f"the window has {size:,.0f} ha, at most {MAX_WINDOW_HA:,.0f} ha are taken: complete smaller windows"
        raise BadGeometry(msg)
    return window


def to_geojson(geometry: BaseGeometry) -> dict[str, Any]:
    """Write a geometry as a GeoJSON object."""
    value: dict[str, Any] = json.loads(shapely.to_geojson(geometry))
    return value
