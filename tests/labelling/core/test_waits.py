"""Waits in steps, and what is read from them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelling.core.waits import BOUNDS_MS, LONGEST_MS, count_waits, within_ms

WAITS = st.lists(st.integers(0, LONGEST_MS), min_size=1, max_size=200)


def test_a_wait_is_counted_at_the_step_that_is_not_shorter() -> None:
    assert count_waits([0, 10, 11, 50, 51, 60_000]) == {10: 2, 20: 1, 50: 1, 60: 1, 60_000: 1}
    with pytest.raises(IndexError):
        count_waits([LONGEST_MS + 1])


def test_nobody_waited() -> None:
    assert within_ms({}, 0.95) is None


@given(WAITS, st.floats(0.01, 1.0))
def test_the_share_ended_within_the_step_and_not_within_the_one_before(waits: list[int], share: float) -> None:
    bound = within_ms(count_waits(waits), share)
    assert bound in BOUNDS_MS
    assert sum(wait <= bound for wait in waits) >= share * len(waits)
    shorter = [other for other in BOUNDS_MS if other < bound]
    if shorter and share * len(waits) > 1:
        assert sum(wait <= shorter[-1] for wait in waits) < share * len(waits)


def test_one_slow_of_twenty_is_not_among_the_95_percent() -> None:
    assert within_ms(Counter({50: 19, 5_000: 1}), 0.95) == 50
    assert within_ms(Counter({50: 18, 5_000: 2}), 0.95) == 5_000
