"""Vector files from outside: known by their first bytes, read within limits, every row judged on its own.

GeoJSON, GeoPackage, Shapefile (also zipped), FlatGeobuf, GeoParquet, CSV and XLSX are taken; everything else is
refused before any library sees it.
"""

import codecs
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError
from shapely.geometry.base import BaseGeometry

from labelling.core.archives import open_archive
from labelling.core.delimited import read_delimited
from labelling.core.errors import BadGeometry, BadInput
from labelling.core.flatgeobuf import MAGIC as FLATGEOBUF
from labelling.core.flatgeobuf import read_flatgeobuf
from labelling.core.geojson import read_geojson
from labelling.core.geometry import MAX_VERTICES, clean_geometry
from labelling.core.geopackage import read_geopackage
from labelling.core.geoparquet import MAGIC as PARQUET
from labelling.core.geoparquet import read_geoparquet
from labelling.core.shapefile import read_shapefile, read_zipped_shapefile
from labelling.core.spreadsheet import read_spreadsheet
from labelling.core.vector import ManyLayers, RawTable, Reading

MAX_BYTES = 4_000_000_000
MAX_TEXT = 2000
WGS84 = CRS.from_epsg(4326)
TAKEN = "GeoJSON, GeoPackage, Shapefile, FlatGeobuf, GeoParquet, CSV or XLSX"
_READERS: Mapping[str, Callable[[Path, Reading], RawTable]] = {
    "geojson": read_geojson,
    "geopackage": read_geopackage,
    "shapefile": read_shapefile,
    "zip": read_zipped_shapefile,
    "xlsx": read_spreadsheet,
    "flatgeobuf": read_flatgeobuf,
    "geoparquet": read_geoparquet,
    "csv": read_delimited,
}
# What real files write where they have nothing.
_NOTHING = frozenset({"", "<null>", "null", "none", "-999", "-999.0"})


@dataclass(frozen=True)
class Row:
    """One row of a file.

    Attributes:
        number: counted from 1, with the headers of a spreadsheet.
        geometry: valid and flat, EPSG:4326; None where it has none or is refused.
        properties: fit for JSON; None where the file says "nothing" in one of its ways.
        fault: why the geometry is refused; empty where it is not.
        repaired: the geometry was invalid and has been repaired.
        is_placed: the geometry comes from columns, and says nothing that they do not.
        trouble: a word for the fault, where a person can change it (``labelling.core.places``).
    """

    number: int
    geometry: BaseGeometry | None
    properties: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""
    repaired: bool = False
    is_placed: bool = False
    trouble: str = ""


@dataclass(frozen=True)
class Table:
    """One layer of a file.

    Attributes:
        file: name of the file.
        layer: name of the layer; empty where the format has none.
        layers: names of all layers that the file holds.
        rows: in the order of the file; empty rows of a spreadsheet are left out.
        crs: what the file declares; None where it says nothing.
        reading: how a table of text was read; None for a format that leaves no doubt.
        encodings: others in which it could be read.
    """

    file: str
    layer: str
    layers: tuple[str, ...]
    rows: tuple[Row, ...]
    crs: str | None = None
    reading: Reading | None = None
    encodings: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all properties, in the order in which they first appear."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.properties))


# A NaN in a ring is found and named by us; GEOS would also mumble about it.
@np.errstate(invalid="ignore")
def read_vector(
    path: Path, *, layer: str | None = None, reading: Reading | None = None, max_vertices: int = MAX_VERTICES
) -> Table:
    """Read a vector file that may be hostile.

    Args:
        path: the file.
        layer: name of the layer, needed where there are several.
        reading: how to read it, where that is not left to the file; ``layer`` goes before its own.
        max_vertices: a geometry with more is refused.

    Returns:
        The layer's rows in longitude and latitude, EPSG:4326.

    Raises:
        BadInput: not one of the formats, too large, empty, no CRS, no such layer, text in another encoding,
            or a structure that is not that of its format.
    """
    name = path.name
    wanted = reading or Reading()
    wanted = replace(wanted, layer=layer or wanted.layer)
    try:
        raw = _READERS[sniff_format(path)](path.resolve(), wanted)
        to_lonlat = transformer(wanted.crs or raw.crs)
    except BadInput as error:
        raise named(error, name) from error
    make = partial(_row, to_lonlat=to_lonlat, max_vertices=max_vertices, swapped=wanted.swapped)
    rows = (make(number, *pair) for number, pair in enumerate(raw.rows, start=raw.first_row))
    kept = tuple(
        row for row in rows if raw.reading is None or any(value is not None for value in row.properties.values())
    )
    if not kept:
        msg = "holds no rows"
        raise BadInput(msg, file=name)
    return Table(name, raw.layer, raw.layers, kept, raw.crs, raw.reading, raw.encodings)


def named(error: BadInput, file: str) -> BadInput:
    """The same error with the name of the file that people know."""
    found = type(error)(error.reason, file=file, row=error.row)
    if isinstance(error, ManyLayers) and isinstance(found, ManyLayers):
        found.layers = error.layers
    return found


def sniff_format(path: Path) -> str:
    """Tell a file's format by its first bytes, never by its name.

    Returns:
        ``geojson``, ``geopackage``, ``shapefile``, ``zip`` (of a Shapefile), ``xlsx``, ``flatgeobuf``,
        ``geoparquet`` or ``csv``.

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
        msg = f"not {TAKEN} by its first bytes"
        raise BadInput(msg, file=path.name)
    return _kind_of_archive(path) if found == "zip" else found


def _kind_of_archive(path: Path) -> str:
    try:
        with open_archive(path) as archive:
            names = archive.namelist()
    except BadInput as error:
        raise BadInput(error.reason, file=path.name) from error
    if any(name.lower().endswith(".kml") for name in names):
        msg = "a KMZ: KML is not read, save it as GeoPackage or GeoJSON"
        raise BadInput(msg, file=path.name)
    return "xlsx" if "xl/workbook.xml" in names else "zip"


def _format_of(head: bytes) -> str | None:
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    signs = {
        "geopackage": head.startswith(b"SQLite format 3\x00") and head[68:72] in (b"GPKG", b"GP10", b"GP11"),
        "shapefile": head[:4] == b"\x00\x00\x27\x0a" and head[28:32] == b"\xe8\x03\x00\x00",
        "zip": head.startswith(b"PK\x03\x04"),
        "flatgeobuf": head.startswith(FLATGEOBUF),
        "geoparquet": head.startswith(PARQUET),
        "geojson": text[:1] == b"{",
        "csv": _is_table(head, text),
    }
    return next((name for name, fits in signs.items() if fits), None)


def _is_table(head: bytes, text: bytes) -> bool:
    """Text, and neither XML nor JSON nor a program."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    controls = set(range(32)) - set(b"\t\n\r\f")
    return not controls & set(head) and text[:1] not in b"<[" and any(mark in head for mark in b",;\t|")


def transformer(crs: str | None) -> Transformer | None:
    """Make the way from a CRS to longitude and latitude; None where it is that already.

    Args:
        crs: ``EPSG:n``, WKT or PROJJSON.

    Raises:
        BadInput: none, or not known.
    """
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
    *,
    to_lonlat: Transformer | None,
    max_vertices: int,
    swapped: bool,
) -> Row:
    values = {clean_name(key): clean_value(value) for key, value in properties.items()}
    if isinstance(geometry, str):
        return Row(number, None, values, geometry)
    if geometry is None:
        return Row(number, None, values)
    try:
        flat = shapely.transform(shapely.force_2d(geometry), lambda xy: xy[:, ::-1]) if swapped else geometry
        clean, repaired = clean_geometry(project(flat, to_lonlat), max_vertices=max_vertices)
    except BadGeometry as error:
        return Row(number, None, values, error.reason)
    return Row(number, clean, values, repaired=repaired)


def project(geometry: BaseGeometry, to_lonlat: Transformer | None) -> BaseGeometry:
    """Bring a geometry to longitude and latitude by what ``transformer`` made."""
    if to_lonlat is None:
        return geometry
    flat = shapely.force_2d(geometry)
    return shapely.transform(flat, lambda xy: np.column_stack(to_lonlat.transform(xy[:, 0], xy[:, 1])))


def clean_name(name: Any) -> str:
    """Make the name of a column fit for JSON and the database."""
    return "".join(mark for mark in str(name) if mark.isprintable())[:200] or "unnamed"


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
