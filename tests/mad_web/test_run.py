"""``manage.py run`` as people use it: start, log-in page, Ctrl-C, nothing left, start again at once."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.mad_web.test_supervisor import until
from tests.stack import free_port

START_S = 120.0
IDLE_MB = 700


class Running:
    """One ``manage.py run`` on data of its own."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port
        self.began = time.monotonic()
        kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "CELERY_BROKER_URL"}}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "run", "--no-demo", "--port", str(port)],
            cwd=settings.BASE_DIR,
            env=kept | {"MAD_HOME": str(home), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def login_page(self) -> str:
        """Wait for the log-in page."""
        while time.monotonic() - self.began < START_S:
            if self.process.poll() is not None:
                pytest.fail(f"it ended at once: {self.process.communicate()[0]}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/login/", timeout=5) as answer:
                    return str(answer.read().decode())
            except OSError:  # not there yet, or not in time
                time.sleep(0.1)
        pytest.fail(f"no log-in page after {START_S} s")

    def end(self) -> str:
        """Press Ctrl-C and wait.

        Returns:
            All that it said.
        """
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=START_S)[0]

    def end_by_itself(self) -> str:
        """Wait for it to refuse.

        Returns:
            All that it said.
        """
        said = self.process.communicate(timeout=START_S)[0]
        assert self.process.returncode == 1
        return said

    def processes(self) -> dict[int, str]:
        """Every process that carries this home in its environment, itself included."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if f"MAD_HOME={self.home}".encode() in environment.split(b"\0") and command:
                found[int(folder.name)] = command
        return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def running(home: Path) -> Iterator[Running]:
    begun = Running(home, free_port())
    yield begun
    begun.end()


def proportional_mb(pid: int) -> float:
    """Memory of a process, shared pages counted in part; none of one that ended since it was listed."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    pytest.fail("smaps_rollup has no Pss line")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_day_of_the_embedded_default(running: Running) -> None:
    assert "password" in running.login_page().lower()
    first_start = time.monotonic() - running.began
    until(lambda: sum("celery" in command for command in running.processes().values()) >= 4, "both workers run")
    used = sum(proportional_mb(pid) for pid in running.processes())
    assert used < IDLE_MB, f"{used:.0f} MB"

    second = Running(running.home, free_port())
    assert "already runs on the data" in second.end_by_itself()

    said = running.end()
    assert "MAD Web is at http://127.0.0.1" in said
    assert said.rstrip().endswith("MAD Web has ended")
    assert running.processes() == {}

    # With the database in place; the least of three, as this machine may be at other work.
    assert any(starts_again_within(first_start, running) for _ in range(3)), "no start was quicker than the first"


def starts_again_within(limit_s: float, first: Running) -> bool:
    again = Running(first.home, first.port)
    try:
        again.login_page()
        return time.monotonic() - again.began < limit_s
    finally:
        again.end()
        assert again.processes() == {}


def test_a_taken_port_gets_one_clear_line(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = Running(home, port).end_by_itself()
    assert said.splitlines() == [
        f"CommandError: port {port} of 127.0.0.1 is taken by another program; choose another: make run PORT={port + 1}"
    ]
