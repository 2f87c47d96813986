"""How good a classifier of types is, and how far its probabilities can be believed.

Every figure here is of predictions on sites that the classifier had not seen, nor their neighbours.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
RESAMPLES = 1000
Odds = NDArray[np.float64]
"""Probabilities, shape (N, K), rows sum to 1."""


@dataclass(frozen=True)
class Bin:
    """Predictions whose highest probability lies between two bounds.

    Attributes:
        low, high: the bounds; the upper one belongs to the bin.
        count: how many predictions.
        confidence: mean of their highest probabilities; None where there are none.
        accuracy: share of them that were right; None where there are none.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Overall:
    """All predictions together.

    Attributes:
        count: sites.
        groups: of neighbours that were held out together.
        accuracy: share whose likeliest type is the true one.
        low, high: 95 % interval of the accuracy, by resampling whole groups.
        majority: accuracy of always naming the commonest type of the other folds.
        balanced: mean recall over the types.
        macro_f1: mean F1 over the types.
        log_loss: mean of -log of the probability given to the truth; 0 is perfect.
        prior_log_loss: the same of always giving each type its share in the other folds.
        brier: mean squared error of the probabilities, summed over the types, 0 to 2.
        ece: expected calibration error of the highest probability over ten equal bins (Naeini et al. 2015;
            Guo et al. 2017, section 2), 0 to 1.
    """

    count: int
    groups: int
    accuracy: float
    low: float
    high: float
    majority: float
    balanced: float
    macro_f1: float
    log_loss: float
    prior_log_loss: float
    brier: float
    ece: float


@dataclass(frozen=True)
class OfType:
    """One type.

    Attributes:
        code: of the type.
        count: sites that are of it.
        precision: share of those called so that are; None where none was called so.
        recall: share of those of it that were called so; None where there is none.
        f1: of both; 0 where none was found.
        taken_for: code -> how many of them were called that, the type itself among them.
    """

    code: str
    count: int
    precision: float | None
    recall: float | None
    f1: float
    taken_for: dict[str, int]


@dataclass(frozen=True)
class OfRegion:
    """One region: name, sites, accuracy, what the majority type gives there, and its calibration error."""

    name: str
    count: int
    accuracy: float
    majority: float
    ece: float


@dataclass(frozen=True)
class Judged:
    """Predictions on sites that were held out.

    Attributes:
        truth: index of the true type, shape (N,).
        odds: shape (N, K).
        prior: shares of the types in what trained for each prediction, shape (N, K).
        groups: shape (N,).
    """

    truth: NDArray[np.int64]
    odds: Odds
    prior: Odds
    groups: NDArray[np.int64]

    @property
    def called(self) -> NDArray[np.int64]:
        """The likeliest type of each, shape (N,)."""
        return np.asarray(self.odds.argmax(axis=1), np.int64)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether it is the true one, shape (N,)."""
        return np.asarray(self.called == self.truth, np.bool_)

    @property
    def majority(self) -> NDArray[np.bool_]:
        """Whether the commonest type of what trained would have been right, shape (N,)."""
        return np.asarray(self.prior.argmax(axis=1) == self.truth, np.bool_)

    def part(self, rows: NDArray[np.bool_]) -> "Judged":
        """Only some of them."""
        return Judged(self.truth[rows], self.odds[rows], self.prior[rows], self.groups[rows])


def judge_overall(judged: Judged, *, seed: int = 0) -> Overall:
    """Sum up all predictions; the interval is drawn with the seed."""
    types = judge_types(judged, [str(index) for index in range(judged.odds.shape[1])])
    present = [one for one in types if one.count]
    low, high = _interval(judged, seed)
    onehot = np.eye(judged.odds.shape[1])[judged.truth]
    return Overall(
        count=len(judged.truth),
        groups=len(np.unique(judged.groups)),
        accuracy=float(judged.right.mean()),
        low=low,
        high=high,
        majority=float(judged.majority.mean()),
        balanced=float(np.mean([one.recall or 0.0 for one in present])),
        macro_f1=float(np.mean([one.f1 for one in present])),
        log_loss=_log_loss(judged.odds, judged.truth),
        prior_log_loss=_log_loss(judged.prior, judged.truth),
        brier=float(((judged.odds - onehot) ** 2).sum(axis=1).mean()),
        ece=expected_calibration_error(reliability(judged)),
    )


def judge_types(judged: Judged, codes: Sequence[str]) -> list[OfType]:
    """Precision, recall and confusions of each type, in the order of the codes."""
    found = []
    for index, code in enumerate(codes):
        true, called = judged.truth == index, judged.called == index
        hit = int((true & called).sum())
        counts = np.bincount(judged.called[true], minlength=len(codes))
        found.append(
            OfType(
                code=code,
                count=int(true.sum()),
                precision=hit / int(called.sum()) if called.any() else None,
                recall=hit / int(true.sum()) if true.any() else None,
                f1=2 * hit / int(true.sum() + called.sum()) if hit else 0.0,
                taken_for={other: int(count) for other, count in zip(codes, counts, strict=True) if count},
            )
        )
    return found


def judge_regions(judged: Judged, regions: Sequence[str]) -> list[OfRegion]:
    """The figures of each region, the largest first; ``regions`` names the region of each prediction."""
    names, which = np.unique(np.asarray(regions, dtype=object).astype(str), return_inverse=True)
    found = []
    for index, name in enumerate(names.tolist()):
        part = judged.part(np.asarray(which == index))
        ece = expected_calibration_error(reliability(part))
        found.append(OfRegion(name, len(part.truth), float(part.right.mean()), float(part.majority.mean()), ece))
    return sorted(found, key=lambda one: (-one.count, one.name))


def reliability(judged: Judged, *, bins: int = BINS) -> list[Bin]:
    """Put predictions into bins by their highest probability: where one says 0.8, eight of ten should be right."""
    highest = judged.odds.max(axis=1)
    edges = np.linspace(0, 1, bins + 1)
    which = np.clip(np.ceil(highest * bins).astype(int) - 1, 0, bins - 1)
    found = []
    for index in range(bins):
        here = which == index
        count = int(here.sum())
        means = (float(highest[here].mean()), float(judged.right[here].mean())) if count else (None, None)
        found.append(Bin(round(float(edges[index]), 3), round(float(edges[index + 1]), 3), count, *means))
    return found


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """Mean distance between confidence and accuracy over the bins, weighted by their counts; 0 without any."""
    total = sum(one.count for one in bins)
    gaps = (
        one.count * abs(one.confidence - one.accuracy) for one in bins if one.confidence and one.accuracy is not None
    )
    return float(sum(gaps) / total) if total else 0.0


@dataclass(frozen=True)
class Dot:
    """A bin of the reliability curve in a square of 100 by 100, up is right; ``radius`` grows with its share."""

    x: float
    y: float
    radius: float
    words: str


def curve_of(bins: Sequence[Mapping[str, Any]]) -> list[Dot]:
    """Lay out the reliability curve: confidence to the right, accuracy upwards; empty bins are left out.

    Args:
        bins: as ``report_of`` writes them.
    """
    total = sum(one["count"] for one in bins)
    return [
        Dot(
            x=round(100 * one["confidence"], 1),
            y=round(100 - 100 * one["accuracy"], 1),
            radius=round(1.2 + 6 * math.sqrt(one["count"] / total), 1),
            words=f"{one['count']} predictions of {one['confidence']:.2f} are right in {one['accuracy']:.2f}",
        )
        for one in bins
        if one["count"]
    ]


def report_of(judged: Judged, *, codes: Sequence[str], regions: Sequence[str]) -> dict[str, Any]:
    """Every figure as JSON: ``overall``, ``types``, ``regions``, ``bins``."""
    return {
        "overall": asdict(judge_overall(judged)),
        "types": [asdict(one) for one in judge_types(judged, codes)],
        "regions": [asdict(one) for one in judge_regions(judged, regions)],
        "bins": [asdict(one) for one in reliability(judged)],
    }


def _log_loss(odds: Odds, truth: NDArray[np.int64]) -> float:
    given = odds[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(given, 1e-6, 1)).mean())


def _interval(judged: Judged, seed: int) -> tuple[float, float]:
    """Percentile bootstrap over groups (Davison and Hinkley 1997, section 3.8): neighbours are not independent."""
    _, which = np.unique(judged.groups, return_inverse=True)
    size, hits = np.bincount(which), np.bincount(which, weights=judged.right)
    drawn = np.random.default_rng(seed).integers(0, len(size), (RESAMPLES, len(size)))
    shares = hits[drawn].sum(axis=1) / size[drawn].sum(axis=1)
    low, high = np.percentile(shares, [2.5, 97.5])
    return float(low), float(high)
