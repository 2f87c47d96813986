"""A real training in a real worker: it can be stopped, and a dead worker is found out."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings

from tests.training.ground import SMALL
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
DEAD_AFTER_S = 15
pytestmark = [pytest.mark.worker, pytest.mark.slow]


class House:
    """An installation of its own: database file, queue, and one worker for trainings."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {
            name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "CELERY_BROKER_URL")
        } | {"MAD_HOME": str(home), "JOB_DEAD_AFTER_S": str(DEAD_AFTER_S)}
        self.worker: subprocess.Popen[bytes] | None = None

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def act(self, *words: str) -> str:
        return self.run("-m", "tests.fault.actor", *words)

    def start_worker(self) -> None:
        words = ["-m", "celery", "-A", "mad_web", "worker", "-Q", "gpu", "--pool", "solo", "-l", "WARNING"]
        with (self.home / "worker.log").open("wb") as log:
            self.worker = subprocess.Popen([sys.executable, *words], cwd=ROOT, env=self.environment, stderr=log)

    def row(self, job_id: str) -> dict[str, object]:
        names = ("state", "phase", "attempt", "error")
        with closing(sqlite3.connect(f"file:{self.home / 'mad.sqlite3'}?mode=ro", uri=True, timeout=20)) as database:
            found = database.execute(
                f"SELECT {', '.join(names)} FROM labelling_job WHERE id = ?", [job_id.replace("-", "")]
            )
            return dict(zip(names, found.fetchone(), strict=True))

    def count(self, table: str) -> int:
        with closing(sqlite3.connect(f"file:{self.home / 'mad.sqlite3'}?mode=ro", uri=True, timeout=20)) as database:
            return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def children_of(pid: int) -> list[int]:
    """Processes that a process has started and that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        state, parent = rest.split()[:2]
        if int(parent) == pid and state != "Z":
            found.append(int(stat.parent.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def house(tmp_path: Path, blank_database: Path) -> Iterator[House]:
    house = House(tmp_path / "home")
    house.home.mkdir()
    shutil.copyfile(blank_database, house.home / "mad.sqlite3")
    house.act("settle", "3")
    house.start_worker()
    yield house
    if house.worker is not None:
        for pid in [*children_of(house.worker.pid), house.worker.pid]:
            os.kill(pid, signal.SIGKILL)
        house.worker.wait()


def training(house: House) -> tuple[str, int]:
    """A training that would run for long, with its first epoch begun: its job and its child process."""
    recipe = house.home / "long.json"
    recipe.write_text(json.dumps({"preset": "quick"} | SMALL.to_json() | {"epochs": 500, "patience": 500}))
    job_id = house.run("manage.py", "train", "--recipe", str(recipe)).rsplit(maxsplit=1)[1]
    assert house.worker is not None
    wait_until(lambda: str(house.row(job_id)["phase"]).startswith("train, epoch"), "the first epoch has begun", 300)
    (child,) = children_of(house.worker.pid)
    return job_id, child


def test_cancel_stops_the_child_and_leaves_nothing(house: House) -> None:
    job_id, child = training(house)
    house.act("cancel", job_id)
    wait_until(lambda: not is_alive(child) and house.row(job_id)["state"] == "cancelled", "cancelled")
    assert house.count("inference_modelversion") == 0
    assert not list((house.home / "work" / "training").iterdir())
    assert house.worker is not None
    assert house.worker.poll() is None, "the worker itself goes on"


def test_a_worker_killed_at_once_takes_its_child_along_and_the_job_reads_as_failed(house: House) -> None:
    job_id, child = training(house)
    assert house.worker is not None
    house.worker.kill()
    house.worker.wait()
    wait_until(lambda: not is_alive(child), "the child is gone")
    assert house.row(job_id)["state"] == "running", "nobody was left to write it"
    time.sleep(DEAD_AFTER_S)
    assert house.act("shown", job_id) == "failed"
    assert settings.JOB_DEAD_AFTER_S <= 60
    assert house.count("inference_modelversion") == 0
    house.start_worker()
    house.run("manage.py", "shell", "-v0", "-c", "from labelling.services.jobs import reap_dead_jobs as r; r()")
    row = house.row(job_id)
    assert row["state"] == "failed"
    assert "start it again" in str(row["error"])
