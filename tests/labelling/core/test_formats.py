import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from labelling.core.errors import BadInput
from labelling.core.formats import clean_value, read_vector, sniff_format
from labelling.core.geojson import parse_geometry
from labelling.core.geopackage import parse_geometry_blob
from labelling.core.vector import Reading
from tests.seed_files import (
    ROWS,
    SQUARE,
    feature,
    refused,
    write_flatgeobuf,
    write_geojson,
    write_geopackage,
    write_geoparquet,
    write_shapefile,
)


@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "shp", "zip", "fgb", "parquet"])
def test_the_formats_read_alike(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mines.{suffix}"
    if suffix == "geojson":
        write_geojson(path, *(feature(geometry, **properties) for geometry, properties in ROWS))
    elif suffix == "gpkg":
        write_geopackage(path, ROWS)
    elif suffix == "fgb":
        write_flatgeobuf(path, ROWS)
    elif suffix == "parquet":
        write_geoparquet(path, ROWS)
    else:
        write_shapefile(tmp_path / "mines.shp", ROWS)
    if suffix == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for part in tmp_path.glob("mines.[!z]*"):
                archive.write(part, f"folder/{part.name}")
    table = read_vector(path)
    assert [row.number for row in table.rows] == [1, 2]
    assert [row.properties["name"] for row in table.rows] == ["Mutanda", "Côte d'Ivoire"]
    assert all(row.geometry is not None and row.geometry.equals(ROWS[row.number - 1][0]) for row in table.rows)


def test_what_the_name_says_does_not_matter(tmp_path: Path) -> None:
    assert sniff_format(write_geojson(tmp_path / "mines.gpkg", feature(SQUARE))) == "geojson"
    assert sniff_format(write_geopackage(tmp_path / "mines.shp", ROWS)) == "geopackage"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"<OGRVRTDataSource></OGRVRTDataSource>", "not GeoJSON, GeoPackage, Shapefile, FlatGeobuf"),
        (b"<?xml version='1.0'?><kml/>", "not GeoJSON, GeoPackage, Shapefile, FlatGeobuf"),
        (b"one column\nof words\n", "not GeoJSON, GeoPackage, Shapefile, FlatGeobuf"),
        (b"SQLite format 3\x00" + b"\x00" * 100, "not GeoJSON, GeoPackage, Shapefile, FlatGeobuf"),
        (b"II*\x00" + b"\x00" * 100, "not GeoJSON, GeoPackage, Shapefile, FlatGeobuf"),
        (b'{"type": "FeatureCollection", "features": []}', "holds no rows"),
        (b'{"type": "FeatureCollection", "features": [', "not JSON at line 1"),
        (b'{"type": "Topology"}', "not a GeoJSON FeatureCollection"),
        ('{"name": "Minério"}'.encode("cp1252"), "not UTF-8 text (byte 0xe9 at 13): save it as UTF-8"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"type": "FeatureCollection", "features": [1]}', "row 1: not a GeoJSON Feature"),
        (b"PK\x03\x04 and no more", "a ZIP archive that cannot be read"),
        (b"SQLite format 3\x00".ljust(68, b"\x00") + b"GPKG", "a GeoPackage that cannot be read"),
    ],
)
def test_another_file_is_refused_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "upload.geojson"
    path.write_bytes(content)
    assert reason in refused(path)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.geojson") == "none.geojson: no such file"


def test_a_faulty_row_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    text = json.dumps({"type": "FeatureCollection", "features": [feature(SQUARE), feature({"type": "Point",
        "coordinates": ["X", 1]}), feature(None), feature({"type": "Point", "coordinates": [200, 1]})]})  # fmt: skip
    path = tmp_path / "rows.geojson"
    path.write_text(text.replace('"X"', "NaN"))
    faults = [row.fault for row in read_vector(path).rows]
    assert faults[0] == faults[2] == ""
    assert "not a finite number" in faults[1]
    assert "longitude 200 is outside" in faults[3]


@pytest.mark.parametrize(
    ("geometry", "reason"),
    [
        (None, "a None"),
        ({"type": "Curve", "coordinates": []}, "a Curve: only points"),
        ({"type": ["Point"]}, "only points"),
        ({"type": "Point", "coordinates": []}, "not a position"),
        ({"type": "Point", "coordinates": [True, 1]}, "are not numbers"),
        ({"type": "Point", "coordinates": ["1", 2]}, "are not numbers"),
        ({"type": "Point", "coordinates": [1e999, 2]}, "not a finite number"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}, "fewer than four positions"),
        ({"type": "Polygon", "coordinates": 5}, "not an array"),
        ({"type": "Point", "coordinates": [10**400, 2]}, "coordinates are not those of a Point"),
    ],
)
def test_a_geometry_that_is_none_says_why(geometry: Any, reason: str) -> None:
    found = parse_geometry(geometry)
    assert isinstance(found, str)
    assert reason in found


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=20,
)
KINDS = st.sampled_from(["Point", "MultiPoint", "LineString", "Polygon", "MultiPolygon", "GeometryCollection"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(kind=KINDS, coordinates=JSON, properties=JSON, crs=JSON)
def test_no_geojson_breaks_the_reader(tmp_path: Path, kind: str, coordinates: Any, properties: Any, crs: Any) -> None:
    row = {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}
    path = tmp_path / "any.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [row], "crs": crs}))
    try:
        (found,) = read_vector(path).rows
    except BadInput as error:
        assert "any.geojson" in str(error)
    else:
        assert bool(found.fault) is (found.geometry is None)
        json.dumps(dict(found.properties), allow_nan=False)


@given(st.binary(max_size=80))
def test_no_blob_breaks_the_reader(tail: bytes) -> None:
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = parse_geometry_blob(b"GP\x00\x01\x00\x00\x00\x00" + tail)
    assert found is None or isinstance(found, str | shapely.Geometry)


@pytest.mark.parametrize(
    "name",
    [
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "urn:ogc:def:crs:EPSG::4326",
        "urn:ogc:def:crs:EPSG::4979",  # three axes, latitude first by the book; GeoJSON always has x first
        "EPSG:4326",
    ],
)
def test_geographic_geojson_is_longitude_first_whatever_its_crs_says(tmp_path: Path, name: str) -> None:
    crs = {"type": "name", "properties": {"name": name}}
    path = write_geojson(tmp_path / "a.geojson", feature({"type": "Point", "coordinates": [27, -11, 900]}), crs=crs)
    (row,) = read_vector(path).rows
    assert row.geometry is not None
    assert row.geometry.equals(Point(27, -11))
    assert not row.geometry.has_z


def test_projected_coordinates_are_brought_to_degrees(tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32735"}}
    path = write_geojson(tmp_path / "utm.geojson", feature(Point(500_000, 8_782_000)), crs=crs)
    (row,) = read_vector(path).rows
    assert row.geometry is not None
    assert row.geometry.distance(Point(27, -11.0183)) < 1e-4


@pytest.mark.parametrize("crs", [None, {"type": "link", "properties": {"href": "http://127.0.0.1/"}}, "EPSG:4326"])
def test_a_crs_that_cannot_be_read_is_refused(tmp_path: Path, crs: Any) -> None:
    assert "it has no CRS" in refused(write_geojson(tmp_path / "a.geojson", feature(SQUARE), crs=crs))


def test_an_unknown_crs_is_refused(tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "EPSG:999999"}}
    assert "'EPSG:999999' is not known" in refused(write_geojson(tmp_path / "a.geojson", feature(SQUARE), crs=crs))


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("<null>", None),
        ("<Null>", None),
        ("-999", None),
        (-999, None),
        (-999.0, None),
        (float("nan"), None),
        ("", None),
        (" Kamoto ", "Kamoto"),
        ("a\x00b", "ab"),
        (0, 0),
        (False, False),
        (np.int64(4), 4),
        (["x"], "['x']"),
        ("x" * 5000, "x" * 2000),
    ],
)
def test_values_that_mean_nothing_become_nothing(value: Any, clean: Any) -> None:
    assert clean_value(value) == clean


def test_said_words_change_the_crs_and_turn_swapped_coordinates(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "a.geojson", feature(Point(6_300_000, 350_000), name="x"))
    assert "is its CRS the right one?" in read_vector(path).rows[0].fault
    (row,) = read_vector(path, reading=Reading(crs="EPSG:32719", swapped=True)).rows
    assert row.geometry is not None
    assert row.geometry.coords[0] == pytest.approx((-70.6, -33.42), abs=0.05)
