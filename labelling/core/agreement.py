"""How far opinions agree: what each said, Krippendorff's alpha, and the overlap of outlines."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import krippendorff
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from labelling.core.review import BACKGROUND_REASONS, POSITIVE

EMPTY = "(not a mine)"
UNSEEN = "(rejected)"
UNSURE = "(unsure)"
UNTYPED = "(no type)"
# What is no type: in brackets, as no code of the taxonomy is.
ANSWERS = (EMPTY, UNSEEN, UNSURE, UNTYPED)
FEW = 10
"""Fewer cases than this give no figure."""
_BETWEEN = "|"

Pattern = tuple[str, ...]
"""What the opinions on one site said, sorted."""


@dataclass(frozen=True)
class Figure:
    """A figure, and how many cases it comes from.

    Attributes:
        value: None where it cannot be told.
        n: cases.
        note: why it cannot be told.
    """

    value: float | None
    n: int
    note: str = ""


def figure(value: float | None, n: int) -> Figure:
    """Give a figure, unless it comes from too few cases."""
    return Figure(value, n) if value is not None and n >= FEW else Figure(None, n, f"too few: {FEW} are needed")


def answer_of(*, verdict: str, reason: str, types: Mapping[str, str], axis: str) -> str:
    """Say in one word what an opinion says of a site on an axis.

    Args:
        verdict: accept, fix, add, reject or unsure.
        reason: of a rejection. That the ground is empty is one answer; that it cannot be told here another.
        types: axis -> code.
        axis: the axis that was asked about.

    Returns:
        A code of the taxonomy, or one of ``ANSWERS``.
    """
    if verdict in POSITIVE:
        return types.get(axis) or UNTYPED
    if verdict == "reject":
        return EMPTY if reason in BACKGROUND_REASONS else UNSEEN
    return UNSURE


def pattern_of(answers: Iterable[str]) -> str:
    """Write what the opinions on one site said as one text, equal for equal answers in any order."""
    return _BETWEEN.join(sorted(answers))


def read_pattern(text: str) -> Pattern:
    """Read what ``pattern_of`` wrote."""
    return tuple(text.split(_BETWEEN))


def alpha_of(patterns: Mapping[Pattern, int]) -> Figure:
    """Krippendorff's alpha of nominal answers: 1 for agreement, 0 for what chance would give, below for worse.

    It takes any number of opinions a site and sites with different numbers of them. Source: K. Krippendorff,
    Computing Krippendorff's Alpha-Reliability (2011); computed by the package ``krippendorff``.

    Args:
        patterns: the answers on a site -> how many sites; sites with one answer are left out.

    Returns:
        The figure, and from how many sites.
    """
    paired = {pattern: count for pattern, count in patterns.items() if len(pattern) > 1 and count}
    n = sum(paired.values())
    answers = sorted({answer for pattern in paired for answer in pattern})
    if n < FEW:
        return figure(None, n)
    if len(answers) < 2:
        return Figure(None, n, "everybody always says the same")
    return Figure(float(krippendorff.alpha(value_counts=_counts(paired, answers), level_of_measurement="nominal")), n)


def _counts(patterns: Mapping[Pattern, int], answers: list[str]) -> "np.ndarray[tuple[int, int], np.dtype[np.int_]]":
    """How often each answer was given on each site, ``(sites, answers)``.

    Sites on which all say the same stand in one row for each answer: m such opinions count m coincidences of the
    answer with itself, however many sites they lie on. So the array grows with the disagreements alone.
    """
    column = {answer: place for place, answer in enumerate(answers)}
    agreed = np.zeros((len(answers), len(answers)), dtype=int)
    rows, times = [], []
    for pattern, count in patterns.items():
        if len(set(pattern)) == 1:
            agreed[column[pattern[0]], column[pattern[0]]] += count * len(pattern)
            continue
        rows.append(np.bincount([column[answer] for answer in pattern], minlength=len(answers)))
        times.append(count)
    split = np.repeat(np.array(rows).reshape(-1, len(answers)), times, axis=0)
    return np.concatenate([agreed[agreed.any(axis=1)], split.astype(int)])


def about_type(patterns: Mapping[Pattern, int], code: str) -> dict[Pattern, int]:
    """Reduce answers to whether they name one type, of the sites where somebody or nobody did."""
    reduced: dict[Pattern, int] = {}
    for pattern, count in patterns.items():
        yes_or_no = tuple(sorted(code if answer == code else "" for answer in pattern))
        reduced[yes_or_no] = reduced.get(yes_or_no, 0) + count
    return reduced


def naming(patterns: Mapping[Pattern, int], code: str) -> int:
    """Count the sites of which somebody said that they are of a type."""
    return sum(count for pattern, count in patterns.items() if code in pattern)


def share_agreeing(patterns: Mapping[Pattern, int]) -> Figure:
    """The share of sites on which all say the same."""
    n = sum(patterns.values())
    same = sum(count for pattern, count in patterns.items() if len(set(pattern)) == 1)
    return figure(same / n if n else None, n)


def outline_iou(first: BaseGeometry, second: BaseGeometry) -> float | None:
    """Measure the overlap of two outlines of one place: intersection over union of their areas.

    Degrees stretch areas by the same factor all over a place as small as a mine, so it cancels out.

    Args:
        first: EPSG:4326.
        second: EPSG:4326.

    Returns:
        0 to 1, or None where one of them is a point.
    """
    if not (first.area and second.area):
        return None
    if shapely.equals(first, second):
        return 1.0
    return float(shapely.intersection(first, second).area / shapely.union(first, second).area)
