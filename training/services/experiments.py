"""Experiments: start one, run it in a worker, publish its model."""

import re
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from inference.core.model_version import ModelSpec, free_name
from inference.models import ModelVersion
from inference.services.registry import register_model
from labelling.models import Job, Region, Scene
from labelling.services.children import run_child
from labelling.services.jobs import JobHandle, beat_job, enqueue_job, finish_job, log_of
from training.core.dataset_files import read_manifest, scenes_of
from training.core.errors import BadRecipe, TrainingFailed
from training.core.plan import Plan
from training.core.recipe import Recipe, TrainSettings
from training.models import Dataset, EpochLog, Experiment
from training.services.costs import estimate_cost, megapixels
from training.services.datasets import build_dataset

TASK = "training.train"
ENGINE = "training.engines.yolo"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")


def start_experiment(*, plan: Plan, name: str, user: User | None = None) -> Experiment:
    """Write an experiment and its job; a worker of the ``gpu`` queue takes it from there.

    Args:
        plan: recipe and settings.
        name: such as ``baseline``; it gets a number of its own.
        user: who asked for it.

    Raises:
        BadRecipe: a name that cannot be used, or the recipe names something that does not exist.
        TooFewLabels: there is nothing to train on; says what to do.
        NoRoom: the disk is too full.
    """
    if not _NAME.fullmatch(name):
        msg = f"the name {name!r} cannot be used: take small letters, digits, dots and dashes, such as cobalt-miombo"
        raise BadRecipe(msg)
    estimate_cost(plan=plan)
    _architecture(plan.settings)
    with transaction.atomic():
        taken = set(Experiment.objects.values_list("name", flat=True)) | set(
            ModelVersion.objects.values_list("name", flat=True)
        )
        free = free_name(name, taken)
        job = enqueue_job(kind=TASK, title=f"Train {free}", params={}, queue="gpu", user=user)
        return Experiment.objects.create(
            name=free,
            recipe=plan.recipe.to_json(),
            recipe_hash=plan.recipe.hash,
            settings=plan.settings.to_json(),
            seed=plan.settings.seed,
            job=job,
        )


def plan_of(experiment: Experiment) -> Plan:
    """The recipe and the settings of an experiment."""
    return Plan(Recipe.from_json(experiment.recipe), TrainSettings.from_json(experiment.settings))


def run_experiment(*, job: Job, handle: JobHandle) -> dict[str, Any]:
    """Build the dataset, train in a child process, and publish the model and the end of the job together.

    Epochs are written as they come, under the attempt that made them; a worker that has lost the job writes nothing
    more, and publishes nothing.

    Args:
        job: its row.
        handle: the attempt that this worker holds.

    Returns:
        What stands in the job's result: model, epochs, seconds, device, metrics of the best weights on the
        validation chips.

    Raises:
        JobCancelled: somebody asked to stop; the child is dead.
        LostJob: another worker has the job; the child is dead.
        TrainingFailed: the child ended without weights.
    """
    experiment = Experiment.objects.get(job=job)
    plan = plan_of(experiment)
    _clear_away()
    work = _work_root() / f"{job.pk}.{handle.attempt}"
    work.mkdir(parents=True)
    try:
        beat_job(handle=handle, phase="export", progress=0.0)
        dataset = build_dataset(recipe=plan.recipe, handle=handle)
        beat_job(handle=handle, phase="load", progress=0.0)
        Experiment.objects.filter(pk=experiment.pk).update(dataset=dataset)
        done = _train(experiment, plan, dataset, handle, work)
        return _publish(experiment, plan, dataset, handle, done)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _clear_away() -> None:
    """Remove the work folders of trainings that were killed."""
    folders = {folder: folder.name.partition(".")[0] for folder in _work_root().glob("*.*")}
    alive = Job.objects.filter(pk__in=folders.values()).exclude(state__in=Job.FINAL).values_list("pk", flat=True)
    for folder, job_id in folders.items():
        if job_id not in {str(key) for key in alive}:
            shutil.rmtree(folder, ignore_errors=True)


def _work_root() -> Path:
    return Path(settings.WORK_ROOT / "training")


def _architecture(chosen: TrainSettings) -> str:
    """A network that ultralytics describes by its name, or the path of weights that an admin put in place."""
    if chosen.architecture.endswith(".yaml"):
        return chosen.architecture
    path = Path(settings.WEIGHTS_ROOT / chosen.architecture)
    if not path.is_file():
        msg = (
            f"no weights {chosen.architecture} in {settings.WEIGHTS_ROOT}: put the file there, or begin from scratch "
            f"with {Path(chosen.architecture).stem}.yaml"
        )
        raise BadRecipe(msg)
    return str(path)


def _train(experiment: Experiment, plan: Plan, dataset: Dataset, handle: JobHandle, work: Path) -> dict[str, Any]:
    done: dict[str, Any] = {}

    def listen(event: dict[str, Any]) -> None:
        if event["event"] == "epoch":
            _log_epoch(experiment, handle, int(event["epoch"]), event["metrics"])
        elif event["event"] == "done":
            done.update(event)

    spec = plan.settings.to_json() | {
        "architecture": _architecture(plan.settings),
        "dataset": str(dataset.folder),
        "work": str(work),
        "task": plan.recipe.geometry,
        "imgsz": plan.recipe.chip_px,
    }
    run_child(handle=handle, module=ENGINE, spec=spec, log=log_of(experiment.job), on_event=listen)
    if not done or not Path(done["weights"]).resolve().is_relative_to(work.resolve()):
        msg = "the training ended without weights; see its log"
        raise TrainingFailed(msg)
    return done


@transaction.atomic
def _log_epoch(experiment: Experiment, handle: JobHandle, epoch: int, metrics: dict[str, float]) -> None:
    beat_job(handle=handle)  # raises where the job is another worker's: the epoch is not written then
    EpochLog.objects.create(experiment=experiment, attempt=handle.attempt, epoch=epoch, metrics=metrics)


def _publish(
    experiment: Experiment, plan: Plan, dataset: Dataset, handle: JobHandle, done: dict[str, Any]
) -> dict[str, Any]:
    heading, rows = read_manifest(dataset.folder)
    scenes = Scene.objects.filter(pk__in={number for row in rows for number in scenes_of(row)})
    spec = ModelSpec(
        architecture=Path(plan.settings.architecture).stem,
        axis=plan.recipe.axis,
        types=tuple(heading["types"]),
        preparation=plan.recipe.preparation(),
        task=plan.recipe.geometry,
    )
    result = {
        **{name: done[name] for name in ("epochs", "seconds", "device", "metrics")},
        "chips": len(rows),
        "megapixels": round(len(rows) * megapixels(plan) * done["epochs"], 3),
    }
    with transaction.atomic():
        model = register_model(
            name=experiment.name,
            weights=Path(done["weights"]),
            spec=spec,
            recipe_hash=experiment.recipe_hash,
            regions=list(Region.objects.filter(eco_id__in=plan.recipe.regions)),
            synthetic=not scenes.filter(synthetic=False).exists(),
        )
        Experiment.objects.filter(pk=experiment.pk).update(model_version=model)
        result["model"] = model.name
        finish_job(handle=handle, result=result)
    return result
