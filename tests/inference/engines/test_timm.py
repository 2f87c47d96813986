"""Backbones of timm, filled from a file of tensors and from nothing else."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.core.errors import ModelRefused
from inference.engines import embedder_named

torch = pytest.importorskip("torch", reason="torch belongs to the workers")
timm = pytest.importorskip("timm", reason="timm belongs to the workers")
pytestmark = pytest.mark.worker
SMALL = "test_resnet"


def weights(path: Path, *, classes: int = 10, name: str = SMALL, seed: int = 0) -> Path:
    """A network with made-up weights, as a user would bring one."""
    torch.manual_seed(seed)
    state = timm.create_model(name, pretrained=False, num_classes=classes).state_dict()
    if path.suffix == ".safetensors":
        from safetensors.torch import save_file

        save_file(state, path)
    else:
        torch.save({"state_dict": state}, path)
    return path


def pictures(count: int = 3) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 255, (count, 128, 128, 3), np.uint8)


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_a_picture_becomes_the_same_vector_from_either_file(tmp_path: Path, suffix: str) -> None:
    embedder = embedder_named("timm")(weights(tmp_path / f"w.{suffix}"), architecture=SMALL)
    found = embedder.embed(pictures())
    assert found.shape == (3, timm.create_model(SMALL, num_classes=0).num_features)
    assert found.dtype == np.float32
    assert np.allclose(found, embedder.embed(pictures()), atol=1e-5)
    assert not np.allclose(found[0], found[1])


def test_other_weights_make_other_vectors(tmp_path: Path) -> None:
    one, other = (
        embedder_named("timm")(weights(tmp_path / f"{seed}.safetensors", seed=seed), architecture=SMALL)
        for seed in (0, 1)
    )
    assert not np.allclose(one.embed(pictures()), other.embed(pictures()))


def test_weights_of_another_network_and_no_weights_are_refused(tmp_path: Path) -> None:
    other = weights(tmp_path / "w.safetensors", name="test_convnext")
    with pytest.raises(ModelRefused, match="of another network than test_resnet"):
        embedder_named("timm")(other, architecture=SMALL)
    half = tmp_path / "half.pth"
    torch.save(dict(list(timm.create_model(SMALL).state_dict().items())[:5]), half)
    with pytest.raises(ModelRefused, match="does not fit"):
        embedder_named("timm")(half, architecture=SMALL)
    text = tmp_path / "w.pth"
    text.write_text("no weights")
    with pytest.raises(ModelRefused, match="cannot be read as tensors alone"):
        embedder_named("timm")(text, architecture=SMALL)


class Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.touch, (self.target,)


def test_a_file_that_wants_to_run_something_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    target, bomb = tmp_path / "ran", tmp_path / "bomb.pth"
    torch.save({"state_dict": Bomb(target)}, bomb)
    with pytest.raises(ModelRefused, match="cannot be read as tensors alone"):
        embedder_named("timm")(bomb, architecture=SMALL)
    bomb.write_bytes(pickle.dumps(Bomb(target)))
    with pytest.raises(ModelRefused, match="cannot be read as tensors alone"):
        embedder_named("timm")(bomb, architecture=SMALL)
    assert not target.exists()


def test_unknown_names_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="timm knows no network 'resnet-of-mine'"):
        embedder_named("timm")(weights(tmp_path / "w.safetensors"), architecture="resnet-of-mine")
    with pytest.raises(ModelRefused, match="no embedding engine is called clip; there are timm"):
        embedder_named("clip")
