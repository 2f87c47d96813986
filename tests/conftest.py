"""Fixtures for every room: settings of a test run, the cast of people, the taxonomy."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings as django_settings

from labelling.services.taxonomy import sync_taxonomy
from mad_web.roles import sync_roles
from tests.cast import Cast
from tests.crowd import database_of_many

# No deadline: speed is measured in tests/bench, and a busy machine is no fault.
# In CI the same examples every time: what a new one finds is found, kept and mended at a desk.
hypothesis.settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("house")

pytest_plugins = ["tests.no_skips"]


@pytest.fixture(autouse=True, scope="session")
def _fast_and_plain() -> None:
    """Fast password hashes and no hashed static names: neither is under test."""
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django_settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


@pytest.fixture
def taxonomy(db: None) -> None:
    sync_taxonomy()


@pytest.fixture
def cast(db: None) -> Cast:
    """Ana reviews, Ben reviews too, Lea leads, Ada runs the place, Gus looks in from QGIS, Eve has no role."""
    sync_taxonomy()
    sync_roles()
    return Cast.arrive()


@pytest.fixture
def open_house(transactional_db: None, tmp_path: Path) -> Iterator[Cast]:
    """The cast, in a database that several threads may use at once."""
    with database_of_many(tmp_path):
        sync_taxonomy()
        sync_roles()
        yield Cast.arrive()
