"""The child process of a study of types: ``python -m training.engines.types``, a JSON spec on stdin."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.core.errors import InferenceError
from inference.core.sweep import SweepTarget
from labelling.core.child import Emit, child_main
from training.core.errors import TooFewLabels, TrainingError
from training.core.spatial_groups import spatial_groups
from training.core.type_figures import Judged, Overall, judge_overall, report_of
from training.core.type_study import StudySettings, Subject, learnable_types
from training.engines.type_features import measure_sites
from training.engines.type_models import doubt_labels, fit_types, hold_out, odds_of, rounded

_ROWS_AT_ONCE = 500
_MEASURED = 0.7
REGION_FOLDS = 20


def study_types(spec: dict[str, Any], emit: Emit) -> None:
    """Measure sites, judge a classifier on examples that it has not seen, and let it look at the others.

    Args:
        spec: ``settings``, ``subjects``, ``scenes`` and ``weights`` (a path, or None) as JSON, and ``everywhere``,
            longitude and latitude of all sites in one list.
        emit: receives ``judged`` (the report), ``opinions`` (on examples: key, fold, probabilities, quality, issue)
            and ``offers`` (on the other sites: key, probabilities), in pieces.

    Raises:
        TooFewLabels: fewer than two types can be learned.
        ModelRefused: the weights are not those of the network.
    """
    settings = StudySettings.from_json(spec["settings"])
    subjects = [Subject.from_json(row) for row in spec["subjects"]]
    groups = spatial_groups(
        np.array([one.point for one in subjects]).reshape(-1, 2), block_m=settings.block_m, buffer_m=settings.buffer_m
    )
    examples = np.array([bool(one.given) for one in subjects], np.bool_)
    given = [one.given for one in subjects if one.given]
    codes, left_out = learnable_types(given, groups[examples].tolist())
    table = measure_sites(
        subjects,
        scenes=[SweepTarget.from_json(scene).ref for scene in spec["scenes"]],
        everywhere=np.array(spec["everywhere"]).reshape(-1, 2),
        settings=settings,
        weights=Path(spec["weights"]) if spec["weights"] else None,
        told=_teller(emit),
    )
    if not table.names:
        msg = "nothing could be measured: the sites are points without imagery; import scenes, or outlines"
        raise TooFewLabels(msg)
    learned = np.array([one.given in codes for one in subjects], np.bool_)
    known = [one for one, is_known in zip(subjects, learned, strict=True) if is_known]
    truth = np.array([codes.index(one.given) for one in known], np.int64)
    values, inner = table.values[learned], groups[learned]

    emit({"event": "progress", "phase": "judging on held-out ground", "progress": _MEASURED})
    options: dict[str, Any] = {"inner": inner, "names": table.names, "seed": settings.seed}
    judged, fold = hold_out(values, truth, split=inner, folds=settings.folds, **options)
    emit({"event": "progress", "phase": "judging on regions never seen", "progress": _MEASURED + 0.15})
    regions = [one.region or "no region" for one in known]
    names, number = np.unique(regions, return_inverse=True)
    apart = _apart(values, truth, np.asarray(number, np.int64), options) if len(names) > 1 else None
    emit(
        {
            "event": "judged",
            **report_of(judged, codes=codes, regions=regions),
            "codes": codes,
            "left_out": left_out,
            "unseen_regions": None if apart is None else vars(apart),
            "features": table.names,
            "with_imagery": int(table.seen[learned].sum()),
            "folds": int(fold.max()) + 1,
        }
    )
    _send_opinions(emit, known, judged, fold)

    others = [one for one, is_example in zip(subjects, examples, strict=True) if not is_example]
    if others:
        emit({"event": "progress", "phase": "looking at open sites", "progress": 0.95})
        model = fit_types(values, truth, inner, names=table.names, seed=settings.seed)
        _send_offers(emit, others, odds_of(model, table.values[~examples], len(codes)))


def _apart(values: Any, truth: Any, regions: Any, options: dict[str, Any]) -> Overall:
    """The figures of models that have seen nothing of a site's region."""
    judged, fold = hold_out(values, truth, split=regions, folds=REGION_FOLDS, **options)
    return judge_overall(judged.part(fold >= 0))


def _teller(emit: Emit) -> Any:
    last = [0.0]

    def told(done: int, total: int) -> None:
        if time.monotonic() - last[0] > 1 or done == total:
            last[0] = time.monotonic()
            phase = f"measuring site {done} of {total}"
            emit({"event": "progress", "phase": phase, "progress": _MEASURED * done / total})

    return told


def _send_opinions(emit: Emit, known: Sequence[Subject], judged: Judged, fold: Any) -> None:
    quality, issues = doubt_labels(judged)
    rows = [
        [one.key, int(fold[row]), rounded(judged.odds[row]), round(float(quality[row]), 4), bool(issues[row])]
        for row, one in enumerate(known)
    ]
    _send(emit, "opinions", rows)


def _send_offers(emit: Emit, others: Sequence[Subject], odds: Any) -> None:
    _send(emit, "offers", [[one.key, rounded(row)] for one, row in zip(others, odds, strict=True)])


def _send(emit: Emit, event: str, rows: Sequence[Any]) -> None:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        emit({"event": event, "rows": rows[start : start + _ROWS_AT_ONCE]})


if __name__ == "__main__":
    child_main(study_types, expected=(TrainingError, InferenceError))
