"""The review API as a browser speaks it."""

import json
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.test import Client
from rest_framework.serializers import BaseSerializer, ListSerializer

API = "/api/v1"


class Browser:
    """A person's browser: JSON in, JSON out. ``reviewer``: whom its page was made for, where the page says so."""

    def __init__(self, person: User | None, *, csrf: bool = False, reviewer: User | None = None) -> None:
        self.client = Client(enforce_csrf_checks=csrf, headers={"X-Reviewer": str(reviewer.pk)} if reviewer else None)
        if person is not None:
            self.client.force_login(person)

    def post(self, path: str, body: object = None, *, status: int = 200) -> Any:
        raw = body if isinstance(body, str) else json.dumps({} if body is None else body)
        return self._read(self.client.post(API + path, raw, content_type="application/json"), status)

    def get(self, path: str, *, status: int = 200) -> Any:
        return self._read(self.client.get(API + path), status)

    def delete(self, path: str, *, status: int = 204) -> Any:
        return self._read(self.client.delete(API + path), status)

    @staticmethod
    def _read(response: Any, status: int) -> Any:
        assert response.status_code == status, response.content
        assert response["Cache-Control"] == "private, no-store"
        return response.json() if response.content else None


def a_decision(site: int | None, version: int = 0, verdict: str = "accept", **more: object) -> dict[str, object]:
    return {"key": str(uuid4()), "site": site, "base_version": version, "verdict": verdict, **more}


def matches(value: Any, described: Any) -> bool:
    """Whether an answer has the fields of its description, no more and no fewer."""
    if isinstance(described, ListSerializer):
        return all(matches(one, described.child) for one in value)
    fields = described.fields
    required = {name for name, field in fields.items() if field.required}
    assert required <= set(value) <= set(fields), (type(described).__name__, set(value) ^ set(fields))
    return all(
        matches(value[name], field)
        for name, field in fields.items()
        if isinstance(field, BaseSerializer) and value.get(name) is not None
    )
