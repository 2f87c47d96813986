"""The child process of a sweep: a model is led over scenes, window by window."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.core.detector import Detector, Windows
from inference.core.errors import InferenceError
from inference.core.merge import merge_boxes
from inference.core.preparation import Preparation
from inference.core.sweep import SweepSettings, SweepTarget
from inference.core.windows import Grid, grid_over, windows_over
from inference.engines import engine_named
from labelling.core.child import Emit, child_main
from labelling.core.errors import LabellingError

Batch = tuple[NDArray[np.int64], Windows]


def sweep_targets(spec: dict[str, Any], emit: Emit) -> None:
    """Look at each target and send what was found.

    Args:
        spec: ``weights``, ``engine``, ``preparation``, ``types``, ``targets``, ``settings`` as JSON;
            ``done`` of the ``total`` scenes of the job are behind it.
        emit: receives ``found`` or ``failed`` for each target, and ``progress`` in between.

    Raises:
        InferenceError: the model cannot be loaded.
    """
    targets = [SweepTarget.from_json(target) for target in spec["targets"]]
    done, total = spec["done"], spec["total"]
    emit({"event": "progress", "phase": "loading the model", "progress": done / total})
    sweeper = Sweeper.load(spec)
    for number, target in enumerate(targets, start=done):
        told = _teller(emit, number, total)
        told(0.0)
        try:
            emit(sweeper.sweep(target, told))
        except LabellingError as error:
            emit({"event": "failed", "key": target.key, "reason": str(error)})


def _teller(emit: Emit, number: int, count: int) -> Callable[[float], None]:
    def tell(share: float) -> None:
        phase = f"scene {number + 1} of {count}"
        emit({"event": "progress", "phase": phase, "progress": (number + share) / count})

    return tell


@dataclass(frozen=True)
class Sweeper:
    """A loaded model, and all that it takes to lead it over a scene."""

    detector: Detector
    preparation: Preparation
    types: tuple[str, ...]
    settings: SweepSettings

    @classmethod
    def load(cls, spec: dict[str, Any]) -> "Sweeper":
        """Load the model of a spec.

        Raises:
            ModelRefused: there is no such engine, or it refuses the weights.
        """
        preparation, settings = Preparation.from_json(spec["preparation"]), SweepSettings(**spec["settings"])
        detector = engine_named(spec["engine"])(
            Path(spec["weights"]),
            classes=len(spec["types"]),
            channels=len(preparation.bands),
            min_score=settings.min_score,
            iou=settings.merge_iou,
        )
        return cls(detector, preparation, tuple(spec["types"]), settings)

    def sweep(self, target: SweepTarget, told: Callable[[float], None]) -> dict[str, Any]:
        """Lead the model over one scene.

        Args:
            target: the scene, and which part of it.
            told: is told the share of the scene that is done.

        Returns:
            The event ``found``: key, windows, and boxes as x0, y0, x1, y1 in pixels of the scene, score, type.

        Raises:
            BadRaster: the scene cannot be read or lacks a band.
        """
        grid = grid_over(target.ref, self.preparation.pixel_m)
        windows = windows_over(grid.width, grid.height, side=self.preparation.chip_px, overlap=self.settings.overlap)
        if target.area is not None:
            windows = windows[grid.touched(windows, target.area)]
        boxes, seen, looked = self._look(grid, windows, told)
        merged = merge_boxes(boxes, seen, width=grid.width, height=grid.height, iou=self.settings.merge_iou)
        if target.area is not None:
            merged = merged[grid.touched(merged, target.area)]
        rows = [(*box[:4].round(2), round(box[4], 4), self.types[int(box[5])]) for box in grid.to_scene(merged)]
        return {"event": "found", "key": target.key, "windows": looked, "boxes": rows}

    def _look(
        self, grid: Grid, windows: NDArray[np.int64], told: Callable[[float], None]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
        """Boxes in pixels of the grid, the window of each, and how many windows held data."""
        boxes, seen, looked = [np.zeros((0, 6))], [np.zeros((0, 4), np.int64)], 0
        edge = np.asarray([grid.width, grid.height] * 2)
        for share, (places, batch) in _ahead(_batches(grid, windows, self.preparation, self.settings.batch)):
            for place, found in zip(places, self.detector.detect(batch) if len(batch) else [], strict=True):
                moved = found.astype(np.float64)
                moved[:, :4] = np.clip(moved[:, :4] + np.tile(place[:2], 2), 0, edge)
                inside = (moved[:, 2:4] > moved[:, :2]).all(axis=1)  # what the padding beyond the scene made up
                boxes.append(moved[inside])
                seen.append(np.repeat(place[None], int(inside.sum()), axis=0))
            looked += len(batch)
            told(share)
        return np.concatenate(boxes), np.concatenate(seen), looked


def _batches(
    grid: Grid, windows: NDArray[np.int64], preparation: Preparation, size: int
) -> Iterator[tuple[float, Batch]]:
    """Each batch of windows that hold data, with the share of windows read so far."""
    for start in range(0, len(windows), size):
        places, inputs = [], []
        for place in windows[start : start + size]:
            pixels = grid.read(int(place[0]), int(place[1]), preparation.chip_px, preparation.bands)
            if pixels.mask.any():
                places.append(place)
                inputs.append(preparation.to_uint8(pixels))
        share = min(1.0, (start + size) / len(windows))
        yield share, (np.asarray(places), np.asarray(inputs, np.uint8))


def _ahead(batches: Iterator[tuple[float, Batch]]) -> Iterator[tuple[float, Batch]]:
    """Read the next batch while the model looks at this one."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        waiting = reader.submit(next, batches, None)
        while (batch := waiting.result()) is not None:
            waiting = reader.submit(next, batches, None)
            yield batch


if __name__ == "__main__":
    child_main(sweep_targets, expected=InferenceError)
