import math
import struct
import time

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPoint, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadGeometry
from labelling.core.geometry import (
    area_ha,
    clean_geometry,
    distance_m,
    distances_m,
    inner_point,
    search_boxes,
    split_places,
    wrapped_boxes,
)

BOW_TIE = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
# A ring that comes back to a point of its own: two lobes that touch.
with np.errstate(invalid="ignore"):
    NAN_RING = shapely.from_wkb(struct.pack("<BIII8d", 1, 3, 1, 4, 0, 0, 1, 0, math.nan, 1, 0, 0))
TOUCHING = Polygon([(0, 0), (2, 0), (1, 1), (2, 2), (0, 2), (1, 1)])


def refusal(geometry: BaseGeometry) -> str:
    with pytest.raises(BadGeometry) as caught:
        clean_geometry(geometry)
    return caught.value.reason


def test_a_good_geometry_passes_unchanged() -> None:
    assert clean_geometry(box(0, 0, 1, 1)) == (box(0, 0, 1, 1), False)
    assert clean_geometry(Point(1, 2)) == (Point(1, 2), False)


def test_heights_are_dropped_and_lone_parts_taken_out() -> None:
    clean, _ = clean_geometry(MultiPoint([(1, 2, 3)]))
    assert clean.equals(Point(1, 2))
    assert not clean.has_z
    assert clean_geometry(MultiPolygon([box(0, 0, 1, 1)]))[0].geom_type == "Polygon"


@pytest.mark.parametrize(
    ("geometry", "reason"),
    [
        (Point(float("nan"), 0), "not a finite number"),
        (Point(0, float("inf")), "not a finite number"),
        (NAN_RING, "not a finite number"),
        (Point(181, 0), "longitude 181 is outside -180 to 180"),
        (Point(0, -90.5), "latitude -90.5 is outside -90 to 90"),
        (Point(500_000, 8_000_000), "is its CRS the right one?"),
        (Point(), "the geometry is empty"),
        (Polygon(), "the geometry is empty"),
        (LineString([(0, 0), (1, 1)]), "a LineString: only points"),
        (MultiPoint([(0, 0), (1, 1)]), "a MultiPoint: only points"),
        (Polygon([(0, 0), (1, 1), (2, 2), (0, 0)]), "nothing is left of it after repair"),
        (BOW_TIE, "it crosses itself (self-intersection at 0.5 0.5)"),
        (Polygon([(179, 0), (-179, 0), (-179, 1), (179, 1)]), "split it at the antimeridian"),
    ],
)
def test_a_bad_geometry_is_refused_with_its_reason(geometry: BaseGeometry, reason: str) -> None:
    assert reason in refusal(geometry)


def test_too_many_vertices_are_refused() -> None:
    with pytest.raises(BadGeometry, match="65 vertices, at most 50"):
        clean_geometry(Point(0, 0).buffer(1, quad_segs=16), max_vertices=50)


def test_a_ring_that_touches_itself_is_repaired_and_keeps_its_area() -> None:
    clean, repaired = clean_geometry(TOUCHING)
    assert repaired
    assert shapely.is_valid(clean)
    assert clean.area == pytest.approx(TOUCHING.area)


def test_rounding_beyond_the_antimeridian_is_cut_off() -> None:
    clean, _ = clean_geometry(box(179, 0, 180.0000000001, 1))
    assert clean.bounds == (179, 0, 180, 1)


def test_an_outline_around_the_pole_is_no_crossing() -> None:
    antarctica = Polygon([(-180, -90), (-180, -70), (0, -65), (180, -70), (180, -90)])
    assert clean_geometry(antarctica) == (antarctica, False)


@pytest.mark.parametrize("vertices", [250, 500, 2000, 9000])
def test_a_hostile_ring_is_answered_at_once(vertices: int) -> None:
    ring = np.random.default_rng(1).random((vertices, 2))
    started = time.monotonic()
    reason = refusal(Polygon(ring))
    assert "self-intersection" in reason
    assert time.monotonic() - started < 10


@given(st.lists(st.tuples(st.floats(), st.floats()), min_size=4, max_size=12))
def test_whatever_comes_is_refused_or_sound(ring: list[tuple[float, float]]) -> None:
    assume(not np.isnan(ring[0]).any())  # shapely itself refuses such a ring: it never closes
    with np.errstate(invalid="ignore"):
        polygon = shapely.polygons(shapely.linearrings([*ring, ring[0]], handle_nan="allow"))
    try:
        clean, _ = clean_geometry(polygon)
    except BadGeometry as error:
        assert error.reason
    else:
        assert shapely.is_valid(clean)
        assert clean.area > 0
        assert np.isfinite(clean.bounds).all()
        assert max(map(abs, clean.bounds)) <= 180


def test_areas_are_measured_on_the_ellipsoid() -> None:
    # One square degree at the equator: 12 308.8 km2 (Karney 2013, WGS 84).
    assert area_ha(box(0, 0, 1, 1)) == pytest.approx(1_230_878, rel=1e-4)
    assert area_ha(box(0, 60, 1, 61)) == pytest.approx(area_ha(box(0, 0, 1, 1)) * 0.49, rel=0.02)
    assert area_ha(Point(0, 0)) == 0
    holed = box(0, 0, 1, 1).difference(box(0.25, 0.25, 0.75, 0.75))
    assert area_ha(holed) == pytest.approx(area_ha(box(0, 0, 1, 1)) - area_ha(box(0.25, 0.25, 0.75, 0.75)))
    assert area_ha(holed.reverse()) == pytest.approx(area_ha(holed))


def test_distances_are_geodesic() -> None:
    assert distances_m(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]))[0] == pytest.approx(111_319.5, abs=0.1)
    assert distance_m(Point(2, 60.5), box(0, 60, 1, 61)) == pytest.approx(54_900, rel=0.01)
    assert distance_m(Point(0.5, 60.5), box(0, 60, 1, 61)) == 0


def test_search_boxes_reach_as_far_in_every_direction() -> None:
    west, south, east, north = search_boxes(np.array([[10.0, 60.0, 10.0, 60.0]]), 1000)[0]
    corners = np.array([[10.0, north], [east, 60.0], [west, 60.0], [10.0, south]])
    assert (distances_m(np.repeat([[10.0, 60.0]], 4, axis=0), corners) >= 1000).all()


def test_a_box_over_the_antimeridian_stands_on_both_sides() -> None:
    indexes, boxes = wrapped_boxes(np.array([[0.0, 0, 1, 1], [179.5, 0, 180.5, 1], [-180.5, 0, -179.5, 1]]))
    assert sorted(indexes.tolist()) == [0, 1, 1, 2, 2]
    assert shapely.intersects(boxes[indexes == 1], Point(-179.9, 0.5)).any()


def test_an_inner_point_lies_inside() -> None:
    horseshoe = box(0, 0, 3, 3).difference(box(1, 0, 2, 2.5))
    assert horseshoe.contains(inner_point(horseshoe))
    assert inner_point(box(0, 0, 2, 2)) == Point(1, 1)


def test_a_multipolygon_is_as_many_places_as_lie_apart() -> None:
    metre = 1 / 111_320
    near = MultiPolygon([box(0, 0, 0.01, 0.01), box(0.01 + 50 * metre, 0, 0.02, 0.01), box(1, 1, 1.1, 1.1)])
    places = split_places(near)
    assert [len(shapely.get_parts(place)) for place in places] == [2, 1]
    assert shapely.union_all(places).area == pytest.approx(near.area)
    assert split_places(box(0, 0, 1, 1)) == [box(0, 0, 1, 1)]


def test_halves_at_the_antimeridian_are_one_place() -> None:
    assert len(split_places(MultiPolygon([box(179, 0, 180, 1), box(-180, 0, -179, 1)]))) == 1
