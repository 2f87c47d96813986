import pytest
from shapely.geometry import Point, box

from labelling.core.regions import RegionIndex

ISLANDS = RegionIndex([box(0, 0, 1, 1), box(2, 0, 3, 1), box(179, 0, 180, 1)])


@pytest.mark.parametrize(
    ("lon", "lat", "place"),
    [
        (0.5, 0.5, 0),
        (2.5, 0.5, 1),
        (1.1, 0.5, 0),  # 11 km off the coast
        (1.9, 0.5, 1),
        (-179.5, 0.5, 2),  # 56 km, over the antimeridian
        (0.5, 3.0, None),  # 221 km
    ],
)
def test_a_point_belongs_to_the_region_around_it_or_nearest_to_it(lon: float, lat: float, place: int | None) -> None:
    assert ISLANDS.locate([Point(lon, lat)]) == [place]


def test_nearest_is_measured_on_the_ground() -> None:
    # At 70 N a degree of longitude is 38 km: the island 1.2 degrees east is nearer than that 0.6 degrees south.
    index = RegionIndex([box(11.2, 69, 12, 71), box(9, 68, 11, 69.4)])
    assert index.locate([Point(10, 70)]) == [0]


def test_the_first_of_two_that_hold_a_point_wins() -> None:
    assert RegionIndex([box(0, 0, 1, 1), box(0, 0, 2, 2)]).locate([Point(0.5, 0.5), Point(1.5, 1)]) == [0, 1]


def test_without_regions_nothing_is_found() -> None:
    assert RegionIndex([]).locate([Point(0, 0)]) == [None]
    assert ISLANDS.locate([]) == []
