"""A detector for tests: it finds bright blobs, without torch. It is never offered as a model."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, label

from inference.core.detector import Boxes, Windows
from inference.core.errors import ModelRefused


class FakeDetector:
    """Finds each connected blob whose channel reaches a threshold; the class is the number of the channel."""

    def __init__(self, weights: Path, *, classes: int, channels: int, min_score: float, iou: float) -> None:
        """Read the threshold from the weights, a JSON file such as ``{"threshold": 200}``.

        Raises:
            ModelRefused: not such a file, or more classes than channels.
        """
        try:
            self.threshold = int(json.loads(weights.read_text())["threshold"])
        except (ValueError, KeyError, TypeError) as error:
            msg = 'the weights of the fake engine are JSON such as {"threshold": 200}'
            raise ModelRefused(msg) from error
        if classes > channels:
            msg = f"the fake engine takes one channel a class: {classes} classes, {channels} channels"
            raise ModelRefused(msg)
        self.classes, self.min_score, self.iou = classes, min_score, iou

    def detect(self, batch: Windows) -> list[Boxes]:
        """Find the blobs of each window, best score first; the score is the blob's mean brightness."""
        return [self._blobs(window) for window in batch]

    def _blobs(self, window: NDArray[np.uint8]) -> Boxes:
        found = [
            (*bounds, score, number)
            for number in range(self.classes)
            for bounds, score in _bright(window[..., number], self.threshold)
            if score >= self.min_score
        ]
        boxes = np.asarray(found, np.float32).reshape(-1, 6)
        return boxes[np.argsort(-boxes[:, 4], kind="stable")]


def _bright(channel: NDArray[np.uint8], threshold: int) -> list[tuple[tuple[float, ...], float]]:
    numbered, _ = label(channel >= threshold)
    blobs: list[tuple[tuple[float, ...], float]] = []
    for number, (rows, columns) in enumerate(find_objects(numbered), start=1):
        inside = channel[rows, columns][numbered[rows, columns] == number]
        blobs.append(((columns.start, rows.start, columns.stop, rows.stop), float(inside.mean()) / 255))
    return blobs
