"""Fields are read from JSON as what they are, or refused by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from training.core.errors import BadRecipe
from training.core.fields import Frozen, check_choice, check_ranges


@dataclass(frozen=True)
class Walk(Frozen):
    where: str
    days: int
    pace: float
    stops: tuple[str, ...]
    ASKS_NOTHING: ClassVar[Mapping[str, Any]] = {"stops": ()}


TOLD: dict[str, Any] = {"where": "Minas", "days": 3, "pace": 4.5, "stops": ["Ouro Preto"]}


def test_json_in_is_json_out() -> None:
    walk = Walk.from_json(TOLD)
    assert walk == Walk("Minas", 3, 4.5, ("Ouro Preto",))
    assert walk.to_json() == TOLD


def test_a_whole_number_is_a_number_with_a_fraction_too() -> None:
    pace = Walk.from_json({**TOLD, "pace": 4}).pace
    assert (pace, type(pace)) == (4.0, float)


def test_a_field_that_came_later_asks_for_nothing_where_it_is_not_said() -> None:
    assert Walk.from_json({name: value for name, value in TOLD.items() if name != "stops"}).stops == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"speed": 1}, "unknown: speed; a recipe knows days, pace, stops, where"),
        ({"days": 2.5}, "days holds 2.5: it must be a whole number"),
        ({"days": True}, "days holds True: it must be a whole number"),
        ({"pace": "fast"}, "pace holds 'fast': it must be a number"),
        ({"pace": float("nan")}, "pace holds nan: it must be a number"),
        ({"where": 1}, "where holds 1: it must be text"),
        ({"stops": "Ouro Preto"}, "stops is a list, not 'Ouro Preto'"),
        ({"stops": ["Ouro Preto", 5]}, "stops holds 5: it must be text"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change: dict[str, Any], told: str) -> None:
    with pytest.raises(BadRecipe) as error:
        Walk.from_json({**TOLD, **change})
    assert told in str(error.value)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(BadRecipe, match="missing: where, pace; name a preset"):
        Walk.from_json({"days": 3})


def test_bounds_are_allowed_and_nothing_beyond() -> None:
    bounds = {"days": (1.0, 3.0), "pace": (0.5, 4.5)}
    check_ranges(Walk.from_json(TOLD), bounds)
    with pytest.raises(BadRecipe, match="days is 4: it must lie between 1 and 3"):
        check_ranges(Walk.from_json({**TOLD, "days": 4}), bounds)


@pytest.mark.parametrize(("values", "told"), [((), "empty"), (("north", "up"), "up")])
def test_only_choices_are_chosen(values: tuple[str, ...], told: str) -> None:
    with pytest.raises(BadRecipe, match=f"way is {told}: choose from north, south"):
        check_choice("way", values, ("north", "south"))
