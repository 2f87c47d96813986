"""Prepared statements for what the browsers of reviewers ask all day.

PostgreSQL takes longer to plan such a statement than to answer it. On a connection that has asked it a few times the
plan is kept. Only here, not for every page: a prepared statement takes at most 65 535 values, which the long lists of
jobs and exports pass, and a plan that is kept is made for any values, which does not fit maps of everything.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

_PATH = "/api/v1/"
_AFTER = 5
"""So often a statement is asked before it is prepared; Psycopg's own default."""


class PreparedStatements:
    """Middleware around everything that a request of the review API asks, from the session on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(_PATH):
            return self.get_response(request)
        with prepared():
            return self.get_response(request)


@contextmanager
def prepared() -> Iterator[None]:
    """Let PostgreSQL keep the plans of what is asked meanwhile, where the settings allow it."""
    if connection.vendor != "postgresql" or not settings.DATABASE_PREPARED:
        yield
        return
    from django.db.backends.postgresql.base import ServerBindingCursor  # who has PostgreSQL has Psycopg loaded

    connection.ensure_connection()
    asked = connection.connection
    before = asked.cursor_factory, asked.prepare_threshold
    asked.cursor_factory, asked.prepare_threshold = ServerBindingCursor, _AFTER
    try:
        yield
    finally:
        asked.cursor_factory, asked.prepare_threshold = before
