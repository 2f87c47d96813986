from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from morecantile import Tile
from rio_tiler.constants import WEB_MERCATOR_TMS

from labelling.core.cells import CELL_ZOOM, cells_of, middles_of, range_of
from labelling.core.grid import TileAddress

places = st.tuples(st.floats(-180, 179.999), st.floats(-85.05, 85.05))


@given(places, st.integers(0, 18))
def test_a_point_s_cell_is_in_the_range_of_the_tile_that_everyone_puts_it_in(
    place: tuple[float, float], z: int
) -> None:
    theirs = WEB_MERCATOR_TMS.tile(*place, z)
    west, south, east, north = WEB_MERCATOR_TMS.bounds(theirs)
    edge = 1e-9 * 360  # on the line between two tiles either is right
    if min(place[0] - west, east - place[0], place[1] - south, north - place[1]) < edge:
        return
    first, last = range_of(TileAddress(z, theirs.x, theirs.y))
    assert first <= int(cells_of(*place)) <= last


@given(st.data(), st.integers(1, 18))
def test_the_four_tiles_below_a_tile_share_its_range(data: st.DataObject, z: int) -> None:
    x, y = (data.draw(st.integers(0, (1 << z) - 1)) for _ in range(2))
    children = sorted(range_of(TileAddress(z + 1, 2 * x + i, 2 * y + j)) for i in (0, 1) for j in (0, 1))
    assert (children[0][0], children[-1][1]) == range_of(TileAddress(z, x, y))
    assert all(before[1] + 1 == after[0] for before, after in pairwise(children))


@given(st.data(), st.integers(0, CELL_ZOOM))
def test_the_middle_of_a_number_lies_in_the_middle_of_its_tile(data: st.DataObject, z: int) -> None:
    x, y = (data.draw(st.integers(0, (1 << z) - 1)) for _ in range(2))
    number = range_of(TileAddress(z, x, y))[0] >> 2 * (CELL_ZOOM - z)
    lon, lat = (part.tolist()[0] for part in middles_of([number], z))
    west, south, east, north = WEB_MERCATOR_TMS.bounds(Tile(x, y, z))
    assert lon == pytest.approx((west + east) / 2, abs=1e-9)
    assert south < lat < north


def test_many_points_are_numbered_at_once() -> None:
    lon, lat = np.array([25.0, -70.0, 179.9]), np.array([-11.0, 30.0, 64.0])
    one_by_one = [int(cells_of(x, y)) for x, y in zip(lon, lat, strict=True)]
    assert cells_of(lon, lat).tolist() == one_by_one
    assert len(set(one_by_one)) == 3


@pytest.mark.parametrize(("lon", "lat"), [(-180, 90), (180, 90), (180, -90), (-180, -90), (540, 0)])
def test_the_poles_and_the_antimeridian_are_on_the_map(lon: float, lat: float) -> None:
    assert 0 <= int(cells_of(lon, lat)) < 4**CELL_ZOOM
