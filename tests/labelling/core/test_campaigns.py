"""The conditions of a campaign: a closed set."""

import json
from typing import Any

import pytest

from labelling.core.campaigns import MAX_AREA_TEXT, CampaignFilter, read_area
from labelling.core.errors import BadInput

AREA = {"type": "Polygon", "coordinates": [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]]}


def test_what_is_written_is_read_again() -> None:
    value: dict[str, Any] = {
        "area": AREA,
        "sources": ["Maus"],
        "types": ["pond"],
        "regions": [51],
        "min_score": 0.25,
        "max_score": 0.75,
        "evidence": ["imagery"],
    }
    assert CampaignFilter.from_json(value).to_json() == value
    assert CampaignFilter.from_json({}) == CampaignFilter()
    assert CampaignFilter().to_json() == {}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "JSON object"),
        ({"owner__password__regex": "^x"}, "unknown condition 'owner__password__regex'"),
        ({"area": "POINT(0 0)"}, "GeoJSON"),
        ({"area": {"type": "Point", "coordinates": [0, 0]}}, "polygon"),
        ({"sources": "Maus"}, "sources"),
        ({"types": [1]}, "types"),
        ({"regions": ["51"]}, "regions"),
        ({"regions": [True]}, "regions"),
        ({"sources": ["x"] * 201}, "at most 200"),
        ({"min_score": 2}, "min_score"),
        ({"min_score": float("nan")}, "min_score"),
        ({"min_score": True}, "min_score"),
        ({"min_score": "0.5"}, "min_score"),
        ({"max_score": -1}, "max_score"),
        ({"min_score": 0.5, "max_score": 0.4}, "max_score is no less than min_score"),
        ({"evidence": ["hearsay"]}, "unknown evidence 'hearsay': use several_sources, imagery"),
        ({"evidence": "imagery"}, "evidence is a list"),
    ],
)
def test_anything_else_is_refused(value: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        CampaignFilter.from_json(value)


def feature(*places: float) -> dict[str, Any]:
    squares = [[[[x, 0.0], [x + 1, 0.0], [x + 1, 1.0], [x, 1.0], [x, 0.0]]] for x in places]
    geometry = {"type": "MultiPolygon", "coordinates": squares}
    return {"type": "Feature", "properties": {"name": "here"}, "geometry": geometry}


@pytest.mark.parametrize(
    ("value", "kind", "area"),
    [
        (AREA, "Polygon", 1),
        (feature(0), "Polygon", 1),
        (feature(0, 5), "MultiPolygon", 2),
        ({"type": "FeatureCollection", "features": [feature(0), feature(0.5)]}, "Polygon", 1.5),
        ({"type": "FeatureCollection", "features": [feature(0), feature(9)]}, "MultiPolygon", 2),
    ],
)
def test_an_area_comes_as_a_geometry_a_feature_or_a_collection(value: Any, kind: str, area: float) -> None:
    found = read_area(json.dumps(value))
    assert found.geom_type == kind
    assert found.area == pytest.approx(area)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("POLYGON((0 0, 1 0, 1 1, 0 0))", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "GeoJSON"),
        ('{"type": "FeatureCollection", "features": []}', "no polygon"),
        ('{"type": "FeatureCollection", "features": [1]}', "GeoJSON"),
        ('{"type": "FeatureCollection", "features": 1}', "GeoJSON"),
        ('{"type": "Feature", "geometry": null}', "GeoJSON"),
        ('{"type": "Point", "coordinates": [1, 2]}', "polygon"),
        (json.dumps({"type": "FeatureCollection", "features": [feature(0)] * 201}), "at most 200"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [500, 0], [500, 1], [0, 0]]]}', "500"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}', "not valid"),
        (" " * (MAX_AREA_TEXT + 1), "simplify"),
    ],
)
def test_what_is_no_area_is_refused_with_what_to_change(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_area(text)
