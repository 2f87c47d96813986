import math

import pytest
from shapely.geometry import MultiPolygon, Point, Polygon, box

from labelling.core.pictures import LEAST_M, ROOM, SIDE, Frame

MINE = box(10.0, 45.0, 10.2, 45.1)


def test_the_frame_is_a_square_around_everything_with_room() -> None:
    frame = Frame.around([MINE, box(10.1, 45.0, 10.3, 45.05)])
    west, south, east, north = frame.bounds()
    assert frame.side == pytest.approx(math.radians(0.3) * 6_378_137 * ROOM)
    assert (west + east) / 2 == pytest.approx(10.15)
    assert south < 45.0
    assert north > 45.1


def test_a_point_has_ground_around_it() -> None:
    assert Frame.around([Point(10, 45)]).side == LEAST_M
    assert Frame.around([Point(10, 45)]).path(Point(10, 45)).startswith(f"M{SIDE / 2 - 3:.1f} {SIDE / 2:.1f}a")


def test_a_path_stands_where_the_outline_stands_in_the_picture() -> None:
    """An equatorial square fills the middle of its frame: SIDE / ROOM wide, north up."""
    square = box(-0.05, -0.05, 0.05, 0.05)
    margin = (SIDE - SIDE / ROOM) / 2
    numbers = [float(part) for part in Frame.around([square]).path(square)[1:-1].replace("L", " ").split()]
    xs, ys = numbers[::2], numbers[1::2]
    assert (min(xs), max(xs)) == pytest.approx((margin, SIDE - margin), abs=0.1)
    assert (min(ys), max(ys)) == pytest.approx((margin, SIDE - margin), abs=0.1)
    north = Frame.around([square]).path(box(-0.05, 0.04, 0.05, 0.05))
    assert max(float(pair.split()[1]) for pair in north[1:-1].split("L")) < SIDE / 2


def test_holes_and_parts_are_rings_of_their_own() -> None:
    holed = Polygon(box(0, 0, 1, 1).exterior.coords, [box(0.4, 0.4, 0.6, 0.6).exterior.coords])
    assert Frame.around([holed]).path(MultiPolygon([holed, box(2, 0, 3, 1)])).count("M") == 3


def test_on_both_sides_of_180_degrees_the_larger_part_is_shown() -> None:
    west, _, east, _ = Frame.around([MultiPolygon([box(179.8, 0, 180, 0.1), box(-180, 0, -179.9, 0.1)])]).bounds()
    assert (west, east) == pytest.approx((179.74, 180.0), abs=0.01)


def test_bounds_never_leave_the_map() -> None:
    west, south, east, north = Frame.around([box(-170, -89, 0, 89)]).bounds()
    assert (west, south, north) == pytest.approx((-180, -85.05, 85.05), abs=0.01)
    assert max(-south, north) <= 85.05, "thumbnails are not drawn beyond"
    assert east <= 180
