"""Small seed files, good and bad, written where a test wants them."""

import json
import sqlite3
import struct
import warnings
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadInput
from labelling.core.formats import read_vector

SQUARE = shapely.box(25, -11, 25.01, -10.99)
ROWS = ((SQUARE, {"name": "Mutanda"}), (shapely.box(26, -11, 26.01, -10.99), {"name": "Côte d'Ivoire"}))
PLAIN_GEO = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}

Rows = Iterable[tuple[BaseGeometry | None, Mapping[str, Any]]]


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    shape = geometry.__geo_interface__ if isinstance(geometry, BaseGeometry) else geometry
    return {"type": "Feature", "geometry": shape, "properties": properties}


def write_geojson(path: Path, *features: dict[str, Any], **more: Any) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}), encoding="utf-8")
    return path


def write_geopackage(path: Path, rows: Rows, *, layer: str = "mines", srs_id: int = 4326, extra: str = "") -> Path:
    """Write the least that a GeoPackage is; ``extra`` is SQL run at the end."""
    fields = {name: None for _, properties in rows for name in properties}
    columns = "".join(f', "{name}" TEXT' for name in fields)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA application_id = 1196444487")
        database.executescript(
            f"""
            CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER PRIMARY KEY, organization TEXT,
                organization_coordsys_id INTEGER, definition TEXT);
            INSERT INTO gpkg_spatial_ref_sys VALUES ('a', {srs_id}, '{"EPSG" if srs_id > 0 else "NONE"}', {srs_id},
                'undefined');
            CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT);
            CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER);
            INSERT INTO gpkg_contents VALUES ('{layer}', 'features');
            INSERT INTO gpkg_geometry_columns VALUES ('{layer}', 'geom', {srs_id});
            CREATE TABLE "{layer}" (fid INTEGER PRIMARY KEY, geom BLOB{columns});
            """
        )
        for geometry, properties in rows:
            blob = None if geometry is None else b"GP\x00\x01" + struct.pack("<i", srs_id) + shapely.to_wkb(geometry)
            values = [blob, *(properties.get(name) for name in fields)]
            marks = ", ".join("?" * len(values))
            names = ", ".join(["geom", *(f'"{name}"' for name in fields)])
            database.execute(f'INSERT INTO "{layer}" ({names}) VALUES ({marks})', values)
        database.executescript(extra)
        database.commit()
    return path


def write_shapefile(path: Path, rows: Rows, *, crs: str | None = "EPSG:4326", encoding: str = "UTF-8") -> Path:
    import numpy as np

    pairs = list(rows)
    names = list(dict.fromkeys(name for _, properties in pairs for name in properties))
    data = [np.array([properties.get(name) for _, properties in pairs], dtype=object) for name in names]
    blobs = shapely.to_wkb(np.array([geometry for geometry, _ in pairs], dtype=object))
    kind = next(geometry.geom_type for geometry, _ in pairs if geometry is not None)
    pyogrio.raw.write(path, blobs, data, names, crs=crs, geometry_type=kind, driver="ESRI Shapefile", encoding=encoding)
    return path


def write_flatgeobuf(path: Path, rows: Rows, *, crs: str | None = "EPSG:4326") -> Path:
    import numpy as np

    pairs = list(rows)
    names = list(dict.fromkeys(name for _, properties in pairs for name in properties))
    data = [np.array([properties.get(name) for _, properties in pairs], dtype=object) for name in names]
    blobs = shapely.to_wkb(np.array([geometry for geometry, _ in pairs], dtype=object))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyogrio warns of a file without a CRS
        options = {"geometry_type": "Polygon", "driver": "FlatGeobuf", "SPATIAL_INDEX": "NO"}  # which sorts the rows
        pyogrio.raw.write(path, blobs, data, names, crs=crs, **options)
    return path


def write_geoparquet(path: Path, rows: Rows, *, geo: Any = "plain", first: bytes | None = None) -> Path:
    """Write a GeoParquet; ``geo`` is what it says of itself, ``first`` the geometry of its first row."""
    import pyarrow
    from pyarrow import parquet

    pairs = list(rows)
    blobs = [None if geometry is None else shapely.to_wkb(geometry) for geometry, _ in pairs]
    columns: dict[str, Any] = {"geometry": [first or blobs[0], *blobs[1:]]}
    for name in dict.fromkeys(name for _, properties in pairs for name in properties):
        columns[name] = [properties.get(name) for _, properties in pairs]
    if geo == "plain":
        geo = PLAIN_GEO
    table = pyarrow.table(columns)
    parquet.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)} if geo else {}), path)
    return path


def write_parquet_bomb(path: Path, *, rows: int, bytes_a_row: int, as_dictionary: bool) -> Path:
    """Write a GeoParquet that holds one long text once, though every row has it.

    ``as_dictionary``: whether it asks its reader to hold it once, too.
    """
    import pyarrow
    from pyarrow import parquet

    texts = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * rows, pyarrow.int32()), ["x" * bytes_a_row])
    table = pyarrow.table({"geometry": [shapely.to_wkb(shapely.Point(1, 1))] * rows, "name": texts})
    geo = {"geo": json.dumps(PLAIN_GEO)}
    schema = table.schema.with_metadata(geo) if as_dictionary else table.schema
    with parquet.ParquetWriter(path, schema, store_schema=as_dictionary) as writer:
        writer.write_table(table.cast(schema))
        if not as_dictionary:
            writer.add_key_value_metadata(geo)
    return path


def refused(path: Path, **more: Any) -> str:
    """The one line by which a file is refused."""
    with pytest.raises(BadInput) as caught:
        read_vector(path, **more)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(path.name)
    return str(caught.value)
