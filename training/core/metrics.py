"""How well boxes were found: average precision by faster-coco-eval, and what one threshold gives."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

Corners = tuple[float, float, float, float]
"""x0, y0, x1, y1 of a box, pixels."""
MATCH_IOU = 0.5
# The COCO default of 100 a class and image is for photographs; a test window is a landscape.
MAX_DETECTIONS = 1000


@dataclass(frozen=True)
class Truth:
    """A labelled box: image, type code, corners in pixels of the image."""

    image: str
    type_code: str
    box: Corners


@dataclass(frozen=True)
class Prediction:
    """A found box: image, type code, corners in pixels of the image, score 0 to 1."""

    image: str
    type_code: str
    box: Corners
    score: float


@dataclass(frozen=True)
class Figures:
    """How well something was found.

    Attributes:
        ap50: average precision at IoU 0.5; None where there is no truth.
        ap50_95: mean average precision over IoU 0.5, 0.55, ... 0.95; None where there is no truth.
        precision: right predictions of all predictions; None where there is no prediction.
        recall: truths found of all truths; None where there is no truth.
        f1: 2 right / (2 right + wrong + missed); None where there is neither truth nor prediction.
        threshold: least score of the predictions that count for precision, recall and F1.
        truths: how many truths.
        predictions: how many predictions reach the threshold.
    """

    ap50: float | None
    ap50_95: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    threshold: float
    truths: int
    predictions: int


def evaluator_name() -> str:
    """Name this evaluator with all that its figures depend on; it changes when they may."""
    return f"mad-1 faster-coco-eval-{version('faster-coco-eval')}"


def score_boxes(
    truths: Sequence[Truth], predictions: Sequence[Prediction], *, threshold: float
) -> tuple[Figures, dict[str, Figures]]:
    """Score predictions against truths.

    A prediction is right where it has the type of a truth that no better prediction took, and overlaps it with
    an IoU of at least 0.5 (for average precision: of each of COCO's ten IoUs). Average precision over several
    types is the mean over the types that have truth (COCO); precision, recall and F1 count every box once.

    Args:
        truths: labelled boxes.
        predictions: found boxes, down to a score near 0 for the average precision.
        threshold: least score of the predictions that count for precision, recall and F1.

    Returns:
        The figures of all types together, and of each type that has truths or predictions.
    """
    codes = sorted({truth.type_code for truth in truths} | {found.type_code for found in predictions})
    averages = _average_precisions(truths, predictions, codes)
    confident = [found for found in predictions if found.score >= threshold]
    right = _count_right(truths, confident)
    by_type = {
        code: _figures(
            [averages[code]] if code in averages else [],
            right=right[code],
            truths=sum(truth.type_code == code for truth in truths),
            predictions=sum(found.type_code == code for found in confident),
            threshold=threshold,
        )
        for code in codes
    }
    overall = _figures(
        list(averages.values()),
        right=sum(right.values()),
        truths=len(truths),
        predictions=len(confident),
        threshold=threshold,
    )
    return overall, by_type


def _figures(
    averages: list[tuple[float, float]], *, right: int, truths: int, predictions: int, threshold: float
) -> Figures:
    ap50, ap50_95 = (float(np.mean(column)) for column in zip(*averages, strict=True)) if averages else (None, None)
    return Figures(
        ap50=ap50,
        ap50_95=ap50_95,
        precision=right / predictions if predictions else None,
        recall=right / truths if truths else None,
        f1=2 * right / (truths + predictions) if truths + predictions else None,
        threshold=threshold,
        truths=truths,
        predictions=predictions,
    )


def _average_precisions(
    truths: Sequence[Truth], predictions: Sequence[Prediction], codes: list[str]
) -> dict[str, tuple[float, float]]:
    """AP50 and AP50-95 of each type that has truth."""
    with_truth = {truth.type_code for truth in truths}
    if not with_truth:
        return {}
    table = _precision_table(truths, predictions, codes)
    return {
        code: (float(table[0, :, index].mean()), float(table[:, :, index].mean()))
        for index, code in enumerate(codes)
        if code in with_truth
    }


def _precision_table(
    truths: Sequence[Truth], predictions: Sequence[Prediction], codes: list[str]
) -> NDArray[np.float64]:
    """Precision of shape (10 IoUs, 101 recalls, types), as COCO defines it."""
    from faster_coco_eval import COCO, COCOeval_faster  # the worker's library

    names = {truth.image for truth in truths} | {found.image for found in predictions}
    images = {name: number for number, name in enumerate(sorted(names), start=1)}
    types = {code: number for number, code in enumerate(codes, start=1)}
    known = COCO(
        {
            "images": [{"id": number} for number in images.values()],
            "categories": [{"id": number, "name": code} for code, number in types.items()],
            "annotations": [
                {"id": number, "iscrowd": 0, **_annotation(truth, images, types)}
                for number, truth in enumerate(truths, start=1)
            ],
        }
    )
    found = known.loadRes([{"score": item.score, **_annotation(item, images, types)} for item in predictions])
    judge = COCOeval_faster(known, found, "bbox", extra_calc=False)
    judge.params.maxDets = [MAX_DETECTIONS]
    judge.params.areaRng, judge.params.areaRngLbl = [[0.0, 1e18]], ["all"]
    judge.evaluate()
    judge.accumulate()
    return np.asarray(judge.eval["precision"])[:, :, :, 0, 0]


def _annotation(item: Truth | Prediction, images: dict[str, int], types: dict[str, int]) -> dict[str, Any]:
    x0, y0, x1, y1 = item.box
    size = {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0)}
    return {"image_id": images[item.image], "category_id": types[item.type_code], **size}


def _count_right(truths: Sequence[Truth], confident: Sequence[Prediction]) -> dict[str, int]:
    """Count the right predictions of each type: best score first, each takes its best truth that is still free."""
    groups: dict[tuple[str, str], tuple[list[Truth], list[Prediction]]] = defaultdict(lambda: ([], []))
    for truth in truths:
        groups[truth.image, truth.type_code][0].append(truth)
    for found in confident:
        groups[found.image, found.type_code][1].append(found)
    right: dict[str, int] = defaultdict(int)
    for (_, code), (there, seen) in groups.items():
        right[code] += _match(there, seen)
    return right


def _match(there: list[Truth], seen: list[Prediction]) -> int:
    if not there or not seen:
        return 0
    seen = sorted(seen, key=lambda found: -found.score)
    overlaps = box_ious([found.box for found in seen], [truth.box for truth in there])
    right = 0
    for row in range(len(seen)):
        best = int(overlaps[row].argmax())
        if overlaps[row, best] >= MATCH_IOU:
            right += 1
            overlaps[:, best] = -1.0
    return right


def box_ious(left: Sequence[Corners], right: Sequence[Corners]) -> NDArray[np.float64]:
    """Intersection over union of each pair of boxes, float64 of shape (left, right); 0 where neither has area."""
    a, b = np.asarray(left, np.float64)[:, None], np.asarray(right, np.float64)[None, :]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.clip(sides, 0, None).prod(axis=-1)
    total = _areas(a) + _areas(b) - shared
    return np.asarray(np.divide(shared, total, out=np.zeros_like(shared), where=total > 0))


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]))
