"""A perfect detector sees what lies in its window, cut at the edge: merging must give the objects back."""

from random import Random
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.core.merge import merge_boxes
from inference.core.windows import windows_over

SIDE = 64


def seen_by_windows(
    objects: NDArray[np.float64], width: int, height: int, *, side: int = SIDE, overlap: float = 0.2
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """What a perfect detector finds in each window, and the window of each find."""
    boxes, windows = [np.zeros((0, 6))], [np.zeros((0, 4), np.int64)]
    for window in windows_over(width, height, side=side, overlap=overlap):
        clipped = objects.copy()
        clipped[:, :4] = np.clip(objects[:, :4], np.tile(window[:2], 2), np.tile(window[2:], 2))
        visible = clipped[((clipped[:, 2:4] - clipped[:, :2]) >= 1).all(axis=1)]
        boxes.append(visible)
        windows.append(np.repeat(window[None], len(visible), axis=0))
    return np.concatenate(boxes), np.concatenate(windows)


def merged(objects: NDArray[np.float64], width: int, height: int, **more: float) -> NDArray[np.float64]:
    boxes, windows = seen_by_windows(objects, width, height, **more)  # type: ignore[arg-type]
    return merge_boxes(boxes, windows, width=width, height=height, iou=0.5)


def by_place(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return boxes[np.lexsort(boxes.T)]


@st.composite
def apart(draw: st.DrawFn) -> NDArray[np.float64]:
    """Objects of any size in the cells of a 4 x 4 lattice over 400 x 400 pixels, so that none touches another."""
    rows = []
    for cell in draw(st.sets(st.integers(0, 15), min_size=1)):
        left, top = cell % 4 * 100 + 6, cell // 4 * 100 + 6
        x0, y0 = draw(st.integers(0, 60)), draw(st.integers(0, 60))
        x1, y1 = draw(st.integers(x0 + 6, 88)), draw(st.integers(y0 + 6, 88))
        rows.append((left + x0, top + y0, left + x1, top + y1, 0.9, draw(st.integers(0, 2))))
    return np.asarray(rows, np.float64)


@given(apart(), st.sampled_from([0.1, 0.2, 0.5]))
def test_each_object_is_found_once_and_whole(objects: NDArray[np.float64], overlap: float) -> None:
    assert by_place(merged(objects, 400, 400, overlap=overlap)) == pytest.approx(by_place(objects))


@given(apart(), st.randoms(use_true_random=False))
def test_the_order_of_the_windows_changes_nothing(objects: NDArray[np.float64], random: Random) -> None:
    boxes, windows = seen_by_windows(objects, 400, 400)
    order = list(range(len(boxes)))
    random.shuffle(order)
    one = merge_boxes(boxes, windows, width=400, height=400, iou=0.5)
    other = merge_boxes(boxes[order], windows[order], width=400, height=400, iou=0.5)
    assert one.tolist() == other.tolist()


@st.composite
def noisy(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Any boxes at all, each inside a window."""
    windows = windows_over(200, 150, side=SIDE, overlap=0.2)
    number = st.integers(0, len(windows) - 1)
    boxes, seen = [], []
    for which in draw(st.lists(number, min_size=1, max_size=25)):
        x, y = windows[which][:2]
        x0, y0 = draw(st.integers(0, 60)), draw(st.integers(0, 60))
        x1, y1 = draw(st.integers(x0 + 1, SIDE)), draw(st.integers(y0 + 1, SIDE))
        boxes.append((x + x0, y + y0, x + x1, y + y1, draw(st.floats(0.01, 1)), draw(st.integers(0, 1))))
        seen.append(windows[which])
    return np.asarray(boxes, np.float64), np.asarray(seen)


def iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    sides = np.minimum(a[2:4], b[2:4]) - np.maximum(a[:2], b[:2])
    common = np.prod(np.maximum(sides, 0))
    return float(common / (np.prod(a[2:4] - a[:2]) + np.prod(b[2:4] - b[:2]) - common))


@given(noisy())
def test_whatever_the_model_says_no_two_boxes_of_a_class_overlap_too_much(
    found: tuple[NDArray[np.float64], NDArray[np.int64]],
) -> None:
    kept = merge_boxes(*found, width=200, height=150, iou=0.5)
    for number, one in enumerate(kept):
        for other in kept[number + 1 :]:
            assert one[5] != other[5] or iou(one, other) < 0.5


@given(noisy())
def test_the_best_score_of_a_class_is_never_lost_and_none_is_made_up(
    found: tuple[NDArray[np.float64], NDArray[np.int64]],
) -> None:
    kept = merge_boxes(*found, width=200, height=150, iou=0.5)
    for kind in set(found[0][:, 5]):
        before, after = found[0][found[0][:, 5] == kind], kept[kept[:, 5] == kind]
        assert after[:, 4].max() == before[:, 4].max()
        assert set(after[:, 4]) <= set(before[:, 4])
    assert list(kept[:, 4]) == sorted(kept[:, 4], reverse=True)


@given(noisy())
def test_every_box_that_went_is_covered_by_one_that_stayed(
    found: tuple[NDArray[np.float64], NDArray[np.int64]],
) -> None:
    kept = merge_boxes(*found, width=200, height=150, iou=0.5)
    for box in found[0]:
        alike = kept[kept[:, 5] == box[5]]
        sides = np.minimum(alike[:, 2:4], box[2:4]) - np.maximum(alike[:, :2], box[:2])
        assert (sides > 0).all(axis=1).any()


def test_an_object_longer_than_three_windows_is_one_box() -> None:
    road = np.asarray([[10, 100, 390, 120, 0.8, 0]], np.float64)
    assert merged(road, 400, 400).tolist() == road.tolist()


def test_two_objects_of_two_classes_at_one_place_stay_two() -> None:
    both = np.asarray([[40, 40, 80, 80, 0.8, 0], [40, 40, 80, 80, 0.7, 1]], np.float64)
    assert by_place(merged(both, 200, 200)).tolist() == by_place(both).tolist()


def test_a_box_at_the_edge_of_the_scene_is_not_taken_for_cut() -> None:
    corner = np.asarray([[0, 0, 30, 30, 0.8, 0]], np.float64)
    assert merged(corner, 64, 64).tolist() == corner.tolist()


def test_a_cut_piece_gives_way_to_the_whole_box_and_leaves_it_its_score() -> None:
    windows = np.asarray([[0, 0, 64, 64], [51, 0, 115, 64]])
    boxes = np.asarray([[53, 10, 64, 30, 0.9, 0], [54, 10, 80, 30, 0.6, 0]])
    assert merge_boxes(boxes, windows, width=115, height=64, iou=0.5).tolist() == [[54, 10, 80, 30, 0.9, 0]]


def test_two_mines_side_by_side_that_no_edge_has_cut_are_not_joined() -> None:
    beside = np.asarray([[10, 10, 30, 30, 0.9, 0], [30, 10, 50, 30, 0.8, 0]], np.float64)
    assert merged(beside, 200, 200).tolist() == beside.tolist()


def test_no_boxes_give_no_boxes() -> None:
    assert merge_boxes(np.zeros((0, 6)), np.zeros((0, 4), np.int64), width=10, height=10, iou=0.5).shape == (0, 6)


def test_twenty_thousand_boxes_are_merged_in_seconds() -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 10_900, (20_000, 2))
    objects = np.hstack(
        [corners, corners + rng.uniform(10, 70, (20_000, 2)), rng.uniform(0.1, 1, (20_000, 2)).round(1)]
    )
    objects[:, 5] = 0
    whole_scene = np.tile([[0, 0, 10_980, 10_980]], (20_000, 1))
    start = perf_counter()
    kept = merge_boxes(objects, whole_scene, width=10_980, height=10_980, iou=0.5)
    assert 10_000 < len(kept) < 20_000
    assert perf_counter() - start < 60
