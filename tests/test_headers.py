"""The headers of every answer, whatever the URL and whoever asks."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from kombu.exceptions import ContentDisallowed
from kombu.message import Message

from mad_web.celery import app
from tests.cast import PASSWORD, Cast
from tests.test_permissions import URLS

HOUSE = Path(__file__).resolve().parents[1]
PATHS = [
    *sorted({path for name, path in URLS if not name.startswith("admin:")}),
    "/admin/",
    "/admin/login/",
    "/nowhere/",
]


def directives(header: str) -> dict[str, set[str]]:
    parts = [part.split() for part in header.split(";") if part.strip()]
    return {name: set(sources) for name, *sources in parts}


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("who", ["stranger", "superuser"])
def test_every_answer_protects_itself(path: str, who: str) -> None:
    client = Client(raise_request_exception=False, headers={"origin": "https://evil.example"})
    if who == "superuser":
        client.force_login(User.objects.create_superuser("sue"))
    answer = client.get(path)
    assert answer.status_code < 500
    policy = directives(answer["Content-Security-Policy"])
    assert policy["default-src"] == {"'self'"}
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "data:"} & policy["script-src"]
    assert policy["object-src"] == policy["frame-ancestors"] == {"'none'"}
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in answer


def templates() -> list[Path]:
    return sorted((HOUSE / "templates").rglob("*.html"))


@pytest.mark.parametrize("template", templates(), ids=lambda path: str(path.relative_to(HOUSE)))
def test_no_template_holds_a_script_that_the_policy_forbids(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    handlers = re.findall(r"<[^>]*\son\w+\s*=", text)
    inline = [
        tag
        for tag in re.findall(r"<script\b[^>]*>", text)
        if "src=" not in tag and "nonce=" not in tag and "application/json" not in tag
    ]
    assert (handlers, inline) == ([], [])
    assert "javascript:" not in text
    assert "|safe" not in text


@pytest.mark.django_db
def test_every_unsafe_request_without_a_token_is_refused(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.ada)
    for _, path in URLS:
        if path.startswith("/admin/"):
            continue
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(client, method)(path, data="{}", content_type="application/json")
            assert answer.status_code in {403, 405}, f"{method} {path}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "next_page", ["//evil.example", "https:evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_logging_in_leads_nowhere_else(cast: Cast, next_page: str) -> None:
    answer: Any = Client().post("/login/", {"username": "ana", "password": PASSWORD, "next": next_page})
    assert (answer.status_code, answer["Location"]) == (302, "/")


@pytest.mark.django_db
def test_the_session_changes_at_login_and_dies_at_logout(cast: Cast) -> None:
    client = Client()
    client.get("/login/")
    client.session.save()
    before = client.session.session_key
    client.post("/login/", {"username": "ana", "password": PASSWORD})
    inside = client.cookies["sessionid"]
    assert inside.value != before
    assert inside["httponly"]
    assert inside["samesite"] == "Lax"
    old = Client()
    old.cookies["sessionid"] = inside.value
    assert old.get("/").status_code == 200
    client.post("/logout/")
    assert old.get("/").status_code == 302


def test_a_pickle_on_the_queue_is_never_opened() -> None:
    message = Message(
        body="cos\nsystem\n(S'true'\ntR.",
        content_type="application/x-python-serialize",
        content_encoding="binary",
        accept=set(app.conf.accept_content),
    )
    with pytest.raises(ContentDisallowed):
        message.decode()
