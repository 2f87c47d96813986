"""When the work of this room is done."""

from dataclasses import asdict
from typing import Any

from celery import shared_task

from labelling.models import Job, Scene
from labelling.services.bulk import TASK as BULK
from labelling.services.bulk import run_bulk
from labelling.services.composites import MAKE, work_on_composite
from labelling.services.decisions import check_if_due, run_check
from labelling.services.decisions.reckoning import TASK as CHECK
from labelling.services.jobs import JobHandle, reap_dead_jobs, resend_waiting_jobs, run_job
from labelling.services.quality import MEASURE, measure_scenes, order_measuring
from labelling.services.scenes import CONVERT, IMPORT, READ, convert_scene, work_on_import
from labelling.services.seeds.drafts import IMPORT_SEEDS, LOOK_AT_SEEDS, run_import, run_look
from labelling.services.snapshots import TASK as EXPORT
from labelling.services.snapshots import run_snapshot


@shared_task(name="labelling.tick")
def tick() -> None:
    """Every ten seconds: bury the dead, ring for the forgotten, have new scenes measured."""
    reap_dead_jobs()
    resend_waiting_jobs()
    order_measuring()


@shared_task(name=CONVERT)
def convert(job_id: str) -> None:
    """Write a scene's cloud-optimised copy."""
    run_job(job_id=job_id, work=_convert)


def _convert(job: Job, handle: JobHandle) -> dict[str, Any]:
    scene = Scene.objects.get(pk=job.params["scene"])
    return {"uri": convert_scene(scene=scene, handle=handle).uri}


@shared_task(name=MAKE)
def make_composite(job_id: str) -> None:
    """Put several scenes together."""
    run_job(job_id=job_id, work=lambda job, handle: work_on_composite(job=job, handle=handle))


@shared_task(name=MEASURE)
def measure(job_id: str) -> None:
    """Measure the scenes that are not measured yet."""
    run_job(job_id=job_id, work=lambda _, handle: asdict(measure_scenes(handle=handle)))


@shared_task(name=IMPORT)
def import_scenes(job_id: str) -> None:
    """List and read what an import asks for."""
    run_job(job_id=job_id, work=lambda job, handle: work_on_import(job=job, handle=handle))


@shared_task(name=READ)
def read_scenes(job_id: str) -> None:
    """Help an import to read."""
    run_job(job_id=job_id, work=lambda job, handle: work_on_import(job=job, handle=handle))


@shared_task(name=EXPORT)
def export(job_id: str) -> None:
    """Write a snapshot."""
    run_job(job_id=job_id, work=lambda job, handle: run_snapshot(job=job, handle=handle))


@shared_task(name=BULK)
def bulk(job_id: str) -> None:
    """Act on many sites, or take that back."""
    run_job(job_id=job_id, work=lambda job, handle: run_bulk(job=job, handle=handle))


@shared_task(name=LOOK_AT_SEEDS)
def look_at_seeds(job_id: str) -> None:
    """Work out what the import of a large file would do."""
    run_job(job_id=job_id, work=lambda job, handle: run_look(job=job, handle=handle))


@shared_task(name=IMPORT_SEEDS)
def import_seeds(job_id: str) -> None:
    """Import a large file."""
    run_job(job_id=job_id, work=lambda job, handle: run_import(job=job, handle=handle))


@shared_task(name="labelling.keep_checked")
def keep_checked() -> None:
    """Every few minutes: ask for the check of today, unless somebody has."""
    check_if_due()


@shared_task(name=CHECK)
def check(job_id: str) -> None:
    """Hold every site against its decisions."""
    run_job(job_id=job_id, work=lambda _job, handle: run_check(handle=handle))
