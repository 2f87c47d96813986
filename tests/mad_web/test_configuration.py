"""Every variable is documented, and a wrong value stops the start with one line that says what to change."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from labelling.core import hosts

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "configuration.md"
ROOMS = ("mad_web", "labelling", "inference", "training")
# Read or handed on by the program, but set by the system or by the program itself.
NOT_OURS = re.compile(r"^(?:PATH|HOME|LANG|LC_ALL|TMPDIR|LD_LIBRARY_PATH|VIRTUAL_ENV|DJANGO_SETTINGS_MODULE|YOLO_.*)$")


def variables_read() -> set[str]:
    """Names given to ``env.<anything>(...)`` in the settings, and to ``os.environ.get`` or ``[...]`` elsewhere."""
    found = set()
    for room in ROOMS:
        for path in (Path(settings.BASE_DIR) / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                    owner, name = ast.unparse(node.func.value), node.args[0]
                    if owner in {"env", "os.environ"} and isinstance(name, ast.Constant):
                        found.add(str(name.value))
    found |= set(hosts.NAMES)  # read by name from a mapping
    return {name for name in found if not NOT_OURS.match(name)}


def start(tmp_path: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = kept | {"MAD_HOME": str(tmp_path / "home")} | variables
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False)


DEPLOYED = {
    "MAD_DEPLOYED": "true",
    "SECRET_KEY": "k7" * 16 + "Qz-_x" * 8,
    "ALLOWED_HOSTS": "mines.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://mines.example.org",
    "DATABASE_URL": "postgis://mad:p%40ss@db:5432/mad",
    "CELERY_BROKER_URL": "redis://redis:6379/0",
}


def test_every_variable_is_documented_and_no_other() -> None:
    documented = set(re.findall(r"^\| \*{0,2}`(\w+)`", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    assert documented == variables_read()


def test_a_deployment_passes_djangos_own_check_without_a_warning(tmp_path: Path) -> None:
    done = start(tmp_path, **DEPLOYED)
    assert (done.returncode, done.stdout.strip()) == (0, "System check identified no issues (3 silenced).")


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing or shorter than 50 characters"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is missing or shorter than 50 characters"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is empty: set it to the names"),
        ({"MAD_DEPLOYED": "ture"}, "MAD_DEPLOYED is 'ture': set it to true or false"),
        ({"DEBUG": "2"}, "DEBUG is '2': set it to true or false"),
        ({"DATABASE_URL": "mysql://mad:secret@db/mad"}, "DATABASE_URL is 'mysql:...': set it to postgis://"),
        ({"DATABASE_URL": "postgis://db"}, "DATABASE_URL names no database"),
        ({"DATABASE_POOL": "0"}, "DATABASE_POOL is '0': set it to a whole number from 1"),
        ({"CELERY_BROKER_URL": "amqp://rabbit"}, "CELERY_BROKER_URL is 'amqp:...': set it to filesystem://"),
        (
            {"CSRF_TRUSTED_ORIGINS": "mines.example.org"},
            "CSRF_TRUSTED_ORIGINS is 'mines.example.org': set it to origins",
        ),
        ({"JOB_HEARTBEAT_S": "soon"}, "JOB_HEARTBEAT_S is 'soon': set it to a whole number from 1, such as 5"),
        ({"JOB_DEAD_AFTER_S": "14"}, "JOB_DEAD_AFTER_S is '14': set it to a whole number from 15"),
        ({"MAD_TILE_CACHE_MB": "-1"}, "MAD_TILE_CACHE_MB is '-1': set it to a whole number from 0"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is 'LOUD': set it to one of DEBUG, INFO"),
        ({"MAD_SCENE_ROOTS": "/data:imagery"}, "MAD_SCENE_ROOTS is 'imagery': set it to absolute paths"),
        ({"MAD_BASEMAP_URL": "https://tile.example.org/"}, "MAD_BASEMAP_URL is 'https://tile.example.org/': set it to"),
        ({"GDAL_LIBRARY_PATH": "/no/libgdal.so"}, "GDAL_LIBRARY_PATH is '/no/libgdal.so': set it to the path of a"),
        ({"MAD_HOME": "/dev/null/home"}, "MAD_HOME is '/dev/null/home': set it to a folder that this user can make"),
    ],
)
def test_a_wrong_value_stops_the_start_with_one_line(tmp_path: Path, variables: dict[str, str], told: str) -> None:
    done = start(tmp_path, **(DEPLOYED | variables))
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if " INFO " not in line]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith(f"MAD Web cannot start: {told}")


def test_a_wrong_value_does_not_show_a_password(tmp_path: Path) -> None:
    done = start(tmp_path, **(DEPLOYED | {"DATABASE_URL": "postgres://mad:hunter2@db/mad"}))
    assert done.returncode != 0
    assert "hunter2" not in done.stdout + done.stderr


def test_the_embedded_default_needs_nothing_and_keeps_its_secret(tmp_path: Path) -> None:
    code = "from django.conf import settings; print(settings.SECRET_KEY)"
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"MAD_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "mad_web.settings"}
    command = [sys.executable, "-c", code]
    said = [
        subprocess.run(
            command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert said[0] == said[1]
    assert len(said[0].strip()) >= 50
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0


def test_celery_takes_json_only() -> None:
    assert settings.CELERY_ACCEPT_CONTENT == settings.CELERY_RESULT_ACCEPT_CONTENT == ["json"]
    assert settings.CELERY_TASK_SERIALIZER == "json"
