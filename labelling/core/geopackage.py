"""GeoPackage read by SQLite alone, read-only: a view or a trigger in it never runs."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadInput
from labelling.core.vector import RawRow, RawTable, Reading, check_row_count, choose_layer
from labelling.core.wkb import read_wkb

READ_S = 120.0
_STEPS = 100_000
_OWN_TRIGGERS = ("gpkg_", "rtree_", "trigger_insert_feature_count_", "trigger_delete_feature_count_")
_KNOWN_EXTENSIONS = ("gpkg_rtree_index", "gpkg_crs_wkt", "gpkg_schema", "gpkg_metadata", "gpkg_zoom_other")
# Size of the envelope after the header, by the three bits that name its kind (GeoPackage 1.3, clause 2.1.3).
_ENVELOPE_BYTES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
_ALLOWED = {getattr(sqlite3, name) for name in ("SQLITE_SELECT", "SQLITE_READ", "SQLITE_FUNCTION", "SQLITE_PRAGMA")}


def read_geopackage(path: Path, reading: Reading) -> RawTable:
    """Read a layer of features.

    Args:
        path: absolute path of the file.
        reading: names the layer, needed where there are several.

    Raises:
        BadInput: damaged, a layer that is a view or a virtual table, a trigger that GeoPackage does not bring,
            an extension that is not known, text that is not UTF-8, or one that takes too long to read.
    """
    with closing(_connect(path)) as database, _plain_errors():
        layers = [row[0] for row in _rows(database, "SELECT table_name FROM gpkg_contents WHERE data_type='features'")]
        layers = [name.decode() for name in layers]
        name = choose_layer(layers, reading.layer)
        _check_schema(database, name)
        column, crs = _geometry_column(database, name)
        check_row_count(_rows(database, f"SELECT count(*) FROM {_quoted(name)}")[0][0])  # noqa: S608
        return RawTable(name, tuple(layers), crs, _read_rows(database, name, column))


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)
    database.text_factory = bytes
    deadline = time.monotonic() + READ_S
    database.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    database.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)
    return database


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        msg = f"a GeoPackage that cannot be read, it may be damaged: {error}"
        raise BadInput(msg) from error
    except UnicodeDecodeError as error:
        msg = "a name in it is not UTF-8 text"
        raise BadInput(msg) from error


def _rows(database: sqlite3.Connection, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
    return database.execute(sql, values).fetchall()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _check_schema(database: sqlite3.Connection, layer: str) -> None:
    objects = [
        tuple((value or b"").decode() for value in row)
        for row in _rows(database, "SELECT type, name, sql FROM sqlite_master")
    ]
    for kind, name, _ in objects:
        if kind == "trigger" and not name.startswith(_OWN_TRIGGERS):
            msg = f"the trigger {name!r} is none of GeoPackage's own"
            raise BadInput(msg)
    mine = [(kind, sql) for kind, name, sql in objects if name.casefold() == layer.casefold() and kind != "index"]
    if not mine or mine[0][0] != "table" or mine[0][1].lstrip().upper().startswith("CREATE VIRTUAL"):
        msg = f"the layer {layer!r} is not a plain table: a view could run for ever"
        raise BadInput(msg)
    if any(name == "gpkg_extensions" for _, name, _ in objects):
        _check_extensions(database, layer)


def _check_extensions(database: sqlite3.Connection, layer: str) -> None:
    sql = "SELECT extension_name FROM gpkg_extensions WHERE table_name IS NULL OR table_name = ?"
    for (name,) in _rows(database, sql, (layer,)):
        if not name.decode().startswith(_KNOWN_EXTENSIONS):
            msg = f"it needs the extension {name.decode()!r}, which is not known here"
            raise BadInput(msg)


def _geometry_column(database: sqlite3.Connection, layer: str) -> tuple[str, str | None]:
    sql = (
        "SELECT g.column_name, s.organization, s.organization_coordsys_id, s.definition FROM gpkg_geometry_columns g "
        "LEFT JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id WHERE g.table_name = ?"
    )
    found = _rows(database, sql, (layer,))
    if not found:
        msg = f"the layer {layer!r} has no geometry column"
        raise BadInput(msg)
    column, organization, code, definition = found[0]
    if organization and organization.upper() == b"EPSG":
        return column.decode(), f"EPSG:{code}"
    known = definition and definition.decode().strip().casefold() != "undefined"
    return column.decode(), definition.decode() if known else None


def _read_rows(database: sqlite3.Connection, layer: str, column: str) -> list[RawRow]:
    cursor = database.execute(f"SELECT * FROM {_quoted(layer)} ORDER BY rowid")  # noqa: S608
    names = [description[0] for description in cursor.description]
    if column not in names:
        msg = f"the layer {layer!r} has no column {column!r}"
        raise BadInput(msg)
    return [_raw_row(number, dict(zip(names, row, strict=True)), column) for number, row in enumerate(cursor, start=1)]


def _raw_row(number: int, values: dict[str, Any], column: str) -> RawRow:
    blob = values.pop(column)
    geometry = None if blob is None else parse_geometry_blob(blob)
    return geometry, {name: _text(number, name, value) for name, value in values.items()}


def _text(number: int, name: str, value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        msg = f"the column {name!r} is not UTF-8 text"
        raise BadInput(msg, row=number) from error


def parse_geometry_blob(blob: Any) -> BaseGeometry | str | None:
    """Read a geometry as GeoPackage stores it.

    Args:
        blob: what the column holds.

    Returns:
        The geometry; None where it is empty; or why it cannot be read.
    """
    if not isinstance(blob, bytes) or blob[:2] != b"GP" or len(blob) < 8:
        return "its geometry is not a GeoPackage geometry"
    flags = blob[3]
    envelope = _ENVELOPE_BYTES.get(flags >> 1 & 7)
    if envelope is None or flags & 0x20:
        return "its geometry is of an extended kind that is not known here"
    if flags & 0x10:
        return None
    return read_wkb(blob[8 + envelope :])
