"""Backbones of timm. Weights are a file of the user's, read as data: nothing is executed or downloaded."""

from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from safetensors.torch import load_file
from timm.data.config import resolve_data_config

from inference.core.detector import Windows
from inference.core.embedder import Embeddings
from inference.core.errors import ModelRefused
from inference.engines import torch_threads

_HEADS = ("fc.", "head.", "classifier.", "head_dist.", "last_linear.")


class TimmEmbedder:
    """A network of timm without its head, on the GPU where there is one."""

    def __init__(self, weights: Path, *, architecture: str) -> None:
        """Build the network and fill it from a ``.safetensors`` file or a checkpoint that holds tensors alone.

        Raises:
            ModelRefused: timm knows no such network, or the file does not hold the weights of it.
        """
        torch.set_num_threads(torch_threads())
        if not timm.is_model(architecture):
            msg = f"timm knows no network {architecture!r}: see timm.list_models()"
            raise ModelRefused(msg)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model = timm.create_model(architecture, pretrained=False, num_classes=0)
        _fill(model, _tensors(weights), architecture)
        self.model = model.eval().to(self.device)
        data: dict[str, Any] = resolve_data_config({}, model=model)  # type: ignore[no-untyped-call]
        self.mean, self.std = (torch.tensor(data[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
        self.size = tuple(data["input_size"][1:])

    def embed(self, batch: Windows) -> Embeddings:
        """Make a vector of each picture, at the size and with the colours that the network was made for."""
        with torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(batch)).permute(0, 3, 1, 2).float().div_(255)
            pixels = torch.nn.functional.interpolate(pixels, self.size, mode="bilinear", antialias=True)
            found = self.model(((pixels - self.mean) / self.std).to(self.device))
        return np.asarray(found.float().cpu().numpy(), np.float32)


def _tensors(weights: Path) -> dict[str, Any]:
    try:
        if weights.suffix == ".safetensors":
            found: Any = load_file(weights)
        else:
            found = torch.load(weights, map_location="cpu", weights_only=True)
    except Exception as error:
        first = str(error).strip().partition("\n")[0][:200]
        msg = f"{weights.name} cannot be read as tensors alone: {first}"
        raise ModelRefused(msg) from error
    for key in ("state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        msg = f"{weights.name} holds no table of tensors: save the network's state_dict"
        raise ModelRefused(msg)
    return {name.removeprefix("module."): value for name, value in found.items()}


def _fill(model: Any, tensors: dict[str, Any], architecture: str) -> None:
    """Every weight of the network must be in the file; what the file has beyond that is its head."""
    try:
        result = model.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        msg = f"the weights are of another network than {architecture}: {str(error).splitlines()[-1].strip()[:200]}"
        raise ModelRefused(msg) from error
    strange = [name for name in result.unexpected_keys if not name.startswith(_HEADS)]
    if result.missing_keys or strange:
        wrong = (result.missing_keys or strange)[0]
        msg = f"the weights are of another network than {architecture}: {wrong} does not fit"
        raise ModelRefused(msg)
