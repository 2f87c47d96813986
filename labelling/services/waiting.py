"""Wait for a job from a command line."""

import time
from collections.abc import Callable

from django.utils import timezone

from labelling.models import Job

POLL_S = 0.5
# A job that nobody has taken for so long means that nobody works on its queue.
LONELY_AFTER_S = 30.0


def wait_for_job(*, job: Job, tell: Callable[[str], None]) -> Job:
    """Wait until a job is over, and say what it does meanwhile.

    Args:
        job: the job, sent already.
        tell: hears one line whenever phase or progress has changed.

    Returns:
        The job as it ended, or as it stands where its worker is dead and nobody will start it again.
    """
    said = ""
    while True:
        job.refresh_from_db()
        line = _line(job)
        if line != said:
            tell(line)
            said = line
        if job.is_final or (job.is_silent and job.attempt >= job.max_attempts):
            return job
        time.sleep(POLL_S)


def _line(job: Job) -> str:
    if job.state == Job.State.QUEUED:
        lonely = (timezone.now() - job.created_at).total_seconds() > LONELY_AFTER_S
        start = f": start one with make run, or with celery -A mad_web worker -Q {job.queue} --pool solo"
        return "waiting for a worker" + (start if lonely else "")
    if job.state_shown != Job.State.RUNNING:
        return str(job.state_shown) + (f": {job.error}" if job.error else "")
    return f"{job.phase} {job.progress:.0%}"
