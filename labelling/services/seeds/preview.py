"""What an import would do, before anything of it is written."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from labelling.core.crosswalks import MAPPINGS
from labelling.core.delimited import guess_encodings
from labelling.core.errors import BadInput
from labelling.core.formats import Table, sniff_format
from labelling.core.geometry import distances_m, inner_point
from labelling.core.outlines import to_geojson
from labelling.core.seed_diff import Change, SeedDiff
from labelling.core.seed_guess import guess_mapping
from labelling.core.seed_mapping import SeedMapping
from labelling.core.seeds import SeedPlan, plan_seeds
from labelling.core.taxonomy import in_words
from labelling.core.vector import ManyLayers
from labelling.models import MineType, Site, Source
from labelling.services.seeds.findings import find_all
from labelling.services.seeds.importing import read_table, vocabulary
from labelling.services.seeds.versions import compare_plan
from labelling.services.sites import match_claims

ROWS = 40
VALUES = 40
LISTED = 200
ON_MAP = 2000
_OUTLINES = 300
_SIMPLER_DEG = 2e-5
_SHORT = 120
_HALF = 0.5
_ABOUT = ("layer", "layers", "encodings", "reading", "has_geometry", "columns")
Json = dict[str, Any]


def look_at(*, path: Path, choices: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> tuple[Json, Json]:
    """Work out what an import would do.

    Args:
        path: the file.
        choices: what the person has chosen; where ``mapping`` is missing it is guessed, and so is ``is_whole``.
        before: the last preview; what it knows of the file stays where the file cannot be read as is chosen now.

    Returns:
        The choices with the guesses, and the preview, both fit for JSON. A file or a mapping that cannot be used
        gives a preview with ``error``.
    """
    made = dict(choices)
    preview: Json = {}
    try:
        _look(path, made, preview)
    except BadInput as error:
        known = {name: before[name] for name in _ABOUT if name in before} if before else _first_sight(path)
        told = error.reason if error.row is None else f"row {error.row}: {error.reason}"
        preview = {**known, **preview, "error": told}
    return made, preview


def _first_sight(path: Path) -> Json:
    """What can be chosen of a table that could not be read yet."""
    if sniff_format(path) != "csv":
        return {}
    names = guess_encodings(path)
    return {"reading": {"encoding": names[0], "delimiter": "", "header_rows": None}, "encodings": list(names)}


def _look(path: Path, made: Json, preview: Json) -> None:
    words = vocabulary()
    source = Source.objects.filter(name=made.get("source_name", "")).first()
    table, mapping = _read(path, made, source)
    preview |= _about(table, made)
    missing = mapping.columns() - set(table.columns)
    if "mapping" not in made or missing:
        guess = guess_mapping(table, words)
        kept = {"read": made["mapping"]["read"]} if made.get("mapping", {}).get("read") else {}
        made["mapping"] = {**guess.mapping, **kept}
        made["guess"] = guess.shipped or "columns"
        mapping = SeedMapping.from_json(made["mapping"], words)
    plan = plan_seeds(table, kind=made["kind"], mapping=mapping, words=words, type_code=made.get("type_code", ""))
    diff = compare_plan(source=source, plan=plan)
    if made.get("is_whole") is None:
        stand = len(diff.changed) + diff.unchanged
        made["is_whole"] = bool(diff.missing) and stand >= _HALF * (stand + len(diff.missing))
    preview |= _outcome(table, plan, diff, made)
    found = find_all(table=table, plan=plan, mapping=mapping, diff=diff, choices=made)
    preview["findings"] = [finding.to_json() for finding in found]


def _read(path: Path, made: Json, source: Source | None) -> tuple[Table, SeedMapping]:
    if "mapping" not in made and source is not None and source.mapping:
        saved = {key: value for key, value in source.mapping.items() if key != "type"}
        made["mapping"] = saved.get("shipped", saved)
        made["type_code"], made["guess"] = source.mapping.get("type", ""), "source"
    if isinstance(made.get("mapping"), str):
        made["mapping"] = shipped_mapping(made["mapping"])
    mapping = SeedMapping.from_json(made.get("mapping", {}), vocabulary())
    try:
        return read_table(path=path, mapping=mapping, layer=made.get("layer") or None), mapping
    except ManyLayers as error:
        made["layer"] = error.layers[0]
        return read_table(path=path, mapping=mapping, layer=made["layer"]), mapping


def shipped_mapping(name: str) -> Json:
    """A mapping that ships, to be changed by a person.

    Raises:
        BadInput: there is none of that name.
    """
    if name not in MAPPINGS:
        msg = f"no mapping {name!r}"
        raise BadInput(msg)
    return dict(MAPPINGS[name])


def _about(table: Table, made: Json) -> Json:
    reading = table.reading
    return {
        "layer": table.layer,
        "layers": list(table.layers),
        "encodings": list(table.encodings),
        "reading": {
            "encoding": reading.encoding,
            "delimiter": reading.delimiter,
            "header_rows": reading.header_rows,
        }
        if reading
        else None,
        "has_geometry": any(row.geometry is not None or row.fault for row in table.rows),
        "columns": [_column(table, name) for name in table.columns],
    }


def _column(table: Table, name: str) -> Json:
    counted = Counter(str(value)[:80] for row in table.rows if (value := row.properties.get(name)) is not None)
    return {"name": name, "filled": counted.total(), "distinct": len(counted), "values": counted.most_common(VALUES)}


def _outcome(table: Table, plan: SeedPlan, diff: SeedDiff, made: Json) -> Json:
    placing = [*diff.added, *(change.after for change in diff.changed if change.moved)]
    matches = dict(zip((claim.external_id for claim in placing), match_claims(claims=placing), strict=True))
    changed = {change.after.external_id for change in diff.changed}
    marks = {
        claim.external_id: "changed"
        if claim.external_id in changed
        else "same"
        if claim.external_id not in matches
        else "merged"
        if matches[claim.external_id] >= 0
        else "new"
        for claim in plan.claims
    }
    types = Counter(offers[0][0] for claim in plan.claims for offers in claim.types.values() if offers)
    return {
        "counts": {
            "rows": plan.rows,
            "added": len(diff.added),
            "changed": len(diff.changed),
            "unchanged": diff.unchanged,
            "gone": len(diff.missing) if made["is_whole"] else 0,
            "stay": 0 if made["is_whole"] else len(diff.missing),
            "unread": len(diff.unread),
            "new_sites": len({place for place in matches.values() if place < 0}),
            "joined": sum(place >= 0 for place in matches.values()),
            "refused": len(plan.refused),
            "repaired": len(plan.repaired),
            "left_out": plan.left_out,
            "empty": plan.empty,
            "typed": plan.typed,
            "untyped": plan.untyped,
        },
        "types": _types(types),
        "refused": [
            {"row": refusal.row, "reason": refusal.reason, "values": _told(table, refusal.row)}
            for refusal in plan.refused[:LISTED]
        ],
        "unmapped": [[column, value, count] for (column, value), count in plan.unmapped.most_common(VALUES)],
        "merges": _merges(plan, matches),
        "changes": [tell_change(change) for change in diff.changed[:LISTED]],
        "gone": _gone(diff) if made["is_whole"] else [],
        "rows": _rows(table, plan, marks),
        "map": _features(plan, marks),
    }


def _types(counted: Mapping[str, int]) -> list[Json]:
    known = MineType.objects.in_bulk(list(counted), field_name="code")
    return [
        {"name": known[code].name, "color": known[code].color, "count": count}
        for code, count in sorted(counted.items(), key=lambda item: -item[1])
        if code in known
    ]


def _told(table: Table, number: int) -> str:
    row = table.rows[_index(table, number)]
    return ", ".join(f"{value}" for value in list(row.properties.values())[:6] if value is not None)[:_SHORT]


def _index(table: Table, number: int) -> int:
    """Empty rows are left out, so the number is only where to begin."""
    at = min(number - table.rows[0].number, len(table.rows) - 1)
    while table.rows[at].number > number:
        at -= 1
    return at


def _merges(plan: SeedPlan, matches: Mapping[str, int]) -> list[Json]:
    """The places where several claims meet: a site that is there, or rows of the file itself."""
    by_place: dict[int, list[str]] = defaultdict(list)
    for name, place in matches.items():
        by_place[place].append(name)
    shared = [(place, names) for place, names in by_place.items() if place >= 0 or len(names) > 1][:LISTED]
    sites = Site.objects.shown().in_bulk([place for place, _ in shared if place >= 0])
    names = {claim.external_id: claim.name for claim in plan.claims}
    return [
        {
            "rows": sorted({plan.row_of[name] for name in members})[:20],
            "count": len(members),
            "name": names[members[0]],
            "site": place if place >= 0 else None,
            "site_name": sites[place].name if place in sites else "",
            "state": sites[place].get_state_display() if place in sites else "",
            "state_code": sites[place].state if place in sites else "",
        }
        for place, members in shared
    ]


def tell_change(change: Change) -> Json:
    """A change as a page shows it."""
    before, after = change.before, change.after
    return {
        "id": after.external_id,
        "site": before.site,
        "what": list(change.what),
        "moved_m": round(_metres(change)) if change.moved else None,
        "types": [_codes(before.types), _codes(after.types)] if change.retyped else None,
        "attributes": [
            [name, *("" if value is None else str(value)[:_SHORT] for value in pair)]
            for name, pair in list(change.attributes.items())[:12]
        ],
        "before": to_geojson(before.geometry.representative_point()),
    }


def _metres(change: Change) -> float:
    ends = [inner_point(geometry) for geometry in (change.before.geometry, change.after.geometry)]
    return float(distances_m(*(np.array([[end.x, end.y]]) for end in ends))[0])


def _codes(types: Mapping[str, Sequence[Any]]) -> str:
    return ", ".join(in_words(offers[0][0]) for offers in types.values() if offers) or "no type"


def _gone(diff: SeedDiff) -> list[Json]:
    first = list(diff.missing.items())[:LISTED]
    sites = Site.objects.only("name", "state").in_bulk({said.site for _, said in first})
    return [
        {"id": name, "site": said.site, "name": sites[said.site].name, "state": sites[said.site].get_state_display()}
        for name, said in first
    ]


def _rows(table: Table, plan: SeedPlan, marks: Mapping[str, str]) -> list[Json]:
    reasons = {refusal.row: refusal.reason for refusal in plan.refused}
    by_row = {number: marks[name] for name, number in plan.row_of.items()}
    return [
        {
            "number": row.number,
            "mark": "refused" if row.number in reasons else by_row.get(row.number, "left out"),
            "reason": reasons.get(row.number, ""),
            "values": [
                "" if value is None else str(value)[:_SHORT] for value in map(row.properties.get, table.columns)
            ],
        }
        for row in table.rows[:ROWS]
    ]


def _features(plan: SeedPlan, marks: Mapping[str, str]) -> list[Json]:
    with_outline = len(plan.claims) <= _OUTLINES
    return [
        {
            "row": plan.row_of[claim.external_id],
            "name": claim.name,
            "mark": marks[claim.external_id],
            "geometry": to_geojson(
                claim.geometry.simplify(_SIMPLER_DEG) if with_outline else claim.geometry.representative_point()
            ),
        }
        for claim in plan.claims[:ON_MAP]
    ]
