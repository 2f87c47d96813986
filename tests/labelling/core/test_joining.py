"""The nearest typed place of a site, and how often such neighbours are right."""

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from labelling.core.joining import BANDS, REACH_M, Rate, TypedPlace, measure_rates, nearest_typed
from tests.mines import HERE, square

METRE = 1 / 111_320


def typed(site: int, lon: float, *, code: str = "pond", side: float = 0.001, source: str = "seeds") -> TypedPlace:
    return TypedPlace(site, square(lon, side=side), code, source)


def test_a_neighbour_comes_with_distance_and_overlap() -> None:
    here = square(side=0.001)
    east = HERE[0] + 0.001 + 200 * METRE / 0.939  # 200 m on, at 20 degrees south
    [near] = nearest_typed([1], [here], [typed(2, east)])
    assert near is not None
    assert near.distance_m == pytest.approx(200, rel=0.01)
    assert (near.overlap, near.band) == (0.0, "within 250 m")


def test_shared_ground_beats_any_distance_and_the_larger_share_wins() -> None:
    here = square(side=0.001)
    places = [typed(2, HERE[0] + 0.001), typed(3, HERE[0] + 0.0008), typed(4, HERE[0] + 0.0005)]
    [near] = nearest_typed([1], [here], places)
    assert near is not None
    assert (near.place, near.distance_m, near.band) == (2, 0.0, "overlapping")
    assert near.overlap == pytest.approx(0.5, abs=0.01)


def test_a_point_on_the_ground_of_a_site_overlaps_it() -> None:
    dot = TypedPlace(2, square(side=0.001).centroid, "pond", "cobalt")
    [near] = nearest_typed([1], [square(side=0.001)], [dot])
    assert near is not None
    assert near.band == "overlapping"


def test_a_site_is_no_neighbour_of_its_own_and_nobody_is_far_away() -> None:
    here = square(side=0.001)
    assert nearest_typed([1], [here], [typed(1, HERE[0])]) == [None]
    assert nearest_typed([1], [here], [typed(2, HERE[0] + 1)]) == [None]
    assert nearest_typed([1], [here], []) == [None]
    assert nearest_typed([], [], [typed(1, HERE[0])]) == []


@given(st.floats(-60, 60), st.floats(0, 2 * REACH_M))
def test_the_band_holds_the_distance_wherever_on_earth(lat: float, metres: float) -> None:
    step = metres * METRE
    here, there = shapely.Point(10, lat), shapely.Point(10, lat + step)
    [near] = nearest_typed([1], [here], [TypedPlace(2, there, "pond", "seeds")])
    if near is None:
        assert metres > REACH_M * 0.99
    else:
        assert near.distance_m == pytest.approx(metres, rel=0.02, abs=0.1)
        assert near.distance_m <= dict(BANDS)[near.band] or near.band == "overlapping"


def test_rates_count_band_by_band_and_only_other_sites() -> None:
    east = HERE[0]
    places = [
        typed(1, east),
        typed(1, east, source="others"),
        typed(2, east + 0.0011),
        typed(3, east + 0.0022, code="open_pit"),
    ]
    rates = measure_rates(places)
    assert rates == {"touching or within 50 m": Rate(right=2, of=3)}
    assert rates["touching or within 50 m"].share == pytest.approx(3 / 5)
    assert Rate().share == 0.5
    assert measure_rates([]) == {}
