"""Plain fields of recipes and settings: read from JSON, each of its type, and kept within their bounds."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, ClassVar, Self, get_origin, get_type_hints

from training.core.errors import BadRecipe


class Frozen:
    """A frozen dataclass of plain fields, read from JSON and written to it.

    Attributes:
        ASKS_NOTHING: the values of fields that came later with which they ask for nothing, as all did before.
    """

    ASKS_NOTHING: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, tuples as lists."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()  # type: ignore[call-overload]
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read plain JSON; every field must be there, and no other.

        Raises:
            BadRecipe: a field is missing, unknown, of another type or out of range.
        """
        hints = {name: kind for name, kind in get_type_hints(cls).items() if get_origin(kind) is not ClassVar}
        data = {**cls.ASKS_NOTHING, **data}
        refuse_unknown(data, set(hints))
        missing = [name for name in hints if name not in data]
        if missing:
            msg = f'missing: {", ".join(missing)}; name a preset to start from, as in {{"preset": "baseline"}}'
            raise BadRecipe(msg)
        return cls(**{name: _read(name, data[name], kind) for name, kind in hints.items()})


def refuse_unknown(data: dict[str, Any], known: set[str]) -> None:
    """Refuse fields that nobody knows.

    Raises:
        BadRecipe: names them, and those that are known.
    """
    unknown = sorted(set(data) - known)
    if unknown:
        msg = f"unknown: {', '.join(map(str, unknown))}; a recipe knows {', '.join(sorted(known))}"
        raise BadRecipe(msg)


def _read(name: str, value: Any, kind: Any) -> Any:
    items = getattr(kind, "__args__", None)
    if items is None:
        return _read_one(name, value, kind)
    if not isinstance(value, list | tuple):
        msg = f"{name} is a list, not {value!r}"
        raise BadRecipe(msg)
    return tuple(_read_one(name, item, items[0]) for item in value)


def _read_one(name: str, value: Any, kind: type) -> Any:
    fits = isinstance(value, int | float if kind is float else kind) and not isinstance(value, bool)
    if not fits or (kind is float and not math.isfinite(value)):
        words = {str: "text", int: "a whole number", float: "a number"}
        msg = f"{name} holds {value!r}: it must be {words[kind]}"
        raise BadRecipe(msg)
    return kind(value)


def check_choice(name: str, values: tuple[str, ...], choices: tuple[str, ...]) -> None:
    """Refuse values that are none of the choices, or that there are none at all.

    Raises:
        BadRecipe: names the field and the choices.
    """
    wrong = [value for value in values if value not in choices]
    if wrong or not values:
        msg = f"{name} is {', '.join(wrong) or 'empty'}: choose from {', '.join(choices)}"
        raise BadRecipe(msg)


def check_ranges(what: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Refuse a dataclass with a field outside of its bounds.

    Raises:
        BadRecipe: names the field and the bounds.
    """
    for name, bounds in ranges.items():
        check_range(name, getattr(what, name), bounds)


def check_range(name: str, value: float, bounds: tuple[float, float]) -> None:
    """Refuse a value outside of its bounds, both of which are allowed.

    Raises:
        BadRecipe: names the field and the bounds.
    """
    low, high = bounds
    if not low <= value <= high:
        msg = f"{name} is {value:g}: it must lie between {low:g} and {high:g}"
        raise BadRecipe(msg)
