"""The supervisor with small programs of the test's own: real processes, real signals."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from mad_web import supervisor
from mad_web.supervisor import Plan, Program
from tests.waiting import wait_until

PATIENCE_S = 60.0
until = partial(wait_until, seconds=PATIENCE_S)
SLEEPER = "import time; time.sleep(300)"


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def python(code: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", code, *arguments)


@contextmanager
def supervised(logs: Path, *programs: Program) -> Iterator["subprocess.Popen[str]"]:
    plan = Plan(programs=programs, logs=str(logs))
    process = subprocess.Popen(
        [sys.executable, "-I", supervisor.__file__, plan.to_json()], stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def writes_pid(file: Path, then: str = SLEEPER, *, first: str = "pass") -> tuple[str, ...]:
    """A program that appends its process id to a file."""
    return python(f"{first}; import os, sys; open(sys.argv[1], 'a').write(f'{{os.getpid()}}\\n'); {then}", str(file))


def pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_program(tmp_path: Path, number: signal.Signals) -> None:
    ours = [tmp_path / "one", tmp_path / "two"]
    with supervised(tmp_path / "logs", *(Program(file.name, writes_pid(file)) for file in ours)) as process:
        until(lambda: all(pids(file) for file in ours), "both started")
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0
    assert not any(alive(pid) for file in ours for pid in pids(file))


def test_a_program_that_dies_is_started_again_and_said_so(tmp_path: Path) -> None:
    file = tmp_path / "phoenix"
    with supervised(tmp_path / "logs", Program("phoenix", writes_pid(file))) as process:
        until(lambda: len(pids(file)) == 1, "started")
        os.kill(pids(file)[0], signal.SIGKILL)
        until(lambda: len(pids(file)) == 2, "started again")
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=PATIENCE_S)
    assert "phoenix ended (SIGKILL) and starts again in 1 s" in said
    assert not any(alive(pid) for pid in pids(file))


def test_a_program_that_keeps_dying_is_started_ever_more_slowly(tmp_path: Path) -> None:
    file = tmp_path / "lemming"
    with supervised(tmp_path / "logs", Program("lemming", writes_pid(file, "sys.exit(3)"))) as process:
        until(lambda: len(pids(file)) == 3, "started three times")
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=PATIENCE_S)
    assert [f"(status 3) and starts again in {wait} s" in said for wait in (1, 2)] == [True, True]


def test_a_grandchild_in_a_session_of_its_own_dies_too(tmp_path: Path) -> None:
    file = tmp_path / "grandchild"
    code = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"
    orphaned = python(code, *writes_pid(file))
    with supervised(tmp_path / "logs", Program("parent", orphaned)) as process:
        until(lambda: bool(pids(file)), "the grandchild started")
        assert alive(pids(file)[0])
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
    assert not any(alive(pid) for pid in pids(file))


def test_a_program_that_will_not_hear_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "deaf"
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    with supervised(tmp_path / "logs", Program("deaf", writes_pid(file, first=deaf))) as process:
        until(lambda: bool(pids(file)), "started")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    assert time.monotonic() - began >= supervisor.GRACE_S
    assert not alive(pids(file)[0])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_programs_die_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    file = tmp_path / "child"
    with supervised(tmp_path / "logs", Program("child", writes_pid(file))) as process:
        until(lambda: bool(pids(file)), "started")
        process.kill()
        process.wait(PATIENCE_S)
        until(lambda: not alive(pids(file)[0]), "ended with its supervisor")


def test_what_a_program_prints_goes_to_its_log_and_a_long_log_is_put_aside(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "speaker.log").write_bytes(b"x" * (supervisor.LARGEST_LOG + 1))
    with supervised(logs, Program("speaker", python(f"print('good day', flush=True); {SLEEPER}"))):
        until(lambda: "good day" in (logs / "speaker.log").read_text(), "the line in the log")
    assert (logs / "speaker.log").stat().st_size < 100
    assert (logs / "speaker.log.1").stat().st_size > supervisor.LARGEST_LOG


def test_a_plan_survives_its_journey_through_the_command_line() -> None:
    plan = Plan(programs=(Program("web", ("python", "-m", "x y")),), logs="/logs", host="::1", port=8000)
    assert Plan.from_json(plan.to_json()) == plan
    assert json.loads(plan.to_json())["programs"][0]["name"] == "web"
