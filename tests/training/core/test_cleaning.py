from dataclasses import replace
from typing import Any

import pytest

from training.core.cleaning import LIMITS, NOT_MEASURED, fault_of, level_fault, refuse_mixed_levels
from training.core.errors import BadRecipe
from training.core.plan import BASELINE, CLEAN
from training.core.recipe import Recipe

GOOD = {"valid": 1.0, "cloud": 0.0, "haze": 0.0, "saturated": 0.0, "sharpness": 0.5, "sun": 60.0}
# The real crop of T29UNU.
BAD = {"valid": 0.9659, "cloud": 0.7062, "haze": 0.1409, "saturated": 0.0, "sharpness": 0.3868, "sun": 32.18}


def fault(quality: dict[str, Any], **asked: Any) -> str:
    return fault_of(replace(BASELINE.recipe, **asked), quality=quality, is_measured=True)


def test_a_recipe_that_asks_for_nothing_takes_every_scene() -> None:
    assert fault_of(BASELINE.recipe, quality={}, is_measured=False) == ""
    assert fault({"fault": "truncated"}) == ""


def test_a_recipe_that_asks_for_clean_scenes_refuses_a_cloudy_one_and_says_why() -> None:
    assert fault_of(CLEAN.recipe, quality=GOOD, is_measured=True) == ""
    assert fault_of(CLEAN.recipe, quality=BAD, is_measured=True) == "more than 30 % cloud"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"max_cloud": 0.7}, "more than 70 % cloud"),
        ({"max_cloud": 0.71}, ""),
        ({"max_haze": 0.1}, "more than 10 % haze"),
        ({"min_valid": 0.97}, "less than 97 % of it has data"),
        ({"min_sharpness": 0.4}, "less than 0.4 sharpness"),
        ({"min_sun": 33.0}, "less than 33° sun above the horizon, or its time is not known"),
        ({"min_sun": 32.0}, ""),
        ({"min_valid": 1.0, "max_cloud": 0.1}, "less than 100 % of it has data"),
    ],
)
def test_each_figure_may_be_limited(asked: dict[str, Any], told: str) -> None:
    assert fault(BAD, **asked) == told
    assert fault(GOOD, **asked) == ""


def test_every_limit_of_a_scene_is_a_field_that_may_ask_for_nothing() -> None:
    assert {limit.field for limit in LIMITS} == set(Recipe.ASKS_NOTHING) - {"levels", "min_clear"}


def test_what_is_not_known_is_not_clean() -> None:
    assert fault({**GOOD, "sun": None}, min_sun=10.0).startswith("less than 10° sun")
    assert fault({**GOOD, "sharpness": None}, min_sharpness=0.1) == "less than 0.1 sharpness"
    assert fault_of(CLEAN.recipe, quality=GOOD, is_measured=False) == NOT_MEASURED
    assert fault({**GOOD, "fault": "truncated"}, max_cloud=0.5) == "its file cannot be read"


def test_a_level_that_was_not_asked_for_is_left_out() -> None:
    only = replace(BASELINE.recipe, levels=("L2A",))
    assert [level_fault(only, level) for level in ("L2A", "L1C", "")] == ["", "of level L1C", "of level unknown"]
    assert level_fault(replace(BASELINE.recipe, levels=("unknown",)), "") == ""
    assert level_fault(BASELINE.recipe, "L1C") == ""


def test_levels_are_mixed_only_on_purpose() -> None:
    with pytest.raises(BadRecipe) as caught:
        refuse_mixed_levels(BASELINE.recipe, ["L2A", "L1C", "L2A", ""])
    assert "(1 of L1C, 2 of L2A, 1 of unknown)" in str(caught.value)
    assert '"levels": ["L2A"]' in str(caught.value)
    refuse_mixed_levels(replace(BASELINE.recipe, levels=("L1C", "L2A")), ["L1C", "L2A"])
    refuse_mixed_levels(BASELINE.recipe, ["L1C", "L1C"])
    refuse_mixed_levels(BASELINE.recipe, [])
