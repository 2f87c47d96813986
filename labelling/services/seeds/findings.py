"""What a person should know of a file before it is imported, each with the word that would change it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shapely.geometry import Point

from labelling.core.coordinates import SAID
from labelling.core.formats import Table
from labelling.core.places import MINUTES, OUTSIDE, SWAPPED
from labelling.core.seed_diff import SeedDiff
from labelling.core.seed_mapping import SeedMapping
from labelling.core.seeds import Refusal, SeedPlan
from labelling.services.regions import regions_of

_HALF = 0.5
_FEW = 8
_AXIS = {"N": "lat", "S": "lat", "E": "lon", "W": "lon"}
_EITHER = {"lat": "north or south", "lon": "east or west"}
Patch = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """Something that a person should know.

    Attributes:
        text: in words.
        offers: (what the button says, what it changes in the choices).
        level: ``warn`` where rows are lost or likely wrong, else ``info``.
    """

    text: str
    offers: tuple[tuple[str, Patch], ...] = ()
    level: str = "warn"

    def to_json(self) -> dict[str, Any]:
        """For the preview that is kept."""
        return {"text": self.text, "level": self.level, "offers": [list(offer) for offer in self.offers]}


def find_all(
    *, table: Table, plan: SeedPlan, mapping: SeedMapping, diff: SeedDiff, choices: Mapping[str, Any]
) -> list[Finding]:
    """Look for what a person should know.

    Args:
        table: the file.
        plan: what it amounts to.
        mapping: what its columns are taken for.
        diff: against what the source says.
        choices: what the person has chosen.
    """
    return [
        *_of_troubles(plan.refused),
        *_of_swap(table, plan, mapping),
        *_of_signs(plan, mapping),
        *_of_settled(mapping),
        *_of_identity(plan, mapping),
        *_of_version(diff, choices),
    ]


def _of_troubles(refused: Sequence[Refusal]) -> list[Finding]:
    troubles = Counter(refusal.trouble for refusal in refused)
    found = []
    for side in SAID:
        if count := troubles[side]:
            axis = _AXIS[side]
            text = f"{_rows(count)} not say {_EITHER[axis]}; most others say {SAID[side]}"
            found.append(Finding(text, ((f"Read as {SAID[side]}", _place(**{f"unsigned_{axis}": side})),)))
    if count := troubles[MINUTES]:
        example = next(refusal.reason for refusal in refused if refusal.trouble == MINUTES)
        text = f"{_rows(count)} not fit degrees and minutes: {example}"
        found.append(Finding(text, (("Read as decimals of a degree", _place(minutes_as_decimals=True)),)))
    return found


def _rows(count: int) -> str:
    return f"{count} rows do" if count > 1 else "1 row does"


def _place(**values: Any) -> Patch:
    return {"mapping": {"place": values}}


def _swap(mapping: SeedMapping) -> Patch:
    if mapping.place.lat:
        return _place(lat=mapping.place.lon, lon=mapping.place.lat)
    return {"mapping": {"read": {"swapped": not mapping.reading.swapped}}}


def _of_swap(table: Table, plan: SeedPlan, mapping: SeedMapping) -> list[Finding]:
    """Latitude and longitude the wrong way round, by their letters, their range, or the land that they miss."""
    offer = (("Swap them", _swap(mapping)),)
    said = sum(refusal.trouble == SWAPPED for refusal in plan.refused)
    if said >= _HALF * plan.rows:
        return [Finding(f"{_rows(said)} say east or west where latitude is expected", offer)]
    outside = [refusal for refusal in plan.refused if refusal.trouble == OUTSIDE]
    sizes = [abs(float(text)) for one in outside for text in re.findall(r"tude (-?[\d.e+]+) is outside", one.reason)]
    if sizes and max(sizes) > 360 and len(outside) >= _HALF * plan.rows:
        return [Finding("the coordinates are no degrees, they look like metres: say which CRS they are in")]
    if any("latitude" in refusal.reason for refusal in outside):
        return [Finding(f"{_rows(len(outside))} not lie on the Earth: latitude and longitude may be swapped", offer)]
    if plan.claims and _misses_land(plan):
        return [Finding("most places lie in no region, and would if latitude and longitude were swapped", offer)]
    return []


def _misses_land(plan: SeedPlan) -> bool:
    step = max(1, len(plan.claims) // _FEW)
    places = [claim.geometry.representative_point() for claim in plan.claims[::step]][:_FEW]
    turned = [Point(place.y, place.x) for place in places if abs(place.x) <= 90]
    if len(turned) < len(places):
        return False
    here, there = (sum(region is not None for region in regions_of(points)) for points in (places, turned))
    return here <= 0.2 * len(places) and there >= 0.8 * len(places)


def _of_signs(plan: SeedPlan, mapping: SeedMapping) -> list[Finding]:
    place = mapping.place
    is_plain = place.lat and not (place.unsigned_lat or place.unsigned_lon or mapping.reading.crs)
    boxes = [claim.geometry.bounds for claim in plan.claims]
    if not is_plain or not boxes or min(min(box) for box in boxes) < 0:
        return []
    text = "no coordinate says south or west, nor has a minus: all are taken as north and east"
    offers = (("All are south", _place(unsigned_lat="S")), ("All are west", _place(unsigned_lon="W")))
    return [Finding(text, offers, "info")]


def _of_settled(mapping: SeedMapping) -> list[Finding]:
    """What a person has confirmed stays in sight, and can be taken back."""
    found = []
    for axis, name in (("lat", "latitudes"), ("lon", "longitudes")):
        if side := mapping.place.side_of(axis):
            text = f"{name} without a sign are read as {SAID[side]}"
            found.append(Finding(text, (("Take back", _place(**{f"unsigned_{axis}": ""})),), "info"))
    if mapping.place.minutes_as_decimals:
        offer = ("Take back", _place(minutes_as_decimals=False))
        found.append(Finding("minutes above sixty are read as decimals of a degree", (offer,), "info"))
    return found


def _of_identity(plan: SeedPlan, mapping: SeedMapping) -> list[Finding]:
    if mapping.id:
        doubled = sum("~" in claim.external_id for claim in plan.claims)
        text = f"{doubled} places share their {mapping.id!r} with another row: what they hold tells them apart"
        return [Finding(text, level="info")] if doubled else []
    text = "no column identifies the rows: in a later version a row that changed counts as one gone and one new"
    return [Finding(text, level="info")]


def _of_version(diff: SeedDiff, choices: Mapping[str, Any]) -> list[Finding]:
    stand, gone = len(diff.changed) + diff.unchanged, len(diff.missing)
    if not stand + gone:
        return []
    if choices.get("is_whole"):
        text = f"taken as the new version of all that the source says; claims that it does not hold, taken back: {gone}"
        offer = ("It is only a part of it", {"is_whole": False})
    else:
        text = f"taken as a part of what the source says; claims that are not in this file, and stand: {gone}"
        offer = ("It is the whole new version", {"is_whole": True})
    return [Finding(text, (offer,), "info")]
