"""Vector files from outside: known by their first bytes, read within limits, every row judged on its own.

GeoJSON, GeoPackage and Shapefile (also zipped) are taken; everything else is refused before any library sees it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadGeometry, BadInput
from labelling.core.geojson import read_geojson
from labelling.core.geometry import MAX_VERTICES, clean_geometry
from labelling.core.geopackage import read_geopackage
from labelling.core.shapefile import read_shapefile, read_zipped_shapefile
from labelling.core.vector import RawTable

MAX_BYTES = 4_000_000_000
MAX_TEXT = 2000
WGS84 = CRS.from_epsg(4326)
_READERS: Mapping[str, Callable[[Path, str | None], RawTable]] = {
    "geojson": read_geojson,
    "geopackage": read_geopackage,
    "shapefile": read_shapefile,
    "zip": read_zipped_shapefile,
}
# What real files write where they have nothing.
_NOTHING = frozenset({"", "<null>", "null", "none", "-999", "-999.0"})


@dataclass(frozen=True)
class Row:
    """One row of a file.

    Attributes:
        number: counted from 1.
        geometry: valid and flat, EPSG:4326; None where it has none or is refused.
        properties: fit for JSON; None where the file says "nothing" in one of its ways.
        fault: why the geometry is refused; empty where it is not.
        repaired: the geometry was invalid and has been repaired.
    """

    number: int
    geometry: BaseGeometry | None
    properties: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""
    repaired: bool = False


@dataclass(frozen=True)
class Table:
    """One layer of a file.

    Attributes:
        file: name of the file.
        layer: name of the layer; empty where the format has none.
        layers: names of all layers that the file holds.
        rows: in the order of the file.
    """

    file: str
    layer: str
    layers: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all properties, in the order in which they first appear."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.properties))


# A NaN in a ring is found and named by us; GEOS would also mumble about it.
@np.errstate(invalid="ignore")
def read_vector(path: Path, *, layer: str | None = None, max_vertices: int = MAX_VERTICES) -> Table:
    """Read a vector file that may be hostile.

    Args:
        path: the file.
        layer: name of the layer, needed where there are several.
        max_vertices: a geometry with more is refused.

    Returns:
        The layer's rows in longitude and latitude, EPSG:4326.

    Raises:
        BadInput: not one of the formats, too large, empty, no CRS, no such layer, text in another encoding,
            or a structure that is not that of its format.
    """
    name = path.name
    try:
        raw = _READERS[sniff_format(path)](path.resolve(), layer)
        to_lonlat = _transformer(raw.crs)
    except BadInput as error:
        raise type(error)(error.reason, file=name, row=error.row) from error
    if not raw.rows:
        msg = "holds no rows"
        raise BadInput(msg, file=name)
    rows = tuple(
        _row(number, geometry, properties, to_lonlat, max_vertices)
        for number, (geometry, properties) in enumerate(raw.rows, start=1)
    )
    return Table(name, raw.layer, raw.layers, rows)


def sniff_format(path: Path) -> str:
    """Tell a file's format by its first bytes, never by its name.

    Returns:
        ``geojson``, ``geopackage``, ``shapefile`` or ``zip``.

    Raises:
        BadInput: no such file, empty, too large, or something else.
    """
    if not path.is_file():
        msg = "no such file"
        raise BadInput(msg, file=path.name)
    size = path.stat().st_size
    if size == 0:
        msg = "the file is empty"
        raise BadInput(msg, file=path.name)
    if size > MAX_BYTES:
        msg = f"{size / 1e9:.1f} GB, at most {MAX_BYTES / 1e9:.0f} GB are read"
        raise BadInput(msg, file=path.name)
    with path.open("rb") as file:
        head = file.read(1024)
    found = _format_of(head)
    if found is None:
        msg = "not GeoJSON, GeoPackage or Shapefile by its first bytes"
        raise BadInput(msg, file=path.name)
    return found


def _format_of(head: bytes) -> str | None:
    if head.startswith(b"SQLite format 3\x00") and head[68:72] in (b"GPKG", b"GP10", b"GP11"):
        return "geopackage"
    if head[:4] == b"\x00\x00\x27\x0a" and head[28:32] == b"\xe8\x03\x00\x00":
        return "shapefile"
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
        return "geojson"
    return None


def _transformer(crs: str | None) -> Transformer | None:
    if not crs:
        msg = "it has no CRS: write one into the file (.prj, gpkg_spatial_ref_sys, crs)"
        raise BadInput(msg)
    try:
        # Heights are dropped, so the CRS is flat as well: EPSG:4979 is EPSG:4326 with a height.
        source = CRS.from_user_input(crs).to_2d()
        if source.is_geographic and source.equals(WGS84, ignore_axis_order=True):
            return None
        return Transformer.from_crs(source, WGS84, always_xy=True)
    except (CRSError, ProjError) as error:
        msg = f"its CRS {crs[:80]!r} is not known"
        raise BadInput(msg) from error


def _row(
    number: int,
    geometry: BaseGeometry | str | None,
    properties: Mapping[str, Any],
    to_lonlat: Transformer | None,
    max_vertices: int,
) -> Row:
    values = {str(key)[:200]: clean_value(value) for key, value in properties.items()}
    if isinstance(geometry, str):
        return Row(number, None, values, geometry)
    if geometry is None:
        return Row(number, None, values)
    try:
        clean, repaired = clean_geometry(_project(geometry, to_lonlat), max_vertices=max_vertices)
    except BadGeometry as error:
        return Row(number, None, values, error.reason)
    return Row(number, clean, values, repaired=repaired)


def _project(geometry: BaseGeometry, to_lonlat: Transformer | None) -> BaseGeometry:
    if to_lonlat is None:
        return geometry
    flat = shapely.force_2d(geometry)
    return shapely.transform(flat, lambda xy: np.column_stack(to_lonlat.transform(xy[:, 0], xy[:, 1])))


def clean_value(value: Any) -> Any:
    """Make a value of a file fit for JSON and the database; what means "nothing" there becomes None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return None if value == -999 else value
    text = "".join(mark for mark in str(value) if mark.isprintable() or mark in "\n\t").strip()
    return None if text.casefold() in _NOTHING else text[:MAX_TEXT]
