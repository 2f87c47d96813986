import time
from pathlib import Path

import pytest

from labelling.core.formats import read_vector
from tests.seed_files import ROWS, refused, write_geopackage


def test_one_of_several_layers_must_be_chosen(tmp_path: Path) -> None:
    more = """
        CREATE TABLE dumps (fid INTEGER PRIMARY KEY, geom BLOB);
        INSERT INTO gpkg_contents VALUES ('dumps', 'features');
        INSERT INTO gpkg_geometry_columns VALUES ('dumps', 'geom', 4326);
    """
    path = write_geopackage(tmp_path / "a.gpkg", ROWS, extra=more)
    assert "it has the layers mines, dumps: choose one with --layer" in refused(path)
    assert "no layer 'pits'; it has mines, dumps" in refused(path, layer="pits")
    assert "holds no rows" in refused(path, layer="dumps")
    assert read_vector(path, layer="mines").layers == ("mines", "dumps")


def test_an_endless_view_is_refused_at_once(tmp_path: Path) -> None:
    view = """
        ALTER TABLE mines RENAME TO hidden;
        CREATE VIEW mines AS WITH RECURSIVE n(fid) AS (SELECT 1 UNION ALL SELECT fid + 1 FROM n)
            SELECT fid, x'47500011' AS geom FROM n;
    """
    path = write_geopackage(tmp_path / "view.gpkg", ROWS, extra=view)
    started = time.monotonic()
    assert "not a plain table" in refused(path)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ("CREATE TRIGGER evil AFTER INSERT ON mines BEGIN DELETE FROM mines; END;", "the trigger 'evil'"),
        (
            "CREATE TABLE gpkg_extensions (table_name TEXT, extension_name TEXT);"
            "INSERT INTO gpkg_extensions VALUES ('mines', 'evil_code');",
            "the extension 'evil_code'",
        ),
        ("DELETE FROM gpkg_geometry_columns;", "has no geometry column"),
        ("UPDATE gpkg_geometry_columns SET column_name = 'shape';", "has no column 'shape'"),
        ("DELETE FROM gpkg_contents;", "it has no layer"),
        ("UPDATE mines SET name = CAST(x'4D696EE972696F' AS TEXT) WHERE fid = 2;", "row 2: the column 'name' is"),
        ("DROP TABLE gpkg_geometry_columns;", "cannot be read, it may be damaged"),
    ],
)
def test_what_is_not_a_plain_geopackage_is_refused(tmp_path: Path, extra: str, reason: str) -> None:
    assert reason in refused(write_geopackage(tmp_path / "a.gpkg", ROWS, extra=extra))


def test_one_without_a_crs_is_refused(tmp_path: Path) -> None:
    assert "it has no CRS" in refused(write_geopackage(tmp_path / "a.gpkg", ROWS, srs_id=-1))


def test_geometries_that_are_none_are_named(tmp_path: Path) -> None:
    broken = "UPDATE mines SET geom = x'00' WHERE fid = 1; UPDATE mines SET geom = NULL WHERE fid = 2;"
    first, second = read_vector(write_geopackage(tmp_path / "a.gpkg", ROWS, extra=broken)).rows
    assert first.fault == "its geometry is not a GeoPackage geometry"
    assert (second.fault, second.geometry) == ("", None)


def test_reading_writes_nothing_beside_the_file(tmp_path: Path) -> None:
    path = write_geopackage(tmp_path / "a.gpkg", ROWS)
    before = path.read_bytes()
    read_vector(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.gpkg"]
