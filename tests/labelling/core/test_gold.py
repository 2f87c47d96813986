"""How often a gold site comes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelling.core.gold import gold_gap, longest_gap


@given(st.floats(0.005, 0.5), st.integers(0, 1000), st.floats(0, 1))
def test_a_gap_lies_around_the_mean_one(share: float, turn: int, draw: float) -> None:
    gap = gold_gap(share=share, turn=turn, draw=draw)
    assert 1 <= gap <= longest_gap(share)
    assert 0.5 / share - 0.5 <= gap <= 1.5 / share + 0.5


@given(st.floats(0.005, 0.5), st.integers(0, 500), st.floats(0, 1))
def test_two_turns_with_one_draw_make_up_for_each_other(share: float, turn: int, draw: float) -> None:
    both = gold_gap(share=share, turn=2 * turn, draw=draw) + gold_gap(share=share, turn=2 * turn + 1, draw=draw)
    assert both == pytest.approx(2 / share, abs=1.01)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.15, 0.5])
def test_the_share_is_kept_in_the_long_run(share: float) -> None:
    rng = random.Random(7)
    draws = [rng.random() for _ in range(500)]
    items = sum(gold_gap(share=share, turn=turn, draw=draws[turn // 2]) for turn in range(1000))
    assert 1000 / items == pytest.approx(share, rel=0.03)


def test_the_place_cannot_be_foreseen() -> None:
    rng = random.Random(1)
    gaps = {gold_gap(share=0.1, turn=0, draw=rng.random()) for _ in range(300)}
    assert gaps == set(range(5, 16))
