import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import Point, box

from training.core.blocks import Block, BlockGrid, buffered_box, leaks

GEOD = Geod(ellps="WGS84")
lons = st.floats(-180, 180)
lats = st.floats(-90, 90)
sides = st.sampled_from([1_000.0, 20_000.0, 100_000.0])


@given(lon=lons, lat=lats, side=sides)
def test_every_place_lies_in_its_block(lon: float, lat: float, side: float) -> None:
    grid = BlockGrid(side)
    west, south, east, north = grid.bounds(grid.block_at(lon, lat))
    place = -180.0 if lon == 180 else lon
    slack = 1e-9
    assert west - slack <= place <= east + slack
    assert south - slack <= lat <= north + slack
    assert -180 <= west < east <= 180 + slack
    assert -90 <= south < north <= 90 + slack


@given(lon=lons, lat=st.floats(-85, 85))
def test_blocks_have_about_the_same_area_and_are_about_square(lon: float, lat: float) -> None:
    grid = BlockGrid(20_000.0)
    cell = shapely.segmentize(grid.polygon(grid.block_at(lon, lat)), 0.01)
    assert abs(GEOD.geometry_area_perimeter(cell)[0]) == pytest.approx(4e8, rel=0.02)
    west, south, east, north = cell.bounds
    width = GEOD.inv(west, (south + north) / 2, east, (south + north) / 2)[2]
    assert width == pytest.approx(20_000, rel=0.02)


def test_the_blocks_of_a_row_go_once_around() -> None:
    grid = BlockGrid(100_000.0)
    for row in (0, 1, grid.rows // 2, grid.rows - 1):
        cells = [grid.polygon(Block(row, column)) for column in range(grid.columns(row))]
        assert shapely.union_all(cells, grid_size=1e-9).bounds[::2] == pytest.approx((-180, 180))
        assert sum(cell.area for cell in cells) == pytest.approx(360 * 180 / grid.rows)


def test_both_sides_of_the_antimeridian_lie_in_neighbouring_blocks() -> None:
    grid = BlockGrid(20_000.0)
    east, west = grid.block_at(179.999, -17), grid.block_at(-179.999, -17)
    assert (east.column, west.column) == (grid.columns(east.row) - 1, 0)
    assert grid.block_at(180, -17) == grid.block_at(-180, -17) == west


def test_a_geometry_finds_all_its_blocks() -> None:
    grid = BlockGrid(20_000.0)
    fiji = shapely.union_all([box(179.9, -17.1, 180, -16.9), box(-180, -17.1, -179.9, -16.9)])
    found = grid.blocks_touching(fiji)
    assert len(found) == len(set(found)) > 2
    cover = shapely.union_all([grid.polygon(block) for block in found], grid_size=1e-9)
    assert cover.buffer(1e-6).covers(fiji)


@given(lon=lons, lat=lats)
def test_a_point_touches_the_block_it_lies_in(lon: float, lat: float) -> None:
    grid = BlockGrid(20_000.0)
    touched = grid.blocks_touching(Point(lon, lat))
    assert touched
    assert grid.block_at(lon, lat) in touched or abs(lon) == 180


@given(lon=lons, lat=st.floats(-89.99, 89.99), bearing=st.floats(0, 360), side=sides)
def test_a_place_within_the_buffer_of_a_block_is_in_its_buffered_box(
    lon: float, lat: float, bearing: float, side: float
) -> None:
    grid = BlockGrid(side)
    inside = buffered_box(grid.bounds(grid.block_at(lon, lat)), 2_000.0)
    far_lon, far_lat, _ = GEOD.fwd(lon, lat, bearing, 1_999.0)
    assert inside.is_valid
    assert shapely.distance(inside, Point(far_lon, far_lat)) < 1e-9
    assert -180 <= inside.bounds[0] <= inside.bounds[2] <= 180


def test_a_buffer_over_the_antimeridian_has_two_parts() -> None:
    grid = BlockGrid(20_000.0)
    wide = buffered_box(grid.bounds(grid.block_at(-180, 0)), 2_000.0)
    assert len(wide.geoms) == 2
    assert wide.bounds[::2] == (-180, 180)
    assert wide.area < 0.1


def test_footprints_that_touch_a_buffer_leak_and_others_do_not() -> None:
    blocks = [buffered_box((10, 10, 11, 11), 2_000), buffered_box((179, 0, 180, 1), 2_000)]
    footprints = [box(8, 8, 9, 9), box(11.001, 10, 12, 11), box(-180, 0, -179.999, 1), box(11.1, 10, 12, 11)]
    assert leaks(blocks, footprints) == [1, 2]
    assert leaks([], footprints) == leaks(blocks, []) == []


@pytest.mark.parametrize("side", [0.0, 99.0, 2e6, -1.0, np.nan])
def test_a_side_that_makes_no_blocks_is_refused(side: float) -> None:
    with pytest.raises(ValueError, match="side of a block"):
        BlockGrid(side)
