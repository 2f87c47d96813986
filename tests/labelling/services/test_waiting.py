from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from labelling.models import Job
from labelling.services import jobs, waiting

pytestmark = pytest.mark.django_db
SLEEP = "labelling.services.waiting.time.sleep"


@pytest.fixture
def job() -> Job:
    return jobs.enqueue_job(kind="labelling.nothing", title="nothing", params={}, queue="gpu")


def test_each_change_is_told_once_until_the_end(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    running = {"state": Job.State.RUNNING, "phase": "cutting chips", "progress": 0.5, "heartbeat_at": timezone.now()}
    steps: list[dict[str, Any]] = [running, {"heartbeat_at": timezone.now()}, {"state": Job.State.DONE}]
    monkeypatch.setattr(SLEEP, lambda _: Job.objects.filter(pk=job.pk).update(**steps.pop(0)))
    told: list[str] = []
    assert waiting.wait_for_job(job=job, tell=told.append).state == Job.State.DONE
    assert told == ["waiting for a worker", "cutting chips 50%", "done"]


def test_a_dead_worker_ends_the_waiting(job: Job) -> None:
    long_ago = timezone.now() - timedelta(seconds=settings.JOB_DEAD_AFTER_S + 1)
    Job.objects.update(state=Job.State.RUNNING, attempt=1, heartbeat_at=long_ago)
    told: list[str] = []
    assert waiting.wait_for_job(job=job, tell=told.append).state_shown == Job.State.FAILED
    assert told == ["failed"]


def test_who_waits_long_is_asked_whether_a_worker_runs(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    monkeypatch.setattr(SLEEP, lambda _: Job.objects.update(state=Job.State.FAILED, error="no disk"))
    told: list[str] = []
    waiting.wait_for_job(job=job, tell=told.append)
    assert told[0].startswith("waiting for a worker: ")
    assert told[1:] == ["failed: no disk"]
