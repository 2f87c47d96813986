"""docker-compose.yml against the program that it starts."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery.bin.celery import celery as celery_command
from django.conf import settings
from gunicorn.app.wsgiapp import WSGIApplication

from mad_web.celery import app
from tests.mad_web.test_configuration import DOCUMENT, start

HERE = Path(settings.BASE_DIR)
TEXT = (HERE / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("build")}
PASSWORDS = dict.fromkeys(("POSTGRES_PASSWORD", "REDIS_PASSWORD", "STORAGE_PASSWORD"), "a1b2c3d4")
FILLED_IN = PASSWORDS | {"MAD_SITE": "mines.example.org", "SECRET_KEY": "k7Qz-_x9" * 10}


def filled_in(text: str) -> str:
    return re.sub(r"\$\{(\w+)(?::\?[^}]*)?\}", lambda found: FILLED_IN[found[1]], text)


def listed(command: list[str], option: str) -> str:
    return command[command.index(option) + 1]


def test_every_part_of_a_deployment_is_there() -> None:
    wanted = {
        "db",
        "redis",
        "storage",
        "imagery",
        "prepare",
        "web",
        "tiles",
        "cpu-worker",
        "gpu-worker",
        "beat",
        "proxy",
    }
    assert set(SERVICES) == wanted


@pytest.mark.parametrize("name", SERVICES)
def test_every_lasting_service_has_a_health_check_and_starts_again(name: str) -> None:
    service = SERVICES[name]
    if name == "prepare":
        assert service["restart"] == "on-failure"
        return
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(service["healthcheck"])


def test_every_health_check_of_python_is_python() -> None:
    checks = [service["healthcheck"]["test"] for service in OURS.values() if "healthcheck" in service]
    codes = {check[3] for check in checks if check[1] == "python"}
    assert len(codes) == 2
    for code in codes:
        compile(code, "healthcheck", "exec")


def test_the_health_check_of_the_pages_asks_a_page_that_is_open(client: Any, db: None) -> None:
    path = re.search(r"127\.0\.0\.1:8000(/\w+)", TEXT)
    assert path is not None
    assert client.get(path[1]).status_code == 200


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "proxy": ["80:80", "443:443"]
    }


def test_the_proxy_leads_to_ports_that_gunicorn_listens_on() -> None:
    targets = dict(re.findall(r"(web|tiles):(\d+)", (HERE / "Caddyfile").read_text(encoding="utf-8")))
    assert set(targets) == {"web", "tiles"}
    for name, port in targets.items():
        assert listed(OURS[name]["command"], "--bind") == f"0.0.0.0:{port}"


def test_every_variable_of_ours_is_one_that_the_program_reads() -> None:
    documented = set(re.findall(r"`(\w+)`", DOCUMENT.read_text(encoding="utf-8")))
    for service in OURS.values():
        assert set(service["environment"]) <= documented


def test_every_blank_is_in_the_example_and_the_other_way_round() -> None:
    blanks = set(re.findall(r"\$\{(\w+)", TEXT))
    example = (HERE / ".env.example").read_text(encoding="utf-8")
    assert blanks == set(re.findall(r"^(\w+)=", example, re.MULTILINE))


def test_a_blank_that_was_forgotten_is_named() -> None:
    for name in FILLED_IN:
        assert f"${{{name}:?" in TEXT


def test_the_settings_start_with_these_variables(tmp_path: Path) -> None:
    variables = {key: filled_in(value) for key, value in OURS["web"]["environment"].items()}
    done = start(tmp_path, **(variables | {"MAD_HOME": str(tmp_path)}))
    assert done.returncode == 0, done.stderr


def test_addresses_name_services_and_their_ports() -> None:
    variables = OURS["web"]["environment"]
    assert "@db:5432/" in variables["DATABASE_URL"]
    assert "@redis:6379/" in variables["CELERY_BROKER_URL"]
    assert "@storage:9000" in SERVICES["imagery"]["environment"]["MC_HOST_mad"]
    database = SERVICES["db"]["environment"]
    assert f"//{database['POSTGRES_USER']}:" in variables["DATABASE_URL"]
    assert variables["DATABASE_URL"].endswith(f"/{database['POSTGRES_DB']}")


def test_every_queue_has_one_worker_and_the_schedule_has_one_beat() -> None:
    workers = [service["command"] for service in OURS.values() if "worker" in service["command"]]
    assert sorted(listed(command, "-Q") for command in workers) == ["cpu", "gpu"]
    assert app.conf.task_default_queue == "cpu"
    assert sum("beat" in service["command"] or "-B" in service["command"] for service in OURS.values()) == 1


@pytest.mark.parametrize("name", [name for name, service in OURS.items() if service["command"][0] == "celery"])
def test_celery_knows_the_options(name: str) -> None:
    _, _, _, command, *options = OURS[name]["command"]
    parsed = celery_command.commands[command].make_context(command, list(options), resilient_parsing=True)
    assert parsed.args == []


@pytest.mark.parametrize("name", ["web", "tiles"])
def test_gunicorn_knows_the_options(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", OURS[name]["command"])
    options = WSGIApplication("%(prog)s").cfg
    assert options.bind == ["0.0.0.0:8000"]
    assert options.worker_class_str == "gthread"


def test_images_are_stages_of_the_dockerfile_and_only_the_worker_has_torch() -> None:
    stages = dict(re.findall(r"AS (\w+)\n((?:(?!FROM ).*\n)*)", (HERE / "Dockerfile").read_text(encoding="utf-8")))
    assert {service["build"]["target"] for service in OURS.values()} == {"web", "worker"} <= set(stages)
    for stage in ("web", "worker"):
        lock = (HERE / f"requirements/{stage}.txt").read_text(encoding="utf-8")
        assert f"-r requirements/{stage}.txt" in stages[stage]
        assert ("\ntorch==" in lock) == (stage == "worker")
        assert stages[stage].rstrip().endswith("USER mad")


def test_volumes_are_declared_and_imagery_is_read_only_for_the_program() -> None:
    named = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert {name for name in named if not name.startswith(".")} == set(COMPOSE["volumes"])
    for service in OURS.values():
        assert "imagery:/imagery:ro" in service["volumes"]
        assert service["environment"]["MAD_SCENE_ROOTS"] == "/imagery"


def test_the_gpu_file_adds_to_a_service_that_exists() -> None:
    more = yaml.safe_load((HERE / "docker-compose.gpu.yml").read_text(encoding="utf-8"))
    assert set(more["services"]) <= set(SERVICES)


def test_the_mirror_runs_a_command_that_a_shell_can_read() -> None:
    line = SERVICES["imagery"]["command"][0]
    assert shlex.split(line)[:2] == ["mc", "mb"]
