import hashlib
import json
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import pytest

from training.core.errors import BadRecipe
from training.core.plan import BASELINE, PERTURBED, PRESETS, QUICK, Plan, read_plan
from training.core.recipe import Recipe, TrainSettings


def test_a_recipe_survives_its_json_form() -> None:
    for plan in PRESETS.values():
        told = json.loads(json.dumps(plan.to_json()))
        assert Plan.from_json(told) == plan
        assert Recipe.from_json(plan.recipe.to_json()).hash == plan.recipe.hash


def test_whole_numbers_and_fractions_of_the_same_size_are_one_recipe() -> None:
    told = BASELINE.recipe.to_json()
    assert Recipe.from_json(told | {"pixel_m": 10, "zooms": [1]}).hash == BASELINE.recipe.hash


def test_every_field_is_part_of_the_identity() -> None:
    told = BASELINE.recipe.to_json()
    other: dict[str, Any] = {
        "axis": "commodity",
        "types": ["open_pit"],
        "regions": [1],
        "kinds": ["single"],
        "sensors": ["sentinel-2"],
        "levels": ["L2A"],
        "max_cloud": 0.2,
        "max_haze": 0.2,
        "max_saturated": 0.2,
        "bands": ["B08", "B03", "B02"],
        "geometry": "segment",
        "zooms": [2.0],
        "testset": "universal",
        "low": [0.0, 0.0, 0.0],
        "high": [0.5, 0.5, 0.5],
        "chip_px": 256,
        "off_centre": 0.1,
        "backgrounds": 0.2,
        "min_visible": 0.5,
        "min_shown": 0.6,
        "val_share": 0.3,
    }
    changed = {
        Recipe.from_json(told | {name: other.get(name, value + 1 if isinstance(value, int | float) else None)}).hash
        for name, value in told.items()
    }
    assert len(changed) == len(fields(Recipe))
    assert BASELINE.recipe.hash not in changed


def test_a_recipe_of_before_cleaning_is_read_and_keeps_its_identity() -> None:
    old = {name: value for name, value in BASELINE.recipe.to_json().items() if name not in Recipe.ASKS_NOTHING}
    assert len(old) == len(BASELINE.recipe.to_json()) - 8
    assert Recipe.from_json(old) == BASELINE.recipe
    digest = hashlib.sha256(json.dumps(old, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    assert BASELINE.recipe.hash == digest
    del old["axis"]
    with pytest.raises(BadRecipe, match="missing: axis"):
        Recipe.from_json(old)


def test_no_field_has_a_default() -> None:
    assert all(field.default is MISSING for kind in (Recipe, TrainSettings) for field in fields(kind))


def test_epochs_do_not_make_another_dataset() -> None:
    assert replace(BASELINE, settings=replace(BASELINE.settings, epochs=3)).recipe.hash == BASELINE.recipe.hash


def test_the_presets_differ_where_they_say() -> None:
    assert PERTURBED.recipe.chips_per_label == 9
    assert BASELINE.recipe.chips_per_label == 1
    assert QUICK.settings.epochs < BASELINE.settings.epochs


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"epoch": 3}, "unknown: epoch; a recipe knows .*epochs"),
        ({"chip_px": "320"}, "chip_px holds '320': it must be a whole number"),
        ({"chip_px": True}, "chip_px holds True"),
        ({"chip_px": 330}, "chip_px is 330: take a multiple of 32, such as 352"),
        ({"chip_px": 16384}, "chip_px is 16384: it must lie between 32 and 2048"),
        ({"pixel_m": float("nan")}, "pixel_m holds nan"),
        ({"pixel_m": float("inf")}, "pixel_m holds inf"),
        ({"axis": "colour"}, "axis is colour: choose from feature"),
        ({"kinds": []}, "kinds is empty: choose from single, composite"),
        ({"bands": ["B02"]}, "bands, low and high do not fit: 1 bands need"),
        ({"high": [0.0, 0.0, 0.0]}, "must lie above its low bound"),
        ({"levels": ["L2"]}, "levels is L2: choose from L1C, L2A, unknown"),
        ({"levels": ["L2A", "L2A"]}, "levels names one thing twice"),
        ({"max_cloud": 20}, "max_cloud is 20: it must lie between 0 and 1"),
        ({"min_sun": -1}, "min_sun is -1"),
        ({"bands": "B02"}, "bands is a list, not 'B02'"),
        ({"bands": ["B02", "B02", "B03"]}, "bands names one thing twice"),
        ({"types": ["../etc"]}, "is no code of a type"),
        ({"zooms": []}, r"zooms is empty: \[1.0\]"),
        ({"zooms": [0.01]}, "zooms is 0.01"),
        ({"backgrounds": 0.95}, "backgrounds is 0.95"),
        ({"val_share": 0}, "val_share is 0"),
        ({"block_m": 1000}, "the widest chip is 3200 m"),
        ({"architecture": "/etc/passwd"}, "name a network such as yolo11n.yaml"),
        ({"architecture": "https://example.org/a.pt"}, "name a network"),
        ({"architecture": "../a.pt"}, "name a network"),
        ({"architecture": "yolo11n-seg.yaml"}, "take yolo11n.yaml"),
        ({"geometry": "segment"}, "take yolo11n-seg.yaml"),
        ({"epochs": 0}, "epochs is 0"),
        ({"preset": "best"}, "no preset 'best': choose baseline, clean, perturbed, quick"),
        ({"preset": 3}, "no preset 3"),
    ],
)
def test_a_bad_recipe_says_what_to_change(change: dict[str, Any], told: str) -> None:
    with pytest.raises(BadRecipe, match=told):
        Plan.from_json({"preset": "baseline"} | change)


def test_a_recipe_without_a_preset_needs_every_field() -> None:
    whole = BASELINE.to_json()
    whole.pop("epochs")
    with pytest.raises(BadRecipe, match="missing: epochs; name a preset"):
        Plan.from_json(whole)


def test_a_file_may_start_from_a_preset(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"preset": "quick", "epochs": 3, "zooms": [0.5, 1]}))
    plan = read_plan(path)
    assert plan.settings == replace(QUICK.settings, epochs=3)
    assert plan.recipe == replace(QUICK.recipe, zooms=(0.5, 1.0))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "mine.json: not JSON"),
        (b"[" * 100_000, "mine.json: not JSON"),
        (b"\xff\xfe", "mine.json: not JSON in UTF-8"),
        (b"[1]", "mine.json: a recipe is a JSON object"),
        (b'{"preset": "quick", "epochs": NaN}', "mine.json: epochs holds nan"),
        (b" " * (1 << 20) + b" ", "mine.json: larger than 1 MB"),
        (b'{"preset": "quick", "colour": 1}', "mine.json: unknown: colour"),
    ],
)
def test_a_bad_file_is_named_with_its_fault(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(content)
    with pytest.raises(BadRecipe, match=f"^{told}"):
        read_plan(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match="No such file"):
        read_plan(tmp_path / "none.json")
