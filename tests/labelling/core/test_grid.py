import math

import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from morecantile import Tile
from rio_tiler.constants import WEB_MERCATOR_TMS

from labelling.core.errors import BadGeometry
from labelling.core.grid import TileAddress, footprint_of, ground_pixel
from labelling.core.raster import transformer, utm_of

GRID = Affine(10, 0, 541_550, 0, -10, 7_670_050)


@settings(max_examples=80)
@given(st.data(), st.integers(0, 24))
def test_a_tile_lies_where_everyone_s_tiles_lie(data: st.DataObject, z: int) -> None:
    x, y = (data.draw(st.integers(0, (1 << z) - 1)) for _ in range(2))
    tile = TileAddress(z, x, y)
    theirs = WEB_MERCATOR_TMS.xy_bounds(Tile(x, y, z))
    assert tile.mercator_bounds() == pytest.approx(tuple(theirs), abs=1e-6)
    degrees = WEB_MERCATOR_TMS.bounds(Tile(x, y, z))
    assert tile.bounds() == pytest.approx(tuple(degrees), abs=1e-9)


@pytest.mark.parametrize(("z", "x", "y"), [(-1, 0, 0), (25, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0), (0, 0, 1)])
def test_an_address_that_no_tile_has_is_refused(z: int, x: int, y: int) -> None:
    with pytest.raises(BadGeometry):
        TileAddress(z, x, y)


def test_a_pixel_is_measured_on_the_ground() -> None:
    wide, tall = ground_pixel(crs="EPSG:32723", transform=GRID, width=64, height=64)
    assert (wide, tall) == pytest.approx((10, 10), abs=0.01)
    step = 10 / 111_320
    wide, tall = ground_pixel(crs="EPSG:4326", transform=Affine(step, 0, -44, 0, -step, -20), width=448, height=448)
    assert wide == pytest.approx(10 * math.cos(math.radians(20.02)), abs=0.03)
    assert tall == pytest.approx(10, abs=0.1)


def test_a_footprint_holds_every_pixel_of_the_image() -> None:
    shape = footprint_of(crs="EPSG:32723", transform=GRID, width=10_980, height=10_980)
    assert shape.is_valid
    to_degrees = transformer("EPSG:32723", "EPSG:4326")
    inner = [(x, y) for x in (1, 5490, 10_979) for y in (1, 5490, 10_979)]
    assert all(shape.contains(shapely.Point(to_degrees.transform(*(GRID @ place)))) for place in inner)
    # The middle of an edge, where a straight line between the corners would miss the curve of the grid.
    edge = shapely.Point(to_degrees.transform(*(GRID @ (5490 + 137, 0))))
    assert shape.boundary.distance(edge) * 111_320 < 2


def test_a_footprint_over_the_antimeridian_is_two_parts_on_their_sides() -> None:
    shape = footprint_of(crs="EPSG:32601", transform=Affine(10, 0, 161_000, 0, -10, 100_000), width=2000, height=640)
    assert len(shape.geoms) == 2
    assert shape.is_valid
    west, east = sorted(shape.geoms, key=lambda part: part.bounds[0])
    assert west.bounds[0] == -180
    assert east.bounds[2] == 180
    assert shape.area < 0.02


def test_longitudes_beyond_180_come_back() -> None:
    shape = footprint_of(crs="EPSG:4326", transform=Affine(0.01, 0, 200, 0, -0.01, 10), width=100, height=100)
    assert shape.bounds == pytest.approx((-160, 9, -159, 10))


def test_an_image_around_the_pole_reaches_to_it() -> None:
    shape = footprint_of(crs="EPSG:3413", transform=Affine(1e3, 0, -5e5, 0, -1e3, 5e5), width=1000, height=1000)
    assert shape.is_valid
    assert shape.contains(shapely.Point(10, 89.9))
    assert shape.contains(shapely.Point(-170, 86))
    assert not shape.contains(shapely.Point(10, 80))


@settings(max_examples=60, deadline=None)
@given(st.floats(-180, 180), st.floats(-75, 80), st.integers(2, 4000), st.integers(2, 4000))
def test_a_footprint_anywhere_is_valid_on_the_map_and_of_the_right_size(
    lon: float, lat: float, width: int, height: int
) -> None:
    crs = utm_of(lon, lat)
    x, y = transformer("EPSG:4326", crs).transform(lon, lat)
    shape = footprint_of(crs=crs, transform=Affine(10, 0, x, 0, -10, y), width=width, height=height)
    assert shape.is_valid
    west, south, east, north = shape.bounds
    assert -180 <= west < east <= 180
    assert -90 <= south < north <= 90
    flat = shape.area * (111_320**2) * math.cos(math.radians((south + north) / 2))
    assert flat == pytest.approx(width * height * 100, rel=0.03)


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:4326", Affine(1, 0, 0, 0, -1, 200)),
        ("EPSG:32723", Affine(1e9, 0, 0, 0, -1e9, 0)),
        ("EPSG:32723", Affine(math.nan, 0, 0, 0, -1, 0)),
        ("EPSG:5800", Affine(1, 0, 0, 0, -1, 0)),
    ],
)
def test_what_lies_outside_the_world_is_refused(crs: str, transform: Affine) -> None:
    with pytest.raises(BadGeometry):
        footprint_of(crs=crs, transform=transform, width=10, height=10)
