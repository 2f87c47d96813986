"""The review API as a browser meets it."""

import json
from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest
from django.contrib.gis.geos import MultiPolygon
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labelling.api import answers
from labelling.core.outlines import to_geojson
from labelling.models import Claim, Comment, Decision, ReviewedArea, Scene, Site
from labelling.services.comments import mentions_waiting
from labelling.services.queue import claim_sites
from tests.api import API, Browser, a_decision, matches
from tests.cast import Cast
from tests.mines import HERE, a_campaign, a_site, decide, drawn, some_sites, square

pytestmark = pytest.mark.django_db

TYPES = {"feature": (("pond", 0.7), ("open_pit", 0.2))}


def a_scene(
    name: str, *, lon: float = HERE[0], lat: float = HERE[1], bands: tuple[str, ...] = ("B02", "B03", "B04")
) -> Scene:
    outline = drawn(lon - 0.05, lat - 0.05, side=0.2)
    return Scene.objects.create(
        name=name, uri=f"/imagery/{name}.tif", version="1", crs="EPSG:4326", transform=[1, 0, 0, 0, -1, 0],
        width=10, height=10, dtype="uint16", bands=bands, scales=[1e-4] * 3, offsets=[0] * 3,
        pixel_m=10, footprint=MultiPolygon(outline, srid=4326),
        acquired_at=timezone.now(),
    )  # fmt: skip


def test_a_day_of_review(cast: Cast) -> None:
    campaign = a_campaign("Minas")
    a_scene("S2 of May")
    one, two, three, four, five = some_sites(5, types=TYPES)
    ana, claims = Browser(cast.ana), f"/campaigns/{campaign.slug}/claims/"

    morning = ana.post(claims, {"count": 1, "ahead": 3})
    assert matches(morning, answers.ClaimsOut())
    [item] = morning["items"]
    assert (item["site"], item["version"], item["types"]) == (one.pk, 0, {"feature": "pond"})
    assert [option["code"] for option in item["options"][:2]] == ["pond", "open_pit"]
    assert [(option["score"], option["digit"]) for option in item["options"][:2]] == [(0.7, 5), (0.2, 2)]
    assert [scene["name"] for scene in item["scenes"]] == ["S2 of May"]
    assert [site["site"] for site in morning["ahead"]] == [two.pk, three.pk, four.pk]
    assert all(site["claim"] is None for site in morning["ahead"])
    assert morning["progress"]["total"] == 5

    accept = a_decision(one.pk, campaign=campaign.slug, client_time="2026-01-01T08:00:00Z")
    receipt = ana.post("/decisions/", accept, status=201)
    assert matches(receipt, answers.ReceiptOut())
    assert (receipt["state"], receipt["version"], receipt["types"]) == ("verified", 1, {"feature": "pond"})
    assert ana.post("/decisions/", accept, status=200) == receipt

    [second] = ana.post(claims, {"want": [two.pk], "ahead": 1})["items"]
    assert second["site"] == two.pk
    ana.post(f"/claims/{second['claim']['token']}/heartbeat/", status=204)
    moved = to_geojson(square(HERE[0] + 0.051))
    fix = a_decision(two.pk, 0, "fix", geometry=moved, types={"feature": "open_pit"})
    assert ana.post("/decisions/", fix, status=201)["types"] == {"feature": "open_pit"}

    reject = a_decision(three.pk, 0, "reject", reason="not_a_mine", comment="a football field")
    ana.post("/decisions/", reject, status=201)
    ana.post("/decisions/", a_decision(four.pk, 0, "skip"), status=201)
    ana.post("/decisions/", a_decision(five.pk, 0, "unsure"), status=201)
    missed = a_decision(None, 0, "add", geometry=to_geojson(square(10, 10)), types={"feature": "open_pit"})
    found = ana.post("/decisions/", missed, status=201)
    assert found["site"] not in {one.pk, two.pk, three.pk, four.pk, five.pk}

    undo = a_decision(None, 1, "undo", undoes=reject["key"])
    assert ana.post("/decisions/", undo, status=201)["state"] == "open"
    window = {"key": str(uuid4()), "geometry": to_geojson(square(side=0.1)), "axis": "feature"}
    assert ana.post("/reviewed-areas/", window, status=201) == ana.post("/reviewed-areas/", window, status=200)

    # After a reload everything is there.
    made = ana.get("/decisions/?limit=20")
    assert matches(made, answers.MadeOut(many=True))
    assert [(one["verdict"], one["undone"]) for one in made] == [
        ("complete", False), ("add", False),
        ("unsure", False), ("skip", False), ("reject", True), ("fix", False), ("accept", False),
    ]  # fmt: skip
    shown = ana.get(f"/sites/{two.pk}/?campaign={campaign.slug}")
    assert matches(shown, answers.ItemOut())
    assert shown["footprint"] == moved
    assert [past["verdict"] for past in ana.get(f"/sites/{three.pk}/")["history"]] == ["undo", "reject"]
    evening = ana.post(claims, {"count": 5})
    # What was undone comes back in its place, what was skipped comes last.
    assert [item["site"] for item in evening["items"]] == [three.pk, four.pk]
    assert evening["progress"]["mine_today"] == 4


def test_a_browser_holds_what_follows_and_gets_nothing_twice(cast: Cast) -> None:
    campaign = a_campaign()
    ids = [site.pk for site in some_sites(12)]
    ana, claims = Browser(cast.ana), f"/campaigns/{campaign.slug}/claims/"
    first = ana.post(claims, {"count": 1, "ahead": 6, "hold": 3})
    assert matches(first, answers.ClaimsOut())
    assert ([claim["site"] for claim in first["held"]], first["next"]) == (ids[:3], ids[1:7])
    held = [first["items"][0], *first["ahead"]][:3]
    assert [item["claim"] for item in held] == [
        {"token": claim["token"], "expires_at": claim["expires_at"]} for claim in first["held"]
    ]
    assert [item["claim"] for item in first["ahead"][2:]] == [None] * 4
    ana.post("/decisions/", a_decision(ids[0], 0, campaign=campaign.slug), status=201)
    here = {str(item["site"]): item["version"] for item in first["ahead"]}
    more = ana.post(claims, {"count": 0, "ahead": 6, "hold": 3, "have": here})
    assert ([claim["site"] for claim in more["held"]], more["next"]) == (ids[1:4], ids[1:7])
    assert [claim["token"] for claim in more["held"][:2]] == [claim["token"] for claim in first["held"][1:]]
    assert (more["items"], more["ahead"]) == ([], [])
    for claim in more["held"]:
        ana.delete(f"/claims/{claim['token']}/")
    assert not Claim.objects.exists()


def test_of_two_decisions_on_one_site_the_later_gets_the_choice(cast: Cast) -> None:
    site = a_site(types=TYPES)
    Browser(cast.ben).post("/decisions/", a_decision(site.pk, 0, "reject", reason="cloud"), status=201)
    late = a_decision(site.pk, 0, types={"feature": "open_pit"})
    ana = Browser(cast.ana)
    told = ana.post("/decisions/", late, status=409)
    assert matches(told, answers.ConflictOut())
    assert (told["current"]["state"], told["current"]["version"]) == ("rejected", 1)
    assert [(past["reviewer"], past["applied"]) for past in told["current"]["history"]] == [
        ("ana", False),
        ("ben", True),
    ]
    assert ana.post("/decisions/", late, status=409) == told
    assert [(made["applied"], made["version"]) for made in ana.get("/decisions/")] == [(False, None)]


def test_a_key_is_for_one_decision_only(cast: Cast) -> None:
    one, two = some_sites(2)
    ana, sent = Browser(cast.ana), a_decision(one.pk)
    ana.post("/decisions/", sent, status=201)
    assert "key" in ana.post("/decisions/", {**sent, "site": two.pk}, status=422)["error"]
    Browser(cast.ben).post("/decisions/", sent, status=422)


def test_blind_reviewers_do_not_see_each_other(cast: Cast) -> None:
    campaign = a_campaign(reviews_needed=2)
    site = a_site()
    sent = a_decision(site.pk, campaign=campaign.slug, comment="clearly")
    Browser(cast.ana).post("/decisions/", sent, status=201)
    path = f"/sites/{site.pk}/?campaign={campaign.slug}"
    assert [past["comment"] for past in Browser(cast.ana).get(path)["history"]] == ["clearly"]
    # Not even by looking at the site outside the campaign.
    assert Browser(cast.ben).get(path)["history"] == Browser(cast.ben).get(f"/sites/{site.pk}/")["history"] == []
    Browser(cast.ben).post("/decisions/", a_decision(site.pk, campaign=campaign.slug), status=201)
    assert len(Browser(cast.ben).get(path)["history"]) == 2


def test_claims_are_released_and_their_loss_is_told(cast: Cast) -> None:
    campaign = a_campaign()
    site = a_site()
    [claim] = claim_sites(user=cast.ana, campaign=campaign)
    ben = Browser(cast.ben)
    waiting = ben.post(f"/campaigns/{campaign.slug}/claims/", {})
    assert (waiting["items"], waiting["waiting"]["leased"]) == ([], 1)
    ben.delete(f"/claims/{claim.token}/")  # another's: the same answer, and nothing happens
    assert Claim.objects.filter(pk=claim.pk).exists()
    Browser(cast.lea).delete(f"/claims/{claim.token}/")
    assert "again" in Browser(cast.ana).post(f"/claims/{claim.token}/heartbeat/", status=410)["error"]
    assert ben.post(f"/campaigns/{campaign.slug}/claims/", {})["items"][0]["site"] == site.pk


def test_what_is_not_yours_looks_like_what_is_not_there(cast: Cast) -> None:
    bens = a_campaign("Ben only", reviewers=[cast.ben])
    site = a_site()
    ana = Browser(cast.ana)
    for path in (f"/campaigns/{bens.slug}/claims/", "/campaigns/missing/claims/"):
        assert ana.post(path, {}, status=404) == {"error": "no such campaign"}
    for slug in (bens.slug, "missing"):
        assert ana.get(f"/sites/{site.pk}/?campaign={slug}", status=404) == {"error": "no such campaign"}
    key = decide(cast.ben, site).decision.key
    answers_ = [
        ana.post("/decisions/", a_decision(None, 1, "undo", undoes=str(one)), status=404) for one in (key, uuid4())
    ]
    assert answers_[0] == answers_[1]
    area = uuid4()
    Browser(cast.ben).post("/reviewed-areas/", {"key": str(area), "geometry": to_geojson(square(side=0.1))}, status=201)
    refused = [ana.post(f"/reviewed-areas/{one}/revoke/", status=404) for one in (area, uuid4())]
    assert refused[0] == refused[1]
    assert ReviewedArea.objects.get().revoked_at is None


def test_without_a_token_against_forgery_nothing_is_written(cast: Cast) -> None:
    site = a_site()
    Browser(cast.ana, csrf=True).post("/decisions/", a_decision(site.pk), status=403)
    assert not Decision.objects.exists()


def test_an_expired_session_is_told_from_a_refusal(cast: Cast) -> None:
    site = a_site()
    assert Browser(None).post("/decisions/", a_decision(site.pk), status=401)["error"]


def test_a_page_made_for_one_person_is_not_answered_as_another(cast: Cast) -> None:
    """Whoever logs in in another tab has the same session: what waits in the first tab is not theirs."""
    campaign, site = a_campaign(), a_site()
    claims = f"/campaigns/{campaign.slug}/claims/"
    anas_page = Browser(cast.ben, reviewer=cast.ana)
    for path, body in (("/decisions/", a_decision(site.pk)), (claims, {"count": 1})):
        assert anas_page.post(path, body, status=401) == {"error": "somebody else is logged in here now"}
    assert not Decision.objects.exists()
    assert not Claim.objects.exists()
    Browser(cast.ben, reviewer=cast.ben).post("/decisions/", a_decision(site.pk), status=201)
    assert Decision.objects.get().reviewer == cast.ben
    Browser(None, reviewer=cast.ana).post("/decisions/", a_decision(site.pk), status=401)
    assert Browser(cast.gus).post("/decisions/", a_decision(site.pk), status=403)["error"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": "1"}, "key"),
        ({"site": -1}, "site"),
        ({"site": 2**70}, "site"),
        ({"site": True}, "site"),
        ({"base_version": 2**40}, "base_version"),
        ({"base_version": "NaN"}, "base_version"),
        ({"verdict": "like"}, "verdict"),
        ({"reason": "boring"}, "reason"),
        ({"types": {"colour": "red"}}, "types: colour: unknown field"),
        ({"types": {"feature": ["pond"]}}, "types"),
        ({"types": [1]}, "types"),
        ({"types": {"feature": "lava"}}, "unknown type"),
        ({"types": {"feature": "\ud800"}}, "types"),
        ({"comment": "a\x00b"}, "comment"),
        ({"comment": "x" * 2001}, "comment"),
        ({"geometry": {"type": "Point"}, "verdict": "fix"}, "geometry"),
        ({"geometry": "POINT(0 0)", "verdict": "fix"}, "geometry"),
        ({"campaign": "../etc"}, "campaign"),
        ({"scene": "a"}, "scene"),
        ({"client_time": "yesterday"}, "client_time"),
        ({"reviewer": 1}, "reviewer: unknown field"),
        ({"version": 5}, "version: unknown field"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_stored(cast: Cast, change: Mapping[str, object], said: str) -> None:
    site = a_site()
    body = json.dumps({**a_decision(site.pk), **change})
    assert said in Browser(cast.ana).post("/decisions/", body, status=400)["error"]
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '"text"',
        "[" * 1000 + "]" * 1000,
        '{"geometry":' + "[" * 100_000,
        '{"types":' + '{"feature":' * 40 + "1" + "}" * 41,
        '{"base_version": NaN}',
        '{"base_version": Infinity}',
        '{"base_version": 1e999}',
        '{"key": "\\ud800"}',
        '{"\\ud800": 1}',
        "\udcff",
    ],
)
def test_whatever_is_no_proper_json_is_refused(cast: Cast, body: str) -> None:
    for path in ("/decisions/", "/reviewed-areas/"):
        Browser(cast.ana).post(path, body.encode("utf-8", "surrogateescape").decode("latin-1"), status=400)


def test_coordinates_beyond_all_numbers_are_refused(cast: Cast) -> None:
    sent = json.dumps({"key": str(uuid4()), "geometry": to_geojson(square(side=0.1))})
    for number in ("1e999", "-1e999", "1e300", "9e5"):
        body = sent.replace(str(HERE[1]), number, 1)
        assert number in body
        assert "geometry" in Browser(cast.ana).post("/reviewed-areas/", body, status=400)["error"]


def test_a_database_that_is_away_is_told_apart_from_a_refusal(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: object) -> None:
        raise OperationalError("/var/lib/secret.sock: no such file")

    site = a_site()
    monkeypatch.setattr("labelling.api.views.submit_decision", away)
    browser = Browser(cast.ana)
    assert browser.post("/decisions/", a_decision(site.pk), status=503) == {"error": "the server is busy: try again"}


def test_only_json_is_taken(cast: Cast) -> None:
    browser = Browser(cast.ana)
    response = browser.client.post(f"{API}/decisions/", {"verdict": "accept"})
    assert response.status_code == 415


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=1000", "ordering=reviewer__password"])
def test_unknown_questions_are_refused(cast: Cast, query: str) -> None:
    assert Browser(cast.ana).get(f"/decisions/?{query}", status=400)["error"]


def queries_of(browser: Browser, path: str, body: object) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        browser.post(path, body)
    return len(captured)


def test_an_answer_with_twenty_sites_asks_the_database_as_often_as_one_with_two(cast: Cast) -> None:
    campaign = a_campaign()
    sites = some_sites(21, types=TYPES)
    for number in range(5):
        a_scene(f"scene {number}", lon=HERE[0] + 0.2 * number)
    for site in sites:
        decide(cast.ben, site, "skip")
    Site.objects.update(name="x")
    browser, path = Browser(cast.ana), f"/campaigns/{campaign.slug}/claims/"
    browser.post(path, {"count": 1})
    few = queries_of(browser, path, {"count": 1, "ahead": 1})
    assert queries_of(browser, path, {"count": 1, "ahead": 20}) == few
    assert few <= 22


def test_keys_are_uuids_of_the_browser(cast: Cast) -> None:
    site = a_site()
    sent = a_decision(site.pk)
    Browser(cast.ana).post("/decisions/", sent, status=201)
    assert Decision.objects.get().key == UUID(str(sent["key"]))


def test_a_screen_asks_for_the_steps_of_its_own_campaign(cast: Cast) -> None:
    ana, sites = Browser(cast.ana), some_sites(3)
    here, there = a_campaign("Here"), a_campaign("There")
    for site, campaign in zip(sites, (here.slug, there.slug, None), strict=True):
        ana.post("/decisions/", a_decision(site.pk, campaign=campaign), status=201)
    assert [step["site"] for step in ana.get("/decisions/")] == [sites[2].pk, sites[1].pk, sites[0].pk]
    assert [step["site"] for step in ana.get(f"/decisions/?campaign={here.slug}")] == [sites[0].pk]
    ana.get("/decisions/?campaign=nowhere", status=404)


def test_whom_the_comment_of_a_decision_mentions_is_told_once(cast: Cast) -> None:
    ana, (site, other) = Browser(cast.ana), some_sites(2)
    asks = a_decision(site.pk, verdict="unsure", comment="@lea is this a dam?")
    for status in (201, 200):
        ana.post("/decisions/", asks, status=status)
    ana.post("/decisions/", a_decision(other.pk, comment="mail me at ana@lea.example"), status=201)
    [told] = mentions_waiting(user=cast.lea, limit=5)
    assert (told.site_id, told.author, told.text) == (site.pk, cast.ana, "@lea is this a dam?")
    assert Comment.objects.count() == 1
