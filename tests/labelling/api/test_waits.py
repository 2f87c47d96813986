"""What the review screen tells of waits."""

import json
from typing import Any

import pytest
from django.test import Client

from labelling.models import WaitDay
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def tell(browser: Client, body: object) -> Any:
    return browser.post("/api/v1/waits/", json.dumps(body), content_type="application/json")


def test_waits_reach_the_front_page(cast: Cast) -> None:
    browser = Client()
    browser.force_login(cast.ana)
    assert b"to the next site" not in browser.get("/").content
    assert tell(browser, {"ms": [44, 59, 47]}).status_code == 204
    page = browser.get("/").content.decode()
    assert "60 ms" in page
    assert "3 times in 7 days" in page
    browser.force_login(cast.gus)
    assert "to the next site" not in browser.get("/").content.decode()


@pytest.mark.parametrize(
    "body", [{}, {"ms": []}, {"ms": [-1]}, {"ms": [60_001]}, {"ms": ["nan"]}, {"ms": [1] * 201}, {"ms": [1], "user": 1}]
)
def test_nothing_else_is_taken(cast: Cast, body: object) -> None:
    browser = Client()
    browser.force_login(cast.ana)
    assert tell(browser, body).status_code == 400
    assert not WaitDay.objects.exists()
