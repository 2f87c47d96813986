import re
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labelling.models import Comment
from tests.cast import Cast
from tests.mines import a_site

pytestmark = pytest.mark.django_db(transaction=True)
XSS = "<img src=x onerror=alert(1)>"


def at(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_reviewer_asks_and_a_lead_finds_it_on_the_front_page(cast: Cast) -> None:
    site, ana = a_site(), at(cast.ana)
    form = re.search(
        r'action="(/sites/\d+/comments/)".*?name="key" value="([^"]+)"', ana.get(f"/sites/{site.pk}/").text, re.S
    )
    assert form
    after = ana.post(form[1], {"key": form[2], "text": f"@lea {XSS}"}, follow=True)
    assert after.redirect_chain[0][0] == f"/sites/{site.pk}/#comments"
    front = at(cast.lea).get("/").text
    assert "You are asked for" in front
    assert f'href="/sites/{site.pk}/#comments"' in front
    for text in (after.text, front):
        assert "&lt;img src=x" in text
        assert XSS not in text
    assert "You are asked for" not in at(cast.ben).get("/").text


def test_an_analyst_reads_but_does_not_comment(cast: Cast) -> None:
    site = a_site()
    assert 'id="comments"' not in at(cast.gus).get(f"/sites/{site.pk}/").text
    assert at(cast.gus).post(f"/sites/{site.pk}/comments/", {"key": uuid4(), "text": "x"}).status_code == 403


def test_what_cannot_be_kept_is_said(cast: Cast) -> None:
    site, ana = a_site(), at(cast.ana)
    path = f"/sites/{site.pk}/comments/"
    assert "was not kept: write something first" in ana.post(path, {"key": uuid4(), "text": " "}, follow=True).text
    assert ana.post(path, {"key": "none", "text": "x"}).status_code == 400
    assert not Comment.objects.exists()
