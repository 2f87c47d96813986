from datetime import timedelta

import pytest
from django.utils import timezone

from inference.models import ModelVersion
from labelling.models import Source
from training.models import Score, TestSet
from training.services.quality import quality_over_time

pytestmark = pytest.mark.django_db


def make_model(name: str, days_ago: int) -> ModelVersion:
    model = ModelVersion.objects.create(
        name=name,
        source=Source.objects.create(name=name, kind="model"),
        architecture="yolo",
        weights_sha256="0" * 64,
        axis="feature",
        types=[],
        bands=[],
        preparation={},
    )
    ModelVersion.objects.filter(pk=model.pk).update(created_at=timezone.now() - timedelta(days=days_ago))
    return model


def make_testset(name: str) -> TestSet:
    return TestSet.objects.create(
        name=name, axis="feature", block_m=1, buffer_m=1, share=0.5, seed=0, checksum="0" * 64
    )


def score(model: ModelVersion, testset: TestSet, ap50: float | None, kind: str = "all") -> None:
    Score.objects.create(
        model=model,
        testset=testset,
        testset_checksum=testset.checksum,
        evaluator="e 1",
        slice_kind=kind,
        ap50=ap50,
        ap50_95=ap50,
        threshold=0.25,
        truths=3,
        predictions=4,
    )


def test_nothing_is_said_of_models_that_nobody_scored() -> None:
    make_model("untold", 1)
    assert quality_over_time() == ()


def test_models_come_in_the_order_of_their_making_on_one_test_set_only() -> None:
    old, new = make_model("old", 5), make_model("new", 1)
    first, second = make_testset("first"), make_testset("second")
    score(old, first, 0.9)
    score(new, second, 0.6)
    score(old, second, 0.5)
    score(new, second, 0.1, kind="type")
    told = [(one.model, one.testset, one.ap50) for one in quality_over_time()]
    assert told == [("old", "second", 0.5), ("new", "second", 0.6)]


def test_a_test_set_without_truth_gives_no_figure() -> None:
    score(make_model("blank", 1), make_testset("empty"), None)
    assert [one.ap50 for one in quality_over_time()] == [None]
