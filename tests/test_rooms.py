"""What import-linter cannot see: names in strings that lead upward, and code in a place that is not a floor."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from django.urls import URLPattern, URLResolver, get_resolver

from mad_web.celery import app as celery_app

HOUSE = Path(settings.BASE_DIR)
ROOMS = ("labelling", "inference", "training", "mad_web")  # from the ground up
FLOORS = {
    "README.md", "__init__.py", "admin.py", "api", "api.py", "apps.py", "core", "engines", "forms", "forms.py",
    "management", "migrations", "models", "services", "tasks.py", "templates", "templatetags", "urls.py", "views",
    "views.py",
}  # fmt: skip
NO_DRAWER = {"common", "helpers", "misc", "selectors", "signals", "utils"}
TOP = {"docs", "inference", "labelling", "mad_web", "requirements", "static", "templates", "tests", "training"}
# Folders of a working copy that are no part of the project.
LOOSE = {"build", "node_modules", "runs", "var"}


def sources(room: str) -> list[Path]:
    return [path for path in sorted((HOUSE / room).rglob("*.py")) if "migrations" not in path.parts]


def above(room: str) -> tuple[str, ...]:
    return ROOMS[ROOMS.index(room) + 1 :]


def strings(path: Path) -> Iterator[str]:
    """Every string of a module that is not a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    spoken = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in spoken:
            yield node.value


def url_owner() -> dict[str, str]:
    """URL name -> room whose urls.py brings it."""
    found: dict[str, str] = {}

    def walk(resolver: URLResolver, room: str) -> None:
        for entry in resolver.url_patterns:
            if isinstance(entry, URLResolver):
                module = getattr(entry.urlconf_module, "__name__", "")
                walk(entry, module.split(".")[0] if module.split(".")[0] in ROOMS else room)
            elif isinstance(entry, URLPattern) and entry.name:
                found[entry.name] = room

    walk(get_resolver(), "mad_web")
    return found


@pytest.mark.parametrize("room", ROOMS[:-1])
def test_a_room_has_floors_and_nothing_else(room: str) -> None:
    names = {path.name for path in (HOUSE / room).iterdir() if path.name != "__pycache__"}
    assert names <= FLOORS, f"{sorted(names - FLOORS)}: no floor of docs/architecture.md has this name"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_owns(room: str) -> None:
    text = (HOUSE / room / "README.md").read_text(encoding="utf-8")
    assert all(heading in text for heading in ("Owns", "Never knows", "Remember"))


def test_nothing_else_holds_code() -> None:
    names = {path.name for path in HOUSE.iterdir() if path.is_dir() and not path.name.startswith(".")} - LOOSE
    assert names <= TOP, f"{sorted(names - TOP)}: code lives in the rooms"


@pytest.mark.parametrize("room", ROOMS)
def test_no_drawer_for_odds_and_ends(room: str) -> None:
    odd = [path for path in (HOUSE / room).rglob("*.py") if NO_DRAWER & {path.stem, *path.parts[len(HOUSE.parts) :]}]
    assert not odd, f"{odd}: name the drawer after what it is about"


@pytest.mark.parametrize("room", ROOMS[:-1])
def test_foreign_keys_point_down(room: str) -> None:
    upward = [
        f"{model.__name__}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_app_config(room).get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.concrete and field.is_relation and field.related_model is not None
        if not isinstance(field.related_model, str) and field.related_model._meta.app_label in above(room)
    ]
    assert not upward, "the upper room owns the link"


@pytest.mark.parametrize("room", ROOMS[:-1])
def test_migrations_depend_downward(room: str) -> None:
    migrations = MigrationLoader(connection=None, ignore_no_migrations=True).disk_migrations
    upward = [
        f"{label}.{name} -> {parent}"
        for (label, name), migration in migrations.items()
        for parent, _ in (*migration.dependencies, *migration.run_before)
        if label == room and parent in above(room)
    ]
    assert not upward


@pytest.mark.parametrize("room", ROOMS[:-1])
def test_no_string_names_a_model_of_an_upper_room(room: str) -> None:
    """get_model("training", ...), "training.Experiment", "training.services..." and the like."""
    names = "|".join(above(room))
    leads_up = re.compile(rf"^(?:{names})(?:\.\w+)*$")
    found = [f"{path}: {text}" for path in sources(room) for text in strings(path) if leads_up.match(text)]
    assert not found, "a lower room never knows an upper one, not by a string either"


def test_every_kind_of_job_has_a_task() -> None:
    """``kind`` of enqueue_job, and the names given to send_task and the schedule, are names of tasks."""
    celery_app.loader.import_default_modules()
    wanted = {entry["task"]: "the schedule" for entry in celery_app.conf.beat_schedule.values()}
    for room in ROOMS:
        for path in sources(room):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            wanted |= dict.fromkeys(task_names(tree), str(path))
    missing = {name: place for name, place in wanted.items() if name not in celery_app.tasks}
    assert not missing, "no registered task has this name"


def task_names(tree: ast.Module) -> Iterator[str]:
    """Names of tasks in a module: constants called TASK, literals given to send_task or as kind to enqueue_job."""
    for node in ast.walk(tree):
        value: ast.expr | None = None
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "TASK" for target in node.targets):
            value = node.value
        elif isinstance(node, ast.Call) and called(node) == "send_task":
            value = node.args[0]
        elif isinstance(node, ast.Call) and called(node) == "enqueue_job":
            value = next((word.value for word in node.keywords if word.arg == "kind"), None)
        if isinstance(value, ast.Constant):
            yield str(value.value)


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def test_tasks_are_named_after_their_room() -> None:
    celery_app.loader.import_default_modules()
    ours = {name: task.__module__ for name, task in celery_app.tasks.items() if not name.startswith("celery.")}
    assert ours
    assert {name: module for name, module in ours.items() if name.split(".")[0] != module.split(".")[0]} == {}


@pytest.mark.parametrize("room", ROOMS[:-1])
def test_templates_link_downward(room: str) -> None:
    owner = url_owner()
    folders = [HOUSE / "templates" / room, HOUSE / room / "templates"]
    upward = [
        f"{path.relative_to(HOUSE)}: {name}"
        for folder in folders
        for path in sorted(folder.rglob("*.html"))
        for name in re.findall(r"""{%\s*url\s+['"]([^'"]+)['"]""", path.read_text(encoding="utf-8"))
        if owner.get(name) in above(room) and owner[name] != "mad_web"
    ]
    assert not upward, "an upper room puts its link in the page; a lower one never knows of it"


def test_every_link_of_a_template_exists() -> None:
    known = set(url_owner())
    lost = [
        f"{path.relative_to(HOUSE)}: {name}"
        for path in sorted((HOUSE / "templates").rglob("*.html"))
        for name in re.findall(r"""{%\s*url\s+['"]([^'":]+)['"]""", path.read_text(encoding="utf-8"))
        if name not in known
    ]
    assert not lost


def test_no_sql_by_keyword_from_a_client() -> None:
    """Django's lookups take any name: client data must never be spread into them."""
    spread = re.compile(r"\.(?:filter|exclude|annotate|alias|values|order_by)\(\s*\*\*?\s*request\b")
    assert not [str(path) for room in ROOMS for path in sources(room) if spread.search(path.read_text("utf-8"))]


def test_views_and_services_never_ring_for_a_task_themselves() -> None:
    """Work is a row: only the dispatcher sends messages, after the commit."""
    bell = re.compile(r"\.(?:delay|apply_async|send_task)\(")
    ringing = [
        str(path.relative_to(HOUSE))
        for room in ROOMS
        for path in sources(room)
        if bell.search(path.read_text("utf-8")) and path.relative_to(HOUSE) != Path("labelling/services/jobs.py")
    ]
    assert not ringing


def test_no_view_is_exempt_from_csrf() -> None:
    exempt = [str(path) for room in ROOMS for path in sources(room) if "csrf_exempt" in path.read_text("utf-8")]
    assert not exempt
