"""When the work of this room is done."""

from celery import shared_task

from inference.services.runs import KIND, execute_run
from labelling.services.jobs import run_job


@shared_task(name=KIND)
def detect(job_id: str) -> None:
    run_job(job_id=job_id, work=lambda job, handle: execute_run(job=job, handle=handle))
