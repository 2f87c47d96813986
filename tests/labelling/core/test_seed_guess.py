from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from shapely.geometry import Point

from labelling.core.formats import Row, Table
from labelling.core.seed_guess import guess_mapping
from labelling.core.taxonomy import COMMODITIES, FEATURES, METHODS
from labelling.core.vocabulary import Vocabulary

WORDS = Vocabulary.of([(one.code, one.name, one.axis) for one in (*FEATURES, *COMMODITIES, *METHODS)])


def guess(rows: Sequence[Mapping[str, Any]], *, geometry: Any = None) -> dict[str, Any]:
    table = Table("a.csv", "", (), tuple(Row(number, geometry, row) for number, row in enumerate(rows, start=2)))
    return guess_mapping(table, WORDS).mapping


@pytest.mark.parametrize(
    ("lat", "lon"),
    [("lat", "lon"), ("Latitude", "Longitude"), ("LATITUD", "LONGITUD"), ("y", "x"), ("Northing", "Easting")],
)
def test_coordinates_go_by_their_names(lat: str, lon: str) -> None:
    rows = [{lat: "-33,5", lon: "-70,5", "n": "x"}, {lat: "33°30'S", lon: "70 W", "n": "y"}]
    assert guess(rows)["place"] == {"lat": lat, "lon": lon}


def test_coordinates_without_a_name_go_by_their_letters() -> None:
    assert guess([{"a": "Mina", "b": "33°S", "c": "70°W"}])["place"] == {"lat": "b", "lon": "c"}


def test_columns_that_only_sound_like_coordinates_are_left_alone() -> None:
    assert "place" not in guess([{"lateral": "yes", "longest": "no"}])
    assert "place" not in guess([{"lat": 1.0, "lon": 2.0}], geometry=Point(0, 0))


def test_well_known_text_is_found() -> None:
    assert guess([{"geom": "POINT (1 2)", "lat": "1", "lon": "2"}])["place"] == {"wkt": "geom"}


def test_identifier_name_score_and_types_go_by_names_and_values() -> None:
    rows = [
        {
            "Site ID": "A1",
            "Company name": "Acme",
            "Mine name": "Uno",
            "ore": "Cu",
            "kind": "OP",
            "conf": "0,9",
            "what": "TSF",
        },
        {
            "Site ID": "A2",
            "Company name": "Acme",
            "Mine name": "Dos",
            "ore": "Au",
            "kind": "UG",
            "conf": "0,1",
            "what": "pit",
        },
    ]
    found = guess(rows)
    assert (found["id"], found["name"]) == ("Site ID", "Mine name")
    assert (found["commodity"], found["method"], found["feature"]) == (
        {"column": "ore"},
        {"column": "kind"},
        {"column": "what"},
    )


def test_an_identifier_identifies() -> None:
    assert "id" not in guess([{"id": "1", "b": "x"}, {"id": "1", "b": "y"}])


def test_a_mapping_that_ships_is_taken_where_columns_and_values_fit() -> None:
    assert guess([{"class": 5}, {"class": 8}], geometry=Point(0, 0)) == {
        "feature": {"column": "class", "table": "lames"}
    }
    assert guess([{"class": "urban"}, {"class": "forest"}], geometry=Point(0, 0)) == {}
