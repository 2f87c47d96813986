"""Make one list of boxes from those of overlapping windows.

A mine that lies across a seam is seen by several windows, whole by some and cut by others:

1. a box that was cut by the edge of its window gives way to a whole one that covers most of it;
2. cut boxes that continue each other across a seam are joined;
3. what is then still cut gives way to a joined one that covers most of it;
4. of the rest, boxes of one class that overlap too much become the best of them.

A box that gives way leaves its score, if that is the higher one: it spoke of the same mine.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

EDGE_PX = 2.0
"""A box that ends this close to the edge of its window was cut by it."""
COVERED = 0.5
"""A cut box gives way to one that covers this share of it."""
CONTINUES = 0.5
"""Two cut boxes continue each other where their extents along the seam overlap by this IoU."""
_LEFT, _TOP, _RIGHT, _BOTTOM = range(4)


class _Pairs(NamedTuple):
    """Pairs of boxes of one class that touch: their numbers, and the area that both cover."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    common: NDArray[np.float64]


def merge_boxes(
    boxes: NDArray[np.floating],
    windows: NDArray[np.integer],
    *,
    width: int,
    height: int,
    iou: float,
) -> NDArray[np.float64]:
    """Merge the boxes of overlapping windows over one grid.

    Args:
        boxes: shape (n, 6): x0, y0, x1, y1 in pixels of the grid, score, class.
        windows: shape (n, 4): x0, y0, x1, y1 of the window that each box was found in.
        width: columns of the grid; a window's edge at or beyond the grid's edge cuts nothing.
        height: rows of the grid.
        iou: two boxes of a class that overlap by at least this become one.

    Returns:
        float64 of shape (m, 6), m <= n, best score first.
    """
    if not len(boxes):
        return np.zeros((0, 6))
    order = _canonical(boxes, windows)
    found, seen = np.asarray(boxes, np.float64)[order], np.asarray(windows, np.float64)[order]
    cuts = _cuts(found, seen, width, height)
    found, cuts, seen = _give_way(found, cuts, seen)
    found, cuts, seen = _join(found, cuts, seen)
    found, cuts, seen = _give_way(found, cuts, seen)
    kept = _suppress(found, cuts, iou)
    return kept[_canonical(kept, kept[:, :4])]


def _canonical(boxes: NDArray[np.floating], windows: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.int64]:
    """The order that depends on nothing but the boxes: best score first, then by place."""
    keys = [*windows.T[::-1], boxes[:, 5], *boxes[:, 3::-1].T, -boxes[:, 4]]
    return np.lexsort(keys)


def _cuts(boxes: NDArray[np.float64], windows: NDArray[np.float64], width: int, height: int) -> NDArray[np.bool_]:
    """Which of its four sides (left, top, right, bottom) an inner edge of the window has cut, shape (n, 4)."""
    near = np.abs(boxes[:, :4] - windows) <= EDGE_PX
    inner = np.stack(
        [windows[:, 0] > 0, windows[:, 1] > 0, windows[:, 2] < width, windows[:, 3] < height],
        axis=1,
    )
    return near & inner


def _area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1e-9)


def _pairs(boxes: NDArray[np.float64]) -> _Pairs:
    """All pairs of boxes of one class that overlap or touch, found by a sweep from left to right."""
    order = np.argsort(boxes[:, 0], kind="stable")
    starts = boxes[order, 0]
    ends = np.searchsorted(starts, boxes[order, 2], side="right")
    counts = np.maximum(ends - np.arange(len(boxes)) - 1, 0)
    left = np.repeat(np.arange(len(boxes)), counts)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    first, second = order[left], order[left + 1 + offset]
    low = np.maximum(boxes[first, :2], boxes[second, :2])
    high = np.minimum(boxes[first, 2:4], boxes[second, 2:4])
    sides = high - low
    same = (sides >= 0).all(axis=1) & (boxes[first, 5] == boxes[second, 5])
    return _Pairs(first[same], second[same], np.prod(sides[same], axis=1))


def _give_way(
    boxes: NDArray[np.float64], cuts: NDArray[np.bool_], windows: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Drop each cut box that a whole one of another window covers; the whole one keeps the better score."""
    pairs, cut = _pairs(boxes), np.asarray(cuts.any(axis=1), np.bool_)
    loser = np.concatenate([pairs.first, pairs.second])
    winner = np.concatenate([pairs.second, pairs.first])
    covered = np.concatenate([pairs.common, pairs.common]) / _area(boxes)[loser]
    elsewhere = (windows[loser] != windows[winner]).any(axis=1)
    gives = cut[loser] & ~cut[winner] & elsewhere & (covered >= COVERED)
    scores = boxes[:, 4].copy()
    np.maximum.at(scores, winner[gives], boxes[loser[gives], 4])
    stays = np.ones(len(boxes), np.bool_)
    stays[loser[gives]] = False
    kept = boxes.copy()
    kept[:, 4] = scores
    return kept[stays], cuts[stays], windows[stays]


def _join(
    boxes: NDArray[np.float64], cuts: NDArray[np.bool_], windows: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Put cut boxes that continue each other together: the hull, the best score, and what cuts are left."""
    groups = np.arange(len(boxes))
    for first, second in _continuing(boxes, cuts, windows):
        a, b = _root(groups, first), _root(groups, second)
        groups[max(a, b)] = min(a, b)
    roots = np.asarray([_root(groups, number) for number in range(len(boxes))], np.int64)
    members = np.bincount(roots, minlength=len(boxes))
    joined, is_cut, seen = boxes.copy(), cuts.copy(), windows.copy()
    for root in np.flatnonzero(members > 1):
        group = roots == root
        hull = np.concatenate([boxes[group, :2].min(axis=0), boxes[group, 2:4].max(axis=0)])
        at_the_side = np.abs(boxes[group, :4] - hull) <= EDGE_PX
        joined[root] = [*hull, boxes[group, 4].max(), boxes[root, 5]]
        is_cut[root] = ~(at_the_side & ~cuts[group]).any(axis=0)
        seen[root] = np.nan  # of no window
    own = roots == np.arange(len(boxes))
    return joined[own], is_cut[own], seen[own]


def _continuing(
    boxes: NDArray[np.float64], cuts: NDArray[np.bool_], windows: NDArray[np.float64]
) -> list[tuple[int, int]]:
    pairs = _pairs(boxes)
    first, second = np.concatenate([pairs.first, pairs.second]), np.concatenate([pairs.second, pairs.first])
    found: list[tuple[int, int]] = []
    for axis, ends, begins in ((0, _RIGHT, _LEFT), (1, _BOTTOM, _TOP)):
        along = 1 - axis
        follows = windows[first, axis] < windows[second, axis]
        beside = windows[first, along] == windows[second, along]
        low = np.maximum(boxes[first, along], boxes[second, along])
        high = np.minimum(boxes[first, along + 2], boxes[second, along + 2])
        hull = np.maximum(boxes[first, along + 2], boxes[second, along + 2]) - np.minimum(
            boxes[first, along], boxes[second, along]
        )
        alike = (high - low) >= CONTINUES * hull
        good = cuts[first, ends] & cuts[second, begins] & follows & beside & alike
        found += zip(first[good].tolist(), second[good].tolist(), strict=True)
    return found


def _root(groups: NDArray[np.int64], number: int) -> int:
    while groups[number] != number:
        groups[number] = groups[groups[number]]
        number = int(groups[number])
    return number


def _suppress(boxes: NDArray[np.float64], cuts: NDArray[np.bool_], iou: float) -> NDArray[np.float64]:
    """Greedy non-maximum suppression in each class; whole boxes go before cut ones."""
    pairs, area = _pairs(boxes), _area(boxes)
    overlap = pairs.common / (area[pairs.first] + area[pairs.second] - pairs.common)
    close = overlap >= iou
    near: dict[int, list[int]] = {}
    for a, b in zip(pairs.first[close].tolist(), pairs.second[close].tolist(), strict=True):
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    stays, kept = np.ones(len(boxes), np.bool_), boxes.copy()
    for number in np.lexsort((-boxes[:, 4], np.any(cuts, axis=1))).tolist():
        if stays[number]:
            losers = [other for other in near.get(number, ()) if stays[other]]
            stays[losers] = False
            kept[number, 4] = max([kept[number, 4], *boxes[losers, 4]])
    return kept[stays]
