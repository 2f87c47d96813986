"""The list of campaigns, and the page of the review screen; what it does is in tests/browser."""

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labelling.models import Decision
from labelling.services.campaigns import Terms, create_campaign
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def page_for(user: User, path: str) -> Any:
    client = Client()
    client.force_login(user)
    return client.get(path)


def config_in(text: str) -> Any:
    found = re.search(r'<script id="review-config" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found.group(1))


def test_a_person_sees_the_campaigns_that_are_theirs(cast: Cast) -> None:
    create_campaign(terms=Terms("For all", guideline="Look twice."))
    create_campaign(terms=Terms("For Ben", reviewers=[cast.ben]))
    shown = page_for(cast.ana, "/review/").text
    assert "For all" in shown
    assert "Look twice." in shown
    assert "For Ben" not in shown
    assert "For Ben" in page_for(cast.ben, "/review/").text


def test_a_share_of_second_opinions_is_said(cast: Cast) -> None:
    campaign = create_campaign(terms=Terms("Shared"))
    campaign.blind_share = 0.25
    campaign.save()
    assert "1; two, blind, for 25" in page_for(cast.ana, "/review/").text


def test_without_a_campaign_each_is_told_what_to_do(cast: Cast) -> None:
    assert "A lead opens one and adds you" in page_for(cast.ana, "/review/").text
    assert "manage.py import_seeds" in page_for(cast.lea, "/review/").text


def test_the_screen_knows_campaign_person_types_and_reasons(cast: Cast) -> None:
    create_campaign(terms=Terms("Ponds"))
    page = page_for(cast.ana, "/review/ponds/")
    config = config_in(page.text)
    assert config["campaign"] == {"slug": "ponds", "name": "Ponds", "axis": "feature"}
    assert config["user"] == {"id": cast.ana.pk, "name": "ana", "leads": False}
    assert [reason["code"] for reason in config["reasons"]] == Decision.Reason.values
    assert len(config["reasons"]) <= 9, "each reason needs a digit"
    assert [one["digit"] for one in config["types"]][:3] == [1, 2, 3]
    assert "no-store" in page["Cache-Control"]
    assert "csrftoken" in page.cookies


def test_more_types_than_digits_have_no_digit(cast: Cast) -> None:
    create_campaign(terms=Terms("Metals", axis="commodity"))
    digits = [one["digit"] for one in config_in(page_for(cast.ana, "/review/metals/").text)["types"]]
    assert digits[:9] == list(range(1, 10))
    assert set(digits[9:]) == {None}


def test_anothers_campaign_and_none_at_all_look_alike(cast: Cast) -> None:
    create_campaign(terms=Terms("For Ben", reviewers=[cast.ben]))
    foreign, missing = page_for(cast.ana, "/review/for-ben/"), page_for(cast.ana, "/review/nothing/")
    assert foreign.status_code == missing.status_code == 404


def test_names_cannot_break_out_of_the_page(cast: Cast) -> None:
    create_campaign(terms=Terms("</script><script>alert(1)</script>"))
    text = page_for(cast.ana, "/review/scriptscriptalert1script/").text
    assert "<script>alert(1)" not in text
    assert config_in(text)["campaign"]["name"] == "</script><script>alert(1)</script>"
