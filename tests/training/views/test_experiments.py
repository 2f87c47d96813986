import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from labelling.models import Job
from labelling.services import jobs
from labelling.services.jobs import log_of
from tests.cast import Cast
from tests.training.ground import SMALL, pit_country
from training.core.plan import Plan
from training.forms.experiments import PlanForm
from training.models import EpochLog, Experiment
from training.services.experiments import start_experiment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folders(settings: Settings, tmp_path: Path) -> None:
    for name in ("DATASET_ROOT", "LOG_ROOT"):
        setattr(settings, name, tmp_path / name.lower())
        (tmp_path / name.lower()).mkdir()


@pytest.fixture
def ada(cast: Cast, client: Client) -> Client:
    client.force_login(cast.ada)
    return client


def fields(**change: Any) -> dict[str, Any]:
    return PlanForm.values_of(SMALL, name="pits") | change


def running(cast: Cast, tmp_path: Path, epochs: int = 2) -> Experiment:
    pit_country(tmp_path, cast.ana, count=2)
    experiment = start_experiment(plan=SMALL, name="pits", user=cast.ada)
    handle = jobs.claim_job(job_id=experiment.job_id)
    assert handle is not None
    jobs.beat_job(handle=handle, phase="train, epoch 2 of 3", progress=0.5)
    for epoch in range(1, epochs + 1):
        figures = {"train/box_loss": 2.0 / epoch, "val/box_loss": 3.0 / epoch, "mAP50": 0.1 * epoch}
        EpochLog.objects.create(experiment=experiment, attempt=1, epoch=epoch, metrics=figures)
    return experiment


def test_an_empty_list_says_what_to_do_first(ada: Client) -> None:
    page = ada.get("/training/").content.decode()
    assert "Nothing trained yet" in page
    assert "/training/new/" in page


def test_a_lead_watches_but_does_not_start(cast: Cast, client: Client, tmp_path: Path) -> None:
    experiment = running(cast, tmp_path)
    client.force_login(cast.lea)
    page = client.get(f"/training/{experiment.pk}/").content.decode()
    assert "pits-1" in page
    assert "Train again" not in page
    assert 'id="cancel-job"' not in page
    assert client.get("/training/new/").status_code == 403


def test_the_form_shows_the_cost_before_anything_starts(cast: Cast, ada: Client, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=3)
    page = ada.get("/training/new/", {"preset": "quick"}).content.decode()
    assert "What it costs" in page
    assert "Start training" in page
    assert not Job.objects.exists()


def test_the_cost_follows_the_form(cast: Cast, ada: Client, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=3)
    few = ada.get("/training/new/", fields()).context["cost"]
    many = ada.get("/training/new/", fields(epochs=10)).context["cost"]
    assert (few.labels, few.chips) == (3, 6)
    assert many.seconds == pytest.approx(10 * few.seconds)
    assert not few.measured


def test_the_cost_is_measured_once_a_training_has_ended(cast: Cast, ada: Client, tmp_path: Path) -> None:
    experiment = running(cast, tmp_path)
    Job.objects.filter(pk=experiment.job_id).update(state="done", result={"seconds": 30.0, "megapixels": 3.0})
    cost = ada.get("/training/new/", fields()).context["cost"]
    assert cost.measured
    assert cost.seconds == pytest.approx(10 * cost.chips * 64 * 64 / 1e6)


def test_what_cannot_be_trained_is_said_and_has_no_button(ada: Client) -> None:
    page = ada.get("/training/new/").content.decode()
    assert "no reviewed area on the axis feature" in page
    assert "Start training" not in page


def test_starting_leads_to_the_live_page(cast: Cast, ada: Client, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    answer = ada.post("/training/new/", fields(epochs=7))
    experiment = Experiment.objects.get()
    assert answer.headers["Location"] == f"/training/{experiment.pk}/"
    assert experiment.settings["epochs"] == 7
    assert experiment.job.created_by == cast.ada
    page = ada.get(f"/training/{experiment.pk}/").content.decode()
    assert "every 2s" in page
    assert "queued" in page


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"recipe": "{"}, "Not JSON"),
        ({"recipe": "[1]"}, "A recipe is a JSON object"),
        ({"recipe": "[" * 5000}, "Not JSON"),
        ({"recipe": '{"preset": "quick", "colour": 1}'}, "unknown: colour"),
        ({"epochs": "0"}, "greater than or equal to 1"),
        ({"epochs": "99999999"}, "epochs is 1e"),
        ({"name": "../x"}, "Use small letters"),
        ({"name": "a\x00b"}, "Null characters"),
        ({"architecture": "/etc/passwd"}, "name a network such as"),
    ],
)
def test_a_bad_form_is_answered_with_its_fault(
    cast: Cast, ada: Client, tmp_path: Path, change: dict[str, str], told: str
) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    answer = ada.post("/training/new/", fields(**change))
    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert not Experiment.objects.exists()


def test_an_earlier_recipe_is_the_start_of_the_next(cast: Cast, ada: Client, tmp_path: Path) -> None:
    experiment = running(cast, tmp_path)
    form = ada.get("/training/new/", {"from": experiment.pk}).context["form"]
    assert Plan.from_json(form.initial_plan()) == SMALL
    assert form.initial["name"] == "pits"
    assert ada.get("/training/new/", {"from": "99999"}).status_code == 404


def test_the_page_moves_while_it_runs_and_stops_asking_when_it_is_over(cast: Cast, ada: Client, tmp_path: Path) -> None:
    experiment = running(cast, tmp_path)
    log_of(experiment.job).parent.mkdir(parents=True)
    log_of(experiment.job).write_text("\x1b[34mepoch\x1b[0m 1\n<script>alert(1)</script>\n")
    page = ada.get(f"/training/{experiment.pk}/").content.decode()
    assert "every 2s" in page
    assert "train, epoch 2 of 3" in page
    assert 'id="cancel-job"' in page
    assert "epoch 1\n&lt;script&gt;" in page
    curves = json.loads(page.partition('<script id="curves" type="application/json">')[2].partition("</script>")[0])
    assert curves["x"] == [1, 2]
    assert curves["lines"]["val/box_loss"] == [3.0, 1.5]
    Job.objects.filter(pk=experiment.job_id).update(state="cancelled", finished_at=timezone.now())
    assert "every 2s" not in ada.get(f"/training/{experiment.pk}/").content.decode()


def test_epochs_of_an_attempt_that_was_broken_off_are_not_mixed_in(cast: Cast, ada: Client, tmp_path: Path) -> None:
    experiment = running(cast, tmp_path)
    Job.objects.filter(pk=experiment.job_id).update(attempt=2)
    EpochLog.objects.create(experiment=experiment, attempt=2, epoch=1, metrics={"mAP50": 0.9})
    assert ada.get(f"/training/{experiment.pk}/").context["curves"] == {"x": [1], "lines": {"mAP50": [0.9]}}


def test_the_figures_go_out_as_csv_and_the_recipe_as_json(cast: Cast, ada: Client, tmp_path: Path) -> None:
    experiment = running(cast, tmp_path)
    answer = ada.get(f"/training/{experiment.pk}/epochs.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert [float(row["train/box_loss"]) for row in rows] == [2.0, 1.0]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="pits-1-epochs.csv"'
    recipe = ada.get(f"/training/{experiment.pk}/recipe.json")
    assert Plan.from_json(json.loads(recipe.content)) == SMALL


def test_the_whole_log_is_a_download_and_empty_before_anything_is_written(
    cast: Cast, ada: Client, tmp_path: Path
) -> None:
    experiment = running(cast, tmp_path)
    assert ada.get(f"/training/{experiment.pk}/log.txt").content == b""
    log_of(experiment.job).parent.mkdir(parents=True)
    log_of(experiment.job).write_text("all of it")
    answer = ada.get(f"/training/{experiment.pk}/log.txt")
    assert b"".join(answer.streaming_content) == b"all of it"  # type: ignore[attr-defined]
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_a_failed_training_says_why_in_the_list_and_on_its_page(cast: Cast, ada: Client, tmp_path: Path) -> None:
    experiment = running(cast, tmp_path)
    Job.objects.filter(pk=experiment.job_id).update(
        state="failed", error="the GPU's memory does not suffice", finished_at=timezone.now()
    )
    for address in ("/training/", f"/training/{experiment.pk}/"):
        assert "memory does not suffice" in ada.get(address).content.decode()
