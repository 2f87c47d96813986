import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labelling.models import MineType
from tests.cast import Cast
from tests.mines import a_campaign, a_site, decide

pytestmark = pytest.mark.django_db(transaction=True)
XSS = "<img src=x onerror=alert(1)>"


def at(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def seen(page: Any) -> str:
    found = re.search(r'name="seen" value="(\w+)"', page.text)
    assert found
    return found.group(1)


def test_every_type_has_a_page_that_the_list_leads_to(cast: Cast) -> None:
    listed = re.findall(r'href="(/guide/\w+/)"', at(cast.gus).get("/guide/").text)
    assert len(listed) == MineType.objects.count()
    for path in listed[:2]:
        page = at(cast.gus).get(path)
        assert page.status_code == 200
        assert "No lead has written a guideline" in page.text
        assert "/edit/" not in page.text


def test_a_lead_sees_in_the_list_what_is_still_to_be_written(cast: Cast) -> None:
    MineType.objects.filter(code="pond").update(guideline="Water.")
    listed = at(cast.lea).get("/guide/").text
    assert listed.count("Write the guideline") == MineType.objects.count() - 1
    assert 'href="/guide/open_pit/edit/"' in listed
    assert 'href="/guide/pond/edit/"' not in listed
    assert "/edit/" not in at(cast.ana).get("/guide/").text


def test_a_lead_writes_and_a_reviewer_reads_plain_text(cast: Cast) -> None:
    path = "/guide/open_pit/edit/"
    form = at(cast.lea).get(path)
    saved = at(cast.lea).post(path, {"text": f"Benches.\r\n\r\n{XSS}", "seen": seen(form)})
    assert saved.headers["Location"] == "/guide/open_pit/"
    assert MineType.objects.get(code="open_pit").guideline == f"Benches.\n\n{XSS}"
    page = at(cast.ana).get("/guide/open_pit/").text
    assert "<p>Benches.</p>" in page
    assert XSS not in page
    assert "&lt;img src=x" in page
    assert XSS not in at(cast.ana).get("/guide/").text


def test_two_leads_at_once_lose_nothing(cast: Cast) -> None:
    path = "/guide/open_pit/edit/"
    form = seen(at(cast.lea).get(path))
    at(cast.ada).post(path, {"text": "Ada's words", "seen": form})
    late = at(cast.lea).post(path, {"text": "Lea's words", "seen": form})
    assert late.status_code == 400
    assert "Ada&#x27;s words" in late.text
    assert "Lea&#x27;s words" in late.text
    assert MineType.objects.get(code="open_pit").guideline == "Ada's words"
    at(cast.lea).post(path, {"text": "Both", "seen": seen(late)})
    assert MineType.objects.get(code="open_pit").guideline == "Both"


def test_too_long_a_text_comes_back_to_be_shortened(cast: Cast) -> None:
    page = at(cast.lea).post("/guide/open_pit/edit/", {"text": "x" * 10_001, "seen": "0"})
    assert page.status_code == 400
    assert "at most 10000 characters" in page.text


def test_examples_link_to_their_sites_with_who_and_why(cast: Cast) -> None:
    site = a_site(types={"feature": (("open_pit", None),)})
    decide(cast.ana, site, "reject", reason="not_a_mine", comment=XSS)
    page = at(cast.ben).get("/guide/open_pit/").text
    assert f'href="/sites/{site.pk}/"' in page
    assert "not a mine" in page
    assert re.search(r"ana, \d{4}-\d\d-\d\d", page)
    assert XSS not in page
    assert "No scene covers it" in page


def test_the_review_screen_links_to_the_guide(cast: Cast) -> None:
    a_campaign(axis="commodity")
    assert 'href="/guide/#commodity"' in at(cast.ana).get("/review/minas/").text
