"""Ultralytics YOLO. Weights are read as data: nothing that a file asks for is executed or downloaded."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision  # noqa: F401  # without it ultralytics takes another, only approximate suppression
from numpy.typing import NDArray
from ultralytics.nn.tasks import DetectionModel, _SafeLoad, torch_safe_load
from ultralytics.utils.nms import non_max_suppression

from inference.core.detector import Boxes, Windows
from inference.core.errors import ModelRefused
from inference.engines import first_line, torch_threads

MAX_BOXES = 300
"""A window holds at most this many boxes."""
_PADDING = 114
"""The grey that ultralytics fills a chip up with, in training and here."""


class YoloDetector:
    """A YOLO detection model of any number of channels, on the GPU where there is one."""

    def __init__(self, weights: Path, *, classes: int, channels: int, min_score: float, iou: float) -> None:
        """Load a checkpoint of ultralytics by its allow-list of model classes.

        Raises:
            ModelRefused: not such a checkpoint, or one that asks for anything else to be loaded.
        """
        torch.set_num_threads(torch_threads())  # ultralytics leaves one core idle
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model = _load(weights)
        _check(model, classes=classes, channels=channels)
        self.model = model.float().fuse(verbose=False).eval().to(self.device)
        self.stride = int(self.model.stride.max())
        self.classes, self.min_score, self.iou = classes, min_score, iou

    def detect(self, batch: Windows) -> list[Boxes]:
        """Find boxes in each window, best score first."""
        height, width = batch.shape[1:3]
        with torch.inference_mode():
            pixels = torch.from_numpy(self._padded(batch)).to(self.device).permute(0, 3, 1, 2).float().div_(255)
            found = non_max_suppression(
                self.model(pixels), self.min_score, self.iou, nc=self.classes, max_det=MAX_BOXES, max_time_img=10.0
            )
        return [_within(boxes.cpu().numpy(), width, height) for boxes in found]

    def _padded(self, batch: Windows) -> Windows:
        """Fill up to a multiple of the model's stride, at the right and at the bottom."""
        missing = [-side % self.stride for side in batch.shape[1:3]]
        if not any(missing):
            return batch
        return np.pad(batch, ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0)), constant_values=_PADDING)


def _load(weights: Path) -> Any:
    if not _SafeLoad.SUPPORTED:
        msg = f"PyTorch {torch.__version__} cannot load weights as data alone: install 2.6 or newer"
        raise ModelRefused(msg)
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / "weights.pt"  # ultralytics goes by the suffix; a blob has none
        named.symlink_to(weights.resolve())
        try:
            checkpoint, _ = torch_safe_load(named, safe_only=True)
        except Exception as error:
            msg = f"the weights are not a checkpoint of ultralytics that can be read as data: {first_line(error)}"
            raise ModelRefused(msg) from error
    return checkpoint.get("ema") or checkpoint.get("model")


def _check(model: Any, *, classes: int, channels: int) -> None:
    if not isinstance(model, DetectionModel):
        msg = f"the weights hold {type(model).__name__}, not a detection model of ultralytics"
        raise ModelRefused(msg)
    has = (len(model.names), int(model.yaml.get("channels", 3)))
    if has != (classes, channels):
        msg = f"the weights have {has[0]} classes and {has[1]} channels; the model's row says {classes} and {channels}"
        raise ModelRefused(msg)


def _within(boxes: NDArray[np.float32], width: int, height: int) -> Boxes:
    inside = boxes[:, :6].astype(np.float32)
    inside[:, [0, 2]] = inside[:, [0, 2]].clip(0, width)
    inside[:, [1, 3]] = inside[:, [1, 3]].clip(0, height)
    return inside[(inside[:, 2] > inside[:, 0]) & (inside[:, 3] > inside[:, 1])]
