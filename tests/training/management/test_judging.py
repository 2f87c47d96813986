"""The commands that freeze a test set and score a model on it."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from labelling.models import Job
from labelling.services import jobs
from tests.cast import Cast
from tests.inference.models import fake_model
from tests.truth import mines_along
from training.models import TestSet
from training.services.evaluation import run_evaluation

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=out)
    return out.getvalue()


def test_freezing_says_what_is_tested_and_what_is_not(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=5, codes=("open_pit", "open_pit", "open_pit", "open_pit", "pond"))
    told = run(
        "freeze_testset", "universal", "--block-m", "2000", "--buffer-m", "500", "--share", "0.25", "--seed", "1"
    )
    testset = TestSet.objects.get(name="universal")
    assert (testset.block_m, testset.buffer_m, testset.share, testset.seed) == (2000, 500, 0.25, 1)
    assert told.startswith("froze universal: 2 of 5 labels in 2 blocks, 0 blocks without a mine")
    assert testset.checksum in told
    assert "open_pit: 2" in told
    assert "pond: not tested, its 1 labels" in told


def test_freezing_twice_is_one_clear_line(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=4)
    words = ("freeze_testset", "universal", "--block-m", "2000")
    run(*words)
    with pytest.raises(CommandError, match="exists and is frozen"):
        run(*words)


def test_a_score_is_printed_when_a_worker_has_done_it(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("faster_coco_eval")
    mines_along(cast.ana, tmp_path, count=4, codes=("open_pit",))
    run("freeze_testset", "universal", "--block-m", "2000")
    model = fake_model(tmp_path)

    def work(_: float) -> None:
        (job,) = Job.objects.filter(state=Job.State.QUEUED)
        jobs.run_job(job_id=job.pk, work=lambda row, handle: run_evaluation(job=row, handle=handle))

    monkeypatch.setattr("labelling.services.waiting.time.sleep", work)
    told = run("evaluate", model.name, "--wait")
    assert f"{model.name} on universal by mad-1 faster-coco-eval" in told
    assert "waiting for a worker" in told
    assert "at score 0.25, 1 labels" in told


def test_without_waiting_the_job_is_named(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=4)
    run("freeze_testset", "universal", "--block-m", "2000")
    model = fake_model(tmp_path)
    told = run("evaluate", model.name, "--threshold", "0.4")
    assert f"a worker will score {model.name} on universal: job {Job.objects.get().pk}" in told
    assert Job.objects.get().params["threshold"] == 0.4


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("evaluate", "nothing"), "no model is called nothing"),
        (("freeze_testset", "universal"), "0 verified labels"),
        (("freeze_testset", "A B"), "small letters"),
    ],
)
def test_bad_input_is_one_clear_line(db: None, words: tuple[Any, ...], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        run(*words)


def test_a_failed_evaluation_says_why(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mines_along(cast.ana, tmp_path, count=4)
    run("freeze_testset", "universal", "--block-m", "2000")
    model = fake_model(tmp_path)

    def fail(_: float) -> None:
        Job.objects.update(state=Job.State.FAILED, error="the weights are gone: restore them")

    monkeypatch.setattr("labelling.services.waiting.time.sleep", fail)
    with pytest.raises(CommandError, match="the weights are gone: restore them"):
        run("evaluate", model.name, "--wait")
