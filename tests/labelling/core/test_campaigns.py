"""The conditions of a campaign: a closed set."""

from typing import Any

import pytest

from labelling.core.campaigns import CampaignFilter
from labelling.core.errors import BadInput

AREA = {"type": "Polygon", "coordinates": [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]]}


def test_what_is_written_is_read_again() -> None:
    value: dict[str, Any] = {
        "area": AREA,
        "sources": ["Maus"],
        "types": ["pond"],
        "regions": [51],
        "min_score": 0.25,
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
    ],
)
def test_anything_else_is_refused(value: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        CampaignFilter.from_json(value)
