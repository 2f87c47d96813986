from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from inference.models import ModelVersion
from labelling.models import Job
from tests.cast import Cast
from tests.inference.models import fake_model
from tests.training.services.test_evaluation import PIT, POND, finds, place
from tests.truth import LAT, WEST, region, square
from training.models import Score, TestSet
from training.services.evaluation import enqueue_evaluation, evaluate_model
from training.services.leaderboard import leaderboard_of
from training.services.testsets import freeze_testset

pytestmark = pytest.mark.django_db


def as_(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def testset(cast: Cast, tmp_path: Path) -> TestSet:
    region(563, "Caatinga", square(WEST, LAT, 300_000))
    for number in range(4):
        place(cast, tmp_path, number, PIT, POND)
    return freeze_testset(name="universal", block_m=2_000, buffer_m=500, share=0.5)


@pytest.fixture
def model(cast: Cast, tmp_path: Path) -> ModelVersion:
    return fake_model(tmp_path)


def test_a_model_is_scored_from_the_leaderboard(cast: Cast, testset: TestSet, model: ModelVersion) -> None:
    client = as_(cast.ada)
    assert "not scored yet" in client.get(reverse("models")).content.decode()
    answer = client.post(reverse("testset-evaluate", args=[testset.name]), {"model": model.pk})
    assert answer["Location"] == "/models/?testset=universal"
    job = Job.objects.get()
    assert (job.params["model"], job.params["threshold"], job.created_by) == (model.pk, 0.25, cast.ada)
    assert "being scored: waiting for a worker" in client.get(reverse("models")).content.decode()


def test_the_leaderboard_shows_figures_types_and_regions(
    cast: Cast, testset: TestSet, model: ModelVersion, tmp_path: Path
) -> None:
    pytest.importorskip("faster_coco_eval")
    blind = fake_model(tmp_path, name="blind")
    evaluate_model(model=model, testset=testset)
    evaluate_model(model=blind, testset=testset, find=finds())
    board = leaderboard_of(testset=testset)
    assert [standing.model for standing in board.standings] == [model, blind]
    assert board.standings[0].by_type == pytest.approx((1.0, 1.0))
    assert [kind.code for kind in board.types] == ["open_pit", "pond"]
    assert board.regions == ("Caatinga",)
    page = as_(cast.lea).get(reverse("models")).content.decode()
    assert page.index(model.name) < page.index(blind.name)
    assert "Caatinga" in page
    assert "mad-1 faster-coco-eval" in page
    assert "Score again" not in page  # a lead looks, an admin scores


def test_figures_of_another_evaluator_are_not_mixed_in(testset: TestSet, model: ModelVersion, tmp_path: Path) -> None:
    pytest.importorskip("faster_coco_eval")
    newer = fake_model(tmp_path, name="newer")
    evaluate_model(model=model, testset=testset)
    Score.objects.update(evaluator="mad-0")
    evaluate_model(model=newer, testset=testset)
    first, second = leaderboard_of(testset=testset).standings
    assert (first.model, second.model) == (newer, model)
    assert second.overall is None
    assert second.outdated


def test_a_failed_evaluation_is_told_until_a_score_stands(testset: TestSet, model: ModelVersion) -> None:
    pytest.importorskip("faster_coco_eval")
    enqueue_evaluation(model=model, testset=testset)
    Job.objects.update(state=Job.State.FAILED, error="the weights are gone")
    (standing,) = leaderboard_of(testset=testset).standings
    assert standing.job is not None
    assert not standing.is_underway
    evaluate_model(model=model, testset=testset)
    (standing,) = leaderboard_of(testset=testset).standings
    assert standing.job is None


def test_a_model_of_another_axis_has_no_place_on_it(cast: Cast, testset: TestSet, model: ModelVersion) -> None:
    ModelVersion.objects.update(axis="commodity")
    assert leaderboard_of(testset=testset).standings == ()
    as_(cast.ada).post(reverse("testset-evaluate", args=[testset.name]), {"model": model.pk})
    assert not Job.objects.exists()


def test_the_truth_is_for_leads_and_admins_only(cast: Cast, testset: TestSet) -> None:
    for person, status in [(cast.lea, 200), (cast.ada, 200), (cast.ana, 403), (cast.gus, 403), (cast.eve, 403)]:
        client = as_(person)
        assert client.get(reverse("testsets")).status_code == status
        assert client.get(reverse("testset", args=[testset.name])).status_code == status
    assert as_(cast.lea).post(reverse("testset-evaluate", args=[testset.name])).status_code == 403


def test_the_page_of_a_test_set_maps_blocks_and_truth(cast: Cast, testset: TestSet) -> None:
    page = as_(cast.lea).get(reverse("testset", args=[testset.name]))
    assert testset.checksum in page.content.decode()
    drawn = page.context["map"]
    assert len(drawn["blocks"]) == testset.counts["blocks"]
    assert len(drawn["labels"]) == testset.counts["labels"]
    assert {label["type"] for label in drawn["labels"]} == {"open pit", "pond"}
    west, south, east, north = drawn["bounds"]
    assert west < east
    assert south < LAT < north


def test_before_there_is_a_test_set_the_pages_say_what_to_do(cast: Cast) -> None:
    client = as_(cast.lea)
    for name in ("models", "testsets"):
        assert "manage.py freeze_testset universal" in client.get(reverse(name)).content.decode()
    assert client.get(reverse("testset", args=["none"])).status_code == 404


def test_another_test_set_is_chosen_by_the_url(cast: Cast, testset: TestSet) -> None:
    freeze_testset(name="second", block_m=2_000, buffer_m=500, share=0.4, seed=3)
    client = as_(cast.lea)
    assert client.get(reverse("models")).context["testset"].name == "second"
    assert client.get(reverse("models"), {"testset": "universal"}).context["testset"].name == "universal"
