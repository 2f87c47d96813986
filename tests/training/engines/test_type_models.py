"""The classifier: groups stay whole, nothing leaks, probabilities are fit to be believed, flipped labels stand out."""

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sklearn", reason="scikit-learn belongs to the workers")
pytest.importorskip("cleanlab", reason="cleanlab belongs to the workers")

from training.core.type_figures import judge_overall
from training.engines import type_models
from training.engines.type_models import doubt_labels, fit_types, hold_out, odds_of, rounded, split_groups

pytestmark = pytest.mark.worker
NAMES = ("one", "other", "noise")


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small forest tells made-up types apart as a large one does."""
    monkeypatch.setattr(type_models, "TREES", 25)


def made_up(
    count: int = 240, *, groups: int = 24, seed: int = 0, apart: float = 2.0
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Three types that lie ``apart`` standard deviations from each other; one feature says nothing."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, count)
    middles = apart * np.array([[0, 0, 0], [1, 0, 0], [0.5, 1, 0]])
    return middles[truth] + rng.normal(size=(count, 3)), truth, rng.integers(0, groups, count)


def test_a_group_is_never_on_both_sides_and_each_example_is_held_out_once() -> None:
    _, truth, groups = made_up()
    held_out = []
    for train, held in split_groups(truth, groups, folds=5, seed=0):
        assert not set(groups[train]) & set(groups[held])
        held_out += held.tolist()
    assert sorted(held_out) == list(range(len(truth)))


def test_as_many_folds_as_groups_hold_out_one_each() -> None:
    _, truth, groups = made_up(groups=4)
    parts = split_groups(truth, groups, folds=20, seed=0)
    assert sorted(len(set(groups[held])) for _, held in parts) == [1] * 4
    assert split_groups(truth, np.zeros_like(groups), folds=5, seed=0) == []


def test_held_out_figures_are_near_what_can_be_known_and_calibrated() -> None:
    values, truth, groups = made_up(600, groups=40)
    judged, fold = hold_out(values, truth, split=groups, inner=groups, names=NAMES, folds=5, seed=0)
    overall = judge_overall(judged)
    assert 0.75 < overall.accuracy < 0.9
    assert overall.majority < 0.45
    assert overall.ece < 0.08
    assert set(fold) == set(range(5))


def test_what_cannot_be_known_is_not_claimed() -> None:
    """Features that say nothing: no better than the commonest type, and the probabilities admit it."""
    values, truth, groups = made_up(400, groups=30, apart=0.0)
    judged, _ = hold_out(values, truth, split=groups, inner=groups, names=NAMES, folds=5, seed=0)
    overall = judge_overall(judged)
    assert abs(overall.accuracy - 1 / 3) < 0.1
    assert judged.odds.max(axis=1).mean() < 0.5
    assert overall.ece < 0.12


def test_a_neighbour_that_repeats_an_example_does_not_flatter() -> None:
    """Each group's sites are copies of one another with a type by chance: only a split that leaks does well."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 8)
    values, truth = rng.normal(size=(40, 3))[groups], rng.integers(0, 2, 40)[groups]
    honest, _ = hold_out(values, truth, split=groups, inner=groups, names=NAMES, folds=5, seed=0)
    rows = np.arange(len(groups))
    leaking, _ = hold_out(values, truth, split=rows, inner=rows, names=NAMES, folds=5, seed=0)
    assert leaking.right.mean() > 0.9
    assert honest.right.mean() < 0.7


def test_unknown_values_and_unseen_types_have_their_place() -> None:
    values, truth, groups = made_up()
    values[::3, 0] = np.nan
    truth[truth == 2] = 3  # nobody is of type 2
    odds = odds_of(fit_types(values, truth, groups, names=NAMES, seed=0), values, 5)
    assert odds.shape == (len(values), 5)
    assert not odds[:, [2, 4]].any()
    assert odds.sum(axis=1) == pytest.approx(1)
    assert rounded(odds[0]) == pytest.approx(odds[0].tolist(), abs=1e-4)


def test_embeddings_are_squeezed_and_do_not_drown_what_was_measured() -> None:
    values, truth, groups = made_up(300)
    noise = np.random.default_rng(1).normal(size=(300, 200))
    names = (*NAMES, *(f"embedding_{place:04d}" for place in range(200)))
    judged, _ = hold_out(np.hstack([values, noise]), truth, split=groups, inner=groups, names=names, folds=4, seed=0)
    assert judged.right.mean() > 0.7


@pytest.mark.parametrize("seed", [0, 1])
def test_flipped_labels_come_first(seed: int) -> None:
    values, truth, groups = made_up(300, groups=24, seed=seed, apart=4.0)
    flipped = np.random.default_rng(seed).choice(300, 30, replace=False)
    given = truth.copy()
    given[flipped] = (given[flipped] + 1) % 3
    judged, _ = hold_out(values, given, split=groups, inner=groups, names=NAMES, folds=5, seed=0)
    quality, issues = doubt_labels(judged)
    first = np.argsort(quality)[:30]
    precision = len(set(first) & set(flipped)) / 30
    assert precision > 0.6, "chance would find one in ten"
    assert len(set(np.flatnonzero(issues)) & set(flipped)) > 18
    assert ((quality >= 0) & (quality <= 1)).all()
