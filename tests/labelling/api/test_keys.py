"""One's own keys, as a browser keeps them."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client

from labelling.models import Keymap
from tests.cast import Cast
from tests.mines import a_campaign

pytestmark = pytest.mark.django_db


def browser_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def put(browser: Client, keys: object, *, status: int = 200) -> Any:
    answer = browser.put("/api/v1/keys/", json.dumps(keys), content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def test_keys_are_kept_for_their_person_alone(cast: Cast) -> None:
    ana, ben = browser_of(cast.ana), browser_of(cast.ben)
    assert ana.get("/api/v1/keys/").json() == {"keys": {}}
    mine = {"accept": "KeyQ", "skip": "KeyA"}
    assert put(ana, {"keys": mine}) == {"keys": mine}
    assert put(ana, {"keys": {"accept": "KeyQ"}}) == {"keys": {"accept": "KeyQ"}}
    assert ana.get("/api/v1/keys/").json() == {"keys": {"accept": "KeyQ"}}
    assert ben.get("/api/v1/keys/").json() == {"keys": {}}
    assert put(ana, {"keys": {}}) == {"keys": {}}
    assert Keymap.objects.get().user == cast.ana


def test_the_review_page_brings_them_along(cast: Cast) -> None:
    campaign = a_campaign()
    ana = browser_of(cast.ana)
    put(ana, {"keys": {"accept": "KeyQ"}})
    page = ana.get(f"/review/{campaign.slug}/")
    assert page.context["config"]["keys"] == {"accept": "KeyQ"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "keys"),
        ({"keys": {"accept": "Enter"}}, "accept"),
        ({"keys": {"accept": "KeyQ", "skip": "KeyQ"}}, "same key"),
        ({"keys": {"fly": "KeyQ"}}, "unknown action"),
        ({"keys": "<script>"}, "JSON object"),
        ({"keys": {}, "user": 1}, "unknown field"),
    ],
)
def test_nothing_else_is_kept(cast: Cast, body: object, said: str) -> None:
    answer = put(browser_of(cast.ana), body, status=400)
    assert said in json.dumps(answer)
    assert not Keymap.objects.exists()


def test_the_administration_keeps_to_the_same_schema(cast: Cast) -> None:
    with pytest.raises(ValidationError, match="no place"):
        Keymap(user=cast.ana, keys={"accept": "Tab"}).full_clean()
