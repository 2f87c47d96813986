import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelling.core.errors import BadInput
from labelling.core.formats import Row, Table
from labelling.core.places import MINUTES, OUTSIDE, SWAPPED, PlaceRule, place_rows

LATLON = PlaceRule(lat="lat", lon="lon")


def table(*rows: Mapping[str, Any]) -> Table:
    return Table("a.csv", "", (), tuple(Row(number, None, row) for number, row in enumerate(rows, start=3)))


def placed(*rows: Mapping[str, Any], rule: PlaceRule = LATLON, crs: str = "") -> list[Any]:
    found = place_rows(table(*rows), rule, crs=crs).rows
    return [row.geometry.coords[0] if row.geometry is not None else row.fault for row in found]


def test_columns_of_any_style_become_points() -> None:
    assert placed({"lat": "33°30'S", "lon": "70,5 W"}, {"lat": -33.5, "lon": -70}) == [(-70.5, -33.5), (-70.0, -33.5)]
    (fault,) = placed({"lat": "-1e-05", "lon": "1"})
    assert fault == "latitude '-1e-05': it cannot be read"


def test_a_lost_direction_is_not_guessed_where_the_others_say_theirs() -> None:
    rows = [{"lat": "28.3°S", "lon": "70.9°W"}] * 3 + [{"lat": "28.3°S", "lon": "70.81°"}]
    row = place_rows(table(*rows), LATLON).rows[-1]
    assert (row.fault, row.trouble) == ("'70.81°' says neither east nor west; 3 other rows say west", "W")
    assert placed(*rows, rule=PlaceRule(lat="lat", lon="lon", unsigned_lon="W"))[-1] == (-70.81, -28.3)


def test_without_any_letter_a_number_is_taken_as_it_stands_unless_a_side_is_said() -> None:
    row = {"lat": "33.5", "lon": "70.5"}
    assert placed(row) == [(70.5, 33.5)]
    assert placed(row, rule=PlaceRule(lat="lat", lon="lon", unsigned_lat="S", unsigned_lon="W")) == [(-70.5, -33.5)]
    signed = {"lat": "-33.5", "lon": "+70.5"}
    assert placed(signed, rule=PlaceRule(lat="lat", lon="lon", unsigned_lat="N", unsigned_lon="W")) == [(70.5, -33.5)]


def test_loose_minutes_are_a_trouble_that_a_word_ends() -> None:
    row = place_rows(table({"lat": "25° 84' S", "lon": "69° 86' W"}), LATLON).rows[0]
    assert row.trouble == MINUTES
    rule = PlaceRule(lat="lat", lon="lon", minutes_as_decimals=True)
    assert placed(row.properties, rule=rule) == [(-69.86, -25.84)]


def test_letters_of_the_other_axis_are_told_as_swapped() -> None:
    row = place_rows(table({"lat": "70°W", "lon": "33°S"}), LATLON).rows[0]
    assert (row.trouble, "are latitude and longitude swapped?" in row.fault) == (SWAPPED, True)


def test_empty_cells_and_places_off_the_earth_say_so() -> None:
    assert placed({"lat": None, "lon": None}) == ["it has no place: lat and lon are empty"]
    assert placed({"lat": "1", "lon": None}) == ["it has no place: lon is empty"]
    row = place_rows(table({"lat": "-70.5", "lon": "-133.5"}, {"lat": "-133.5", "lon": "-70.5"}), LATLON).rows[1]
    assert row.trouble == OUTSIDE
    assert row.fault.startswith("lat '-133.5', lon '-70.5': latitude -133.5 is outside")


@pytest.mark.parametrize("value", [math.inf, math.nan, 1e308])
def test_numbers_that_are_no_place_are_refused(value: float) -> None:
    (fault,) = placed({"lat": value, "lon": 1})
    assert "finite" in fault or "outside" in fault


def test_northing_and_easting_go_through_their_crs() -> None:
    ((lon, lat),) = placed({"lat": "6300000", "lon": "350000,5"}, crs="EPSG:32719")
    assert (lon, lat) == pytest.approx((-70.6, -33.42), abs=0.05)
    assert placed({"lat": "33°S", "lon": "1"}, crs="EPSG:32719") == ["northing '33°S' is not a number"]
    with pytest.raises(BadInput, match="is not known"):
        placed({"lat": "1", "lon": "1"}, crs="EPSG:999999")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "its geometry is empty"),
        ("POINT (1", "not well-known text"),
        ("LINESTRING (0 0, 1 1)", "only points, polygons and multipolygons are taken"),
        ("GEOMETRYCOLLECTION (" * 100_000, "nested or too long"),
        ("POINT (nan 1)", "finite"),
    ],
)
def test_bad_well_known_text_says_why(text: str | None, reason: str) -> None:
    (fault,) = placed({"wkt": text}, rule=PlaceRule(wkt="wkt"))
    assert reason in fault


def test_well_known_text_is_read() -> None:
    (row,) = place_rows(table({"wkt": "POLYGON ((0 0, 1 0, 1 1, 0 0))"}), PlaceRule(wkt="wkt")).rows
    assert row.geometry is not None and row.geometry.area == 0.5 and row.is_placed


CELL = st.one_of(st.none(), st.text(max_size=20), st.floats(), st.integers())


@given(rows=st.lists(st.fixed_dictionaries({"lat": CELL, "lon": CELL, "wkt": CELL}), min_size=1, max_size=6))
def test_every_row_is_placed_or_says_why(rows: list[dict[str, Any]]) -> None:
    for rule in (LATLON, PlaceRule(wkt="wkt")):
        for row in place_rows(table(*rows), rule).rows:
            assert (row.geometry is None) == bool(row.fault)
            assert row.geometry is None or row.geometry.is_valid
