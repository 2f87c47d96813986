"""What models think of the types of open sites, written as proposals; never more than that."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from labelling.models import MineType, Proposal, Retirement, Site, Source
from labelling.services.sites import refresh_sites

SAME_WITHIN = 0.02
"""Probabilities that differ by less are the same word."""
_BATCH = 500


@dataclass(frozen=True)
class TypeOffer:
    """What one source thinks of one site.

    Attributes:
        site_id: the site.
        types: (code, probability) best first; empty where it has nothing to say any more.
        evidence: why, fit for JSON; ``note`` is what a person reads.
    """

    site_id: int
    types: tuple[tuple[str, float], ...] = ()
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Offered:
    """What became of offers: new words, those said before, those taken back, and those that came too late."""

    written: int
    known: int
    taken_back: int
    closed: int


@transaction.atomic
def offer_types(*, source: Source, axis: str, offers: Sequence[TypeOffer]) -> Offered:
    """Write what a source thinks of open sites, and take back what it thought before.

    A proposal claims no outline of its own but a point of the site. A site that people have decided on is left
    alone, and so is one of which the source has said the same before.

    Args:
        source: who thinks; of kind ``model``.
        axis: of the types.
        offers: at most one a site.

    Raises:
        ValueError: a code that is not of the axis.
    """
    known = set(MineType.objects.filter(axis=axis).values_list("code", flat=True))
    strange = sorted({code for offer in offers for code, _ in offer.types} - known)
    if strange:
        msg = f"no type {strange[0]} on the axis {axis}"
        raise ValueError(msg)
    written, same, back, closed = 0, 0, 0, 0
    for start in range(0, len(offers), _BATCH):
        part = {offer.site_id: offer for offer in offers[start : start + _BATCH]}
        sites = {
            site.pk: site
            for site in Site.objects.select_for_update()
            .filter(pk__in=part, state=Site.State.OPEN)
            .order_by("pk")
            .only("pk", "point")
        }
        before = {one.site_id: one for one in Proposal.objects.standing().filter(source=source, site__in=sites)}
        revisions = _revisions(source, sites)
        changed = [part[pk] for pk in sites if not _is_said(part[pk], axis, before.get(pk))]
        fresh = Proposal.objects.bulk_create(
            _proposal(source, axis, offer, sites[offer.site_id], revisions.get(offer.site_id, -1) + 1)
            for offer in changed
            if offer.types
        )
        now = {one.site_id: one for one in fresh}
        gone = [before[offer.site_id] for offer in changed if offer.site_id in before]
        Retirement.objects.bulk_create(Retirement(proposal=one, successor=now.get(one.site_id)) for one in gone)
        refresh_sites(site_ids=[offer.site_id for offer in changed])
        written, back = written + len(fresh), back + sum(one.site_id not in now for one in gone)
        same, closed = same + len(sites) - len(changed), closed + len(part) - len(sites)
    return Offered(written, same, back, closed)


def _revisions(source: Source, site_ids: Iterable[int]) -> dict[int, int]:
    said = Proposal.objects.filter(source=source, site__in=list(site_ids)).order_by("revision")
    return dict(said.values_list("site_id", "revision"))


def _is_said(offer: TypeOffer, axis: str, before: Proposal | None) -> bool:
    if before is None:
        return not offer.types
    said = [(code, share) for code, share in before.types.get(axis, [])]
    return [code for code, _ in said] == [code for code, _ in offer.types] and all(
        abs(old - new) < SAME_WITHIN for (_, old), (_, new) in zip(said, offer.types, strict=True)
    )


def _proposal(source: Source, axis: str, offer: TypeOffer, site: Site, revision: int) -> Proposal:
    return Proposal(
        site=site,
        source=source,
        external_id=f"site {site.pk}",
        revision=revision,
        geometry=site.point,
        types={axis: [[code, round(share, 4)] for code, share in offer.types]},
        properties=offer.evidence,
    )
