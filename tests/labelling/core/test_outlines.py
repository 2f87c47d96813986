"""Outlines from outside: taken as they are, or refused at once with what is wrong."""

import math
import time
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import shapely
from hypothesis import given
from shapely.geometry import MultiPolygon, Point, Polygon, box

from labelling.core.errors import BadGeometry
from labelling.core.outlines import MAX_DRAWN_VERTICES, check_outline, check_window, read_outline, to_geojson


def polygon(*ring: tuple[Any, ...]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in ring]]}


SQUARE = polygon((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))


def test_a_polygon_is_read_as_it_is_and_written_as_it_was() -> None:
    assert read_outline(SQUARE).equals(box(0, 0, 1, 1))
    assert read_outline(to_geojson(read_outline(SQUARE))).equals(box(0, 0, 1, 1))


def test_heights_are_dropped_and_a_lone_part_is_a_polygon() -> None:
    assert not read_outline(polygon((0, 0, 5), (1, 0, 5), (1, 1, 5), (0, 0, 5))).has_z
    assert check_outline(MultiPolygon([box(0, 0, 1, 1)])).geom_type == "Polygon"
    assert read_outline({"type": "Point", "coordinates": [10, 20]}).equals(Point(10, 20))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "not a GeoJSON geometry"),
        ("POLYGON((0 0, 1 0, 1 1, 0 0))", "not a GeoJSON geometry"),
        ({"type": "Feature", "geometry": SQUARE}, "not a GeoJSON geometry"),
        ({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, "not a GeoJSON geometry"),
        ({"type": ["Polygon"], "coordinates": []}, "not a GeoJSON geometry"),
        ({"type": "Polygon"}, "coordinates"),
        ({"type": "Polygon", "coordinates": []}, "empty"),
        ({"type": "Polygon", "coordinates": [[["a", "b"]]]}, "coordinates"),
        ({"type": "Polygon", "coordinates": {"x": 1}}, "coordinates"),
        (polygon((0, 0), (1, 0), (1, 1)), "coordinates"),
        (polygon((0, 0), (1, 0), (1, math.nan), (0, 0)), "coordinates"),
        (polygon((0, 0), (1, 0), (1, math.inf), (0, 0)), "coordinates"),
        (polygon((0, 0), (200, 0), (200, 1), (0, 0)), "longitude 200"),
        (polygon((0, 0), (1, 0), (1, 91), (0, 0)), "latitude 91"),
        (polygon((0, 0), (1, 1), (1, 0), (0, 1), (0, 0)), "self-intersection"),
        (polygon((0, 0), (1, 0), (0, 0), (0, 0)), "not valid|no area"),
        (polygon((-100, 0), (100, 0), (100, 1), (-100, 0)), "half the Earth"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_the_reason(value: object, said: str) -> None:
    with pytest.raises(BadGeometry, match=said):
        read_outline(value)


@pytest.mark.parametrize("vertices", [250, 500, 2000])
def test_a_hostile_ring_is_refused_in_milliseconds(vertices: int) -> None:
    ring = np.random.default_rng(vertices).random((vertices, 2))
    began = time.perf_counter()
    with pytest.raises(BadGeometry, match="not valid"):
        check_outline(Polygon(ring))
    assert time.perf_counter() - began < 10


def test_too_many_vertices_are_refused() -> None:
    circle = Point(0, 0).buffer(1, quad_segs=MAX_DRAWN_VERTICES)
    with pytest.raises(BadGeometry, match="simplify"):
        check_outline(circle)


@given(st.lists(st.tuples(st.floats(), st.floats()), min_size=4, max_size=8))
def test_any_numbers_are_taken_whole_or_refused(ring: list[tuple[float, float]]) -> None:
    try:
        taken = read_outline(polygon(*ring, ring[0]))
    except BadGeometry:
        return
    assert taken.is_valid
    assert taken.area > 0
    assert np.isfinite(shapely.get_coordinates(taken)).all()


def test_a_window_is_one_polygon_of_a_size_that_somebody_can_look_through() -> None:
    assert check_window(box(0, 0, 0.4, 0.4)).equals(box(0, 0, 0.4, 0.4))
    with pytest.raises(BadGeometry, match="at most 250,000 ha"):
        check_window(box(0, 0, 1, 1))
    with pytest.raises(BadGeometry, match="one polygon"):
        check_window(MultiPolygon([box(0, 0, 0.1, 0.1), box(1, 1, 1.1, 1.1)]))
