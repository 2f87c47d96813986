"""What a key press costs: the same number of questions to the database, however long the queue is."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labelling.models import Campaign, Site
from labelling.services.queue import memory
from tests.cast import Cast
from tests.mines import a_campaign, decide, some_sites

pytestmark = pytest.mark.django_db
AHEAD = 7


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a slow count would be kept, and not asked for the second time."""
    monkeypatch.setattr(memory, "AT_ONCE_S", 600.0)


class Screen:
    """The review screen of somebody, as far as the server sees it."""

    def __init__(self, user: User, campaign: Campaign) -> None:
        self.client, self.campaign, self.user = Client(), campaign, user
        self.client.force_login(user)
        self.ahead: list[dict[str, Any]] = []

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")
        assert answer.status_code in {200, 201}, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def next(self) -> dict[str, Any]:
        have = {str(item["site"]): item["version"] for item in self.ahead}
        asked = {"want": [item["site"] for item in self.ahead[:1]], "ahead": AHEAD, "have": have}
        answer = self._post(f"campaigns/{self.campaign.slug}/claims/", asked)
        known = {item["site"]: item for item in [*self.ahead, *answer["ahead"]]}
        self.ahead = [known[site] for site in answer["next"]]
        item: dict[str, Any] = answer["items"][0]
        return item

    def accept(self, item: dict[str, Any]) -> None:
        body = {"key": str(uuid4()), "site": item["site"], "base_version": item["version"], "verdict": "accept"}
        self._post("decisions/", {**body, "campaign": self.campaign.slug})


def asked_by(step: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as asked:
        step()
    return len(asked)


def a_turn(screen: Screen) -> tuple[int, int]:
    """The questions of ``next`` and of ``submit``, once the screen has fetched ahead."""
    screen.accept(screen.next())
    item: list[dict[str, Any]] = []
    taken = asked_by(lambda: item.append(screen.next()))
    return taken, asked_by(lambda: screen.accept(item[0]))


@pytest.mark.parametrize("conditions", [{}, {"min_score": 0.1}, {"types": ["pond"]}])
def test_a_key_press_asks_as_little_in_a_long_queue_as_in_a_short_one(cast: Cast, conditions: dict[str, Any]) -> None:
    some_sites(12, types={"feature": (("pond", 0.7),)})
    Site.objects.update(score=0.5)
    campaign = a_campaign(conditions=conditions)
    short = a_turn(Screen(cast.ana, campaign))
    outline = Site.objects.all()[0]
    Site.objects.bulk_create(
        Site(footprint=outline.footprint, point=outline.point, feature=outline.feature, score=0.5) for _ in range(1500)
    )
    assert a_turn(Screen(cast.ana, campaign)) == short
    assert short[0] <= (19 if not conditions else 22)
    assert short[1] <= 14


def test_what_the_browser_has_is_not_sent_again_unless_it_changed(cast: Cast) -> None:
    campaign = a_campaign()
    sites = some_sites(6)
    ana = Client()
    ana.force_login(cast.ana)

    def ask(have: dict[str, int]) -> dict[str, Any]:
        body = json.dumps({"count": 0, "ahead": 4, "have": have})
        answer = ana.post(f"/api/v1/campaigns/{campaign.slug}/claims/", body, content_type="application/json")
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found

    ids = [site.pk for site in sites[:4]]
    first = ask({})
    assert (first["next"], [item["site"] for item in first["ahead"]]) == (ids, ids)
    have = {str(item["site"]): item["version"] for item in first["ahead"]}
    assert (ask(have)["next"], ask(have)["ahead"]) == (ids, [])
    undone = decide(cast.ben, sites[1])
    decide(cast.ben, sites[1], "undo", undoes=undone.decision.key)
    again = ask(have)
    assert (set(again["next"]), [item["version"] for item in again["ahead"]]) == (set(ids), [2])
    assert {item["site"] for item in ask({str(ids[0]): 0})["ahead"]} == set(ids[1:])


@pytest.mark.parametrize("have", [[1], {"1": "0"}, {"1": None}, {str(pk): 0 for pk in range(300)}])
def test_what_the_browser_has_is_numbers_by_site(cast: Cast, have: object) -> None:
    campaign = a_campaign()
    ana = Client()
    ana.force_login(cast.ana)
    path = f"/api/v1/campaigns/{campaign.slug}/claims/"
    answer = ana.post(path, json.dumps({"have": have}), content_type="application/json")
    assert (answer.status_code, answer.json()["error"][:4]) == (400, "have")
