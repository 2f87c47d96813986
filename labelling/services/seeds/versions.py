"""A new version of a source: what it changes and takes back. Nothing that was written is changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max

from labelling.core.matching import ClaimSpec
from labelling.core.seed_diff import Change, Said, SeedDiff, compare_claim, compare_claims
from labelling.core.seeds import SeedPlan
from labelling.models import Proposal, Retirement, SeedImport, Source
from labelling.models.spatial import to_geos, to_shapely
from labelling.services.sites import place_claims, refresh_sites

_BATCH = 800


@dataclass(frozen=True)
class Written:
    """What became of a diff.

    Attributes:
        sites: new sites.
        merged: new or moved claims that joined another one's site.
        retired: claims that were taken back.
    """

    sites: int
    merged: int
    retired: int


def compare_plan(*, source: Source | None, plan: SeedPlan) -> SeedDiff:
    """Compare a file with what its source says now.

    Args:
        source: None: a new one.
        plan: what the file amounts to.
    """
    if source is None:
        return compare_claims({}, plan.claims)
    standing = _standing(source, plan.scope)
    fresh = [claim.external_id for claim in plan.claims if claim.external_id not in standing]
    return compare_claims(
        standing,
        plan.claims,
        refused={refusal.external_id for refusal in plan.refused},
        taken_back=_taken_back(source, fresh),
    )


def _standing(source: Source, scope: str) -> dict[str, Said]:
    rows = Proposal.objects.standing().filter(source=source, external_id__startswith=scope).order_by("pk")
    return {row.external_id: _said(row) for row in rows.iterator(chunk_size=2000)}


def _said(row: Proposal) -> Said:
    return Said(
        proposal=row.pk,
        site=row.site_id,
        revision=row.revision,
        geometry=to_shapely(row.geometry),
        types={axis: tuple((code, score) for code, score in offers) for axis, offers in row.types.items()},
        score=row.score,
        is_mine=row.is_mine,
        properties=row.properties,
    )


def _taken_back(source: Source, names: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in _batches(names):
        rows = Proposal.objects.filter(source=source, external_id__in=part).order_by()
        found |= dict(rows.values_list("external_id").annotate(last=Max("revision")))
    return found


def _batches(names: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(names), _BATCH):
        yield names[start : start + _BATCH]


def changes_of(*, seed_import: SeedImport, most: int) -> list[Change]:
    """Tell what an import changed, from the rows that it left.

    Args:
        seed_import: the import.
        most: changes to return, the first ones.
    """
    rows = seed_import.retirements.filter(successor__isnull=False).select_related("proposal", "successor")
    found = (_change(row) for row in rows.order_by("pk")[:most])
    return [change for change in found if change is not None]


def _change(row: Retirement) -> Change | None:
    now = row.successor
    if now is None:
        return None
    said = _said(now)
    claim = ClaimSpec(
        now.external_id, said.geometry, said.types, said.score, is_mine=said.is_mine, properties=said.properties
    )
    return compare_claim(_said(row.proposal), claim)


def write_diff(*, diff: SeedDiff, seed_import: SeedImport) -> Written:
    """Write a diff: new claims, new revisions of those that changed, and what the source has taken back.

    A claim that has not moved stays on its site; one that has goes where it belongs now.

    Args:
        diff: of the file.
        seed_import: its import; where the file is the whole source, what it does not hold is taken back.
    """
    source = seed_import.source
    moved = [change for change in diff.changed if change.moved]
    placed = place_claims(
        source=source, claims=[*diff.added, *(change.after for change in moved)], seed_import=seed_import
    )
    restated = [_restated(change, seed_import) for change in diff.changed if not change.moved]
    Proposal.objects.bulk_create(restated, batch_size=_BATCH)
    successors = {row.external_id: row.pk for row in (*placed.proposals, *restated)}
    gone = list(diff.missing.values()) if seed_import.is_whole else []
    retirements = [
        *(_retirement(change.before, seed_import, successors[change.after.external_id]) for change in diff.changed),
        *(_retirement(said, seed_import, None) for said in gone),
    ]
    Retirement.objects.bulk_create(retirements, batch_size=_BATCH)
    touched = {change.before.site for change in diff.changed} | {said.site for said in gone}
    if touched:
        refresh_sites(site_ids=touched)
    return Written(placed.sites_created, placed.merged, len(gone))


def _retirement(said: Said, seed_import: SeedImport, successor: int | None) -> Retirement:
    return Retirement(proposal_id=said.proposal, seed_import=seed_import, successor_id=successor)


def _restated(change: Change, seed_import: SeedImport) -> Proposal:
    claim = change.after
    return Proposal(
        site_id=change.before.site,
        source_id=seed_import.source_id,
        external_id=claim.external_id,
        revision=claim.revision,
        geometry=to_geos(claim.geometry),
        types={axis: [list(offer) for offer in offers] for axis, offers in claim.types.items()},
        score=claim.score,
        is_mine=claim.is_mine,
        seed_import=seed_import,
        properties=dict(claim.properties),
    )
