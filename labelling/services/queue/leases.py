"""Leases on sites: rows, of which the uniqueness of (site, slot) is the truth about who holds what.

Whether one has run out is judged when it is read, so that nothing must run for it to be free again.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from labelling.core.review import LEADS
from labelling.models import Campaign, Claim
from labelling.services.queue import statements

MAX_HELD = 20
MAX_LISTED = 200
_TOKENS = {"postgresql": "gen_random_uuid()", "sqlite": "lower(hex(randomblob(16)))"}
# A lease that a crash takes away is only made again: its commit need not wait for the disk, as a decision's does.
_LAX = {"postgresql": ", (SELECT set_config('synchronous_commit', 'off', true)) lax", "sqlite": ""}


@dataclass(frozen=True)
class Lease:
    """A claim that holds.

    Attributes:
        claim: with its site and reviewer.
        held: since it was given out.
        left: until it is free by itself; each heartbeat of an open screen puts that off.
    """

    claim: Claim
    held: timedelta
    left: timedelta


def lease_sites(*, user: User, campaign: Campaign, site_ids: Sequence[int], wanted: str = "1") -> list[Claim]:
    """Lease sites to a reviewer, as far as they are still free; more than twenty are let go, the oldest first.

    Args:
        user: the reviewer.
        campaign: the queue.
        site_ids: sites that were free a moment ago.
        wanted: how many opinions a site of the campaign needs, in SQL over the site ``s``.

    Returns:
        The claims in the order of the ids.
    """
    if not site_ids:
        return []
    now = timezone.now()
    until = now + timedelta(seconds=campaign.lease_s)
    known = {"user": user.pk, "lead": int(user.has_perm(LEADS)), "campaign": campaign.pk, "now": now, "until": until}
    words = {"token": _TOKENS[connection.vendor], "lax": _LAX[connection.vendor]}
    rows = statements.ask(statements.LEASE, wanted=wanted, values=known, wish=site_ids, words=words)
    if any(held >= MAX_HELD - len(rows) for *_, held in rows):
        _let_go_surplus(user)
    place = {pk: index for index, pk in enumerate(site_ids)}
    claims = [
        Claim(id=pk, site_id=site_id, slot=slot, campaign=campaign, reviewer=user, token=_uuid(token), expires_at=until)
        for pk, site_id, slot, token, _ in rows
    ]
    return sorted(claims, key=lambda claim: place[claim.site_id])


def _uuid(token: UUID | str) -> UUID:
    return token if isinstance(token, UUID) else uuid.UUID(token)


def _let_go_surplus(user: User) -> None:
    surplus = Claim.objects.filter(reviewer=user).order_by("-expires_at", "-id").values_list("pk", flat=True)
    Claim.objects.filter(pk__in=list(surplus[MAX_HELD:])).delete()


def beat_claim(*, user: User, token: UUID) -> datetime | None:
    """Keep a claim alive, even one that has run out as long as nobody else took its place.

    Returns:
        When it runs out now; None where it is gone: claim the site again.
    """
    claim = Claim.objects.select_related("campaign").filter(token=token, reviewer=user).first()
    if claim is None:
        return None
    until = timezone.now() + timedelta(seconds=claim.campaign.lease_s)
    return until if Claim.objects.filter(pk=claim.pk, token=token).update(expires_at=until) else None


def release_claim(*, user: User, token: UUID) -> bool:
    """Give a claim back; a lead may release anybody's.

    Returns:
        Whether there was one.
    """
    claims = Claim.objects.filter(token=token)
    if not user.has_perm("labelling.delete_claim"):
        claims = claims.filter(reviewer=user)
    return bool(claims.delete()[0])


def held_by_others(*, user: User, campaign: Campaign) -> int:
    """Count the live claims of a campaign that are not the user's."""
    values = {"user": user.pk, "campaign": campaign.pk, "now": timezone.now()}
    [(count,)] = statements.ask(statements.HELD, values=values)
    return int(count)


def give_back(*, site_id: int, user: User | None = None) -> None:
    """Free a site of a person's claim, or of everybody's."""
    with connection.cursor() as cursor:
        if user is None:
            cursor.execute("DELETE FROM labelling_claim WHERE site_id = %s", [site_id])
        else:
            cursor.execute("DELETE FROM labelling_claim WHERE site_id = %s AND reviewer_id = %s", [site_id, user.pk])


def leases_of(*, campaign: Campaign) -> tuple[Lease, ...]:
    """List the claims of a campaign that have not run out, the longest held first; at most ``MAX_LISTED``."""
    now = timezone.now()
    live = Claim.objects.filter(campaign=campaign, expires_at__gt=now).select_related("site", "reviewer")
    return tuple(
        Lease(claim, held=now - claim.created_at, left=claim.expires_at - now)
        for claim in live.order_by("created_at", "id")[:MAX_LISTED]
    )
