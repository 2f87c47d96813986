import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from labelling.models import Job
from labelling.services import jobs
from labelling.services.children import ChildFailed, run_child

MODULE = "tests.labelling.services.child_for_tests"
pytestmark = pytest.mark.django_db(transaction=True)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def dies_within(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not is_alive(pid):
            return True
        time.sleep(0.1)
    return False


def held_job() -> tuple[Job, jobs.JobHandle]:
    job = jobs.enqueue_job(kind="labelling.nothing", title="nothing", params={})
    handle = jobs.claim_job(job_id=job.pk)
    assert handle is not None
    return job, handle


def run(handle: jobs.JobHandle | None, spec: dict[str, Any], log: Path) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    run_child(handle=handle, module=MODULE, spec=spec, log=log, on_event=events.append)
    return events


def test_events_come_back_and_chatter_goes_to_the_log(tmp_path: Path) -> None:
    job, handle = held_job()
    events = run(handle, {"echo": "hello"}, tmp_path / "log")
    assert events == [{"event": "echo", "value": "hello", "secret": "none"}]
    assert "a library's chatter" in (tmp_path / "log").read_text()
    job.refresh_from_db()
    assert (job.phase, job.progress) == ("counting", 0.5)


def test_a_child_is_told_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "very secret")
    assert run(None, {"echo": 1}, tmp_path / "log")[0]["secret"] == "none"


def test_an_expected_error_is_told_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match="the weights are torn"):
        run(None, {"fail": "the weights are torn"}, tmp_path / "log")


def test_a_crash_names_its_last_line_and_the_log(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match=r"status 1: RuntimeError: boom; see its log"):
        run(None, {"crash": "boom"}, tmp_path / "log")


def test_cancel_stops_the_child_and_what_it_started(tmp_path: Path) -> None:
    job, handle = held_job()
    pids: dict[str, int] = {}

    def listen(event: dict[str, Any]) -> None:
        pids.update(child=event["child"], grandchild=event["grandchild"])
        Job.objects.filter(pk=job.pk).update(cancel_requested=True)

    asked = time.monotonic()
    with pytest.raises(jobs.JobCancelled):
        run_child(handle=handle, module=MODULE, spec={"sleep": 600}, log=tmp_path / "log", on_event=listen)
    assert time.monotonic() - asked < 30  # start-up of Python counted in
    assert dies_within(pids["child"], 20)
    assert dies_within(pids["grandchild"], 20)


def test_a_job_that_was_given_away_stops_its_child(tmp_path: Path) -> None:
    job, handle = held_job()

    def listen(_event: dict[str, Any]) -> None:
        Job.objects.filter(pk=job.pk).update(attempt=7)

    with pytest.raises(jobs.LostJob):
        run_child(handle=handle, module=MODULE, spec={"sleep": 600}, log=tmp_path / "log", on_event=listen)


def test_a_child_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = f"""
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "{MODULE}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         start_new_session=True)
child.stdin.write(b'{{"sleep": 600}}'); child.stdin.close()
child.stdout.readline()
sys.stdout.write(child.stdout.readline().decode()); sys.stdout.flush()
os.kill(os.getpid(), 9)
"""
    parent = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    pids = json.loads(parent.stdout)
    assert dies_within(pids["child"], 20)
    assert dies_within(pids["grandchild"], 20)
