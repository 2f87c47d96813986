"""The private servers of the tests, and the rule that nothing is skipped in continuous integration."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from django.contrib.auth.models import User

from tests import stack
from tests.cast import Cast

HOUSE = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(
    shutil.which("redis-server") is None or not list(Path("/usr/lib/postgresql").glob("*/lib/postgis-3.so")),
    reason="needs PostgreSQL with PostGIS and Redis: make setup",
)


def test_both_servers_answer_and_are_gone_afterwards() -> None:
    with stack.stack() as environment:
        database, broker = environment["DATABASE_URL"], environment["CELERY_BROKER_URL"]
        with psycopg.connect(database.replace("postgis:", "postgresql:")) as connection:
            connection.execute("CREATE EXTENSION postgis")
            row = connection.execute(
                "SELECT ST_AsText(ST_Point(1, 2)), current_setting('synchronous_commit')"
            ).fetchone()
        assert row == ("POINT(1 2)", "on")
        place = urlsplit(broker).path
        client = redis.Redis(unix_socket_path=place)
        assert client.ping()
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        client.close()
        folder = Path(place).parents[1]
        assert folder.is_dir()
    assert not folder.exists()
    port = urlsplit(database).port
    assert port is not None
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", port))


def test_the_database_wants_its_password() -> None:
    with stack.stack() as environment:
        url = environment["DATABASE_URL"].replace("postgis:", "postgresql:")
        password = urlsplit(url).password
        assert password
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace(password, "guess"))


def test_a_server_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(stack.StackError, match="redis-server is missing: run make setup"), stack.redis(tmp_path):
        pytest.fail("started")


def run_tests(folder: Path, ci: str) -> str:
    """Run two skipped tests under this rule."""
    (folder / "test_skipped.py").write_text(
        "import pytest\n\n"
        "@pytest.mark.skipif(True, reason='no browser here')\ndef test_browser():\n    pass\n\n"
        "@pytest.mark.real\ndef test_real():\n    pytest.skip('no files here')\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "tests.no_skips", "-p", "no:django", "-p", "no:cacheprovider"]
    environment = os.environ | {"CI": ci, "PYTHONPATH": str(HOUSE)}
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = real\n")
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout


def test_in_continuous_integration_a_skip_for_want_of_a_package_is_a_failure(tmp_path: Path) -> None:
    said = run_tests(tmp_path, "true")
    assert "1 skipped, 1 error" in said
    assert "no browser here" in said
    assert "run make setup" in said


def test_elsewhere_it_is_a_skip(tmp_path: Path) -> None:
    assert "2 skipped" in run_tests(tmp_path, "")


def test_what_asks_for_no_database_runs_once(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("once")


@pytest.mark.django_db
def test_what_is_marked_for_a_database_runs_on_both(request: pytest.FixtureRequest) -> None:
    assert not request.node.get_closest_marker("once")


def test_what_asks_for_a_database_by_another_fixture_runs_on_both(request: pytest.FixtureRequest, cast: Cast) -> None:
    assert User.objects.filter(pk=cast.ana.pk).exists()
    assert not request.node.get_closest_marker("once")
