"""How the columns of a seed file become names, identifiers and types."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labelling.core.crosswalks import MAPPINGS, SYNONYMS, TABLES
from labelling.core.errors import BadInput
from labelling.core.matching import Types

AXES = ("feature", "commodity", "method")
OWN_COLUMN = "mine_type"
_KEYS = ("id", "name", "where", "join", "leave_out", *AXES)


@dataclass(frozen=True)
class Vocabulary:
    """The types that exist: code -> axis, and what people call them.

    Attributes:
        axis_of: code -> axis.
        spoken: name or code, in lower case -> code.
    """

    axis_of: Mapping[str, str]
    spoken: Mapping[str, str]

    @classmethod
    def of(cls, types: Sequence[tuple[str, str, str]]) -> "Vocabulary":
        """Build it from (code, name, axis) of each type, with the synonyms that ship."""
        axis_of = {code: axis for code, _, axis in types}
        spoken = {text: code for text, code in SYNONYMS.items() if code in axis_of}
        # A name that two axes share belongs to the first.
        for code, name, _ in reversed(types):
            spoken[name.casefold()] = spoken[code.casefold()] = code
        return cls(axis_of, spoken)

    def code_of(self, text: str) -> str:
        """Find the code that a person means by a code, a name or a synonym.

        Raises:
            BadInput: none of them.
        """
        plain = _plain(text)
        code = self.spoken.get(plain) or self.spoken.get(plain.replace("_", " "), text)
        self.check_code(code)
        return code

    def check_code(self, code: str) -> str:
        """Give the axis of a code.

        Raises:
            BadInput: no such code; the message lists those that exist.
        """
        if code not in self.axis_of:
            msg = f"no mine type {code[:60]!r}; the codes are {', '.join(sorted(self.axis_of))}"
            raise BadInput(msg)
        return self.axis_of[code]


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
        rules: axis -> rules; each may add a code, the first one counts most.
    """

    id: str = ""
    name: str = ""
    where: tuple[str, ...] = ()
    join_layer: str = ""
    join_on: str = ""
    leave_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
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
        leave_out = _check_object(value.get("leave_out", {}), "leave_out")
        rules = {axis: _rules(axis, value[axis], words) for axis in AXES if axis in value}
        return cls(
            id=_text(value, "id"),
            name=_text(value, "name"),
            where=tuple(map(str, _list(value.get("where", [])))),
            join_layer=_text(join, "layer"),
            join_on=_text(join, "on"),
            leave_out={column: frozenset(map(_plain, _list(values))) for column, values in leave_out.items()},
            rules=rules,
        )

    def columns(self) -> set[str]:
        """The columns that it names."""
        named = {rule.column for rules in self.rules.values() for rule in rules}
        return {name for name in (self.id, self.name, *self.where, *self.leave_out, *named) if name}

    def leaves_out(self, properties: Mapping[str, Any]) -> bool:
        """Whether a row is said to be no mine."""
        return any(_plain(properties.get(column)) in values for column, values in self.leave_out.items())


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
    key = _plain(value)
    if key not in rule.codes:
        unmapped[rule.column, str(value)[:80]] += 1
        return None
    return rule.codes[key]


def _plain(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().casefold()


def _rules(axis: str, value: Any, words: Vocabulary) -> tuple[Rule, ...]:
    return tuple(_rule(axis, item, words) for item in _list(value))


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
        codes[_plain(text)] = None if code is None else _on_axis(axis, str(code), words)
    spoken = {text: code for text, code in words.spoken.items() if words.axis_of[code] == axis}
    return Rule(column=_text(value, "column"), codes=codes or spoken)


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


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
