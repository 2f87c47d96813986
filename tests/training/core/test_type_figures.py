"""The figures of a classifier against scikit-learn's, and against what they must mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.core.type_figures import (
    Judged,
    curve_of,
    expected_calibration_error,
    judge_overall,
    judge_regions,
    judge_types,
    reliability,
    report_of,
)

CODES = ("dump", "pit", "pond")


def judged(count: int = 300, *, seed: int = 0, sharp: float = 2.0) -> Judged:
    """Truth drawn from the probabilities themselves: they mean what they say."""
    rng = np.random.default_rng(seed)
    odds = np.exp(sharp * rng.normal(size=(count, 3)))
    odds /= odds.sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(3, p=row) for row in odds])
    prior = np.tile([0.5, 0.3, 0.2], (count, 1))
    return Judged(truth, odds, prior, rng.integers(0, 20, count))


def test_figures_agree_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    one = judged()
    overall = judge_overall(one)
    assert overall.accuracy == pytest.approx(metrics.accuracy_score(one.truth, one.called))
    assert overall.balanced == pytest.approx(metrics.balanced_accuracy_score(one.truth, one.called))
    assert overall.macro_f1 == pytest.approx(metrics.f1_score(one.truth, one.called, average="macro"))
    assert overall.log_loss == pytest.approx(metrics.log_loss(one.truth, one.odds), rel=1e-3)
    assert overall.majority == pytest.approx((one.truth == 0).mean())
    assert overall.brier == pytest.approx(((one.odds - np.eye(3)[one.truth]) ** 2).sum(axis=1).mean())
    precision, recall, f1, support = metrics.precision_recall_fscore_support(one.truth, one.called)
    for index, found in enumerate(judge_types(one, CODES)):
        assert found.precision == pytest.approx(precision[index])
        assert found.recall == pytest.approx(recall[index])
        assert found.f1 == pytest.approx(f1[index])
        assert found.count == support[index]
        assert sum(found.taken_for.values()) == found.count


def test_honest_probabilities_are_calibrated_and_boasts_are_not() -> None:
    honest = judged(5000)
    boast = Judged(
        honest.truth, honest.odds**4 / (honest.odds**4).sum(axis=1, keepdims=True), honest.prior, honest.groups
    )
    assert expected_calibration_error(reliability(honest)) < 0.03
    assert expected_calibration_error(reliability(boast)) > 0.1


def test_the_calibration_error_by_hand() -> None:
    odds = np.array([[0.9, 0.1, 0.0]] * 4 + [[0.6, 0.4, 0.0]] * 6)
    truth = np.array([0, 0, 0, 1, 0, 0, 0, 1, 1, 1])
    one = Judged(truth, odds, odds, np.arange(10))
    bins = [found for found in reliability(one) if found.count]
    assert [(found.low, found.high, found.count) for found in bins] == [(0.5, 0.6, 6), (0.8, 0.9, 4)]
    assert expected_calibration_error(bins) == pytest.approx(0.6 * 0.1 + 0.4 * 0.15)


@given(st.integers(1, 60), st.integers(0, 50))
def test_every_prediction_lies_in_one_bin_and_one_region(count: int, seed: int) -> None:
    one = judged(count, seed=seed)
    assert sum(found.count for found in reliability(one)) == count
    regions = [f"region {number % 3}" for number in range(count)]
    found = judge_regions(one, regions)
    assert sum(each.count for each in found) == count
    assert sum(each.count * each.accuracy for each in found) == pytest.approx(one.right.sum())
    overall = judge_overall(one)
    assert 0 <= overall.low <= overall.high <= 1


def test_few_groups_widen_the_interval() -> None:
    one = judged(200)
    alone = Judged(one.truth, one.odds, one.prior, np.arange(200))
    right = one.right
    lumped = Judged(one.truth, one.odds, one.prior, np.where(right, np.arange(200) % 3, 3 + np.arange(200) % 2))
    narrow, wide = judge_overall(alone), judge_overall(lumped)
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_a_type_that_nobody_is_and_nobody_is_called_has_no_figures() -> None:
    one = Judged(np.array([0, 0]), np.array([[0.9, 0.1, 0], [0.8, 0.2, 0]]), np.full((2, 3), 1 / 3), np.arange(2))
    pond = judge_types(one, CODES)[2]
    assert (pond.count, pond.precision, pond.recall, pond.f1) == (0, None, None, 0.0)
    assert judge_overall(one).balanced == 1.0


def test_a_report_and_its_curve_are_json_of_the_same_bins() -> None:
    one = judged(100)
    report = report_of(one, codes=CODES, regions=["here"] * 100)
    dots = curve_of(report["bins"])
    filled = [each for each in report["bins"] if each["count"]]
    assert [dot.x for dot in dots] == [pytest.approx(100 * each["confidence"], abs=0.1) for each in filled]
    assert [dot.y for dot in dots] == [pytest.approx(100 - 100 * each["accuracy"], abs=0.1) for each in filled]
    assert report["regions"][0]["count"] == 100
