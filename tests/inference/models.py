"""Models for the tests: the fake engine, and a real YOLO with random weights."""

import json
from pathlib import Path

from inference.core.model_version import ModelSpec
from inference.core.preparation import Preparation
from inference.models import ModelVersion
from inference.services.registry import register_model
from labelling.core.matching import ClaimSpec
from labelling.models import Site
from labelling.services.sites import place_claims
from tests.mines import HERE, square

PREPARATION = Preparation(bands=("B04", "B03"), chip_px=64, pixel_m=10.0, low=(0.0, 0.0), high=(0.5, 0.5))
TYPES = ("open_pit", "pond")


def fake_weights(folder: Path, *, threshold: int = 200) -> Path:
    path = folder / f"fake-{threshold}.json"
    path.write_text(json.dumps({"threshold": threshold}))
    return path


def fake_model(
    folder: Path, *, name: str = "blobs", preparation: Preparation = PREPARATION, types: tuple[str, ...] = TYPES
) -> ModelVersion:
    """A model of the fake engine: bright B04 is an open pit, bright B03 a pond."""
    spec = ModelSpec("blobs", "feature", types, preparation, engine="fake")
    return register_model(name=name, weights=fake_weights(folder), spec=spec, recipe_hash="0" * 64)


def yolo_weights(folder: Path, *, classes: int = 2, channels: int = 2) -> Path:
    """Random weights, in the form in which ultralytics keeps a trained model."""
    import torch
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(0)
    model = DetectionModel("yolo11n.yaml", ch=channels, nc=classes, verbose=False)
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    model.train()(torch.rand(2, channels, 128, 128))  # or the signal dies out and every box is the same
    for last in (*model.model[-1].cv2, *model.model[-1].cv3):
        torch.nn.init.normal_(last[-1].weight, std=0.1)
    model.names = {number: f"type {number}" for number in range(classes)}
    path = folder / "best.pt"
    torch.save({"model": model.half(), "ema": None, "train_args": {"imgsz": 64}, "epoch": -1}, path)
    return path


def proposed(model: ModelVersion, *scores: float | None, code: str = "open_pit", lat: float = HERE[1]) -> list[Site]:
    """Sites in a row, 0.05 degrees apart, each proposed by a model with a score."""
    claims = [
        ClaimSpec(
            f"{lat} {number} {score}", square(HERE[0] + 0.05 * number, lat), {model.axis: ((code, score),)}, score
        )
        for number, score in enumerate(scores)
    ]
    return [proposal.site for proposal in place_claims(source=model.source, claims=claims).proposals]
