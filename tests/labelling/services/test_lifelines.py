from collections.abc import Iterable
from uuid import uuid4

import pytest
from shapely.geometry import Point, box

from labelling.core.matching import ClaimSpec
from labelling.models import Decision, Site, Source
from labelling.models.spatial import to_geos
from labelling.services import lifelines
from labelling.services.lifelines import Event, life_of, tell_also
from labelling.services.sites import place_claims
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(cast: Cast) -> Site:
    source = Source.objects.create(name="surveys", kind="labelled")
    claim = ClaimSpec("7", box(0, 0, 0.01, 0.01), {"feature": (("open_pit", None),)})
    return place_claims(source=source, claims=[claim]).proposals[0].site


def decided(site: Site, cast: Cast, **more: object) -> Decision:
    values = {"verdict": "reject", "reason": "cloud", "reviewer": cast.ana, "base_version": 0, "version": None}
    return Decision.objects.create(key=uuid4(), body_sha256="0" * 64, site=site, **{**values, **more})


def test_a_proposal_is_told_with_its_outline_and_types(site: Site, cast: Cast) -> None:
    (event,) = life_of(site=site, user=cast.gus)
    assert event.title == "surveys proposed this place"
    assert event.lines == ("labelled-mine set", "identifier 7", "an outline of 123.1 ha")
    assert [kind.code for kind in event.types] == ["open_pit"]
    assert event.geometry is not None
    assert event.geometry["type"] == "Polygon"


def test_decisions_follow_in_the_order_in_which_they_were_made(site: Site, cast: Cast) -> None:
    decided(site, cast, version=1, comment="hidden by smoke", geometry=to_geos(Point(1, 0)))
    decided(site, cast, verdict="fix", reason="", version=2, base_version=1, geometry=to_geos(Point(0, 0)))
    _, rejected, fixed = life_of(site=site, user=cast.lea)
    assert (rejected.title, rejected.lines, rejected.state) == (
        "ana: rejected",
        ("cloud", "on a point at 0.00000, 1.00000", "hidden by smoke"),
        "no",
    )
    assert fixed.lines == ("now a point at 0.00000, 0.00000",)


def test_a_decision_that_came_too_late_is_told_as_such(site: Site, cast: Cast) -> None:
    decided(site, cast)
    assert "kept, not applied: the site had changed meanwhile" in life_of(site=site, user=cast.lea)[1].lines


def test_an_open_blind_review_stays_blind(site: Site, cast: Cast) -> None:
    decided(site, cast, reviews_needed=2, version=1)
    assert len(life_of(site=site, user=cast.ben)) == 1
    assert len(life_of(site=site, user=cast.ana)) == len(life_of(site=site, user=cast.lea)) == 2
    Site.objects.filter(pk=site.pk).update(state="rejected")
    site.refresh_from_db()
    assert len(life_of(site=site, user=cast.ben)) == 2


def test_upper_rooms_tell_what_they_know(site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifelines, "_tellers", [])

    @tell_also
    def models(of: Site) -> Iterable[Event]:
        return [Event(of.created_at, "model", "trained a model")]

    tell_also(models)
    assert [event.title for event in life_of(site=site, user=cast.gus) if event.what == "model"] == ["trained a model"]


@pytest.mark.parametrize(("reason", "types"), [("not_a_mine", []), ("wrong_type", ["open_pit"])])
def test_a_rejection_names_types_only_where_they_are_what_is_wrong(
    site: Site, cast: Cast, reason: str, types: list[str]
) -> None:
    decided(site, cast, reason=reason, types={"feature": "open_pit"}, version=1)
    _, event = life_of(site=site, user=cast.lea)
    assert [kind.code for kind in event.types] == types
