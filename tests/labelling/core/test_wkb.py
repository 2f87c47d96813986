import struct
from typing import Literal

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from labelling.core.wkb import read_wkb

SHAPES = [
    "POINT (1 2)",
    "POINT EMPTY",
    "POINT Z (1 2 3)",
    "LINESTRING (0 0, 1 1)",
    "POLYGON EMPTY",
    "POLYGON ((0 0, 9 0, 9 9, 0 0), (5 4, 6 4, 6 5, 5 4))",
    "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))",
    "MULTIPOINT (1 1, 2 2)",
    "GEOMETRYCOLLECTION (POINT (1 2), POLYGON ((0 0, 1 0, 1 1, 0 0)))",
]


@pytest.mark.parametrize("text", SHAPES)
@pytest.mark.parametrize("flavor", ["iso", "extended"])
@pytest.mark.parametrize("byte_order", [0, 1])
def test_every_kind_comes_through(text: str, flavor: Literal["iso", "extended"], byte_order: int) -> None:
    shape = shapely.set_srid(shapely.from_wkt(text), 4326)
    blob = shapely.to_wkb(shape, flavor=flavor, byte_order=byte_order, include_srid=flavor == "extended")
    found = read_wkb(blob)
    assert not isinstance(found, str)
    assert shapely.equals_exact(found, shapely.from_wkt(text))


@pytest.mark.parametrize("kind", [4, 6, 7, 1006, 0x80000007])
@pytest.mark.parametrize("depth", [2, 100_000])
def test_nesting_is_refused_before_geos_ends_the_process(kind: int, depth: int) -> None:
    blob = struct.pack("<BII", 1, kind, 1) * depth + shapely.to_wkb(shapely.box(0, 0, 1, 1))
    assert read_wkb(blob) == "its geometry cannot be read: it is nested"


@pytest.mark.parametrize("blob", [struct.pack("<BII", 1, kind, 0xFFFFFFFF) for kind in (2, 3, 4, 6, 7)])
def test_counts_that_lie_are_refused(blob: bytes) -> None:
    assert isinstance(read_wkb(blob), str)


@given(tail=st.binary(max_size=80), head=st.sampled_from(SHAPES), cut=st.integers(0, 60))
def test_no_blob_breaks_the_reader(tail: bytes, head: str, cut: int) -> None:
    assert isinstance(read_wkb(shapely.to_wkb(shapely.from_wkt(head))[:cut] + tail), str | BaseGeometry)
