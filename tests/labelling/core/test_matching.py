from dataclasses import replace

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, box
from shapely.geometry.base import BaseGeometry

from labelling.core.matching import ClaimSpec, Place, group_places

PIT, DUMP = frozenset({"open_pit"}), frozenset({"waste_rock_dump"})
METRE = 1 / 111_320  # of latitude, in degrees


def groups(*geometries: BaseGeometry | Place) -> list[int]:
    return group_places([], [item if isinstance(item, Place) else Place(item) for item in geometries])


@pytest.mark.parametrize(("metres", "same"), [(0, True), (49, True), (51, False)])
@pytest.mark.parametrize("lat", [0.0, 60.0, -75.0])
def test_points_within_fifty_metres_are_one_place(metres: float, same: bool, lat: float) -> None:
    here = Point(25.0, lat)
    north = Point(25.0, lat + metres / 111_320)
    assert (groups(here, north) == [0, 0]) is same


def test_east_is_measured_on_the_ground_and_not_in_degrees() -> None:
    degrees = 40 * METRE  # 40 m at the equator, 20 m at 60 N
    assert groups(Point(25, 0), Point(25 + degrees * 1.5, 0)) == [0, 1]
    assert groups(Point(25, 60), Point(25 + degrees * 1.5, 60)) == [0, 0]


def test_neighbours_across_the_antimeridian_are_one_place() -> None:
    assert groups(Point(179.9999, -17), Point(-179.9999, -17)) == [0, 0]


def test_a_chain_of_points_does_not_grow_for_ever() -> None:
    chain = [Point(25, 40 * METRE * step) for step in range(5)]
    assert groups(*chain) == [0, 0, 1, 1, 2]


def test_a_point_inside_a_polygon_belongs_to_it_even_when_it_comes_first() -> None:
    assert groups(Point(0.5, 0.5), box(0, 0, 1, 1), Point(2, 2)) == [0, 0, 1]


def test_among_polygons_around_a_point_the_smallest_wins() -> None:
    large, small = Place(box(0, 0, 1, 1), PIT), Place(box(0.4, 0.4, 0.6, 0.6), DUMP)
    assert groups(large, small, Point(0.5, 0.5)) == [0, 1, 1]


def test_a_point_that_names_another_feature_stays_apart() -> None:
    assert groups(Place(box(0, 0, 1, 1), PIT), Place(Point(0.5, 0.5), DUMP)) == [0, 1]


def test_pit_dump_and_pond_of_one_mine_that_touch_are_three_places() -> None:
    shapes = [Place(box(x, 0, x + 1.01, 1), frozenset({code})) for x, code in enumerate(("open_pit", "pond", "plant"))]
    assert groups(*shapes) == [0, 1, 2]


@pytest.mark.parametrize(
    ("iou", "first", "second", "same"),
    [
        (0.35, PIT, frozenset(), True),
        (0.25, PIT, frozenset(), False),
        (0.35, PIT, PIT, True),
        (0.35, PIT, DUMP, False),
        (0.55, PIT, DUMP, True),
    ],
)
def test_polygons_are_one_place_by_their_common_share(
    iou: float, first: frozenset[str], second: frozenset[str], same: bool
) -> None:
    shift = (1 - iou) / (1 + iou)
    pair = Place(box(0, 0, 1, 1), first), Place(box(shift, 0, 1 + shift, 1), second)
    assert (groups(*pair) == [0, 0]) is same


def test_a_part_of_the_same_feature_is_no_place_of_its_own_but_a_part_of_a_whole_mine_is() -> None:
    small, speck = box(0.1, 0.1, 0.5, 0.5), box(0.1, 0.1, 0.2, 0.2)
    assert groups(Place(box(0, 0, 1, 1), PIT), Place(small, PIT)) == [0, 0]
    assert groups(Place(box(0, 0, 1, 1), PIT), Place(speck, PIT)) == [0, 1]
    assert groups(box(0, 0, 1, 1), Place(small, PIT)) == [0, 1]


def test_the_likest_known_place_wins_and_new_places_count_from_there() -> None:
    known = [Place(box(0, 0, 1, 1)), Place(box(0.2, 0, 1.2, 1))]
    found = group_places(known, [Place(box(0.19, 0, 1.19, 1)), Place(box(5, 5, 6, 6)), Place(Point(9, 9))])
    assert found == [1, 2, 3]


def test_a_polygon_speaks_for_the_point_that_it_swallowed() -> None:
    known = [Place(Point(0.5, 0.5))]
    assert group_places(known, [Place(box(0, 0, 1, 1)), Place(Point(0.1, 0.1))]) == [0, 0]


def test_nothing_is_placed_nowhere() -> None:
    assert group_places([Place(Point(0, 0))], []) == []
    assert group_places([], []) == []


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.booleans()), max_size=12))
def test_claims_given_twice_found_no_second_place(rows: list[tuple[int, int, bool]]) -> None:
    def shape(x: int, y: int, areal: bool) -> BaseGeometry:
        return box(x * 1e-4, y * 1e-4, x * 1e-4 + 5e-4, y * 1e-4 + 5e-4) if areal else Point(x * 1e-4, y * 1e-4)

    claims = [Place(shape(*row)) for row in rows]
    once = group_places([], claims)
    assert sorted(set(once)) == list(range(len(set(once))))
    twice = group_places([], [*claims, *claims])
    assert len(set(twice)) == len(set(once))


def test_a_claim_knows_its_codes() -> None:
    claim = ClaimSpec("a", shapely.Point(0, 0), {"feature": (("open_pit", 0.7), ("pond", 0.2))})
    assert claim.codes("feature") == {"open_pit", "pond"}
    assert replace(claim, types={}).codes("feature") == frozenset()
