import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from labelling.core.globe import (
    circle_on_ground,
    outline_to_lonlat,
    shift_on_ground,
    split_at_antimeridian,
    to_crs,
    unwrap,
)
from labelling.core.raster import transformer, utm_of

GEOD = Geod(ellps="WGS84")
FIJI = box(179.9, -17.1, 180.1, -16.9)


@given(lon=st.floats(-180, 180), lat=st.floats(-89.9, 89.9))
def test_a_square_anywhere_comes_back_as_the_ground_it_covers(lon: float, lat: float) -> None:
    crs = utm_of(lon, lat)
    x, y = transformer("EPSG:4326", crs).transform(lon, lat)
    square = box(x - 5000, y - 5000, x + 5000, y + 5000)
    ground = outline_to_lonlat(square, crs)
    west, south, east, north = ground.bounds
    assert ground.is_valid
    assert -180 <= west <= east <= 180
    assert -90 <= south <= north <= 90
    assert shapely.distance(ground, Point(lon, lat)) < 1e-6 or abs(lon) == 180
    if ground.geom_type == "Polygon" and abs(lat) < 89:
        # The way back gives the square again, to a metre.
        assert to_crs(ground, crs).hausdorff_distance(square) < 1


def test_a_square_over_the_antimeridian_has_two_parts_and_neither_spans_the_world() -> None:
    crs = utm_of(180, -17)
    x, y = transformer("EPSG:4326", crs).transform(180, -17)
    ground = outline_to_lonlat(box(x - 5000, y - 5000, x + 5000, y + 5000), crs)
    assert isinstance(ground, MultiPolygon)
    assert sorted(round(part.bounds[2] - part.bounds[0], 3) for part in ground.geoms) == [0.048, 0.048]
    assert to_crs(ground, crs).area == pytest.approx(1e8, rel=1e-4)


def test_a_square_over_the_pole_holds_the_pole() -> None:
    ground = outline_to_lonlat(box(1_900_000, 1_900_000, 2_100_000, 2_100_000), "EPSG:32661")
    assert ground.is_valid
    assert ground.bounds[3] == 90
    assert ground.bounds[2] - ground.bounds[0] == 360


def test_what_lies_between_the_antimeridians_is_left_as_it_is() -> None:
    square = box(10, 10, 11, 11)
    assert split_at_antimeridian(square) is square


def test_longitudes_beyond_180_come_back_with_the_same_area() -> None:
    split = split_at_antimeridian(FIJI)
    assert split.bounds == pytest.approx((-180, -17.1, 180, -16.9))
    assert split.area == pytest.approx(FIJI.area)


def test_halves_of_one_polygon_join_again_in_a_metric_crs() -> None:
    joined = to_crs(split_at_antimeridian(FIJI), "EPSG:32760")
    assert joined.geom_type == "Polygon"


def test_what_a_crs_cannot_express_is_empty() -> None:
    assert to_crs(Point(129, 0), "EPSG:32737").is_empty


def test_an_outline_off_the_earth_is_refused() -> None:
    far = 1e12
    with pytest.raises(ValueError, match="cannot place on the Earth"):
        outline_to_lonlat(Polygon([(far, far), (far + 1, far), (far, far + 1)]), "EPSG:32723")


@given(lon=st.floats(-180, 180), lat=st.floats(-85, 85))
def test_a_circle_has_its_radius_anywhere(lon: float, lat: float) -> None:
    circle = circle_on_ground(lon, lat, 250)
    area = sum(abs(GEOD.geometry_area_perimeter(part)[0]) for part in shapely.get_parts(circle))
    assert area == pytest.approx(3.1416 * 250**2, rel=0.02)


@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-85, 85),
    east=st.floats(-1000, 1000),
    north=st.floats(-1000, 1000),
)
def test_an_outline_moves_by_metres_and_keeps_its_shape(lon: float, lat: float, east: float, north: float) -> None:
    there = circle_on_ground(lon, lat, 800)
    outline = shapely.difference(there, circle_on_ground(lon, lat, 300))
    moved = shift_on_ground(outline, east_m=east, north_m=north)
    assert moved.is_valid
    assert -180 <= moved.bounds[0] <= moved.bounds[2] <= 180
    assert ground_area(moved) == pytest.approx(ground_area(outline), rel=1e-5)
    start, end = unwrap(outline).centroid, unwrap(moved, near=unwrap(outline).centroid.x).centroid
    azimuth, _, distance = GEOD.inv(start.x, start.y, end.x, end.y)
    assert distance == pytest.approx(np.hypot(east, north), abs=1)
    if distance > 50:
        aside = np.radians(azimuth) - np.arctan2(east, north)
        assert abs(np.sin(aside)) * distance < 1
    assert len(shapely.get_rings(moved)) == 2 or moved.geom_type == "MultiPolygon", "the hole moves with it"


def ground_area(geometry: BaseGeometry) -> float:
    return abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(geometry))[0])


def test_what_moves_over_the_antimeridian_is_split_there_and_whole_again_behind() -> None:
    metres = GEOD.line_length([179.999, 180], [-17, -17])
    outline = box(179.99, -17.01, 179.999, -17)
    split = shift_on_ground(outline, east_m=2 * metres, north_m=0)
    assert (split.geom_type, split.bounds[0], split.bounds[2]) == ("MultiPolygon", -180, 180)
    assert len(shapely.get_parts(split)) == 2
    behind = shift_on_ground(split, east_m=-2 * metres, north_m=0)
    assert behind.geom_type == "Polygon"
    assert shapely.hausdorff_distance(behind, outline) < 1e-7


def test_what_lies_at_the_antimeridian_is_one_piece_after_it() -> None:
    halves = split_at_antimeridian(box(179.999, -17.001, 180.001, -17))
    assert unwrap(halves, near=-179).bounds == pytest.approx((-180.001, -17.001, -179.999, -17))
    moved = shift_on_ground(halves, east_m=500, north_m=0)
    assert (moved.geom_type, moved.bounds[2] < -179) == ("Polygon", True)


def test_at_high_latitude_metres_are_metres() -> None:
    outline = box(20, 80, 20.1, 80.01)
    moved = shift_on_ground(outline, east_m=1000, north_m=0)
    assert moved.centroid.x - outline.centroid.x == pytest.approx(1000 / GEOD.line_length([20, 21], [80, 80]), rel=1e-3)
    assert moved.centroid.y == pytest.approx(outline.centroid.y, abs=1e-5)
