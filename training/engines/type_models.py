"""The classifier of types: scikit-learn, judged on sites that it has not seen. Nothing of it is ever stored."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.core.type_figures import Judged, Odds

INNER_FOLDS = 3
MAX_COMPONENTS = 32
TREES = 120
Values = NDArray[np.float64]
Numbers = NDArray[np.int64]


def split_groups(truth: Numbers, groups: Numbers, *, folds: int, seed: int) -> list[tuple[Numbers, Numbers]]:
    """Split examples so that a group is whole on one side and the types are spread as evenly as that allows.

    With as many folds as groups each group is a fold of its own.

    Args:
        truth: index of the type of each, shape (N,).
        groups: shape (N,).
        folds: how many, at most as many as there are groups.
        seed: of the random numbers.

    Returns:
        For each fold the rows that train and those that are held out; none where there is but one group.
    """
    count = min(folds, len(np.unique(groups)))
    if count < 2:
        return []
    spread = len(np.unique(groups)) > count and np.bincount(truth).max() >= count
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed) if spread else GroupKFold(count)
    with warnings.catch_warnings():
        # A type with fewer examples than folds is missing in some: the figures show it.
        warnings.filterwarnings("ignore", "The least populated class")
        parts = list(splitter.split(truth, truth, groups))
    return [(train, held) for train, held in parts if len(train) and len(held)]


def fit_types(values: Values, truth: Numbers, groups: Numbers, *, names: Sequence[str], seed: int) -> Any:
    """Fit a classifier with calibrated probabilities.

    It is the mean of a logistic regression, which is steady where examples are few, and of a forest, which sees
    what lies across features; one temperature (Guo et al. 2017) is fitted on groups that are held out within.
    Where there are too few groups to hold out some with every type, the probabilities are left as they come.

    Args:
        values: features, shape (N, F), NaN where unknown.
        truth: index of the type of each, shape (N,).
        groups: shape (N,).
        names: of the features.
        seed: of the random numbers.
    """
    plain = _classifier(names, len(values), seed)
    inner = [
        (train, held)
        for train, held in split_groups(truth, groups, folds=INNER_FOLDS, seed=seed)
        if len(np.unique(truth[train])) == len(np.unique(truth))
    ]
    # cross_val_predict wants each example held out once: with a fold left out it cannot be had.
    if sum(len(held) for _, held in inner) == len(truth):
        plain = CalibratedClassifierCV(plain, method="temperature", cv=inner, ensemble=False)
    return plain.fit(values, truth)


def _classifier(names: Sequence[str], count: int, seed: int) -> Any:
    linear = make_pipeline(
        _columns(names, count, seed),
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=0.5, max_iter=5000),
    )
    forest = make_pipeline(
        _columns(names, count, seed),
        RandomForestClassifier(TREES, min_samples_leaf=2, random_state=seed, n_jobs=1),
    )
    return VotingClassifier([("linear", linear), ("forest", forest)], voting="soft")


def _columns(names: Sequence[str], count: int, seed: int) -> Any:
    """Embeddings become a few components, or they would drown what was measured."""
    embedded = [index for index, name in enumerate(names) if name.startswith("embedding_")]
    plain = [index for index in range(len(names)) if index not in set(embedded)]
    if not embedded:
        return "passthrough"
    components = min(MAX_COMPONENTS, len(embedded), max(2, count // 4))
    squeezed = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        PCA(components, random_state=seed),
    )
    return ColumnTransformer([("measured", "passthrough", plain), ("embedded", squeezed, embedded)])


def odds_of(model: Any, values: Values, types: int) -> Odds:
    """Probabilities of every type, shape (N, types); 0 for a type that the model has never seen."""
    odds = np.zeros((len(values), types))
    if len(values):
        odds[:, model.classes_] = model.predict_proba(values)
    return odds


def hold_out(
    values: Values, truth: Numbers, *, split: Numbers, inner: Numbers, names: Sequence[str], folds: int, seed: int
) -> tuple[Judged, Numbers]:
    """Predict each example with a model that has seen neither it nor its group.

    Args:
        values: features, shape (N, F).
        truth: shape (N,).
        split: groups that are held out whole, shape (N,).
        inner: groups by which each model calibrates itself on what is left, shape (N,).
        names: of the features.
        folds: how many.
        seed: of the random numbers.

    Returns:
        The predictions, in the order of the examples, and the number of each one's fold.
    """
    types = int(truth.max()) + 1
    odds, prior = np.zeros((len(truth), types)), np.zeros((len(truth), types))
    fold = np.full(len(truth), -1, np.int64)
    for number, (train, held) in enumerate(split_groups(truth, split, folds=folds, seed=seed)):
        model = fit_types(values[train], truth[train], inner[train], names=names, seed=seed)
        odds[held] = odds_of(model, values[held], types)
        prior[held] = np.bincount(truth[train], minlength=types) / len(train)
        fold[held] = number
    return Judged(truth, odds, prior, split), fold


def doubt_labels(judged: Judged) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """How well each label fits what was predicted without it, by confident learning (Northcutt et al. 2021).

    Returns:
        The normalised margin, 0 to 1, low where the label looks wrong; and whether it is taken for wrong.
    """
    odds = judged.odds / judged.odds.sum(axis=1, keepdims=True)
    quality = get_label_quality_scores(judged.truth, odds, method="normalized_margin")
    issues = find_label_issues(judged.truth, odds, filter_by="prune_by_noise_rate", n_jobs=1)
    return np.asarray(quality, np.float64), np.asarray(issues, np.bool_)


def rounded(odds: NDArray[np.float64]) -> list[float]:
    """Probabilities as they are kept: four digits."""
    return [math.floor(share * 1e4 + 0.5) / 1e4 for share in odds.tolist()]
