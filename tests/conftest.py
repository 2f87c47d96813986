"""Fixtures for every room: settings of a test run, the cast of people, the taxonomy."""

import os
import subprocess
import sys
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


_DATABASE = frozenset({"db", "transactional_db"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for no database runs on the first of the two runs alone; long tests first, so that none ends last."""
    for item in items:
        if item.get_closest_marker("django_db") is None and _DATABASE.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.once)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True, scope="session")
def _fast_and_plain() -> None:
    """Fast password hashes and no hashed static names: neither is under test."""
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django_settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


@pytest.fixture(scope="session")
def blank_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file that is migrated and empty: a program with a home of its own starts from a copy of it."""
    home = tmp_path_factory.mktemp("blank")
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    command = [sys.executable, str(django_settings.BASE_DIR / "manage.py"), "migrate", "--verbosity", "0"]
    subprocess.run(command, env={**kept, "MAD_HOME": str(home)}, check=True)
    return home / "mad.sqlite3"


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
