"""From the rows of a seed file to claims."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadInput
from labelling.core.formats import Row, Table
from labelling.core.geometry import split_places
from labelling.core.matching import ClaimSpec, Types
from labelling.core.places import place_rows
from labelling.core.seed_mapping import SeedMapping, types_of
from labelling.core.vocabulary import Vocabulary

NO_GEOMETRY = "it has no geometry"
COBALT = (("cobalt", None),)
_ID_LENGTH = 100  # leaves room for what tells rows with the same identifier apart


@dataclass(frozen=True)
class Refusal:
    """A row that is not taken.

    Attributes:
        row: counted from 1, with the headers of a spreadsheet.
        reason: why, in words.
        trouble: a word for it, where a person can change it (``labelling.core.places``).
        external_id: the identifier of the row in its source.
    """

    row: int
    reason: str
    trouble: str = ""
    external_id: str = ""


@dataclass
class SeedPlan:
    """What a file amounts to before anything is written.

    Attributes:
        claims: one for each place of each row that is taken.
        scope: what the identifiers of this layer begin with; empty where the file is one layer.
        row_of: identifier of a claim -> number of its row.
        refused: the other rows.
        rows: rows in the file.
        repaired: rows whose geometry was invalid and has been repaired.
        left_out: rows that the mapping says are no mines.
        empty: rows of a polygon set without a polygon: nothing was mapped there.
        split: rows that speak of several places.
        typed, untyped: rows taken with and without a type.
        unmapped: (column, value) -> rows, for values that no table knows.
    """

    claims: list[ClaimSpec] = field(default_factory=list)
    scope: str = ""
    row_of: dict[str, int] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    rows: int = 0
    repaired: list[int] = field(default_factory=list)
    left_out: int = 0
    empty: int = 0
    split: int = 0
    typed: int = 0
    untyped: int = 0
    unmapped: Counter[tuple[str, str]] = field(default_factory=Counter)


def join_tables(table: Table, other: Table, on: str) -> Table:
    """Add the columns of another layer's rows to the rows with the same value in a column.

    Raises:
        BadInput: one of them has no such column.
    """
    for side in (table, other):
        if on not in side.columns:
            msg = f"the layer {side.layer!r} has no column {on!r} to join on"
            raise BadInput(msg, file=side.file)
    by_value = {str(row.properties[on]): row.properties for row in other.rows}
    rows = tuple(
        Row(
            row.number,
            row.geometry,
            {**by_value.get(str(row.properties[on]), {}), **row.properties},
            row.fault,
            row.repaired,
        )
        for row in table.rows
    )
    return replace(table, rows=rows)


def plan_seeds(table: Table, *, kind: str, mapping: SeedMapping, words: Vocabulary, type_code: str = "") -> SeedPlan:
    """Judge every row of a file.

    Args:
        table: the rows, EPSG:4326.
        kind: of the source: ``cobalt`` adds the commodity, ``negatives`` say that there is no mine.
        mapping: what the columns mean.
        words: the types that exist.
        type_code: one type for all rows.

    Raises:
        BadInput: the mapping names a column that the file lacks, or ``type_code`` does not exist.
    """
    missing = mapping.columns() - set(table.columns)
    if missing:
        msg = f"no column {min(missing)!r}, which the mapping names; it has {', '.join(table.columns)[:500]}"
        raise BadInput(msg, file=table.file)
    fixed = {words.check_code(type_code): ((type_code, None),)} if type_code else {}
    reader = _Reader(kind, mapping, words, fixed, _identifier(table, mapping.id))
    plan = SeedPlan(rows=len(table.rows), scope=_scope(table))
    placed = place_rows(table, mapping.place, crs=mapping.reading.crs)
    for row in placed.rows:
        reader.read(row, plan)
    return plan


@dataclass(frozen=True)
class _Reader:
    """Reads one row after another into a plan."""

    kind: str
    mapping: SeedMapping
    words: Vocabulary
    fixed: Types
    identify: Callable[[Row], str]

    def read(self, row: Row, plan: SeedPlan) -> None:
        if self.mapping.leaves_out(row.properties):
            plan.left_out += 1
            return
        if row.geometry is None and not row.fault and self.kind == "polygons":
            plan.empty += 1
            return
        if row.geometry is None:
            reason = row.fault or f"{NO_GEOMETRY}{self._told_place(row)}"
            plan.refused.append(Refusal(row.number, reason, row.trouble, self.identify(row)))
            return
        try:
            places = split_places(row.geometry)
            types, score = self._types(row, plan), self.mapping.score_of(row.properties)
        except BadInput as error:
            plan.refused.append(Refusal(row.number, error.reason, external_id=self.identify(row)))
            return
        if row.repaired:
            plan.repaired.append(row.number)
        plan.split += len(places) > 1
        claims = self._claims(row, places, types, score)
        plan.row_of |= {claim.external_id: row.number for claim in claims}
        plan.claims += claims
        plan.typed += bool(claims[0].types)
        plan.untyped += not claims[0].types

    def _told_place(self, row: Row) -> str:
        told = [f"{column} {row.properties.get(column)!r}" for column in self.mapping.where]
        return f" ({', '.join(told)})" if told else ""

    def _types(self, row: Row, plan: SeedPlan) -> Types:
        found = {**types_of(row.properties, self.mapping, self.words, plan.unmapped), **self.fixed}
        return _weighted(self.kind, found)

    def _claims(self, row: Row, places: list[BaseGeometry], types: Types, score: float | None) -> list[ClaimSpec]:
        external_id = self.identify(row)
        is_mine = self.kind != "negatives" and not self.mapping.denies_mine(row.properties)
        name = row.properties.get(self.mapping.name) if self.mapping.name else None
        properties = {key: value for key, value in row.properties.items() if value is not None}
        return [
            ClaimSpec(
                external_id=external_id if len(places) == 1 else f"{external_id}/{number}",
                geometry=place,
                types=types if is_mine else {},
                score=score,
                is_mine=is_mine,
                name=str(name or "")[:200],
                properties=properties,
            )
            for number, place in enumerate(places, start=1)
        ]


def _weighted(kind: str, types: Types) -> Types:
    if kind != "cobalt":
        return types
    others = tuple(offer for offer in types.get("commodity", ()) if offer not in COBALT)
    return {**types, "commodity": COBALT + others}


def _identifier(table: Table, column: str) -> Callable[[Row], str]:
    """Name rows so that the same row has the same name in every import, and different rows never share one."""
    used = Counter(str(row.properties.get(column)) for row in table.rows) if column else Counter()
    prefix = _scope(table)

    def identify(row: Row) -> str:
        value = row.properties.get(column) if column else None
        # A place that columns say is in the properties; its reading may change, the row is still the same.
        digest = _digest(None if row.is_placed else row.geometry, row.properties)
        if value in (None, ""):
            return prefix + digest
        text = f"{prefix}{value}"
        if used[str(value)] > 1 or len(text) > _ID_LENGTH:
            return f"{text[: _ID_LENGTH - 17]}~{digest[:16]}"
        return text

    return identify


def _scope(table: Table) -> str:
    return f"{table.layer}:"[:60] if len(table.layers) > 1 else ""


def _digest(geometry: BaseGeometry | None, properties: Mapping[str, Any]) -> str:
    body = json.dumps(properties, sort_keys=True, ensure_ascii=False, default=str).encode()
    place = shapely.to_wkb(shapely.normalize(geometry), byte_order=1) if geometry is not None else b""
    return hashlib.sha256(place + b"\x00" + body).hexdigest()[:40]
