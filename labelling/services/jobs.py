"""The one queue: write a row, send a doorbell, claim it, keep it alive, end it, and bury the dead."""

import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from labelling.core.errors import LabellingError, NotAllowed
from labelling.models import Job
from labelling.models.turns import take_turn

logger = logging.getLogger(__name__)
State = Job.State
RESEND_AFTER = timedelta(seconds=30)


class LostJob(LabellingError):
    """Another worker, or a cancel, has taken the job: stop working on it."""


@dataclass(frozen=True)
class JobHandle:
    """What a worker holds of a job: its id and the attempt (fencing number) that every write carries."""

    id: UUID
    attempt: int


def log_of(job: Job | JobHandle) -> Path:
    """The file that a job's child processes write to; it may not be there yet."""
    return settings.LOG_ROOT / "jobs" / f"{job.id}.log"


def enqueue_job(
    *,
    kind: str,
    title: str,
    params: dict[str, Any],
    queue: str = "cpu",
    user: User | None = None,
    max_attempts: int = 1,
) -> Job:
    """Write a job's row and ring for a worker after the commit.

    Args:
        kind: name of the Celery task that does the work, such as ``training.train``.
        title: what a person reads in lists.
        params: JSON for the task.
        queue: ``cpu`` or ``gpu``.
        user: who asked for it.
        max_attempts: how often it may be started, counting restarts after a dead worker.
    """
    job = Job.objects.create(
        kind=kind, title=title, params=params, queue=queue, created_by=user, max_attempts=max_attempts
    )
    transaction.on_commit(lambda: send_job(job=job))
    return job


@transaction.atomic
def enqueue_if_new(*, kind: str, title: str, mark: dict[str, Any]) -> Job | None:
    """Enqueue work that is worth doing again only when something has changed.

    The work keeps the mark under ``mark`` in its result.

    Args:
        kind: name of the Celery task.
        title: what a person reads in lists.
        mark: all that the work depends on, in a few figures.

    Returns:
        The job, or None where nothing has changed since the last, or it is being done.
    """
    take_turn(kind)
    jobs = Job.objects.filter(kind=kind)
    if jobs.exclude(state__in=Job.FINAL).exists():
        return None
    last = jobs.filter(state=State.DONE).order_by("-created_at").first()
    if last is not None and last.result.get("mark") == mark:
        return None
    return enqueue_job(kind=kind, title=title, params={})


def send_job(*, job: Job) -> None:
    """Ring for a worker. A lost bell is rung again by the tick, so a broker that is down loses nothing."""
    try:
        current_app.send_task(job.kind, args=[str(job.pk)], queue=job.queue, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("no message for job %s (%s); the tick will send it again", job.pk, error)
        return
    Job.objects.filter(pk=job.pk).update(sent_at=timezone.now())


def claim_job(*, job_id: UUID | str) -> JobHandle | None:
    """Take a queued job for this process by one conditional update.

    Returns:
        The handle, or None where another worker was first or the job is over.
    """
    now = timezone.now()
    taken = Job.objects.filter(pk=job_id, state=State.QUEUED, cancel_requested=False).update(
        state=State.RUNNING,
        attempt=F("attempt") + 1,
        heartbeat_at=now,
        started_at=now,
        worker=f"{socket.gethostname()}:{os.getpid()}",
        phase="starting",
        progress=0.0,
        error="",
    )
    if not taken:
        return None
    return JobHandle(id=UUID(str(job_id)), attempt=Job.objects.values_list("attempt", flat=True).get(pk=job_id))


def _held(handle: JobHandle) -> Any:
    return Job.objects.filter(pk=handle.id, attempt=handle.attempt, state=State.RUNNING)


def beat_job(*, handle: JobHandle, phase: str | None = None, progress: float | None = None) -> bool:
    """Say that the work goes on, and what it does now.

    Returns:
        True where somebody asked to cancel it.

    Raises:
        LostJob: the job is no longer this worker's.
    """
    news: dict[str, Any] = {"heartbeat_at": timezone.now()}
    if phase is not None:
        news["phase"] = phase[:80]
    if progress is not None:
        news["progress"] = min(max(progress, 0.0), 1.0)
    if not _held(handle).update(**news):
        msg = f"job {handle.id} is no longer held by attempt {handle.attempt}"
        raise LostJob(msg)
    return bool(Job.objects.values_list("cancel_requested", flat=True).get(pk=handle.id))


def finish_job(*, handle: JobHandle, result: dict[str, Any]) -> None:
    """Mark the work as done; inside a transaction that publishes its results, so that both stand or fall.

    Raises:
        LostJob: the job is no longer this worker's; roll back what you were about to publish.
    """
    now = timezone.now()
    if not _held(handle).update(
        state=State.DONE, progress=1.0, phase="done", result=result, finished_at=now, heartbeat_at=now
    ):
        msg = f"job {handle.id} is no longer held by attempt {handle.attempt}"
        raise LostJob(msg)


def fail_job(*, handle: JobHandle, error: str) -> None:
    """Mark the work as failed, with what happened and what to change; nothing where it is no longer ours."""
    _held(handle).update(state=State.FAILED, error=error, finished_at=timezone.now())


def cancel_held_job(*, handle: JobHandle) -> None:
    """The worker's answer to a request to cancel: the work has stopped."""
    _held(handle).update(state=State.CANCELLED, phase="cancelled", finished_at=timezone.now())


def request_cancel(*, job: Job, user: Any) -> None:
    """Ask a job to stop; one that has not begun stops at once.

    Raises:
        NotAllowed: the user neither started it nor may change jobs.
    """
    if job.created_by_id != user.pk and not user.has_perm("labelling.change_job"):
        msg = "only who started a job, or an admin, can cancel it"
        raise NotAllowed(msg)
    if Job.objects.filter(pk=job.pk, state=State.QUEUED).update(
        state=State.CANCELLED, cancel_requested=True, finished_at=timezone.now()
    ):
        return
    Job.objects.filter(pk=job.pk, state=State.RUNNING).update(cancel_requested=True)


def reap_dead_jobs() -> int:
    """End, or queue again, each running job whose worker has been silent for too long.

    Returns:
        How many were found dead.
    """
    dead = Q(state=State.RUNNING, heartbeat_at__lt=timezone.now() - timedelta(seconds=settings.JOB_DEAD_AFTER_S))
    told = f"its worker said nothing for {settings.JOB_DEAD_AFTER_S} s and is taken for dead"
    cancelled = Job.objects.filter(dead, cancel_requested=True).update(
        state=State.CANCELLED, finished_at=timezone.now()
    )
    again = Job.objects.filter(dead, attempt__lt=F("max_attempts")).update(
        state=State.QUEUED, phase="waiting to start again", error=told, sent_at=None
    )
    over = Job.objects.filter(dead).update(
        state=State.FAILED, finished_at=timezone.now(), error=f"{told}; start it again"
    )
    return cancelled + again + over


def resend_waiting_jobs() -> int:
    """Ring again for queued jobs whose bell was lost.

    Returns:
        How many were rung for.
    """
    stale = timezone.now() - RESEND_AFTER
    waiting = list(Job.objects.filter(state=State.QUEUED).filter(Q(sent_at__isnull=True) | Q(sent_at__lt=stale)))
    for job in waiting:
        send_job(job=job)
    return len(waiting)


def run_job(*, job_id: UUID | str, work: Callable[[Job, JobHandle], dict[str, Any]]) -> None:
    """Claim a job and do its work, so that it ends as done, failed or cancelled whatever happens.

    Args:
        job_id: the job.
        work: takes the row and the handle and returns the result; publishes through ``finish_job`` itself
            where result and publication must stand or fall together (then it returns what it published).
    """
    handle = claim_job(job_id=job_id)
    if handle is None:
        return
    job = Job.objects.get(pk=job_id)
    try:
        result = work(job, handle)
        if Job.objects.filter(pk=handle.id, state=State.RUNNING).exists():
            finish_job(handle=handle, result=result)
    except JobCancelled:
        cancel_held_job(handle=handle)
    except LostJob as error:
        logger.warning("%s", error)
    except Exception as error:
        logger.exception("job %s failed", handle.id)
        fail_job(handle=handle, error=str(error) or type(error).__name__)


class JobCancelled(LabellingError):
    """Raised by the work when ``beat_job`` says that somebody asked to cancel."""
