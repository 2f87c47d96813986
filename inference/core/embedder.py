"""What an engine for embeddings offers, whoever wrote it."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inference.core.detector import Windows

Embeddings = NDArray[np.float32]
"""One vector a window, float32 of shape (N, D)."""


class Embedder(Protocol):
    """A network in memory that makes a vector of a picture."""

    def __init__(self, weights: Path, *, architecture: str) -> None:
        """Load weights as data; nothing in the file is executed, nothing is downloaded.

        Args:
            weights: the file.
            architecture: name of the network.

        Raises:
            ModelRefused: no such network, or the file does not hold its weights.
        """

    def embed(self, batch: Windows) -> Embeddings:
        """Make a vector of each picture.

        Args:
            batch: red, green and blue, uint8 of shape (N, H, W, 3).
        """
