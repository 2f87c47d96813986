"""Small files that ask for much: each is answered at once, and with a reason."""

import json
import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import GeometryCollection, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadGeometry
from labelling.core.formats import read_vector
from labelling.core.geometry import MAX_PARTS, split_places
from tests.seed_files import feature, write_flatgeobuf, write_geojson, write_geopackage, write_geoparquet

AT_ONCE_S = 60.0  # on a machine that is busy with other tests; alone they take seconds


@contextmanager
def at_once() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < AT_ONCE_S


def circle(vertices: int) -> Polygon:
    angles = np.linspace(0, 2 * np.pi, vertices)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    ring[-1] = ring[0]
    return Polygon(ring)


@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "fgb", "parquet"])
def test_a_million_vertices_are_refused_in_every_format(tmp_path: Path, suffix: str) -> None:
    path, rows = tmp_path / f"a.{suffix}", [(circle(1_000_000), {"name": "big"}), (box(1, 1, 2, 2), {"name": "small"})]
    if suffix == "geojson":
        write_geojson(path, *(feature(shape, **properties) for shape, properties in rows))
    elif suffix == "gpkg":
        write_geopackage(path, rows)
    elif suffix == "fgb":
        write_flatgeobuf(path, rows)
    else:
        write_geoparquet(path, rows)
    with at_once():
        big, small = read_vector(path).rows
    assert big.fault == "1000000 vertices, at most 50000 are taken: simplify it"
    assert small.geometry is not None


def test_thousands_of_parts_are_grouped_or_refused_at_once() -> None:
    def parts(count: int, step: float) -> MultiPolygon:
        side = int(count**0.5)
        corners = [(index % side * step, index // side * step) for index in range(side * side)]
        return MultiPolygon([box(x, y, x + step / 3, y + step / 3) for x, y in corners])

    with at_once():
        assert len(split_places(parts(1900, 2e-5))) == 1
        assert len(split_places(parts(1900, 2e-3))) == 43 * 43
    with pytest.raises(BadGeometry, match=f"at most {MAX_PARTS} are taken"):
        split_places(parts(40_000, 2e-5))


def test_a_nested_geometry_in_a_geopackage_refuses_its_row_alone(tmp_path: Path) -> None:
    path = write_geopackage(tmp_path / "a.gpkg", [(Point(1, 1), {"name": "x"}), (Point(2, 2), {"name": "y"})])
    blob = b"GP\x00\x01" + struct.pack("<i", 4326) + struct.pack("<BII", 1, 7, 1) * 100_000
    with sqlite3.connect(path) as database:
        database.execute("UPDATE mines SET geom = ? WHERE fid = 1", [blob])
    nested, plain = read_vector(path).rows
    assert "nested" in nested.fault
    assert plain.geometry is not None


def test_names_of_columns_are_fit_for_a_database(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "a.geojson", feature(Point(1, 1), **{"a\x00b": 1, "\u202egpj": 2, "": 3}))
    (row,) = read_vector(path).rows
    assert dict(row.properties) == {"ab": 1, "gpj": 2, "unnamed": 3}
    assert "\\u0000" not in json.dumps(dict(row.properties))


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (Point(0, 90), ""),
        (Point(180, -90), ""),
        (box(-180, -90, 180, 90), ""),
        (Polygon([(179, 0), (-179, 0), (-179, 1), (179, 1)]), "split it at the antimeridian"),
        (MultiPolygon([box(179, 0, 180, 1), box(-180, 0, -179, 1)]), ""),
        (Polygon([(-180, -60), (180, -60), (180, -90), (-180, -90)]), "an edge spans more than half the Earth"),
        (Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "it crosses itself"),
        (GeometryCollection([Point(1, 1), Point(2, 2)]), "only points, polygons and multipolygons"),
    ],
)
def test_the_edges_of_the_world_are_known(tmp_path: Path, shape: BaseGeometry, reason: str) -> None:
    (row,) = read_vector(write_geoparquet(tmp_path / "a.parquet", [(shape, {"name": "x"})])).rows
    assert reason in row.fault and bool(row.fault) == bool(reason)
