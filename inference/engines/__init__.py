"""Engines by name: detectors and embedders. Each is imported only where it is used: torch costs 500 MB."""

import os
from importlib import import_module

from inference.core.detector import Detector
from inference.core.embedder import Embedder
from inference.core.errors import ModelRefused

ENGINES = {
    "yolo": "inference.engines.yolo:YoloDetector",
    "fake": "inference.engines.fake:FakeDetector",
}
EMBEDDERS = {"timm": "inference.engines.timm:TimmEmbedder"}


def engine_named(name: str) -> type[Detector]:
    """Find the class of an engine.

    Args:
        name: as a model version keeps it, such as ``yolo``.

    Returns:
        A class that follows the protocol ``Detector``.

    Raises:
        ModelRefused: no engine of that name.
    """
    if name not in ENGINES:
        msg = f"no detector engine is called {name}; there are {', '.join(ENGINES)}"
        raise ModelRefused(msg)
    module, _, attribute = ENGINES[name].partition(":")
    detector: type[Detector] = getattr(import_module(module), attribute)
    return detector


def embedder_named(name: str) -> type[Embedder]:
    """Find the class of an engine that makes vectors of pictures.

    Raises:
        ModelRefused: no engine of that name.
    """
    if name not in EMBEDDERS:
        msg = f"no embedding engine is called {name}; there are {', '.join(EMBEDDERS)}"
        raise ModelRefused(msg)
    module, _, attribute = EMBEDDERS[name].partition(":")
    embedder: type[Embedder] = getattr(import_module(module), attribute)
    return embedder


def torch_threads() -> int:
    """As many threads as cores that this process may use, or as ``MAD_TORCH_THREADS`` says."""
    return int(os.environ.get("MAD_TORCH_THREADS", "0")) or len(os.sched_getaffinity(0))


def first_line(error: Exception) -> str:
    """What a library says of an error, without the paragraphs that follow."""
    return str(error).strip().partition("\n")[0][:200]
