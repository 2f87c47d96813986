"""How the columns of a seed file become names, identifiers and types."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labelling.core.crosswalks import MAPPINGS, TABLES
from labelling.core.errors import BadInput
from labelling.core.matching import Types
from labelling.core.places import PlaceRule
from labelling.core.vector import Reading
from labelling.core.vocabulary import AXES, Vocabulary, plain_text

OWN_COLUMN = "mine_type"
_KEYS = ("id", "name", "where", "join", "leave_out", "not_mine", "score", "place", "read", *AXES)
_PLACE_KEYS = ("lat", "lon", "wkt", "unsigned_lat", "unsigned_lon", "minutes_as_decimals")
_READ_KEYS = ("encoding", "delimiter", "header_rows", "crs", "swapped")
_SIDES = {"unsigned_lat": ("", "N", "S"), "unsigned_lon": ("", "E", "W")}


@dataclass(frozen=True)
class Rule:
    """Where a type comes from: one value for all rows, or a column and what its values mean.

    Attributes:
        value: code for every row; empty where a column decides.
        column: name of the column.
        codes: value in lower case -> code, or None where it says nothing.
    """

    value: str = ""
    column: str = ""
    codes: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class SeedMapping:
    """What a file's columns mean.

    Attributes:
        id: column of the source's own identifier; empty: the row's content identifies it.
        name: column of the place's name.
        where: columns that say the place in words; quoted where a row has no geometry.
        join_layer, join_on: a second layer whose columns are added to the rows with the same value in a column.
        leave_out: column -> values, in lower case, of rows that are no mines and are skipped.
        not_mine: column -> values, in lower case, of rows that say that there is no mine.
        score: column of how sure the source is, 0 to 1.
        place: columns of latitude and longitude, for rows without a geometry.
        reading: how the file is to be read.
        rules: axis -> rules; each may add a code, the first one counts most.
    """

    id: str = ""
    name: str = ""
    where: tuple[str, ...] = ()
    join_layer: str = ""
    join_on: str = ""
    leave_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
    not_mine: Mapping[str, frozenset[str]] = field(default_factory=dict)
    score: str = ""
    place: PlaceRule = field(default_factory=PlaceRule)
    reading: Reading = field(default_factory=Reading)
    rules: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: Any, words: Vocabulary) -> "SeedMapping":
        """Read a mapping as people write it; docs/howto/add-a-seed-format.md describes the form.

        Args:
            value: the name of a mapping that ships, or the JSON object itself.
            words: the types that exist.

        Raises:
            BadInput: an unknown key, table, mapping or code, or a value of the wrong form.
        """
        if isinstance(value, str):
            value = _named(MAPPINGS, value, "mapping")
        _check_object(value, "the mapping", _KEYS)
        join = _check_object(value.get("join", {}), "join", ("layer", "on"))
        rules = {axis: _rules(axis, value[axis], words) for axis in AXES if axis in value}
        return cls(
            id=_text(value, "id"),
            name=_text(value, "name"),
            where=tuple(map(str, as_list(value.get("where", [])))),
            join_layer=_text(join, "layer"),
            join_on=_text(join, "on"),
            leave_out=_values(value, "leave_out"),
            not_mine=_values(value, "not_mine"),
            score=_text(value, "score"),
            place=_place(value.get("place", {})),
            reading=_reading(value.get("read", {})),
            rules=rules,
        )

    def columns(self) -> set[str]:
        """The columns that it names."""
        named = {rule.column for rules in self.rules.values() for rule in rules}
        plain = (self.id, self.name, self.score, *self.where, *self.leave_out, *self.not_mine, *self.place.columns())
        return {name for name in (*plain, *named) if name}

    def leaves_out(self, properties: Mapping[str, Any]) -> bool:
        """Whether a row is to be skipped."""
        return _stands_in(self.leave_out, properties)

    def denies_mine(self, properties: Mapping[str, Any]) -> bool:
        """Whether a row says that there is no mine."""
        return _stands_in(self.not_mine, properties)

    def score_of(self, properties: Mapping[str, Any]) -> float | None:
        """How sure the source is.

        Raises:
            BadInput: no number from 0 to 1.
        """
        value = properties.get(self.score) if self.score else None
        if value is None:
            return None
        try:
            score = float(str(value).replace(",", "."))
        except ValueError:
            score = -1.0
        if not 0 <= score <= 1:
            msg = f"its score {str(value)[:40]!r} is no number from 0 to 1"
            raise BadInput(msg)
        return score


def types_of(
    properties: Mapping[str, Any], mapping: SeedMapping, words: Vocabulary, unmapped: Counter[tuple[str, str]]
) -> Types:
    """Read the types of a row.

    Args:
        properties: the row.
        mapping: what its columns mean.
        words: for a column ``mine_type``, which needs no mapping.
        unmapped: (column, value) that no table knows are counted here.

    Returns:
        axis -> (code, None), the weightiest first.

    Raises:
        BadInput: the column ``mine_type`` names a type that does not exist.
    """
    found: dict[str, dict[str, None]] = {}
    for axis, rules in mapping.rules.items():
        for rule in rules:
            code = rule.value or _look_up(properties, rule, unmapped)
            if code:
                found.setdefault(axis, {})[code] = None
    own = properties.get(OWN_COLUMN)
    if own is not None and OWN_COLUMN not in mapping.columns():
        code = words.code_of(str(own))
        found.setdefault(words.axis_of[code], {})[code] = None
    return {axis: tuple((code, None) for code in codes) for axis, codes in found.items()}


def _look_up(properties: Mapping[str, Any], rule: Rule, unmapped: Counter[tuple[str, str]]) -> str | None:
    value = properties.get(rule.column)
    if value is None:
        return None
    key = plain_text(value)
    if key not in rule.codes:
        unmapped[rule.column, str(value)[:80]] += 1
        return None
    return rule.codes[key]


def _stands_in(wanted: Mapping[str, frozenset[str]], properties: Mapping[str, Any]) -> bool:
    return any(plain_text(properties.get(column)) in values for column, values in wanted.items())


def _values(value: Mapping[str, Any], key: str) -> dict[str, frozenset[str]]:
    named = _check_object(value.get(key, {}), key)
    return {column: frozenset(map(plain_text, as_list(values))) for column, values in named.items()}


def _place(value: Any) -> PlaceRule:
    _check_object(value, "place", _PLACE_KEYS)
    for key, sides in _SIDES.items():
        if _text(value, key) not in sides:
            msg = f"{key} must be one of {', '.join(sides[1:])}"
            raise BadInput(msg)
    texts = {key: _text(value, key) for key in _PLACE_KEYS[:-1]}
    return PlaceRule(**texts, minutes_as_decimals=value.get("minutes_as_decimals") is True)


def _reading(value: Any) -> Reading:
    _check_object(value, "read", _READ_KEYS)
    headers = value.get("header_rows")
    if headers is not None and (not isinstance(headers, int) or isinstance(headers, bool) or headers not in range(100)):
        msg = "header_rows must be a number from 0 to 99"
        raise BadInput(msg)
    if len(_text(value, "delimiter")) > 1:
        msg = "delimiter must be one character"
        raise BadInput(msg)
    return Reading(
        encoding=_text(value, "encoding"),
        delimiter=_text(value, "delimiter"),
        header_rows=headers,
        crs=_text(value, "crs"),
        swapped=value.get("swapped") is True,
    )


def _rules(axis: str, value: Any, words: Vocabulary) -> tuple[Rule, ...]:
    return tuple(_rule(axis, item, words) for item in as_list(value))


def _rule(axis: str, value: Any, words: Vocabulary) -> Rule:
    _check_object(value, axis, ("value", "column", "table", "values"))
    if "value" in value:
        return Rule(value=_on_axis(axis, _text(value, "value"), words))
    if "column" not in value:
        msg = f"{axis}: needs a column, or a value for all rows"
        raise BadInput(msg)
    codes: dict[str, str | None] = {}
    if "table" in value:
        table = _named(TABLES, _text(value, "table"), "table")
        codes.update(_named(table, axis, f"axis in the table {value['table']}:"))
    for text, code in _check_object(value.get("values", {}), f"{axis}.values").items():
        codes[plain_text(text)] = None if code is None else _on_axis(axis, str(code), words)
    return Rule(column=_text(value, "column"), codes=codes or words.said_on(axis))


def _on_axis(axis: str, code: str, words: Vocabulary) -> str:
    if words.check_code(code) != axis:
        msg = f"{code} is a {words.axis_of[code]}, not a {axis}"
        raise BadInput(msg)
    return code


def _named(there: Mapping[str, Any], name: str, noun: str) -> Any:
    if name not in there:
        msg = f"no {noun} {name!r}; there are {', '.join(sorted(there))}"
        raise BadInput(msg)
    return there[name]


def _check_object(value: Any, noun: str, keys: Sequence[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        msg = f"{noun} must be a JSON object"
        raise BadInput(msg)
    unknown = set(value) - set(keys) if keys is not None else set()
    if unknown:
        msg = f"{noun} has the unknown key {min(unknown)!r}; known are {', '.join(keys or ())}"
        raise BadInput(msg)
    return value


def _text(value: Mapping[str, Any], key: str) -> str:
    text = value.get(key, "")
    if not isinstance(text, str):
        msg = f"{key} must be text"
        raise BadInput(msg)
    return text


def as_list(value: Any) -> list[Any]:
    """One rule may stand without the brackets of a list."""
    return value if isinstance(value, list) else [value]
