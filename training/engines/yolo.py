"""Train a YOLO of ultralytics in a child process: ``python -m training.engines.yolo``, a JSON spec on stdin.

Everything that ultralytics writes stays in the work folder of the spec, and nothing is downloaded. Channels reach
the network in the order of the recipe's bands: red first in a PNG, page by page in a TIFF.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inference.engines import first_line, torch_threads
from labelling.core.child import Emit, child_main
from training.core.errors import TrainingError, TrainingFailed

_REPORT_S = 1.0
# How chips are varied from epoch to epoch. North is nothing special seen from above; the hue of the ground is: it
# tells mine types apart.
AUGMENTATION = {"flipud": 0.5, "fliplr": 0.5, "hsv_h": 0.0, "hsv_s": 0.2, "hsv_v": 0.2}


def train(spec: dict[str, Any], emit: Emit) -> None:
    """Train on a dataset and leave the best weights in the work folder.

    Args:
        spec: ``dataset`` and ``work`` (folders), ``architecture`` (name of a network, or path of weights),
            ``task`` (detect or segment), ``epochs``, ``batch``, ``imgsz``, ``patience``, ``seed``.
        emit: receives ``progress``; ``epoch`` with losses and validation metrics after each epoch; ``done`` with the
            path of the weights, their metrics, the number of epochs, seconds and the device.

    Raises:
        TrainingFailed: no such network, weights of another task, memory that does not suffice, or no weights.
    """
    work = Path(spec["work"])
    _stay_at_home(work)
    emit({"event": "progress", "phase": "load", "progress": 0.0})
    import torch

    model = _load(spec)
    report = _Report(emit, int(spec["epochs"]))
    for name, act in report.callbacks().items():
        model.add_callback(name, act)
    on_gpu = torch.cuda.is_available()
    started = time.monotonic()
    try:
        model.train(
            data=str(_lend_dataset(Path(spec["dataset"]), work / "dataset") / "data.yaml"),
            **{name: spec[name] for name in ("epochs", "batch", "imgsz", "patience", "seed")},
            **AUGMENTATION,
            # A step for each batch: small sets would else see a step only every 64 chips, and learn nothing.
            nbs=spec["batch"],
            project=str(work),
            name="run",
            exist_ok=True,
            device=0 if on_gpu else "cpu",
            # A worker of the GPU has cores to spare for reading; on the CPU they are better spent on the network.
            workers=min(8, torch_threads()) if on_gpu else 0,
            # fp16 would be checked against weights that ultralytics downloads.
            amp="bf16" if on_gpu and torch.cuda.is_bf16_supported() else False,
            deterministic=True,
            plots=False,
            verbose=True,
        )
    except torch.OutOfMemoryError as error:
        msg = "the GPU's memory does not suffice: choose a smaller batch or chip_px"
        raise TrainingFailed(msg) from error
    trainer: Any = model.trainer
    weights = next((path for path in (trainer.best, trainer.last) if path.is_file()), None)
    if weights is None:
        msg = "the training ended without weights; see its log"
        raise TrainingFailed(msg)
    emit(
        {
            "event": "done",
            "weights": str(weights),
            "metrics": report.best,
            "epochs": report.epochs,
            "seconds": round(time.monotonic() - started, 1),
            "device": torch.cuda.get_device_name(0) if on_gpu else f"CPU, {torch_threads()} threads",
        }
    )


def _stay_at_home(work: Path) -> None:
    """Keep settings, caches and fonts of the libraries in the work folder, before they are imported."""
    home = work / "config"
    home.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        YOLO_CONFIG_DIR=str(home),
        MPLCONFIGDIR=str(home),
        XDG_CACHE_HOME=str(home),
        TORCH_HOME=str(home),
        YOLO_OFFLINE="true",
        YOLO_AUTOINSTALL="false",
    )
    import matplotlib
    from ultralytics import settings
    from ultralytics.utils import USER_CONFIG_DIR

    # Else ultralytics would fetch this font when it reads a dataset.
    font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    shutil.copyfile(font, USER_CONFIG_DIR / "Arial.ttf")
    settings.update({"sync": False, "runs_dir": str(work), "weights_dir": str(work), "datasets_dir": str(work)})


def _load(spec: dict[str, Any]) -> Any:
    from ultralytics import YOLO, __version__

    name = str(spec["architecture"])
    try:
        model = YOLO(name)
    except Exception as error:
        about = f"weights {Path(name).name}" if Path(name).is_absolute() else f"network {name}"
        msg = f"ultralytics {__version__} cannot load the {about}: {first_line(error)}"
        raise TrainingFailed(msg) from error
    if model.task != spec["task"]:
        msg = (
            f"{Path(name).name} is made to {model.task}, the recipe asks to {spec['task']}: choose another architecture"
        )
        raise TrainingFailed(msg)
    return model


def _lend_dataset(source: Path, target: Path) -> Path:
    """Link a dataset's files into a folder of our own: ultralytics writes a cache beside the labels."""
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.hardlink_to(path)
        except OSError:  # another file system
            shutil.copyfile(path, place)
    return target


class _Report:
    """Turns the callbacks of ultralytics into events."""

    def __init__(self, emit: Emit, epochs: int) -> None:
        self.emit, self.wanted = emit, epochs
        self.epochs = 0
        self.batches = 0
        self.fresh = False
        self.best: dict[str, float] = {}
        self.last = 0.0

    def callbacks(self) -> dict[str, Callable[[Any], None]]:
        """The events of a trainer that are listened to."""
        return {
            "on_train_start": self._start,
            "on_train_epoch_start": self._epoch_start,
            "on_train_batch_end": self._batch_end,
            "on_train_epoch_end": self._epoch_end,
            "on_fit_epoch_end": self._fit_epoch_end,
        }

    def _start(self, trainer: Any) -> None:
        import torch

        if trainer.device.type == "cpu":
            torch.set_num_threads(torch_threads())  # ultralytics leaves one core idle
        self._progress(0, 0.0)

    def _epoch_start(self, _trainer: Any) -> None:
        self.batches = 0

    def _batch_end(self, trainer: Any) -> None:
        self.batches += 1
        if time.monotonic() - self.last > _REPORT_S:
            self._progress(trainer.epoch, self.batches / max(1, len(trainer.train_loader)))

    def _progress(self, epoch: int, part: float) -> None:
        self.last = time.monotonic()
        phase = f"train, epoch {epoch + 1} of {self.wanted}"
        self.emit({"event": "progress", "phase": phase, "progress": (epoch + min(part, 1.0)) / self.wanted})

    def _epoch_end(self, _trainer: Any) -> None:
        self.fresh = True

    def _fit_epoch_end(self, trainer: Any) -> None:
        validated = _numbers(trainer.metrics)
        if not self.fresh:  # the last validation, of the best weights
            self.best = validated
            return
        self.fresh = False
        self.epochs = trainer.epoch + 1
        losses = _numbers(trainer.label_loss_items(trainer.tloss, prefix="train"))
        self.emit({"event": "epoch", "epoch": self.epochs, "metrics": losses | validated})


def _numbers(metrics: dict[str, Any]) -> dict[str, float]:
    """Finite numbers under short names: ``metrics/mAP50(B)`` becomes ``mAP50``."""
    plain = {name.replace("metrics/", "").replace("(B)", ""): float(value) for name, value in metrics.items()}
    return {name: round(value, 6) for name, value in plain.items() if abs(value) < float("inf")}


if __name__ == "__main__":
    child_main(train, expected=TrainingError)
