"""Every URL, by every method, as every role: held to tests/permissions.csv."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from tests.cast import Cast

TABLE = Path(__file__).with_name("permissions.csv")
ROLES = ("anonymous", "eve", "gus", "ana", "lea", "ada", "superuser", "inactive")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# How a method without a row is answered, even to a superuser.
REFUSED = {403, 405}
# What stands in for a part of a URL: by its name, else by its converter. No such object exists.
BY_NAME = {"combination": "true-colour", "fmt": "png", "format": "png", "extension": "png", "suffix": "png", "z": "5"}
BY_CONVERTER = {
    "IntConverter": "31",
    "UUIDConverter": str(UUID(int=7)),
    "PathConverter": "missing/file",
    "ModelName": "missing-1",
}
# Views of Django's own, which answer methods in their own ways.
NOT_OURS = ("admin:*", "login", "logout")


@dataclass(frozen=True)
class Row:
    url: str
    method: str
    statuses: dict[str, frozenset[int]]


@cache
def table() -> tuple[Row, ...]:
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return tuple(
        Row(
            line["url"],
            line["method"],
            {role: frozenset(int(status) for status in line[role].split("|")) for role in ROLES},
        )
        for line in csv.DictReader(lines)
    )


def row_of(url: str, method: str) -> Row | None:
    """The row of a URL: its own, or the first whose pattern fits."""
    rows = [row for row in table() if row.method == method]
    exact = [row for row in rows if row.url == url]
    return next(iter(exact or [row for row in rows if fnmatchcase(url, row.url)]), None)


def sample(pattern: URLPattern) -> str:
    """One route with values in place of its parameters."""
    route = str(pattern.pattern)
    for name, converter in pattern.pattern.converters.items():
        kind = type(converter).__name__
        value = BY_NAME.get(name) or BY_CONVERTER.get(kind, "missing")
        route = re.sub(rf"<(?:\w+:)?{name}>", value, route)
    # Routes written as regular expressions, in Django's admin alone.
    return re.sub(r"\(\?P<\w+>[^)]*\)|\\Z|[$^]", lambda found: "missing" if found[0][0] == "(" else "", route)


def walk(resolver: URLResolver, prefix: str = "/", namespace: str = "") -> Iterator[tuple[str, str]]:
    """Every (name, path) of the program."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from walk(entry, prefix + str(entry.pattern), inner)
        elif isinstance(entry, URLPattern):
            yield namespace + (entry.name or str(entry.pattern)), prefix + sample(entry)


URLS = sorted(set(walk(get_resolver())))


@pytest.fixture
def people(cast: Cast) -> dict[str, User | None]:
    superuser = User.objects.create_superuser("sue")
    ida = User.objects.create_user("ida", is_active=False)
    ida.groups.set(cast.ada.groups.all())
    named = {name: getattr(cast, name) for name in ("eve", "gus", "ana", "lea", "ada")}
    return {"anonymous": None, **named, "superuser": superuser, "inactive": ida}


def ask(path: str, method: str, person: User | None) -> int:
    client = Client(raise_request_exception=False)
    if person is not None:
        client.force_login(person)
    body = {} if method in {"GET", "HEAD"} else {"data": "{}", "content_type": "application/json"}
    return int(getattr(client, method.lower())(path, **body).status_code)


def test_every_sampled_path_leads_to_a_view() -> None:
    assert [path for name, path in URLS if not name.startswith("admin:") and not resolve(path)] == []


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "path"), URLS, ids=[f"{name} {path}" for name, path in URLS])
def test_who_gets_what(name: str, path: str, people: dict[str, User | None]) -> None:
    ours = not any(fnmatchcase(name, pattern) for pattern in NOT_OURS)
    assert any(row_of(name, method) for method in METHODS), unknown(name, path, people)
    for method in METHODS if ours else ("GET", "POST"):
        row = row_of(name, method)
        if row is None:
            refused = ask(path, method, people["superuser"]) in REFUSED
            assert refused or not ours, f"{method} {path}: neither a row nor refused"
            continue
        seen = {role: ask(path, method, person) for role, person in people.items()}
        wrong = {role: status for role, status in seen.items() if status not in row.statuses[role]}
        assert not wrong, f"{method} {path}: {wrong}. As it is now: {line(name, method, seen)}"
    if ours:
        opens_nothing_by_another_door(name, path, people)


def opens_nothing_by_another_door(name: str, path: str, people: dict[str, User | None]) -> None:
    """HEAD shows nothing that GET does not, and OPTIONS nothing to a stranger."""
    row = row_of(name, "GET")
    allowed = row.statuses if row else dict.fromkeys(ROLES, frozenset[int]())
    for role, method in (("anonymous", "HEAD"), ("eve", "HEAD"), ("anonymous", "OPTIONS")):
        status = ask(path, method, people[role])
        assert status not in {200, 204} or 200 in allowed[role], f"{method} {path} as {role}: {status}"


def line(name: str, method: str, seen: dict[str, int]) -> str:
    return ",".join([name, method, *(str(seen[role]) for role in ROLES)])


def unknown(name: str, path: str, people: dict[str, User | None]) -> str:
    """The rows to paste for a URL that has none, as the program answers now."""
    rows = []
    for method in METHODS:
        seen = {role: ask(path, method, person) for role, person in people.items()}
        if seen["superuser"] not in REFUSED:
            rows.append(line(name, method, seen))
    return f"no row for {path}; if this is right, add to {TABLE.name}:\n" + "\n".join(rows)


def test_every_row_belongs_to_a_url() -> None:
    names = {name for name, _ in URLS}
    stale = [row.url for row in table() if not any(fnmatchcase(name, row.url) for name in names)]
    assert not stale, "delete these rows"


def test_no_row_allows_a_server_error_and_nobody_gains_by_being_switched_off() -> None:
    for row in table():
        assert not any(status >= 500 for statuses in row.statuses.values() for status in statuses), row.url
        assert row.statuses["inactive"] == row.statuses["anonymous"], row.url
