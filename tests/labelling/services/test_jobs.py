from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.utils import timezone

from labelling.core.errors import NotAllowed
from labelling.models import Job
from labelling.services import jobs
from tests.cast import Cast
from tests.crowd import at_once

pytestmark = pytest.mark.django_db


def queued(**more: object) -> Job:
    return jobs.enqueue_job(kind="labelling.nothing", title="nothing", params={}, **more)  # type: ignore[arg-type]


def silence(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=settings.JOB_DEAD_AFTER_S + 1))


def test_a_job_is_claimed_once() -> None:
    job = queued()
    assert jobs.claim_job(job_id=job.pk) is not None
    assert jobs.claim_job(job_id=job.pk) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_who_look_for_news_at_once_one_orders_the_work(open_house: Cast) -> None:
    look = partial(jobs.enqueue_if_new, kind="labelling.nothing", title="nothing", mark={"labels": 1})
    assert sum(job is not None for job in at_once([look] * 8)) == 1
    assert Job.objects.count() == 1


def test_a_silent_job_reads_as_failed_even_where_no_reaper_runs() -> None:
    job = queued()
    jobs.claim_job(job_id=job.pk)
    silence(job)
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING
    assert job.state_shown == Job.State.FAILED


def test_the_reaper_fails_a_dead_job_and_says_what_to_do() -> None:
    job = queued()
    jobs.claim_job(job_id=job.pk)
    silence(job)
    assert jobs.reap_dead_jobs() == 1
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "start it again" in job.error


def test_a_zombie_changes_nothing_after_its_job_was_given_to_another() -> None:
    job = queued(max_attempts=2)
    zombie = jobs.claim_job(job_id=job.pk)
    assert zombie is not None
    silence(job)
    jobs.reap_dead_jobs()
    second = jobs.claim_job(job_id=job.pk)
    assert second is not None
    with pytest.raises(jobs.LostJob):
        jobs.beat_job(handle=zombie)
    with pytest.raises(jobs.LostJob):
        jobs.finish_job(handle=zombie, result={})
    jobs.fail_job(handle=zombie, error="late")
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING
    assert job.attempt == second.attempt == 2


def test_a_queued_job_is_cancelled_at_once_and_a_running_one_is_asked(cast: Cast) -> None:
    waiting, running = queued(user=cast.ada), queued(user=cast.ada)
    handle = jobs.claim_job(job_id=running.pk)
    assert handle is not None
    for job in (waiting, running):
        jobs.request_cancel(job=job, user=cast.ada)
    waiting.refresh_from_db()
    assert waiting.state == Job.State.CANCELLED
    assert jobs.beat_job(handle=handle) is True


def test_a_stranger_cannot_cancel(cast: Cast) -> None:
    job = queued(user=cast.ada)
    with pytest.raises(NotAllowed):
        jobs.request_cancel(job=job, user=cast.ana)


def test_run_job_ends_a_job_that_raises_as_failed_with_its_reason() -> None:
    job = queued()

    def work(row: Job, handle: jobs.JobHandle) -> dict[str, object]:
        raise ValueError("no imagery: import scenes first")

    jobs.run_job(job_id=job.pk, work=work)
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.FAILED, "no imagery: import scenes first")


def test_a_forgotten_job_is_rung_for_again() -> None:
    queued()
    assert jobs.resend_waiting_jobs() == 1
    assert jobs.resend_waiting_jobs() == 0
