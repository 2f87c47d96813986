"""What the columns of a file most likely mean. A guess is shown to a person before anything comes of it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labelling.core.coordinates import LAT, LON, SIDES, read_angle
from labelling.core.crosswalks import MAPPINGS, TABLES
from labelling.core.errors import BadGeometry
from labelling.core.formats import Table
from labelling.core.seed_mapping import as_list
from labelling.core.vocabulary import AXES, Vocabulary, plain_text

SAMPLE = 2000
_MOST = 0.8
_HALF = 0.5
_NAMES: Mapping[str, re.Pattern[str]] = {
    "id": re.compile(r"(^|[^a-z])(id|code|codigo|código|uid|fid|gid|objectid|key|nr|no)([^a-z]|$)|id$", re.I),
    "name": re.compile(
        r"^(?!.*(company|country|owner|share|state|region)).*(name|nombre|nome|nom$|^site$|^mine$|^mina$|^faena$)", re.I
    ),
    LAT: re.compile(r"^(lat|latitude?|latitud|y|ycoord|northing|norte)\b|latitud", re.I),
    LON: re.compile(r"^(lon|lng|long|longitude?|longitud|x|xcoord|easting|este)\b|longitud", re.I),
    "wkt": re.compile(r"wkt|geom|shape", re.I),
    "score": re.compile(r"^(score|confidence|conf|probability|prob)$", re.I),
}
_WKT = re.compile(r"\s*(MULTI)?(POINT|POLYGON)\b", re.I)


@dataclass(frozen=True)
class Guess:
    """A mapping as people write it, and what it rests on.

    Attributes:
        mapping: for ``SeedMapping.from_json``.
        shipped: name of the mapping that ships and fits; empty where the columns were looked at one by one.
    """

    mapping: dict[str, Any]
    shipped: str = ""


def guess_mapping(table: Table, words: Vocabulary) -> Guess:
    """Guess what the columns of a file mean.

    Args:
        table: the rows.
        words: the types that exist.
    """
    columns = _columns(table)
    shipped = _shipped(columns)
    if shipped:
        return Guess({**MAPPINGS[shipped]}, shipped)
    mapping: dict[str, Any] = {}
    if place := _place(table, columns):
        mapping["place"] = place
    taken = set(place.values())
    for role, fits in (("id", _is_key), ("name", _is_text), ("score", _is_share)):
        found = next(
            (name for name in columns if _NAMES[role].search(name) and name not in taken and fits(columns[name])), ""
        )
        if found:
            mapping[role] = found
            taken.add(found)
    for axis in AXES:
        if column := _best_typed(axis, columns, words, taken):
            mapping[axis] = {"column": column}
    return Guess(mapping)


Values = Sequence[Any]


def _columns(table: Table) -> dict[str, Values]:
    rows = table.rows[:SAMPLE]
    return {name: [row.properties.get(name) for row in rows] for name in table.columns}


def _shipped(columns: Mapping[str, Values]) -> str:
    """The mapping that ships whose columns are all there, and whose tables know the values; the fullest of several."""
    fits: list[tuple[int, str]] = []
    for name, mapping in MAPPINGS.items():
        needed = _needed(mapping)
        if "join" not in mapping and needed <= set(columns) and _tables_know(mapping, columns):
            fits.append((len(needed), name))
    return max(fits, default=(0, ""))[1]


def _needed(mapping: Mapping[str, Any]) -> set[str]:
    plain = {mapping.get("id"), mapping.get("name"), *mapping.get("place", {}).values(), *mapping.get("leave_out", {})}
    rules = [rule for axis in AXES for rule in as_list(mapping.get(axis, []))]
    return {name for name in (*plain, *mapping.get("not_mine", {}), *(rule.get("column") for rule in rules)) if name}


def _tables_know(mapping: Mapping[str, Any], columns: Mapping[str, Values]) -> bool:
    for axis in AXES:
        for rule in as_list(mapping.get(axis, [])):
            if "table" in rule and _share_known(columns[rule["column"]], TABLES[rule["table"]][axis]) < _HALF:
                return False
    return True


def _share_known(values: Values, known: Mapping[str, Any]) -> float:
    there = [plain_text(value) for value in values if value is not None]
    return sum(value in known for value in there) / len(there) if there else 0.0


def _place(table: Table, columns: Mapping[str, Values]) -> dict[str, str]:
    if all(row.geometry is not None or row.fault for row in table.rows[:SAMPLE]):
        return {}
    for name, values in columns.items():
        if _NAMES["wkt"].search(name) and _share(values, lambda value: bool(_WKT.match(str(value)))) >= _HALF:
            return {"wkt": name}
    found = {axis: _angles(axis, columns) for axis in (LAT, LON)}
    return found if all(found.values()) else {}


def _angles(axis: str, columns: Mapping[str, Values]) -> str:
    """The column that is called so and holds numbers; else the one whose letters say so."""
    for name, values in columns.items():
        if _NAMES[axis].search(name) and _share(values, lambda value: _reads(value, axis)) >= _HALF:
            return name
    return next(
        (name for name, values in columns.items() if _share(values, lambda value: _says_side(value, axis)) >= _HALF), ""
    )


def _reads(value: Any, axis: str) -> bool:
    try:
        read_angle(str(value), axis, minutes_as_decimals=True)
    except BadGeometry as error:
        # A column of latitudes that say west is one of the two, only not this one.
        return "swapped" in error.reason
    return True


def _says_side(value: Any, axis: str) -> bool:
    try:
        return isinstance(value, str) and read_angle(value, axis, minutes_as_decimals=True).side in SIDES[axis]
    except BadGeometry:
        return False


def _share(values: Values, fits: Any) -> float:
    there = [value for value in values if value is not None]
    return sum(map(fits, there)) / len(there) if there else 0.0


def _is_key(values: Values) -> bool:
    there = [str(value) for value in values if value is not None]
    return len(there) >= _MOST * len(values) > 0 and len(set(there)) == len(there)


def _is_text(values: Values) -> bool:
    return _share(values, lambda value: isinstance(value, str) and not value.strip().isdecimal()) >= _HALF


def _is_share(values: Values) -> bool:
    return _share(values, lambda value: bool(re.fullmatch(r"[01]|[01]?[.,]\d+", str(value)))) >= _MOST


def _best_typed(axis: str, columns: Mapping[str, Values], words: Vocabulary, taken: set[str]) -> str:
    known = words.said_on(axis)
    scores: Counter[str] = Counter()
    for name, values in columns.items():
        share = _share_known([value for value in values if not isinstance(value, bool)], known)
        if share >= _HALF and name not in taken and name != "mine_type":
            scores[name] = round(1000 * share)
    return scores.most_common(1)[0][0] if scores else ""
