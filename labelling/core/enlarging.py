"""Pixels of a coarse band on the finer grid of its scene."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def enlarge(data: NDArray[Any], *, factor: int, nodata: float | None) -> NDArray[Any]:
    """Divide pixels into smaller ones, bilinearly between the centres of the large ones.

    Args:
        data: digital numbers, shape (C, H, W).
        factor: so many small pixels along the side of a large one.
        nodata: number that means "no data", or None. It stays where it is, and is not mixed into its neighbours.

    Returns:
        Digital numbers of the same type, shape (C, H * factor, W * factor). At the edges the nearest counts.
    """
    valid = ~np.isnan(data) if np.issubdtype(data.dtype, np.floating) else np.ones(data.shape, np.bool_)
    if nodata is not None and not np.isnan(nodata):
        valid &= data != nodata
    weights = valid.astype(np.float32)
    mixed = _spread(np.where(valid, data, 0).astype(np.float64), factor)
    share = _spread(weights, factor)
    mixed = np.divide(mixed, share, out=np.zeros_like(mixed), where=share > 0)
    if np.issubdtype(data.dtype, np.integer):
        mixed = np.rint(mixed)
    own = np.ones((1, factor, factor), np.bool_)
    return np.where(np.kron(valid, own), mixed.astype(data.dtype), np.kron(data, own.astype(data.dtype)))


def _spread(plane: NDArray[Any], factor: int) -> NDArray[Any]:
    for axis in (1, 2):
        length = plane.shape[axis]
        # In whole numbers, so that a share is to the last bit the same wherever the pixel lies.
        large, phase = np.divmod(2 * np.arange(length * factor) + 1 - factor, 2 * factor)
        before, share = large, (phase / (2 * factor)).reshape((-1, 1) if axis == 1 else (1, -1))
        low, high = (plane.take(np.clip(before + step, 0, length - 1), axis=axis) for step in (0, 1))
        plane = low * (1 - share) + high * share
    return plane
