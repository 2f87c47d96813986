"""A real child process with the fake engine, over real files: what is bright in B04 it calls an open pit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from inference.core.sweep import Box, SweepResult
from inference.models import ModelVersion
from labelling.core.globe import outline_to_lonlat
from labelling.models import Job, Scene
from labelling.services import jobs
from tests.cast import Cast
from tests.inference.models import fake_model
from tests.inference.scenes import Blob, blob_scene
from tests.truth import LAT, STEP, WEST, catalogue, complete, draw, region, square
from training.core.errors import FrozenTestSet, TrainingError
from training.models import Score, TestSet, TestWindow
from training.services.evaluation import TASK, enqueue_evaluation, evaluate_model, run_evaluation
from training.services.testsets import freeze_testset

pytest.importorskip("faster_coco_eval", reason="scores are computed on a worker: install the extra 'worker'")
pytestmark = pytest.mark.django_db

PIT: Blob = (60, 60, 80, 80, "B04")
POND: Blob = (120, 120, 150, 140, "B03")
SIDE = 200


def on_ground(scene: Scene, x0: float, y0: float, x1: float, y1: float) -> BaseGeometry:
    corners = [scene.ref().affine @ corner for corner in ((x0, y0), (x1, y1))]
    return outline_to_lonlat(box(*corners[0], *corners[1]), scene.crs)


def place(cast: Cast, folder: Path, number: int, *blobs: Blob) -> Scene:
    """A scene of 2 km with blobs, each of them labelled, and all of it reviewed; a block lies around its middle."""
    lon, lat = WEST + STEP * number, LAT
    path = folder / f"scene-{number}.tif"
    blob_scene(path, blobs, size=SIDE, lon=lon - 0.009, lat=lat + 0.009)
    (scene,) = catalogue(path)
    for x0, y0, x1, y1, band in blobs:
        draw(cast.ana, on_ground(scene, x0, y0, x1, y1), {"B04": "open_pit", "B03": "pond"}[band])
    complete(cast.ana, on_ground(scene, 10, 10, SIDE - 10, SIDE - 10), scene=scene)
    return scene


@pytest.fixture
def testset(cast: Cast, tmp_path: Path) -> TestSet:
    region(563, "Caatinga", square(WEST, LAT, 300_000))
    for number in range(4):
        place(cast, tmp_path, number, PIT, POND)
    return freeze_testset(name="universal", block_m=2_000, buffer_m=500, share=0.5)


@pytest.fixture
def model(cast: Cast, tmp_path: Path) -> ModelVersion:
    return fake_model(tmp_path)


def score_of(scores: list[Score], kind: str, value: str = "") -> Score:
    return next(score for score in scores if (score.slice_kind, score.slice_value) == (kind, value))


def finds(*boxes: Box) -> Any:
    """A stand-in for the sweep, that sees the same boxes in every scene."""

    def find(*, targets: Any, **_: Any) -> Iterator[SweepResult]:
        yield from (SweepResult(target.key, boxes, windows=1) for target in targets)

    return find


def test_a_model_that_sees_all_is_perfect_in_each_slice(model: ModelVersion, testset: TestSet) -> None:
    scores = evaluate_model(model=model, testset=testset)
    assert {(score.slice_kind, score.slice_value) for score in scores} == {
        ("all", ""),
        ("type", "open_pit"),
        ("type", "pond"),
        ("region", "Caatinga"),
    }
    for score in scores:
        assert (score.ap50, score.precision, score.recall, score.f1) == pytest.approx((1, 1, 1, 1))
        assert score.ap50_95 == pytest.approx(1)
        assert score.testset_checksum == testset.checksum
    assert score_of(scores, "all").truths == testset.counts["labels"] == 4


def test_a_model_that_sees_nothing_has_no_precision(model: ModelVersion, testset: TestSet) -> None:
    overall = score_of(evaluate_model(model=model, testset=testset, find=finds()), "all")
    assert (overall.ap50, overall.recall, overall.f1, overall.precision) == (0, 0, 0, None)
    assert overall.predictions == 0


def test_false_alarms_count_on_the_ground_and_not_beside_it(model: ModelVersion, testset: TestSet) -> None:
    pit = Box(60, 60, 80, 80, 0.9, "open_pit")
    pond = Box(120, 120, 150, 140, 0.9, "pond")
    alarm = Box(90, 90, 100, 100, 0.8, "pond")
    beside = Box(0, 0, 8, 8, 0.95, "pond")  # outside the reviewed area
    overall = score_of(evaluate_model(model=model, testset=testset, find=finds(pit, pond, alarm, beside)), "all")
    assert overall.predictions == 6
    assert overall.precision == pytest.approx(4 / 6)
    assert overall.recall == 1


def test_finds_on_ground_of_unknown_truth_are_neither_right_nor_wrong(
    cast: Cast, model: ModelVersion, tmp_path: Path
) -> None:
    for number in range(4):
        scene = place(cast, tmp_path, number, PIT, POND)
        draw(cast.ana, on_ground(scene, 90, 90, 100, 100), None)
    frozen = freeze_testset(name="universal", block_m=2_000, buffer_m=500, share=0.5)
    unknown = Box(90, 90, 100, 100, 0.8, "pond")
    overall = score_of(evaluate_model(model=model, testset=frozen, find=finds(unknown)), "all")
    assert (overall.predictions, overall.truths) == (0, 4)


def test_the_box_of_a_label_lies_where_it_was_drawn(model: ModelVersion, testset: TestSet) -> None:
    loose = [Box(59, 59, 81, 81, 0.9, "open_pit"), Box(119, 119, 151, 141, 0.9, "pond")]
    overall = score_of(evaluate_model(model=model, testset=testset, find=finds(*loose)), "all")
    # IoU 400/484 = 0.826 and 600/704 = 0.852: right up to IoU 0.80 and 0.85 of ten.
    assert overall.ap50_95 == pytest.approx((0.7 + 0.8) / 2)


def test_a_second_evaluation_replaces_the_first(model: ModelVersion, testset: TestSet) -> None:
    evaluate_model(model=model, testset=testset, find=finds())
    evaluate_model(model=model, testset=testset, threshold=0.5)
    overall = Score.objects.get(model=model, slice_kind="all")
    assert (overall.f1, overall.threshold) == (1, 0.5)


def test_score_and_end_of_the_job_stand_and_fall_together(model: ModelVersion, testset: TestSet) -> None:
    job = enqueue_evaluation(model=model, testset=testset)
    handle = jobs.claim_job(job_id=job.pk)
    assert handle is not None
    stale = jobs.JobHandle(id=handle.id, attempt=handle.attempt + 1)
    with pytest.raises(jobs.LostJob):
        evaluate_model(model=model, testset=testset, handle=stale, find=finds())
    assert not Score.objects.exists()


def test_a_job_is_done_with_its_score(cast: Cast, model: ModelVersion, testset: TestSet) -> None:
    job = enqueue_evaluation(model=model, testset=testset, user=cast.ada)
    jobs.run_job(job_id=job.pk, work=lambda row, handle: run_evaluation(job=row, handle=handle))
    job.refresh_from_db()
    assert job.state == Job.State.DONE, job.error
    assert (job.result["ap50"], job.result["model"], job.queue, job.kind) == (
        pytest.approx(1),
        model.name,
        "gpu",
        TASK,
    )


def test_the_same_request_twice_joins_the_job(model: ModelVersion, testset: TestSet) -> None:
    first = enqueue_evaluation(model=model, testset=testset)
    assert enqueue_evaluation(model=model, testset=testset).pk == first.pk
    assert enqueue_evaluation(model=model, testset=testset, threshold=0.5).pk != first.pk
    Job.objects.filter(pk=first.pk).update(state=Job.State.DONE)
    assert enqueue_evaluation(model=model, testset=testset).pk != first.pk


def test_a_model_of_another_axis_and_a_threshold_out_of_range_are_refused(
    model: ModelVersion, testset: TestSet
) -> None:
    with pytest.raises(TrainingError, match="threshold"):
        enqueue_evaluation(model=model, testset=testset, threshold=1.0)
    model.axis = "commodity"
    with pytest.raises(TrainingError, match="axis commodity"):
        enqueue_evaluation(model=model, testset=testset)


def test_a_changed_scene_is_not_scored(model: ModelVersion, testset: TestSet) -> None:
    window = TestWindow.objects.first()
    assert window is not None
    Scene.objects.filter(pk=window.scene_id).update(version="another")
    with pytest.raises(FrozenTestSet, match="has changed"):
        evaluate_model(model=model, testset=testset)
