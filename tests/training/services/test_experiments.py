import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from inference.models import ModelVersion
from inference.services.registry import weights_of
from labelling.models import Job, Source
from labelling.services import jobs
from tests.cast import Cast
from tests.training.ground import SMALL, pit_country
from training.core.errors import BadRecipe, TooFewLabels
from training.models import Dataset, EpochLog, Experiment
from training.services import experiments
from training.services.experiments import plan_of, run_experiment, start_experiment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folders(settings: Settings, tmp_path: Path) -> None:
    for name in ("DATASET_ROOT", "WORK_ROOT", "LOG_ROOT", "BLOB_ROOT", "WEIGHTS_ROOT"):
        setattr(settings, name, tmp_path / name.lower())
        (tmp_path / name.lower()).mkdir()


def work_on(job: Job) -> Job:
    jobs.run_job(job_id=job.pk, work=lambda job, handle: run_experiment(job=job, handle=handle))
    job.refresh_from_db()
    return job


def pretend(monkeypatch: pytest.MonkeyPatch, *, epochs: int = 2, weights: bytes = b"weights") -> list[dict[str, Any]]:
    """A child that does not train but says that it did."""
    specs: list[dict[str, Any]] = []

    def run_child(*, handle: Any, module: str, spec: dict[str, Any], log: Path, on_event: Any) -> None:
        specs.append(spec | {"module": module})
        for epoch in range(1, epochs + 1):
            on_event({"event": "epoch", "epoch": epoch, "metrics": {"train/box_loss": 1 / epoch}})
        best = Path(spec["work"]) / "best.pt"
        best.write_bytes(weights)
        told = {"weights": str(best), "epochs": epochs, "seconds": 8.0, "device": "CPU", "metrics": {"mAP50": 0.5}}
        on_event({"event": "done", **told})

    monkeypatch.setattr(experiments, "run_child", run_child)
    return specs


def test_starting_writes_a_row_and_a_job_for_the_gpu_queue(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    experiment = start_experiment(plan=SMALL, name="quick", user=cast.ada)
    assert (experiment.name, experiment.job.kind, experiment.job.queue) == ("quick-1", "training.train", "gpu")
    assert experiment.job.state == Job.State.QUEUED
    assert plan_of(experiment) == SMALL
    assert start_experiment(plan=SMALL, name="quick", user=cast.ada).name == "quick-2"


def test_nothing_to_train_on_is_said_before_a_job_is_written(cast: Cast) -> None:
    with pytest.raises(TooFewLabels):
        start_experiment(plan=SMALL, name="quick", user=cast.ada)
    assert not Job.objects.exists()


def test_weights_that_nobody_put_in_place_are_refused(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    plan = replace(SMALL, settings=replace(SMALL.settings, architecture="yolo11n.pt"))
    with pytest.raises(BadRecipe, match=r"put the file there, or begin from scratch with yolo11n\.yaml"):
        start_experiment(plan=plan, name="quick", user=cast.ada)


def test_an_experiment_ends_with_a_model_its_dataset_and_its_epochs(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pit_country(tmp_path, cast.ana, count=3)
    specs = pretend(monkeypatch)
    experiment = start_experiment(plan=SMALL, name="quick", user=cast.ada)
    job = work_on(experiment.job)
    assert (job.state, job.error) == (Job.State.DONE, "")
    experiment.refresh_from_db()
    model = experiment.model_version
    assert model is not None
    assert job.result["model"] == model.name == "quick-1"
    assert weights_of(model).read_bytes() == b"weights"
    assert model.recipe_hash == SMALL.recipe.hash
    assert (model.types, model.bands) == (["open_pit"], list(SMALL.recipe.bands))
    assert model.preparation == SMALL.recipe.preparation().to_json()
    assert model.source.kind == Source.Kind.MODEL
    assert experiment.dataset == Dataset.objects.get()
    assert [(log.attempt, log.epoch) for log in experiment.epochs.all()] == [(1, 1), (1, 2)]
    assert specs[0]["module"] == "training.engines.yolo"
    assert specs[0]["imgsz"] == 64
    assert not list((tmp_path / "work_root" / "training").iterdir())


def test_a_child_that_says_nothing_makes_no_model(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    monkeypatch.setattr(experiments, "run_child", lambda **_: None)
    job = work_on(start_experiment(plan=SMALL, name="quick", user=cast.ada).job)
    assert (job.state, job.error) == (Job.State.FAILED, "the training ended without weights; see its log")
    assert not ModelVersion.objects.exists()


def test_a_zombie_publishes_nothing(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken for dead while it trained; another worker has the job when it comes back."""
    pit_country(tmp_path, cast.ana, count=2)
    pretend(monkeypatch, epochs=0)
    experiment = start_experiment(plan=SMALL, name="quick", user=cast.ada)
    zombie = jobs.claim_job(job_id=experiment.job_id)
    assert zombie is not None
    whole = experiments._publish

    def late(*args: Any, **kwargs: Any) -> Any:
        Job.objects.filter(pk=experiment.job_id).update(attempt=2)
        return whole(*args, **kwargs)

    monkeypatch.setattr(experiments, "_publish", late)
    with pytest.raises(jobs.LostJob):
        run_experiment(job=experiment.job, handle=zombie)
    assert not ModelVersion.objects.exists()
    assert not Source.objects.filter(kind=Source.Kind.MODEL).exists()
    assert Experiment.objects.get().model_version is None


def test_a_zombie_writes_no_epoch(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    experiment = start_experiment(plan=SMALL, name="quick", user=cast.ada)
    zombie = jobs.claim_job(job_id=experiment.job_id)
    assert zombie is not None
    Job.objects.filter(pk=experiment.job_id).update(attempt=2)
    with pytest.raises(jobs.LostJob):
        experiments._log_epoch(experiment, zombie, 1, {})
    assert not EpochLog.objects.exists()


def test_a_second_attempt_starts_clean_and_keeps_the_epochs_apart(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    experiment = start_experiment(plan=SMALL, name="quick", user=cast.ada)
    first = jobs.claim_job(job_id=experiment.job_id)
    assert first is not None
    experiments._log_epoch(experiment, first, 1, {"train/box_loss": 9.0})
    left = tmp_path / "work_root" / "training" / f"{'0' * 8}-0000-4000-8000-{'0' * 12}.1"
    left.mkdir(parents=True)
    Job.objects.filter(pk=experiment.job_id).update(state=Job.State.QUEUED)
    pretend(monkeypatch)
    job = work_on(experiment.job)
    assert job.state == Job.State.DONE
    assert [(log.attempt, log.epoch) for log in experiment.epochs.all()] == [(1, 1), (2, 1), (2, 2)]
    assert ModelVersion.objects.count() == 1
    assert not left.exists()


@pytest.mark.worker
@pytest.mark.slow
def test_a_real_network_is_trained_and_finds_its_way_into_the_registry(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=3)
    plan = replace(SMALL, settings=replace(SMALL.settings, epochs=2))
    experiment = start_experiment(plan=plan, name="quick", user=cast.ada)
    home = Path(os.environ["HOME"]) / ".config" / "Ultralytics"
    before = sorted(path.stat().st_mtime for path in home.glob("*")) if home.exists() else []
    job = work_on(experiment.job)
    assert job.error == ""
    assert job.state == Job.State.DONE
    epochs = list(experiment.epochs.values_list("metrics", flat=True))
    assert len(epochs) == 2
    assert {"train/box_loss", "train/cls_loss", "mAP50", "mAP50-95", "val/box_loss"} <= set(epochs[0])
    experiment.refresh_from_db()
    assert experiment.model_version is not None
    weights = weights_of(experiment.model_version)
    assert weights.stat().st_size > 1_000_000
    assert job.result["epochs"] == 2
    assert json.dumps(job.result)
    after = sorted(path.stat().st_mtime for path in home.glob("*")) if home.exists() else []
    assert after == before, "ultralytics wrote into the home folder"
    assert not list((tmp_path / "work_root").glob("*/*"))
    assert not list(Dataset.objects.get().folder.rglob("*.cache"))


@pytest.mark.worker
@pytest.mark.slow
def test_many_bands_and_polygons_train_too(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    recipe = replace(
        SMALL.recipe, bands=("B02", "B03", "B04", "B08"), low=(0.0,) * 4, high=(0.5,) * 4, geometry="segment"
    )
    plan = replace(SMALL, recipe=recipe, settings=replace(SMALL.settings, architecture="yolo11n-seg.yaml"))
    job = work_on(start_experiment(plan=plan, name="quick", user=cast.ada).job)
    assert (job.state, job.error) == (Job.State.DONE, "")
    model = ModelVersion.objects.get()
    assert (model.task, model.bands) == ("segment", ["B02", "B03", "B04", "B08"])


@pytest.mark.worker
@pytest.mark.slow
def test_a_network_that_nobody_knows_fails_with_its_name(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    plan = replace(SMALL, settings=replace(SMALL.settings, architecture="yolo99n.yaml"))
    began = time.monotonic()
    job = work_on(start_experiment(plan=plan, name="quick", user=cast.ada).job)
    assert job.state == Job.State.FAILED
    assert "cannot load the network yolo99n.yaml" in job.error
    assert time.monotonic() - began < 60
