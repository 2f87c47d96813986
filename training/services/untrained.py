"""The floor of every comparison: the same network, untrained."""

import tempfile
from pathlib import Path

from django.conf import settings

from inference.core.model_version import ModelSpec
from inference.core.preparation import Preparation
from inference.models import ModelVersion
from inference.services.registry import register_model
from labelling.services.children import run_child

ENGINE = "training.engines.untrained"


def register_untrained(*, like: ModelVersion, seed: int = 0) -> ModelVersion:
    """Register a model version with the network of another one and random weights.

    Doing it again gives the same row.

    Args:
        like: whose architecture, types and preparation to take.
        seed: of the random weights.

    Raises:
        ChildFailed: ultralytics knows no such network.
    """
    name = f"{like.name}-untrained-1"
    known = ModelVersion.objects.filter(name=name).first()
    if known is not None:
        return known
    spec = ModelSpec(
        architecture=like.architecture,
        axis=like.axis,
        types=tuple(like.types),
        preparation=Preparation.from_json(like.preparation),
        task=like.task,
    )
    with tempfile.TemporaryDirectory(dir=settings.WORK_ROOT) as folder:
        weights = Path(folder) / "untrained.pt"
        run_child(
            handle=None,
            module=ENGINE,
            spec={
                "architecture": spec.architecture,
                "types": list(spec.types),
                "channels": len(spec.preparation.bands),
                "seed": seed,
                "weights": str(weights),
            },
            log=settings.LOG_ROOT / "untrained.log",
            on_event=lambda _event: None,
        )
        return register_model(name=name, weights=weights, spec=spec, synthetic=like.source.synthetic)
