"""Review by turns here and in Label Studio, on one database server, with the loop of the peer benchmarks."""

import argparse
import asyncio
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from tests.bench.browsers import Reviewer
from tests.stack import free_port

CROWDS = (8, 25)
TASKS = 20_000
TIMES_FASTER = 10
Turn = tuple[Callable[[int], Awaitable[Any]], Callable[[int, Any, Any], Awaitable[Any]]]


def side_by_side(given: argparse.Namespace, root: Path, url: str, pid: int, crowd: Sequence[Reviewer]) -> None:
    """Start Label Studio, give it 20 000 tasks, and let 8 and 25 reviewers work in rounds by turns."""
    sys.path.insert(0, str(given.peers.resolve()))
    peers = importlib.import_module("bench_labelstudio")
    common = importlib.import_module("common")
    folder = root / "label-studio"
    folder.mkdir()
    environment, their_port = _environment(folder, url), free_port()
    environment["LABEL_STUDIO_HOST"] = f"http://127.0.0.1:{their_port}"
    with (folder / "setup.log").open("wb") as log:
        setup = [str(given.label_studio), str(given.peers / "ls_setup.py"), str(len(crowd))]
        tokens = json.loads(subprocess.check_output(setup, env=os.environ | environment, stderr=log))
    code = "import label_studio, os; print(os.path.dirname(label_studio.__file__))"
    home = subprocess.check_output([str(given.label_studio), "-c", code], text=True).strip()
    gunicorn = [str(given.label_studio.parent / "gunicorn"), "core.wsgi:application", "-b", f"127.0.0.1:{their_port}"]
    gunicorn += ["-w", "2", "-k", "gthread", "--threads", "4", "--timeout", "600", "--keep-alive", "75"]
    with common.Server(gunicorn, their_port, env=environment, cwd=home, log=str(folder / "log"), wait_s=180) as theirs:
        api = peers.Api(their_port, tokens)
        spent = {"Label Studio": partial(common.tree_cpu_s, theirs.pid), "MAD Web": partial(common.tree_cpu_s, pid)}
        theirs_s = asyncio.run(_rounds(given, peers, api, crowd, spent))
    ours_s = _import_here()
    verdict = "" if theirs_s / ours_s >= TIMES_FASTER else f"  UNDER the {TIMES_FASTER} x promised"
    _say(f"  import of {TASKS} proposals: Label Studio {theirs_s:.1f} s, MAD Web {ours_s:.1f} s{verdict}")


def _import_here() -> float:
    from labelling.models import Source
    from labelling.services.sites import place_claims
    from tests.bench.crowded import made_up_claims

    claims = made_up_claims(TASKS)
    began = time.perf_counter()
    place_claims(source=Source.objects.create(name="a detector", kind="model", synthetic=True), claims=claims)
    return time.perf_counter() - began


def _environment(folder: Path, url: str) -> dict[str, str]:
    import psycopg

    parts = urlsplit(url.replace("postgis:", "postgresql:"))
    with psycopg.connect(parts.geturl(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE label_studio")
    return {
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "DEBUG": "false",
        "LOG_LEVEL": "WARNING",
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "DJANGO_DB": "default",
        "DJANGO_SETTINGS_MODULE": "core.settings.label_studio",
        "POSTGRE_NAME": "label_studio",
        "POSTGRE_USER": parts.username or "",
        "POSTGRE_PASSWORD": parts.password or "",
        "POSTGRE_HOST": parts.hostname or "",
        "POSTGRE_PORT": str(parts.port),
    }


async def _rounds(
    given: argparse.Namespace,
    peers: Any,
    api: Any,
    crowd: Sequence[Reviewer],
    spent: Mapping[str, Callable[[], float]],
) -> float:
    project = await peers.make_project(api, "review")
    status, wall, _ = await peers.import_tasks(api, project, peers.tasks(TASKS, api.conns[0].port))
    if status != 201:
        msg = f"Label Studio took no tasks: {status}"
        raise SystemExit(msg)
    sides: dict[str, Turn] = {"Label Studio": _theirs(api, project), "MAD Web": _ours(crowd)}
    for turn in sides.values():
        await peers.loop(2, 3, *turn)  # warm
    for count in CROWDS:
        figures: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
        for _ in range(given.rounds):
            for side, turn in sides.items():
                before = spent[side]()
                row = await peers.loop(count, given.round_s, *turn)
                figures[side].append(row | {"cpu_ms": (spent[side]() - before) / max(row["labels"], 1) * 1000})
        _compare(count, figures)
    _say(f"  a second label on a finished task: Label Studio {await _second(_theirs(api, project))}, ", end="")
    _say(f"MAD Web {await _second(_ours(crowd))}")
    api.close()
    for reviewer in crowd:
        await reviewer.leave()
    return float(wall)


def _theirs(api: Any, project: int) -> Turn:
    async def take(who: int) -> tuple[int, int | None, Any]:
        status, raw = await api.call(who, "GET", f"/api/projects/{project}/next")
        task = json.loads(raw) if status == 200 else None
        return status, task["id"] if task else None, task

    async def give(who: int, task_id: int, task: Any) -> int:
        told = (task.get("predictions") or [{}])[0]
        body = {"result": told.get("result", []), "lead_time": 3.0, "parent_prediction": told.get("id")}
        status, _ = await api.call(who, "POST", f"/api/tasks/{task_id}/annotations/?project={project}", body)
        return int(status)

    return take, give


def _ours(crowd: Sequence[Reviewer]) -> Turn:
    async def take(who: int) -> tuple[int, int | None, Any]:
        status, item = await crowd[who].next()
        return status, item["site"] if item else None, item

    async def give(who: int, site: int, item: Any) -> int:
        return await crowd[who].submit(item)

    return take, give


async def _second(turn: Turn) -> str:
    """Let a second person label what a first has just finished."""
    take, give = turn
    _, task_id, task = await take(0)
    await give(0, task_id, task)
    status = await give(1, task_id, task)
    return f"{'takes it' if status in {200, 201} else 'refuses it'} ({status})"


def _compare(count: int, figures: dict[str, list[dict[str, Any]]]) -> None:
    _say(f"{count} reviewers without a pause, median of {len(figures['MAD Web'])} rounds")
    middle = {
        side: {name: median(row[name] for row in rows) for name in ("labels_s", "next_p95_ms", "turn_p95_ms", "cpu_ms")}
        for side, rows in figures.items()
    }
    for side, rows in figures.items():
        one = middle[side]
        twice = sum(row["given_to_two"] + row["labelled_twice"] for row in rows)
        _say(
            f"  {side:14}{one['labels_s']:7.1f} labels/s   next p95 {one['next_p95_ms']:7.1f} ms   "
            f"turn p95 {one['turn_p95_ms']:7.1f} ms   web CPU a label {one['cpu_ms']:6.1f} ms   "
            f"given or labelled twice {twice}"
        )
    faster = middle["MAD Web"]["labels_s"] / middle["Label Studio"]["labels_s"]
    sooner = middle["Label Studio"]["turn_p95_ms"] / middle["MAD Web"]["turn_p95_ms"]
    verdict = "" if min(faster, sooner) >= TIMES_FASTER else f"  UNDER the {TIMES_FASTER} x promised"
    _say(f"  {faster:.1f} x the labels a second, {sooner:.1f} x shorter turns at the 95th percentile{verdict}")


def _say(line: str, *, end: str = "\n") -> None:
    sys.stdout.write(line + end)
    sys.stdout.flush()
