"""The frame of every page: bar, log in, errors, static files."""

import pytest
from django.test import Client
from django.urls import reverse

from mad_web.navigation import PLACES
from tests.cast import PASSWORD, Cast


def test_the_login_page_is_open_and_greets(db: None) -> None:
    page = Client().get(reverse("login"))
    assert page.status_code == 200
    assert 'autocomplete="current-password"' in page.text


def test_a_wrong_password_says_what_to_check(cast: Cast) -> None:
    page = Client().post(reverse("login"), {"username": "ana", "password": "wrong"})
    assert "do not match" in page.text


def test_pages_send_strangers_to_the_login(db: None) -> None:
    answer = Client().get("/")
    assert answer.status_code == 302
    assert answer["Location"] == "/login/?next=/"


def test_the_bar_shows_where_one_is_and_who(cast: Cast) -> None:
    client = Client()
    assert client.login(username="ana", password=PASSWORD)
    page = client.get("/")
    assert 'href="/" aria-current="page"' in page.text
    assert "Account of ana" in page.text
    assert "reviewer" in page.text


def test_the_bar_hides_what_a_role_may_not_see(cast: Cast) -> None:
    def titles(name: str) -> list[str]:
        client = Client()
        client.login(username=name, password=PASSWORD)
        return [link.title for link in client.get("/").context["places"]]

    assert "Review" in titles("ana")
    assert {"Training", "Models", "Runs"}.isdisjoint(titles("ana"))
    assert titles("eve") == ["Dashboard"]
    assert set(titles("ada")) <= {place.title for place in PLACES}


def test_logging_out_needs_a_post(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.ana)
    assert client.get(reverse("logout")).status_code == 405
    assert client.post(reverse("logout")).status_code == 302
    assert client.get("/").status_code == 302


def test_a_missing_page_says_so_in_the_frame(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.ana)
    page = client.get("/no/such/page/")
    assert page.status_code == 404
    assert "Not found" in page.text
    assert "Account of ana" in page.text


def test_the_policy_allows_no_inline_script(db: None) -> None:
    policy = Client().get(reverse("login"))["Content-Security-Policy"]
    script = next(part for part in policy.split(";") if part.strip().startswith("script-src"))
    assert "unsafe" not in script


@pytest.mark.parametrize("name", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"])
def test_error_pages_render_without_a_request(db: None, name: str) -> None:
    from django.template.loader import render_to_string

    text = render_to_string(name)
    assert "<h1>" in text
