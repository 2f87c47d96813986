from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, box

from labelling.core.chips import chip_grid, geometry_in_chip
from labelling.core.globe import to_crs
from labelling.core.raster import utm_of
from training.core.perturb import cover, keep_within, move_grid, place_chips, widen
from training.core.plan import PERTURBED

LON, LAT = -44.6, -21.07
RECIPE = PERTURBED.recipe


def test_one_placement_in_the_middle_and_the_others_within_reach() -> None:
    grids = place_chips(RECIPE, lon=LON, lat=LAT, key="1")
    assert len(grids) == 9
    middles = [geometry_in_chip(Point(LON, LAT), grid).coords[0] for grid in grids]
    for index, (x, y) in enumerate(middles):
        reach = 1 if index % 3 == 0 else RECIPE.off_centre * RECIPE.chip_px + 1
        assert abs(x - 160) <= reach
        assert abs(y - 160) <= reach
    assert [round(grid.transform.a, 6) for grid in grids[::3]] == [7.5, 10.0, 15.0]
    assert len({grid.transform for grid in grids}) == 9


def test_the_same_seed_and_key_give_the_same_places() -> None:
    first = place_chips(RECIPE, lon=LON, lat=LAT, key="1")
    assert place_chips(RECIPE, lon=LON, lat=LAT, key="1") == first
    assert place_chips(RECIPE, lon=LON, lat=LAT, key="2") != first
    assert place_chips(replace(RECIPE, split_seed=1), lon=LON, lat=LAT, key="1") != first


@given(st.integers())
def test_no_placement_is_there_twice(site: int) -> None:
    """A reach of 3 pixels has 49 places: of 12 by chance nearly all would have two alike."""
    near = replace(RECIPE, chip_px=32, off_centre=0.1, centrings=12, zooms=(1.0,))
    assert len(set(place_chips(near, lon=LON, lat=LAT, key=str(site)))) == 12


def test_placements_that_have_no_room_are_alike() -> None:
    assert len(set(place_chips(replace(RECIPE, off_centre=0.0), lon=LON, lat=LAT, key="1"))) == len(RECIPE.zooms)


@given(x=st.integers(-63, 63), y=st.integers(-63, 63))
def test_a_chip_is_shifted_into_ground_that_is_wide_enough(x: int, y: int) -> None:
    grid = chip_grid(lon=LON, lat=LAT, side_px=64, pixel_m=10)
    ground = widen(grid).footprint().buffer(-0.005)
    moved = keep_within(move_grid(grid, x, y), ground)
    inside = geometry_in_chip(ground, moved).area
    assert inside >= 0.97 * 64 * 64
    assert abs(moved.transform.c - grid.transform.c) <= 630


def test_a_chip_within_its_ground_stays() -> None:
    grid = chip_grid(lon=LON, lat=LAT, side_px=64, pixel_m=10)
    assert keep_within(grid, widen(grid).footprint()) == grid


def test_ground_narrower_than_the_chip_is_all_shown() -> None:
    grid = chip_grid(lon=LON, lat=LAT, side_px=64, pixel_m=10)
    strip = box(LON - 0.0005, LAT - 0.1, LON + 0.0045, LAT + 0.1)
    moved = keep_within(grid, strip)
    left, _, right, _ = geometry_in_chip(strip, moved).bounds
    assert left > 0.5
    assert right < 63.5


@pytest.mark.parametrize(("width", "count"), [(0.005, 1), (0.02, 4)])
def test_an_area_is_covered_with_chips_half_a_side_apart(width: float, count: int) -> None:
    area = box(LON, LAT, LON + width, LAT + 0.005)
    points = cover(area, 1000.0)
    assert len(points) == count
    assert all(area.covers(point) for point in points)
    crs = utm_of(LON, LAT)
    steps = np.diff([to_crs(point, crs).bounds[0] for point in points])
    assert (steps <= 500).all()
