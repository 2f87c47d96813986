"""What a detector engine offers, whoever wrote it."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Windows = NDArray[np.uint8]
"""A batch of windows, uint8 of shape (N, H, W, C), channels in the order of the model's bands."""
Boxes = NDArray[np.float32]
"""Boxes, float32 of shape (n, 6): x0, y0, x1, y1 in pixels, score 0 to 1, number of the class."""


class Detector(Protocol):
    """Weights in memory, ready to look at windows."""

    def __init__(self, weights: Path, *, classes: int, channels: int, min_score: float, iou: float) -> None:
        """Load weights as data; nothing in the file is executed.

        Args:
            weights: the file.
            classes: how many classes the model must have.
            channels: how many channels its input must have.
            min_score: boxes below this score are not wanted.
            iou: of two boxes of a class that overlap by more, the one with the lower score goes.

        Raises:
            ModelRefused: the file is not such weights, or they do not fit classes and channels.
        """

    def detect(self, batch: Windows) -> list[Boxes]:
        """Find boxes in each window.

        Args:
            batch: windows as ``Preparation.to_uint8`` makes them.

        Returns:
            One array a window, in the window's pixels, best score first.
        """
