"""When the work of this room is done."""

from celery import shared_task

from labelling.services.jobs import reap_dead_jobs, resend_waiting_jobs


@shared_task(name="labelling.tick")
def tick() -> None:
    """Every ten seconds: bury the dead, ring for the forgotten."""
    reap_dead_jobs()
    resend_waiting_jobs()
