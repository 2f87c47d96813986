"""Plans are kept for what the review screen asks, and for nothing else."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from tests.cast import Cast

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the database of this run is not PostGIS"),
]


def kept_plans() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return {text for (text,) in cursor.fetchall()}


@pytest.fixture
def ana(client: Client, cast: Cast) -> Client:
    client.force_login(cast.ana)
    return client


def test_what_a_browser_asks_again_and_again_is_planned_once(ana: Client) -> None:
    before = kept_plans()
    for _ in range(8):
        assert ana.get("/api/v1/decisions/").status_code == 200
    fresh = kept_plans() - before
    assert [text for text in fresh if "django_session" in text]
    assert [text for text in fresh if "labelling_decision" in text]


@pytest.mark.parametrize("switched_off", [True, False])
def test_pages_and_a_pooler_without_them_get_none(ana: Client, settings: Any, switched_off: bool) -> None:
    settings.DATABASE_PREPARED = not switched_off
    before, address = kept_plans(), "/api/v1/decisions/" if switched_off else "/"
    for _ in range(8):
        assert ana.get(address).status_code == 200
    assert kept_plans() == before


def test_the_connection_is_left_as_it_was_also_by_a_request_that_fails(ana: Client) -> None:
    connection.ensure_connection()
    before = connection.connection.cursor_factory, connection.connection.prepare_threshold
    assert ana.get("/api/v1/sites/999999/").status_code == 404
    assert (connection.connection.cursor_factory, connection.connection.prepare_threshold) == before
