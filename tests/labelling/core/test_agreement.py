from collections import Counter
from collections.abc import Sequence

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, box
from shapely.geometry.base import BaseGeometry

from labelling.core.agreement import (
    EMPTY,
    FEW,
    UNSEEN,
    UNSURE,
    UNTYPED,
    Pattern,
    about_type,
    alpha_of,
    answer_of,
    figure,
    naming,
    outline_iou,
    pattern_of,
    read_pattern,
    share_agreeing,
)


def patterns_of(*observers: str) -> Counter[Pattern]:
    """What observers said of the same units in order, one letter a unit; a dot where one said nothing."""
    units = zip(*observers, strict=True)
    return Counter(tuple(sorted(said for said in unit if said != ".")) for unit in units)


# K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), sections A to C.
BINARY = ("0100000010", "1110010000")
NOMINAL = ("aabbdcccedda", "babbbccceddd")
FOUR_WITH_GAPS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


@pytest.mark.parametrize(
    ("observers", "alpha", "units"), [(BINARY, 0.095, 10), (NOMINAL, 0.692, 12), (FOUR_WITH_GAPS, 0.743, 11)]
)
def test_alpha_is_that_of_the_textbook(observers: Sequence[str], alpha: float, units: int) -> None:
    found = alpha_of(patterns_of(*observers))
    assert found.value == pytest.approx(alpha, abs=0.0005)
    assert found.n == units


def test_alpha_by_hand() -> None:
    """Two observers, 12 units: 8 agree on a, 2 on b, 2 disagree. Of 24 values 18 are a and 6 are b.

    Observed disagreement 2 * 2 / 24; expected 2 * 18 * 6 / (24 * 23): alpha = 1 - 23 * 4 / 216.
    """
    found = alpha_of({("a", "a"): 8, ("b", "b"): 2, ("a", "b"): 2})
    assert found.value == pytest.approx(1 - 23 * 4 / 216)


@given(
    st.dictionaries(
        st.lists(st.sampled_from("abcd"), min_size=1, max_size=4).map(sorted).map(tuple),
        st.integers(1, 9),
        min_size=3,
        max_size=15,
    )
)
def test_units_that_agree_are_counted_together_without_changing_alpha(patterns: dict[Pattern, int]) -> None:
    units = [pattern for pattern, count in patterns.items() for _ in range(count) if len(pattern) > 1]
    found = alpha_of(patterns)
    if found.value is None:
        assert len(units) < FEW or len({said for unit in units for said in unit}) < 2
        return
    each = np.array([[unit.count(answer) for answer in "abcd"] for unit in units])
    plain = krippendorff.alpha(value_counts=each, level_of_measurement="nominal")
    assert found.value == pytest.approx(float(plain), abs=1e-9)
    assert found.n == len(units)


def test_where_a_figure_cannot_be_told_it_says_why() -> None:
    few = alpha_of({("a", "b"): FEW - 1})
    assert (few.value, few.n, few.note) == (None, FEW - 1, f"too few: {FEW} are needed")
    same = alpha_of({("a", "a"): 50})
    assert (same.value, same.n, same.note) == (None, 50, "everybody always says the same")
    assert alpha_of({("a",): 50}).n == 0
    assert figure(None, 0).value is None
    assert figure(0.5, FEW).value == 0.5


def test_agreement_on_one_type_asks_only_whether_it_is_of_it() -> None:
    patterns: dict[Pattern, int] = {("pit", "pond"): 4, ("pit", "pit"): 5, ("dump", "pond"): 3, ("dump", "dump"): 2}
    assert about_type(patterns, "pit") == {("", "pit"): 4, ("pit", "pit"): 5, ("", ""): 5}
    assert (naming(patterns, "pit"), naming(patterns, "pond"), naming(patterns, "leach")) == (9, 7, 0)
    assert share_agreeing(patterns).value == pytest.approx(7 / 14)


@pytest.mark.parametrize(
    ("verdict", "reason", "types", "answer"),
    [
        ("accept", "", {"feature": "pond"}, "pond"),
        ("fix", "", {"commodity": "gold"}, UNTYPED),
        ("reject", "not_a_mine", {"feature": "pond"}, EMPTY),
        ("reject", "cloud", {"feature": "pond"}, UNSEEN),
        ("unsure", "", {"feature": "pond"}, UNSURE),
    ],
)
def test_an_opinion_in_one_word(verdict: str, reason: str, types: dict[str, str], answer: str) -> None:
    assert answer_of(verdict=verdict, reason=reason, types=types, axis="feature") == answer


def test_a_pattern_is_the_same_in_any_order_and_read_back() -> None:
    assert pattern_of(["pond", EMPTY]) == pattern_of([EMPTY, "pond"])
    assert read_pattern(pattern_of(["pond", EMPTY, "pond"])) == (EMPTY, "pond", "pond")


@pytest.mark.parametrize(
    ("second", "overlap"),
    [
        (box(0, 0, 2, 2), 1.0),
        (box(1, 0, 3, 2), 1 / 3),
        (box(0, 0, 1, 1), 1 / 4),
        (box(5, 5, 6, 6), 0.0),
        (Point(1, 1), None),
    ],
)
def test_the_overlap_of_outlines_is_the_shared_part_of_both(second: BaseGeometry, overlap: float | None) -> None:
    assert outline_iou(box(0, 0, 2, 2), second) == pytest.approx(overlap)
    assert outline_iou(second, box(0, 0, 2, 2)) == pytest.approx(overlap)


def test_latitude_does_not_matter() -> None:
    near, far = box(10, 60, 10.01, 60.01), box(10.005, 60, 10.015, 60.01)
    assert outline_iou(near, far) == pytest.approx(1 / 3)
