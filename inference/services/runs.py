"""Detection runs: written as rows, cut into shards, done by a worker, taken up again where they stopped."""

from collections.abc import Sequence
from contextlib import closing
from itertools import groupby
from typing import Any

from django.contrib.auth.models import User
from django.contrib.gis.geos import MultiPolygon
from django.db import transaction

from inference.core.errors import InferenceError, NothingToDetect
from inference.core.sweep import SweepSettings, SweepTarget
from inference.models import DetectionRun, ModelVersion, Shard
from inference.services.dispatch import routes_of
from inference.services.shards import fail_shard, publish_shard
from inference.services.sweeps import sweep
from labelling.models import Job, Scene
from labelling.models.spatial import to_shapely
from labelling.services.jobs import JobHandle, LostJob, enqueue_job

KIND = "inference.detect"
ATTEMPTS = 3
"""A run whose worker died is taken up again by itself, so often in all."""
BY_HAND = "chosen for this run"
State = Shard.State


def create_run(
    *,
    user: User | None,
    scenes: Sequence[Scene],
    model: ModelVersion | None = None,
    aoi: MultiPolygon | None = None,
    settings: SweepSettings | None = None,
    name: str = "",
) -> DetectionRun:
    """Write a run, its shards and its job.

    Args:
        user: who asked for it.
        scenes: where to look.
        model: what to look with; None for what the dispatch table says for each scene.
        aoi: only boxes that touch this are proposed, EPSG:4326.
        settings: least score, overlap, batch and merging.
        name: what people call it; made up where empty.

    Raises:
        NothingToDetect: no scene, or none with the bands that its model needs.
        InferenceError: no model is named and none serves.
    """
    if not scenes:
        msg = "no scenes to look at: import some, or choose others"
        raise NothingToDetect(msg)
    routes = [[(model, BY_HAND)]] * len(scenes) if model else routes_of(scenes)
    wanted = [(scene, chosen, route) for scene, pairs in zip(scenes, routes, strict=True) for chosen, route in pairs]
    fit = [row for row in wanted if set(row[1].bands) <= set(row[0].bands)]
    if not fit:
        bands = ", ".join(model.bands) if model else "that the serving models need"
        msg = f"none of {len(scenes)} scenes has the bands {bands}"
        raise NothingToDetect(msg)
    title = name or f"{model.name if model else 'dispatch'} over {_plural(len({row[0].pk for row in fit}), 'scene')}"
    with transaction.atomic():
        run = DetectionRun.objects.create(
            name=title[:120],
            model=model,
            aoi=aoi,
            settings=(settings or SweepSettings()).to_json(),
            job=_enqueue(title, user),
            counts={"left_out": len(wanted) - len(fit)},
        )
        Shard.objects.bulk_create(
            Shard(run=run, scene=scene, model=chosen, route=route) for scene, chosen, route in fit
        )
    return run


def resume_run(*, run: DetectionRun, user: User | None) -> Job:
    """Take up a run that failed or was cancelled: shards that are done stay done.

    Raises:
        InferenceError: it still runs, or all of it is done.
    """
    with transaction.atomic():
        run = DetectionRun.objects.select_for_update(of=("self",)).select_related("job").get(pk=run.pk)
        if not run.job.is_final:
            msg = f"{run.name} still runs: cancel it first, or wait"
            raise InferenceError(msg)
        if not run.shards.exclude(state=State.DONE).update(state=State.QUEUED, error=""):
            msg = f"all of {run.name} is done"
            raise InferenceError(msg)
        run.job = _enqueue(run.name, user)
        run.save(update_fields=["job"])
    return run.job


def execute_run(*, job: Job, handle: JobHandle) -> dict[str, Any]:
    """Look at each shard that is not done yet, and publish what is found shard by shard.

    Returns:
        The run's counts, and how many shards failed.

    Raises:
        InferenceError: every shard failed.
        ChildFailed: the child process ended; what it had found before is published.
        JobCancelled: somebody asked to cancel; likewise.
        LostJob: the job was given to another worker.
    """
    run = DetectionRun.objects.get(job=job)
    run.shards.filter(state=State.RUNNING).update(state=State.QUEUED)
    waiting = list(
        run.shards.filter(state=State.QUEUED).select_related("scene", "model__source", "run").order_by("model", "id")
    )
    done = 0
    try:
        for _, group in groupby(waiting, key=lambda shard: shard.model_id):
            shards = list(group)
            _sweep_shards(run, shards, handle, done=done, total=len(waiting))
            done += len(shards)
    except LostJob:
        raise  # the shards are another worker's now
    except Exception:
        run.shards.filter(state=State.RUNNING).update(state=State.QUEUED)
        raise
    return _outcome(run)


def _sweep_shards(run: DetectionRun, shards: Sequence[Shard], handle: JobHandle, *, done: int, total: int) -> None:
    area = None if run.aoi is None else to_shapely(run.aoi)
    by_key = {str(shard.pk): shard for shard in shards}
    targets = [SweepTarget(key, shard.scene.ref(), area) for key, shard in by_key.items()]
    upcoming = iter(shards[1:])
    _begin(shards[0])
    results = sweep(
        model=shards[0].model,
        targets=targets,
        settings=SweepSettings(**run.settings),
        handle=handle,
        strict=False,
        done=done,
        total=total,
    )
    with closing(results):
        for result in results:
            if result.error:
                fail_shard(shard=by_key[result.key], error=result.error, handle=handle)
            else:
                publish_shard(shard=by_key[result.key], result=result, handle=handle)
            _begin(next(upcoming, None))


def _begin(shard: Shard | None) -> None:
    if shard is not None:
        Shard.objects.filter(pk=shard.pk, state=State.QUEUED).update(state=State.RUNNING)


def _outcome(run: DetectionRun) -> dict[str, Any]:
    run.refresh_from_db()
    failed = run.shards.filter(state=State.FAILED)
    reason = failed.values_list("error", flat=True).first()
    if reason is not None and not run.shards.filter(state=State.DONE).exists():
        msg = f"no scene could be read; the first: {reason}"
        raise InferenceError(msg)
    return {**run.counts, "failed": failed.count()}


def _enqueue(title: str, user: User | None) -> Job:
    return enqueue_job(kind=KIND, title=title[:200], params={}, queue="gpu", user=user, max_attempts=ATTEMPTS)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
