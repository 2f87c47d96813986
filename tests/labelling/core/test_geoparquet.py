import struct
from pathlib import Path
from typing import Any

import pytest
from pyproj import CRS
from shapely.geometry import Point

from labelling.core import geoparquet
from labelling.core.formats import read_vector
from tests.seed_files import ROWS, SQUARE, refused, write_geoparquet, write_parquet_bomb


@pytest.mark.parametrize("kept", [0.2, 0.9])
def test_a_truncated_one_is_refused(tmp_path: Path, kept: float) -> None:
    path = write_geoparquet(tmp_path / "a.parquet", ROWS)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert "a GeoParquet file that cannot be read" in refused(path)


@pytest.mark.parametrize(
    ("geo", "reason"),
    [
        (None, "it is no GeoParquet"),
        ({"primary_column": "gone", "columns": {"gone": {"encoding": "WKB"}}}, "no column 'gone'"),
        ({"primary_column": "geometry", "columns": {"geometry": {"encoding": "polygon"}}}, "write them as WKB"),
        (
            {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB", "crs": None}}},
            "it has no CRS",
        ),
        ({"primary_column": ["geometry"], "columns": []}, "it is no GeoParquet"),
    ],
)
def test_what_it_says_of_itself_is_checked(tmp_path: Path, geo: Any, reason: str) -> None:
    assert reason in refused(write_geoparquet(tmp_path / "a.parquet", ROWS, geo=geo))


def test_a_crs_of_its_own_is_followed(tmp_path: Path) -> None:
    crs = CRS.from_epsg(32735).to_json_dict()
    geo = {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB", "crs": crs}}}
    path = write_geoparquet(tmp_path / "a.parquet", [(Point(500_000, 8_800_000), {"name": "x"})], geo=geo)
    (row,) = read_vector(path).rows
    assert row.geometry is not None
    assert row.geometry.coords[0] == pytest.approx((27, -10.85), abs=0.01)


def test_a_geometry_that_is_none_refuses_its_row_alone(tmp_path: Path) -> None:
    nested = struct.pack("<BII", 1, 7, 1) * 100_000
    path = write_geoparquet(tmp_path / "a.parquet", [(None, {"name": "x"}), (SQUARE, {"name": "y"})], first=nested)
    first, second = read_vector(path).rows
    assert "nested" in first.fault
    assert second.geometry is not None


@pytest.mark.parametrize("as_dictionary", [False, True])
def test_a_small_file_that_unpacks_to_gigabytes_is_refused_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_dictionary: bool
) -> None:
    monkeypatch.setattr(geoparquet, "MAX_READ", 200_000_000)
    path = write_parquet_bomb(tmp_path / "bomb.parquet", rows=20_000, bytes_a_row=100_000, as_dictionary=as_dictionary)
    assert path.stat().st_size < 200_000
    assert "more than 200 MB when unpacked: split the file" in refused(path)
