import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from labelling.models import Job
from labelling.services import jobs, waiting
from tests.cast import Cast
from tests.training.ground import SMALL, pit_country
from training.models import Dataset, Experiment


@pytest.fixture(autouse=True)
def _own_folders(settings: Settings, tmp_path: Path) -> None:
    settings.DATASET_ROOT = tmp_path / "datasets"
    settings.DATASET_ROOT.mkdir()


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "pits.json"
    path.write_text(json.dumps({"preset": "quick"} | SMALL.to_json()))
    return path


def said(*words: Any, **more: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(*words, stdout=out, stderr=err, **more)
    return out.getvalue(), err.getvalue()


@pytest.mark.django_db
def test_build_dataset_says_what_it_wrote_and_where(cast: Cast, tmp_path: Path, recipe: Path) -> None:
    pit_country(tmp_path, cast.ana, count=3)
    told, _ = said("build_dataset", "--recipe", str(recipe))
    dataset = Dataset.objects.get()
    *lines, folder = told.splitlines()
    assert folder == str(dataset.folder)
    assert lines[0].endswith("open_pit")
    assert (Path(folder) / "data.yaml").is_file()


def test_a_preset_is_shown_in_full_as_a_start_for_a_recipe() -> None:
    told, _ = said("build_dataset", "--preset", "perturbed", "--show")
    assert json.loads(told)["centrings"] == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--preset", "best"), "no preset 'best': choose baseline"),
        (("--recipe", "nowhere.json"), "nowhere.json: No such file"),
        (("--preset", "quick"), "no reviewed area"),
        (("--preset", "quick", "--epochs", "0"), "epochs is 0"),
        (("--preset", "quick", "--architecture", "/a"), "architecture is '/a'"),
    ],
)
def test_train_refuses_in_one_line_and_writes_no_job(words: tuple[str, ...], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        said("train", *words)
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_train_says_the_cost_and_leaves_the_work_to_a_worker(cast: Cast, tmp_path: Path, recipe: Path) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    out, err = said("train", "--recipe", str(recipe), "--epochs", "3", "--name", "mine")
    experiment = Experiment.objects.get()
    assert (experiment.name, experiment.settings["epochs"]) == ("mine-1", 3)
    assert f"job {experiment.job_id}" in out
    assert "2 labels, up to 4 chips" in err


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ends", ["done", "failed", "cancelled"])
def test_train_waits_for_the_end_and_exits_by_it(
    cast: Cast, tmp_path: Path, recipe: Path, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    monkeypatch.setattr(waiting, "POLL_S", 0.05)

    def worker(job: Job) -> None:
        handle = jobs.claim_job(job_id=job.pk)
        assert handle is not None
        jobs.beat_job(handle=handle, phase="train, epoch 1 of 1", progress=0.5)
        result = {"model": "pits-1", "epochs": 1, "seconds": 2.0, "device": "CPU", "metrics": {"mAP50": 0.25}}
        if ends == "done":
            jobs.finish_job(handle=handle, result=result)
        elif ends == "failed":
            jobs.fail_job(handle=handle, error="out of memory")
        else:
            jobs.cancel_held_job(handle=handle)

    steps = iter(range(100))
    real = Job.refresh_from_db

    def refresh(job: Job, *args: Any, **kwargs: Any) -> None:
        if next(steps) == 1:
            worker(job)
        real(job, *args, **kwargs)

    monkeypatch.setattr(Job, "refresh_from_db", refresh)
    if ends == "done":
        out, err = said("train", "--recipe", str(recipe), "--wait")
        assert out == "model pits-1 after 1 epochs in 2 s on CPU, mAP50 0.250 on its validation chips\n"
        assert "waiting for a worker" in err
        return
    with pytest.raises(CommandError, match=f"Train pits-1: {ends}" + (", out of memory" if ends == "failed" else "")):
        said("train", "--recipe", str(recipe), "--wait")
