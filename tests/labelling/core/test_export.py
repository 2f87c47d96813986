import json
from dataclasses import replace

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point, Polygon, box, shape

from labelling.core.errors import BadInput
from labelling.core.export import ExportLabel, ExportSettings, Licence, licences_of, to_feature, to_rfc7946

PIT = ExportLabel(
    site=7,
    geometry=box(10, 10, 10.01, 10.01),
    state="verified",
    reason="",
    types={"feature": "open_pit", "commodity": "gold"},
    name="Alpha",
    area_ha=121.0,
    region="Cerrado",
    biome="Tropical grasslands",
    realm="Neotropic",
    eco_id=567,
    decided_by="reviewer-3",
    decided_at="2026-11-22T17:00:00+00:00",
    level="2 reviews",
    decision=42,
    version=2,
    sources=("Maus", "cobalt"),
    synthetic=False,
)
LICENCES = {
    "Maus": Licence("Maus", "polygons", "CC-BY-4.0", "Maus et al. 2022"),
    "cobalt": Licence("cobalt", "cobalt", "", ""),
    "unused": Licence("unused", "labelled", "CC0", ""),
}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"format": "gpkg"}, "no format 'gpkg': use yolo, coco, geojson"),
        ({"states": ()}, "states are verified, contested, rejected"),
        ({"states": ("verified", "open")}, "states are"),
        ({"states": ("rejected",)}, "verified labels only"),
        ({"bands": ()}, "at least one band"),
        ({"bands": ("B04", "B04")}, "each once"),
        ({"chip_px": 16}, "32 to 4096"),
        ({"pixel_m": 0.0}, "0.5 to 500"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        ExportSettings(**{"format": "yolo", **wrong})  # type: ignore[arg-type]


def test_settings_come_back_from_json() -> None:
    settings = ExportSettings("coco", types=("pond",), regions=(567,), bands=("B12", "B08"), chip_px=320)
    assert ExportSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    with pytest.raises(BadInput, match="an export has no colour"):
        ExportSettings.from_json({"format": "coco", "colour": "red"})


def test_infrared_is_brighter_than_visible() -> None:
    assert ExportSettings("yolo", bands=("B04", "B08")).stretch == ((0.0, 0.0), (0.3, 0.6))


def test_a_feature_carries_all_that_is_known() -> None:
    feature = to_feature(PIT, LICENCES)
    assert feature["id"] == 7
    assert feature["properties"] == {
        "site": 7,
        "name": "Alpha",
        "state": "verified",
        "reason": "",
        "feature": "open_pit",
        "commodity": "gold",
        "method": None,
        "area_ha": 121.0,
        "region": "Cerrado",
        "biome": "Tropical grasslands",
        "realm": "Neotropic",
        "eco_id": 567,
        "verified_by": "reviewer-3",
        "verified_at": "2026-11-22T17:00:00+00:00",
        "verified_level": "2 reviews",
        "decision": 42,
        "version": 2,
        "sources": "Maus; cobalt",
        "synthetic": False,
        "licences": "CC-BY-4.0; not stated",
    }


def test_what_is_not_verified_does_not_say_that_it_is() -> None:
    properties = to_feature(replace(PIT, state="rejected", reason="cloud"), LICENCES)["properties"]
    assert not [name for name in properties if name.startswith("verified")]
    assert (properties["decided_by"], properties["reason"]) == ("reviewer-3", "cloud")


def test_licences_are_those_of_the_labels() -> None:
    rows = licences_of([PIT, replace(PIT, site=8, sources=("Maus",))], LICENCES)
    assert [(row["source"], row["labels"]) for row in rows] == [("Maus", 2), ("cobalt", 1)]


def test_rings_run_counter_clockwise_and_holes_the_other_way() -> None:
    clockwise = Polygon([(0, 0), (0, 1), (1, 1), (1, 0)], holes=[[(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]])
    written = to_rfc7946(clockwise)
    outer, hole = (shapely.LinearRing(ring) for ring in written["coordinates"])
    assert outer.is_ccw
    assert not hole.is_ccw


def test_heights_go_and_seven_decimals_stay() -> None:
    assert to_rfc7946(shapely.Point(1.123456789, 2, 300)) == {"type": "Point", "coordinates": [1.1234568, 2.0]}


def test_what_reaches_over_the_antimeridian_is_split() -> None:
    written = shape(to_rfc7946(box(179.9, 0, 180.1, 0.1)))
    assert isinstance(written, MultiPolygon)
    assert written.bounds == (-180, 0, 180, 0.1)
    assert written.area == pytest.approx(0.02)
    assert written.covers(Point(-179.95, 0.05))


@given(
    west=st.floats(-180, 179),
    south=st.floats(-89, 88),
    width=st.floats(1e-4, 1),
    height=st.floats(1e-4, 1),
)
def test_an_export_read_again_keeps_its_area(west: float, south: float, width: float, height: float) -> None:
    there = box(west, south, west + width, south + height)
    back = shape(json.loads(json.dumps(to_rfc7946(there))))
    assert back.is_valid
    assert back.symmetric_difference(there).area <= 1e-6 * max(there.area, 1e-1)
