"""The one evaluator: every model is swept over the same windows and scored by the same rules."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import compress
from typing import Any

import numpy as np
import shapely
from django.contrib.auth.models import User
from django.db import transaction
from shapely.geometry.base import BaseGeometry

from inference.core.sweep import Box, SweepResult, SweepSettings, SweepTarget
from inference.models import ModelVersion
from inference.services.sweeps import sweep
from labelling.core.chips import ChipGrid, geometry_in_chip
from labelling.core.raster import SceneRef
from labelling.models import Job, Scene
from labelling.models.spatial import to_shapely
from labelling.services.jobs import JobHandle, enqueue_job, finish_job
from training.core.errors import TrainingError
from training.core.metrics import Figures, Prediction, Truth, evaluator_name, score_boxes
from training.models import Score, TestLabel, TestSet, TestWindow
from training.services.testsets import load_blocks, verify_testset

TASK = "training.evaluate"
THRESHOLD = 0.25
# Average precision looks at the whole curve, so that nearly every box is wanted.
MIN_SCORE = 0.01
Sweep = Callable[..., Iterator[SweepResult]]


@dataclass(frozen=True)
class _Ground:
    """A window as the evaluator needs it: its ground and truth in pixels of its scene."""

    image: str
    region: str
    area: BaseGeometry
    truths: tuple[Truth, ...]


def enqueue_evaluation(
    *, model: ModelVersion, testset: TestSet, threshold: float = THRESHOLD, user: User | None = None
) -> Job:
    """Ask for a score; where the same is already asked for, that job is given.

    Args:
        model: the model version.
        testset: the test set.
        threshold: least score of the boxes that count for precision, recall and F1.
        user: who asks.

    Raises:
        TrainingError: the model finds types of another axis, or the threshold is out of range.
    """
    _check(model, testset, threshold)
    params = {"model": model.pk, "testset": testset.pk, "threshold": threshold}
    open_states = (Job.State.QUEUED, Job.State.RUNNING)
    for job in Job.objects.filter(kind=TASK, state__in=open_states, cancel_requested=False):
        if job.params == params and not job.is_silent:
            return job
    title = f"score {model.name} on {testset.name}"
    return enqueue_job(kind=TASK, title=title, params=params, queue="gpu", user=user, max_attempts=2)


def _check(model: ModelVersion, testset: TestSet, threshold: float) -> None:
    if model.axis != testset.axis:
        msg = f"{model.name} finds types of the axis {model.axis}, but {testset.name} tests the axis {testset.axis}"
        raise TrainingError(msg)
    if not MIN_SCORE <= threshold < 1:
        msg = f"the threshold lies from {MIN_SCORE} up to 1, not {threshold:g}"
        raise TrainingError(msg)


def run_evaluation(*, job: Job, handle: JobHandle) -> dict[str, Any]:
    """The work of an evaluation's job: score, and publish the score and the end of the job together."""
    model = ModelVersion.objects.get(pk=job.params["model"])
    testset = TestSet.objects.get(pk=job.params["testset"])
    scores = evaluate_model(model=model, testset=testset, threshold=job.params["threshold"], handle=handle)
    return result_of(scores)


def evaluate_model(
    *,
    model: ModelVersion,
    testset: TestSet,
    threshold: float = THRESHOLD,
    handle: JobHandle | None = None,
    find: Sweep = sweep,
) -> list[Score]:
    """Score a model on a test set, all together, per type and per region; an older score is replaced.

    Only boxes whose middle lies on the ground of a window count, and only the truth of that window.

    Args:
        model: the model version.
        testset: the test set.
        threshold: least score of the boxes that count for precision, recall and F1.
        handle: the job to keep alive, and to finish with the same transaction; None where there is none.
        find: runs the model.

    Raises:
        TrainingError: the model finds types of another axis, or the threshold is out of range.
        FrozenTestSet: the test set, or a scene of it, has changed.
        InferenceError: a scene cannot be read, or the weights are gone.
    """
    _check(model, testset, threshold)
    verify_testset(testset=testset)
    scenes, grounds = _grounds(testset)
    targets = [
        SweepTarget(str(pk), scene.ref(), shapely.union_all([to_shapely(window.area) for window in windows]))
        for pk, (scene, windows) in scenes.items()
    ]
    settings = SweepSettings(min_score=MIN_SCORE)
    predictions = [
        prediction
        for result in find(model=model, targets=targets, settings=settings, handle=handle)
        for prediction in _on_ground(result.boxes, grounds[int(result.key)])
    ]
    everywhere = [ground for found in grounds.values() for ground in found]
    return _publish(model, testset, _slices(everywhere, predictions, threshold), handle)


def _grounds(
    testset: TestSet,
) -> tuple[dict[int, tuple[Scene, list[TestWindow]]], dict[int, list[_Ground]]]:
    scenes: dict[int, tuple[Scene, list[TestWindow]]] = {}
    grounds: dict[int, list[_Ground]] = {}
    for block, windows in load_blocks(testset):
        for window, labels in windows:
            scenes.setdefault(window.scene_id, (window.scene, []))[1].append(window)
            grid, image = _grid(window.scene.ref()), str(window.pk)
            ground = _Ground(
                image=image,
                region=block.region.name if block.region else "",
                area=geometry_in_chip(to_shapely(window.area), grid),
                truths=tuple(_truth(label, image, grid) for label in labels),
            )
            grounds.setdefault(window.scene_id, []).append(ground)
    return scenes, grounds


def _grid(ref: SceneRef) -> ChipGrid:
    return ChipGrid(ref.crs, ref.affine, ref.width, ref.height)


def _truth(label: TestLabel, image: str, grid: ChipGrid) -> Truth:
    """The box of a label in pixels of the scene, as far as the scene shows it."""
    x0, y0, x1, y1 = geometry_in_chip(to_shapely(label.geometry), grid).bounds
    return Truth(image, label.mine_type.code, (x0, y0, x1, y1))


def _on_ground(boxes: Sequence[Box], grounds: Sequence[_Ground]) -> Iterator[Prediction]:
    middles = np.array([((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2) for box in boxes]).reshape(-1, 2)
    free = np.ones(len(boxes), np.bool_)
    for ground in grounds:
        inside = free & shapely.contains_xy(ground.area, middles[:, 0], middles[:, 1])
        free &= ~inside
        for box in compress(boxes, inside):
            yield Prediction(ground.image, box.type_code, (box.x0, box.y0, box.x1, box.y1), box.score)


def _slices(
    grounds: Sequence[_Ground], predictions: Sequence[Prediction], threshold: float
) -> dict[tuple[str, str], Figures]:
    """The figures of everything, of each type, and of each region (a block counts in the region of its labels)."""
    truths = [truth for ground in grounds for truth in ground.truths]
    overall, by_type = score_boxes(truths, predictions, threshold=threshold)
    found = {("all", ""): overall, **{("type", code): figures for code, figures in by_type.items()}}
    for region in sorted({ground.region for ground in grounds} - {""}):
        here = [ground for ground in grounds if ground.region == region]
        images = {ground.image for ground in here}
        seen = [prediction for prediction in predictions if prediction.image in images]
        there = [truth for ground in here for truth in ground.truths]
        found["region", region] = score_boxes(there, seen, threshold=threshold)[0]
    return found


@transaction.atomic
def _publish(
    model: ModelVersion, testset: TestSet, figures: dict[tuple[str, str], Figures], handle: JobHandle | None
) -> list[Score]:
    evaluator = evaluator_name()
    Score.objects.filter(model=model, testset=testset, evaluator=evaluator).delete()
    scores = Score.objects.bulk_create(
        Score(
            model=model,
            testset=testset,
            testset_checksum=testset.checksum,
            evaluator=evaluator,
            slice_kind=kind,
            slice_value=value,
            **asdict(found),
        )
        for (kind, value), found in figures.items()
    )
    if handle is not None:
        finish_job(handle=handle, result=result_of(scores))
    return scores


def result_of(scores: Sequence[Score]) -> dict[str, Any]:
    """The overall figures as JSON, for the job's row and the command."""
    overall = next(score for score in scores if score.slice_kind == "all")
    names = ("ap50", "ap50_95", "precision", "recall", "f1", "threshold", "truths", "predictions")
    told = {name: getattr(overall, name) for name in names}
    return {**told, "model": overall.model.name, "testset": overall.testset.name, "evaluator": overall.evaluator}
