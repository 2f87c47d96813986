"""Imports of scenes by workers: one job lists and reads, and others help it to read."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from labelling.core.errors import Conflict
from labelling.core.intake import ImportOrder
from labelling.models import Job, SceneImport
from labelling.services.jobs import JobHandle, enqueue_job
from labelling.services.scenes.importing import list_items, open_import, read_items, run_import
from labelling.services.scenes.listing import Source

IMPORT = "labelling.import_scenes"
READ = "labelling.read_scenes"
ATTEMPTS = 3
HELP_FROM = 2000
"""From so many scenes on others are asked to help, one for each so many."""
MOST_HELPERS = 7


def order_import(*, sources: Sequence[Source], order: ImportOrder, user: User) -> SceneImport:
    """Ask the workers for an import.

    Args:
        sources: see ``listing.Source``.
        order: what is wanted of every scene.
        user: who asks.
    """
    with transaction.atomic():
        scene_import = open_import(sources=sources, order=order)
        scene_import.created_by = user
        return _enqueue(scene_import, user)


def resume_import(*, scene_import: SceneImport, user: User) -> SceneImport:
    """Take up an import that failed, was cancelled, or was begun by a command.

    Raises:
        Conflict: it still runs, or all of it is settled.
    """
    with transaction.atomic():
        found = SceneImport.objects.select_for_update(of=("self",)).select_related("job").get(pk=scene_import.pk)
        if found.finished_at:
            msg = "all of this import is settled"
            raise Conflict(msg)
        if found.job and not found.job.is_final:
            msg = "this import still runs: cancel it first, or wait"
            raise Conflict(msg)
        return _enqueue(found, user)


def _enqueue(scene_import: SceneImport, user: User) -> SceneImport:
    title = f"Import of {scene_import.title}"[:200]
    scene_import.job = enqueue_job(kind=IMPORT, title=title, params={}, user=user, max_attempts=ATTEMPTS)
    scene_import.save()
    return scene_import


def work_on_import(*, job: Job, handle: JobHandle) -> dict[str, Any]:
    """Do an import's job, or help with one.

    Returns:
        How many items are in each state.

    Raises:
        JobCancelled: somebody asked to cancel; what was read is kept.
        LostJob: the job is another worker's.
    """
    if job.kind == READ:
        helped = SceneImport.objects.select_related("job").get(pk=job.params["import"])
        if helped.job and not helped.job.is_final:
            read_items(scene_import=helped, reader=job.pk, handle=handle, processes=1, is_helping=True)
        return helped.counts()
    scene_import = SceneImport.objects.get(job=job)
    if not scene_import.is_listed:
        list_items(scene_import=scene_import, handle=handle)
    if job.attempt == 1:
        _call_for_help(scene_import, job)
    run_import(scene_import=scene_import, reader=job.pk, handle=handle, processes=1)
    return scene_import.counts()


def _call_for_help(scene_import: SceneImport, job: Job) -> None:
    waiting = scene_import.items.waiting().count()
    for number in range(min(waiting // HELP_FROM, MOST_HELPERS)):
        title = f"{job.title[:180]}, helper {number + 1}"
        enqueue_job(kind=READ, title=title, params={"import": scene_import.pk}, user=job.created_by)
