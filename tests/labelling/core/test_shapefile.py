from pathlib import Path

import pytest

from tests.seed_files import ROWS, refused, write_shapefile


@pytest.mark.parametrize("suffix", [".shx", ".dbf", ".prj"])
def test_a_missing_part_is_named(tmp_path: Path, suffix: str) -> None:
    path = write_shapefile(tmp_path / "mines.shp", ROWS)
    path.with_suffix(suffix).unlink()
    assert f"mines{suffix}" in refused(path)


def test_text_in_another_encoding_than_it_says_is_refused(tmp_path: Path) -> None:
    path = write_shapefile(tmp_path / "mines.shp", ROWS, encoding="ISO-8859-1")
    path.with_suffix(".cpg").write_text("UTF-8")
    assert "correct mines.cpg" in refused(path)


@pytest.mark.parametrize("suffix", [".shp", ".dbf"])
@pytest.mark.parametrize("kept", [0.02, 0.9])
def test_a_truncated_one_is_refused(tmp_path: Path, suffix: str, kept: float) -> None:
    path = write_shapefile(tmp_path / "mines.shp", ROWS)
    part = path.with_suffix(suffix)
    content = part.read_bytes()
    part.write_bytes(content[: max(int(len(content) * kept), 60 if suffix == ".shp" else 1)])
    assert f"mines{suffix} is cut off" in refused(path)


def test_another_table_is_no_shapefile(tmp_path: Path) -> None:
    path = write_shapefile(tmp_path / "mines.shp", ROWS)
    assert "not GeoJSON, GeoPackage, Shapefile, FlatGeobuf" in refused(path.with_suffix(".dbf"))
