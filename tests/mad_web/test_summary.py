import json
from io import StringIO

import pytest
from django.core.management import call_command
from shapely.geometry import Point

from labelling.core.matching import ClaimSpec
from labelling.models import Source
from labelling.services.sites import place_claims
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def summary(*options: str) -> str:
    out = StringIO()
    call_command("summary", *options, stdout=out)
    return out.getvalue()


def test_the_summary_counts_every_room(cast: Cast) -> None:
    source = Source.objects.create(name="usgs", kind="cobalt")
    types = {"commodity": (("cobalt", None),)}
    place_claims(source=source, claims=[ClaimSpec("1", Point(0, 0), types), ClaimSpec("2", Point(5, 5))])
    counts = json.loads(summary("--json"))
    assert counts["sites"] == 2
    assert counts["sites by state"] == {"open": 2}
    assert counts["sites by commodity"] == {"cobalt": 1, "none": 1}
    assert counts["proposals"] == {"usgs": 2}
    assert counts["decisions"] == counts["labels"] == counts["models"] == counts["runs"] == {}
    assert counts["snapshots"] == counts["experiments"] == 0


def test_an_empty_house_can_be_counted(cast: Cast) -> None:
    text = summary()
    assert "sites " in text
    assert "experiments " in text
