"""Types and wrong labels on the demonstration's ground, from imagery that is painted for the test."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

pytest.importorskip("sklearn", reason="scikit-learn belongs to the workers")

from inference.core.sweep import SweepTarget
from labelling.core.synthetic import DATES, MINES, make_places
from labelling.core.synthetic_paint import write_place
from tests.scenes import ref_of
from training.core.type_study import StudySettings, Subject
from training.engines.types import study_types

pytestmark = [pytest.mark.worker, pytest.mark.slow]
SETTINGS = StudySettings(families=("shape", "bands", "texture"), block_m=5_000, buffer_m=100)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Subject], list[dict[str, Any]]]:
    """Every mine of ten invented places, and a scene of each place."""
    folder = tmp_path_factory.mktemp("places")
    subjects: list[Subject] = []
    scenes: list[dict[str, Any]] = []
    for number, place in enumerate(make_places(10)):
        scenes.append(SweepTarget("", ref_of(write_place(place, DATES[0], folder / f"{number}.tif"))).to_json())
        for mine in place.mines:
            dot = mine.lonlat.representative_point()
            key = len(subjects) + 1
            outline = shapely.to_wkb(mine.lonlat).hex()
            subjects.append(Subject(key, outline, (dot.x, dot.y), f"biome {number % 2}", (number,), mine.kind))
    return subjects, scenes


def study(subjects: Sequence[Subject], scenes: list[dict[str, Any]]) -> tuple[dict[str, Any], list[Any]]:
    events: list[dict[str, Any]] = []
    spec = {
        "settings": SETTINGS.to_json(),
        "subjects": [one.to_json() for one in subjects],
        "scenes": scenes,
        "everywhere": [degrees for one in subjects for degrees in one.point],
        "weights": None,
    }
    study_types(spec, events.append)
    [judged] = [event for event in events if event["event"] == "judged"]
    return judged, [row for event in events if event["event"] == "opinions" for row in event["rows"]]


def test_types_are_told_from_imagery_far_better_than_by_the_commonest(
    ground: tuple[list[Subject], list[dict[str, Any]]], tmp_path: Path
) -> None:
    subjects, scenes = ground
    judged, opinions = study(subjects, scenes)
    overall, unseen = judged["overall"], judged["unseen_regions"]
    assert judged["with_imagery"] == overall["count"] == len(opinions)
    assert overall["low"] > overall["majority"] + 0.3
    assert overall["ece"] < 0.15
    assert unseen["accuracy"] > unseen["majority"] + 0.3
    assert {"B11", "B11_ring", "ndvi", "B04_grain", "compactness"} <= set(judged["features"])


def test_labels_that_were_flipped_on_purpose_come_first(ground: tuple[list[Subject], list[dict[str, Any]]]) -> None:
    subjects, scenes = ground
    rng = np.random.default_rng(1)
    flipped = set(rng.choice(len(subjects), len(subjects) // 10, replace=False).tolist())
    given = [
        replace(one, given=str(rng.choice([code for code in MINES if code != one.given]))) if index in flipped else one
        for index, one in enumerate(subjects)
    ]
    _, opinions = study(given, scenes)
    order = [key - 1 for key, _, _, quality, _ in sorted(opinions, key=lambda row: row[3])]
    found = len(set(order[: len(flipped)]) & flipped) / len(flipped)
    chance = len(flipped) / len(subjects)
    assert found >= 5 * chance, f"precision at {len(flipped)}: {found:.2f}, by chance {chance:.2f}"
