"""What a new version of a source says otherwise than the last one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from labelling.core.matching import ClaimSpec, Types

# A centimetre: what formats lose by writing fewer digits is no news.
SAME_DEG = 1e-7


@dataclass(frozen=True)
class Said:
    """A claim of the source that stands.

    Attributes:
        proposal: its row.
        site: the site that it speaks of.
        revision: how often the source had said it anew.
        geometry, types, score, is_mine, properties: as in ``ClaimSpec``.
    """

    proposal: int
    site: int
    revision: int
    geometry: BaseGeometry
    types: Types
    score: float | None
    is_mine: bool
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A claim that says something else now.

    Attributes:
        before: what stands.
        after: what the file says, with the next revision.
        moved: the geometry is another one.
        retyped: types, score or ``is_mine`` are.
        attributes: column -> (before, after), for those that are.
    """

    before: Said
    after: ClaimSpec
    moved: bool
    retyped: bool
    attributes: Mapping[str, tuple[Any, Any]]

    @property
    def what(self) -> tuple[str, ...]:
        """What has changed, in words."""
        parts = {"geometry": self.moved, "type": self.retyped, "attributes": bool(self.attributes)}
        return tuple(name for name, changed in parts.items() if changed)


@dataclass
class SeedDiff:
    """A file beside what its source says.

    Attributes:
        added: claims that the source does not make now.
        changed: claims that it makes otherwise.
        unchanged: claims that it makes just so; the same claim twice in a file counts too.
        missing: external id -> claim that the file does not hold.
        unread: external ids of claims whose rows were refused; they stand.
    """

    added: list[ClaimSpec] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    unchanged: int = 0
    missing: dict[str, Said] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def compare_claims(
    standing: Mapping[str, Said],
    claims: Sequence[ClaimSpec],
    *,
    refused: Collection[str] = (),
    taken_back: Mapping[str, int] | None = None,
) -> SeedDiff:
    """Compare a file with what its source says.

    Args:
        standing: external id -> claim that stands.
        claims: of the file; of several with one identifier the first counts.
        refused: identifiers of rows that could not be read.
        taken_back: external id -> last revision of claims that the source has taken back.
    """
    diff = SeedDiff(missing=dict(standing))
    seen: set[str] = set()
    for claim in claims:
        if claim.external_id in seen:
            diff.unchanged += 1
            continue
        seen.add(claim.external_id)
        before = diff.missing.pop(claim.external_id, None)
        if before is None:
            last = (taken_back or {}).get(claim.external_id)
            diff.added.append(claim if last is None else replace(claim, revision=last + 1))
            continue
        change = compare_claim(before, claim)
        if change is None:
            diff.unchanged += 1
        else:
            diff.changed.append(change)
    # The places of a row that speaks of several have its identifier and a number.
    unread = set(refused)
    diff.unread = [name for name in diff.missing if name in unread or name.rpartition("/")[0] in unread]
    for name in diff.unread:
        del diff.missing[name]
    return diff


def compare_claim(before: Said, claim: ClaimSpec) -> Change | None:
    """Compare a claim with what stands; None where it says the same.

    Args:
        before: what stands.
        claim: what the file says.
    """
    moved = not _same_place(before.geometry, claim.geometry)
    retyped = (_plain(before.types), before.score, before.is_mine) != (_plain(claim.types), claim.score, claim.is_mine)
    attributes = {
        name: (before.properties.get(name), claim.properties.get(name))
        for name in dict.fromkeys([*before.properties, *claim.properties])
        if before.properties.get(name) != claim.properties.get(name)
    }
    if not (moved or retyped or attributes):
        return None
    return Change(before, replace(claim, revision=before.revision + 1), moved, retyped, attributes)


def _same_place(one: BaseGeometry, other: BaseGeometry) -> bool:
    if one.geom_type != other.geom_type or shapely.get_num_coordinates(one) != shapely.get_num_coordinates(other):
        return False
    return bool(shapely.equals_exact(one, other, SAME_DEG)) or bool(
        shapely.equals_exact(shapely.normalize(one), shapely.normalize(other), SAME_DEG)
    )


def _plain(types: Types) -> dict[str, list[tuple[str, float | None]]]:
    return {axis: [(code, score) for code, score in offers] for axis, offers in types.items() if offers}
