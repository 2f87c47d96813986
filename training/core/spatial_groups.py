"""Groups of places that must stay on one side of a split, because they are too near to be strangers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from shapely import STRtree
from shapely import points as dots_at

from training.core.blocks import BlockGrid, buffered_box

BLOCK_M = 20_000.0
BUFFER_M = 2_000.0


def spatial_groups(
    points: NDArray[np.float64], *, block_m: float = BLOCK_M, buffer_m: float = BUFFER_M
) -> NDArray[np.int64]:
    """Group places by blocks of ground; blocks with places nearer to each other than the buffer are one group.

    So a mine that lies across the edge of a block is never on both sides of a split.

    Args:
        points: longitude and latitude in degrees, shape (N, 2).
        block_m: side of a block, metres.
        buffer_m: least distance between the places of two groups, metres.

    Returns:
        The number of each place's group, shape (N,), from 0 upwards.
    """
    if not len(points):
        return np.zeros(0, np.int64)
    grid = BlockGrid(block_m)
    blocks = [grid.block_at(lon, lat) for lon, lat in points.tolist()]
    number = {block: index for index, block in enumerate(sorted(set(blocks)))}
    parent = list(range(len(number)))
    for left, right in _near(points, buffer_m):
        _join(parent, number[blocks[left]], number[blocks[right]])
    roots = [_root(parent, number[block]) for block in blocks]
    names = {root: index for index, root in enumerate(sorted(set(roots)))}
    return np.array([names[root] for root in roots], np.int64)


def _near(points: NDArray[np.float64], buffer_m: float) -> Sequence[tuple[int, int]]:
    reach = [buffered_box((lon, lat, lon, lat), buffer_m) for lon, lat in points.tolist()]
    dots = np.asarray(dots_at(points), dtype=object)
    return [(int(left), int(right)) for left, right in STRtree(dots).query(reach, predicate="intersects").T]


def _root(parent: list[int], index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = parent[index]
    return index


def _join(parent: list[int], left: int, right: int) -> None:
    parent[_root(parent, left)] = _root(parent, right)
