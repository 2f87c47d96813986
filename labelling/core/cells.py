"""Cells of the web map: each point has a number, and all points of a map tile have numbers in one row."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labelling.core.grid import TileAddress

CELL_ZOOM = 24
"""A cell is a tile of this zoom: 2.4 m at the equator."""
_STEPS = (16, 8, 4, 2, 1)
_MASKS = (0x0000FFFF0000FFFF, 0x00FF00FF00FF00FF, 0x0F0F0F0F0F0F0F0F, 0x3333333333333333, 0x5555555555555555)
_ALL = 0x00000000FFFFFFFF
_MERCATOR_EDGE = 85.0511287798066


def cells_of(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.int64]:
    """Number the cells of points along the Z-order curve: the bits of column and row, interleaved.

    Whoever drops the last ``2 * n`` bits has the number of the tile ``n`` zooms further out, so that what lies in a
    tile is one range of numbers.

    Args:
        lon: degrees, EPSG:4326, shape (N,) or a number.
        lat: degrees, EPSG:4326, same shape; beyond the web map's edge (85.05 degrees) counts as on it.

    Returns:
        Numbers from 0 to below ``4 ** CELL_ZOOM``, same shape.
    """
    count = 1 << CELL_ZOOM
    y = np.radians(np.clip(np.asarray(lat, dtype=np.float64), -_MERCATOR_EDGE, _MERCATOR_EDGE))
    column = np.floor((np.asarray(lon, dtype=np.float64) + 180) / 360 * count)
    row = np.floor((1 - np.arcsinh(np.tan(y)) / math.pi) / 2 * count)
    x, y = (np.clip(part, 0, count - 1).astype(np.int64) for part in (column, row))
    return _spread(x) | (_spread(y) << 1)


def range_of(tile: TileAddress) -> tuple[int, int]:
    """The first and the last cell of a tile.

    Args:
        tile: of a zoom up to ``CELL_ZOOM``.
    """
    shift = 2 * (CELL_ZOOM - tile.z)
    x, y = _spread(np.array([tile.x, tile.y], dtype=np.int64)).tolist()
    first = (x | y << 1) << shift
    return first, first + (1 << shift) - 1


def middles_of(numbers: ArrayLike, zoom: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the middles of tiles lie.

    Args:
        numbers: of cells, less their last ``2 * (CELL_ZOOM - zoom)`` bits; shape (N,).
        zoom: 0 to ``CELL_ZOOM``.

    Returns:
        Longitudes and latitudes in degrees, EPSG:4326, shape (N,) each.
    """
    tiles = np.asarray(numbers, dtype=np.int64)
    x, y = (_gather(part) + 0.5 for part in (tiles, tiles >> 1))
    count = 1 << zoom
    return x / count * 360 - 180, np.degrees(np.arctan(np.sinh(math.pi * (1 - 2 * y / count))))


def _spread(part: NDArray[np.int64]) -> NDArray[np.int64]:
    """Put a zero before each of the lowest 32 bits."""
    for shift, mask in zip(_STEPS, _MASKS, strict=True):
        part = (part | (part << shift)) & mask
    return part


def _gather(part: NDArray[np.int64]) -> NDArray[np.int64]:
    """Every second bit, from the lowest on: the way back."""
    part = part & _MASKS[-1]
    for shift, mask in zip(reversed(_STEPS), (*reversed(_MASKS[:-1]), _ALL), strict=True):
        part = (part | (part >> shift)) & mask
    return part
