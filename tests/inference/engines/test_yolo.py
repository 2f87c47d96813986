"""The real engine, with random weights: it loads data, executes nothing, and takes any number of channels."""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from inference.core.errors import ModelRefused
from tests.inference.models import yolo_weights

pytestmark = pytest.mark.worker


def load(weights: Path, *, classes: int = 2, channels: int = 2, min_score: float = 0.0) -> object:
    from inference.engines.yolo import YoloDetector

    return YoloDetector(weights, classes=classes, channels=channels, min_score=min_score, iou=0.5)


class Payload:
    """What a hostile checkpoint holds: an order to touch a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, (str(self.target), "w"))


class ByName(Payload):
    def __reduce__(self) -> tuple[object, tuple[str]]:  # type: ignore[override]
        import os

        return (os.system, (f"touch {self.target}",))


def hostile_zip(path: Path, payload: Payload) -> Path:
    """A file as torch.save writes it, whose pickle is the payload."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("best/data.pkl", pickle.dumps({"model": payload}, protocol=2))
        archive.writestr("best/byteorder", "little")
        archive.writestr("best/version", "3\n")
    return path


@pytest.mark.parametrize("kind", [Payload, ByName])
@pytest.mark.parametrize("form", ["zip", "pickle", "zip in the model"])
def test_a_hostile_checkpoint_is_refused_and_nothing_is_executed(
    tmp_path: Path, kind: type[Payload], form: str
) -> None:
    touched, weights = tmp_path / "touched", tmp_path / "best.pt"
    payload = kind(touched)
    if form == "pickle":
        weights.write_bytes(pickle.dumps({"model": payload}))
    elif form == "zip":
        hostile_zip(weights, payload)
    else:
        real = yolo_weights(tmp_path)
        with zipfile.ZipFile(real) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w") as archive:
            for name, content in parts.items():
                changed = pickle.dumps(payload, protocol=2) if name.endswith("data.pkl") else content
                archive.writestr(name, changed)
        weights.write_bytes(inner.getvalue())
    with pytest.raises(ModelRefused, match="as data"):
        load(weights)
    assert not touched.exists()


def test_what_is_no_checkpoint_at_all_is_refused(tmp_path: Path) -> None:
    weights = tmp_path / "best.pt"
    for content in (b"", b"GIF89a", b"PK\x03\x04 cut short"):
        weights.write_bytes(content)
        with pytest.raises(ModelRefused):
            load(weights)


@pytest.mark.parametrize(("classes", "channels"), [(3, 2), (2, 3)])
def test_weights_that_do_not_fit_the_row_are_refused(tmp_path: Path, classes: int, channels: int) -> None:
    with pytest.raises(ModelRefused, match="the weights have 2 classes and 2 channels"):
        load(yolo_weights(tmp_path), classes=classes, channels=channels)


def test_other_data_of_torch_is_refused(tmp_path: Path) -> None:
    import torch

    torch.save({"model": {"weight": torch.zeros(3)}}, tmp_path / "best.pt")
    with pytest.raises(ModelRefused, match="not a detection model"):
        load(tmp_path / "best.pt")


@pytest.mark.parametrize("channels", [1, 3, 12])
def test_windows_of_any_number_of_channels_give_boxes_within_them(tmp_path: Path, channels: int) -> None:
    detector = load(yolo_weights(tmp_path, channels=channels), channels=channels)
    batch = np.random.default_rng(0).integers(0, 255, (3, 80, 80, channels), np.uint8)
    found = detector.detect(batch)  # type: ignore[attr-defined]
    assert len(found) == 3
    for boxes in found:
        assert boxes.shape[1] == 6
        assert len(boxes) > 0
        assert (boxes[:, :4] >= 0).all()
        assert (boxes[:, :4] <= 80).all()
        assert (np.diff(boxes[:, 4]) <= 0).all()
        assert set(boxes[:, 5]) <= {0, 1}


def test_a_blob_needs_no_suffix_and_a_high_threshold_leaves_nothing(tmp_path: Path) -> None:
    blob = yolo_weights(tmp_path).rename(tmp_path / "ab12")
    detector = load(blob, min_score=1.0)
    assert [len(boxes) for boxes in detector.detect(np.zeros((2, 64, 64, 2), np.uint8))] == [0, 0]  # type: ignore[attr-defined]


def test_a_window_gets_the_same_boxes_alone_and_in_a_batch(tmp_path: Path) -> None:
    detector = load(yolo_weights(tmp_path))
    batch = np.random.default_rng(1).integers(0, 255, (4, 64, 64, 2), np.uint8)
    together = detector.detect(batch)  # type: ignore[attr-defined]
    alone = detector.detect(batch[2:3])[0]  # type: ignore[attr-defined]
    assert len(alone) == len(together[2])
    assert np.allclose(alone, together[2], atol=1e-2)


def test_ultralytics_itself_finds_the_same_boxes(tmp_path: Path) -> None:
    from ultralytics import YOLO

    weights = yolo_weights(tmp_path, channels=3)
    image = np.random.default_rng(2).integers(0, 255, (320, 320, 3), np.uint8)
    ours = load(weights, channels=3, min_score=0.001).detect(image[None])[0]  # type: ignore[attr-defined]
    result = YOLO(weights).predict(image[..., ::-1], conf=0.001, iou=0.5, imgsz=320, verbose=False)[0]
    theirs = result.boxes.data.cpu().numpy()
    assert len(theirs) > 10
    for some, others in ((ours, theirs), (theirs, ours)):
        distance = np.abs(some[:, None, :4] - others[None, :, :4]).max(axis=2)
        worse = np.abs(some[:, None, 4] - others[None, :, 4])
        alike = (distance < 1) & (worse < 1e-3) & (some[:, None, 5] == others[None, :, 5])
        assert alike.any(axis=1).mean() > 0.98  # where two scores are all but equal, either may stay
