from pathlib import Path

import pytest

from inference.core.model_version import ModelSpec
from inference.core.preparation import Preparation
from inference.models import ModelVersion
from inference.services.registry import register_model, weights_of
from labelling.services.children import ChildFailed
from training.services.untrained import register_untrained

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("taxonomy")]


def trained(tmp_path: Path, architecture: str = "yolo11n") -> ModelVersion:
    weights = tmp_path / "weights.pt"
    weights.write_bytes(b"weights that nobody loads here")
    spec = ModelSpec(
        architecture=architecture,
        axis="feature",
        types=("open_pit", "pond"),
        preparation=Preparation(("B04", "B03", "B02", "B08"), 64, 10.0, (0.0,) * 4, (0.4,) * 4),
    )
    return register_model(name="pits", weights=weights, spec=spec, synthetic=True)


def test_the_floor_has_the_same_network_and_is_made_once(tmp_path: Path) -> None:
    model = trained(tmp_path)
    floor = register_untrained(like=model)
    assert (floor.types, floor.bands, floor.preparation) == (model.types, model.bands, model.preparation)
    assert floor.weights_sha256 != model.weights_sha256
    assert weights_of(floor).stat().st_size > 1_000_000
    assert floor.source.synthetic
    assert register_untrained(like=model) == floor


def test_an_unknown_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match="no network nosuchnet"):
        register_untrained(like=trained(tmp_path, "nosuchnet"))
