"""Sessions are Django's own, but for the way in which they are found."""

from datetime import timedelta

import pytest
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from mad_web.sessions import SessionStore
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_what_django_wrote_is_read_and_the_other_way_round() -> None:
    for write, read in ((db.SessionStore, SessionStore), (SessionStore, db.SessionStore)):
        session = write()
        session["said"] = "ö"
        session.save()
        assert dict(read(session.session_key).items()) == {"said": "ö"}


def test_a_session_that_ended_or_never_was_is_empty_and_gets_another_key() -> None:
    session = SessionStore()
    session["said"] = 1
    session.save()
    key = session.session_key
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    for gone in (key, "never-was", None):
        store = SessionStore(gone)
        assert dict(store.items()) == {}
        store["said"] = 2
        store.save()
        assert store.session_key not in {key, "never-was", None}


def test_logging_out_ends_the_session_everywhere(cast: Cast, client: Client) -> None:
    client.force_login(cast.ana)
    other = Client()
    other.cookies = client.cookies
    assert other.get("/").status_code == 200
    client.post("/logout/")
    assert other.get("/").status_code == 302
