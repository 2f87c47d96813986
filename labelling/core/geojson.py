"""GeoJSON read without GDAL, so that each row's fault can be named."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import shapely
from shapely.errors import GEOSException
from shapely.geometry import MultiPoint, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadGeometry, BadInput
from labelling.core.vector import RawRow, RawTable, Reading, check_row_count

MAX_GEOJSON_BYTES = 500_000_000
CRS84 = "OGC:CRS84"


def read_geojson(path: Path, reading: Reading) -> RawTable:
    """Read a FeatureCollection.

    Args:
        path: the file; UTF-8.
        reading: GeoJSON has no layer; the name of the collection is accepted.

    Raises:
        BadInput: too large, not UTF-8, not JSON, nested too deeply, not a FeatureCollection, an unknown CRS
            member, or features that are not objects.
    """
    if path.stat().st_size > MAX_GEOJSON_BYTES:
        msg = f"GeoJSON above {MAX_GEOJSON_BYTES // 10**6} MB is not read: write it as a GeoPackage"
        raise BadInput(msg)
    collection = _load(path.read_bytes())
    name = collection.get("name") if isinstance(collection.get("name"), str) else ""
    if reading.layer is not None and reading.layer != name:
        msg = f"no layer {reading.layer!r}: a GeoJSON file is one layer, leave --layer out"
        raise BadInput(msg)
    features = collection.get("features")
    if collection.get("type") != "FeatureCollection" or not isinstance(features, list):
        msg = "not a GeoJSON FeatureCollection"
        raise BadInput(msg)
    check_row_count(len(features))
    rows = [_feature(number, feature) for number, feature in enumerate(features, start=1)]
    return RawTable(reading.layer or "", (), _crs(collection), rows)


def _load(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        msg = f"not UTF-8 text (byte 0x{content[error.start]:02x} at {error.start}): save it as UTF-8"
        raise BadInput(msg) from error
    except json.JSONDecodeError as error:
        msg = f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}; is it cut off?"
        raise BadInput(msg) from error
    except (RecursionError, ValueError) as error:
        msg = "not JSON that can be read: nested too deeply, or a number too long"
        raise BadInput(msg) from error
    if not isinstance(found, dict):
        msg = "not a GeoJSON FeatureCollection"
        raise BadInput(msg)
    return found


def _crs(collection: Mapping[str, Any]) -> str | None:
    if "crs" not in collection:
        return CRS84
    crs = collection["crs"]
    properties = crs.get("properties") if isinstance(crs, dict) and crs.get("type") == "name" else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return name if isinstance(name, str) else None


def _feature(number: int, feature: Any) -> RawRow:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        msg = "not a GeoJSON Feature"
        raise BadInput(msg, row=number)
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        msg = "its properties are not an object"
        raise BadInput(msg, row=number)
    if "id" in feature and "id" not in properties:
        properties = {"id": feature["id"], **properties}
    geometry = feature.get("geometry")
    return (None if geometry is None else parse_geometry(geometry)), properties


def parse_geometry(value: Any) -> BaseGeometry | str:
    """Build a geometry from its GeoJSON.

    Args:
        value: what the JSON holds; anything.

    Returns:
        The geometry, unchecked and perhaps invalid; or why there is none.
    """
    kind, coordinates = (value.get("type"), value.get("coordinates")) if isinstance(value, dict) else (None, None)
    if not isinstance(kind, str) or kind not in _BUILDERS:
        return f"a {str(kind)[:40]}: only points, polygons and multipolygons are taken"
    try:
        return _BUILDERS[kind](coordinates)
    except BadGeometry as error:
        return error.reason
    except (ValueError, TypeError, OverflowError) as error:
        return f"its coordinates are not those of a {kind}: {str(error)[:120]}"
    except GEOSException as error:
        return f"not a {kind}: {str(error)[:120]}"


def _position(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) < 2:
        msg = f"{str(value)[:40]!r} is not a position"
        raise ValueError(msg)
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in value[:2]):
        msg = f"{str(value[:2])[:60]} are not numbers"
        raise ValueError(msg)
    x, y = float(value[0]), float(value[1])
    if not (math.isfinite(x) and math.isfinite(y)):
        msg = f"{x:g} {y:g} is not a place: a coordinate is not a finite number"
        raise BadGeometry(msg)
    return x, y


def _positions(value: Any) -> list[tuple[float, float]]:
    return [_position(item) for item in _sequence(value)]


def _sequence(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        msg = f"{str(value)[:40]!r} is not an array"
        raise ValueError(msg)
    return value


def _polygon(value: Any) -> Polygon:
    rings = [_positions(ring) for ring in _sequence(value)]
    if any(len(ring) < 4 for ring in rings):
        msg = "a ring has fewer than four positions"
        raise ValueError(msg)
    return Polygon(rings[0], rings[1:]) if rings else Polygon()


_BUILDERS: Mapping[str, Callable[[Any], BaseGeometry]] = {
    "Point": lambda value: Point(_position(value)),
    "MultiPoint": lambda value: MultiPoint(_positions(value)),
    "LineString": lambda value: shapely.LineString(_positions(value)),
    "Polygon": _polygon,
    "MultiPolygon": lambda value: MultiPolygon([_polygon(part) for part in _sequence(value)]),
}
