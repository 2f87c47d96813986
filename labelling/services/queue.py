"""The queue: which site a reviewer gets next, and the short leases that keep two reviewers apart.

A lease is a row. The uniqueness of (site, slot) is the truth about who holds it; whether it has run out is
judged when it is read, so that nothing must run for it to be free again.
"""

import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.db.models import Case, Count, Exists, F, IntegerField, Min, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThan
from django.utils import timezone

from labelling.core.review import SHARE_STEPS, share_place
from labelling.models import Campaign, Claim, Decision, Site
from labelling.models.site import SiteQuerySet
from labelling.services.items import shown_sites

MAX_HELD = 20
_ROUNDS = 8
PACE_MINUTES = 10
# Counting a large queue may take at most about one twentieth of the time.
_COUNT_SHARE = 20
_COUNT_AT_ONCE_S = 0.02


@dataclass(frozen=True)
class Progress:
    """How far a campaign and a reviewer have come.

    Attributes:
        done: sites of the campaign that are not open any more.
        total: all of them.
        mine_today: the reviewer's decisions since midnight UTC that stand.
        per_minute: the reviewer's pace over the last ten minutes.
    """

    done: int
    total: int
    mine_today: int
    per_minute: float


@dataclass(frozen=True)
class Waiting:
    """Why there is nothing to review although the queue is not empty.

    Attributes:
        leased: sites that others hold.
        free_in_s: seconds until the first of them is free again at the latest.
    """

    leased: int
    free_in_s: int


def claim_sites(
    *, user: User, campaign: Campaign, want: Sequence[int] = (), count: int = 1, exclude: Collection[int] = ()
) -> list[Claim]:
    """Lease sites to a reviewer.

    First those wanted, as far as they are still free; then what the reviewer holds already; then the queue by
    priority; at its end what the reviewer skipped, longest ago first. Sites on which an opinion of the reviewer
    stands are not served again.

    Args:
        user: the reviewer.
        campaign: the queue.
        want: site ids in order of preference, such as those that the browser has fetched ahead. A lead may
            want a contested or finished site.
        count: how many to lease at most.
        exclude: site ids to leave out, such as those whose decision is still on its way.

    Returns:
        Up to ``count`` live claims, each with its site; fewer where there is no more.
    """
    held: list[Claim] = []
    for _ in range(_ROUNDS):
        missing = count - len(held)
        if missing <= 0:
            break
        mine = [claim.site_id for claim in held]
        fresh, exhausted = _claim_round(
            user, campaign, [pk for pk in want if pk not in mine], missing, {*exclude, *mine}
        )
        held += fresh
        if exhausted:
            break
    _let_go_surplus(user)
    return held


@transaction.atomic
def _claim_round(
    user: User, campaign: Campaign, want: Sequence[int], count: int, exclude: set[int]
) -> tuple[list[Claim], bool]:
    """One try. Somebody may be faster on some of the sites; then the next round looks further."""
    ids = _own_sites(user, campaign, want, exclude)[:count]
    ids += _wanted_sites(user, campaign, [pk for pk in want if pk not in ids], count - len(ids), exclude)
    own = _own_sites(user, campaign, None, exclude | set(ids))
    ids += own[: count - len(ids)]
    if len(ids) < count:
        ids += _next_sites(user, campaign, count - len(ids), exclude | set(ids), lock=True)
    return _lease(user, campaign, ids), len(ids) < count


def _own_sites(user: User, campaign: Campaign, want: Sequence[int] | None, exclude: set[int]) -> list[int]:
    """Sites of which the reviewer has a claim, even one that has run out, as long as nobody else took it."""
    claims = Claim.objects.filter(reviewer=user, campaign=campaign, site__state=Site.State.OPEN)
    held = claims.exclude(site__in=exclude).order_by("id").values_list("site_id", flat=True)
    if want is None:
        return list(held)
    there = set(held.filter(site__in=want))
    return [pk for pk in want if pk in there]


def _wanted_sites(user: User, campaign: Campaign, want: Sequence[int], count: int, exclude: set[int]) -> list[int]:
    if not want or count <= 0:
        return []
    sites = _free_sites(user, campaign, exclude).filter(pk__in=want)
    if user.has_perm("labelling.change_label"):
        sites = Site.objects.filter(pk__in=want).exclude(pk__in=exclude).exclude(_leased(but_by=user))
    there = set(_locked(sites).values_list("pk", flat=True))
    return [pk for pk in want if pk in there][:count]


def _next_sites(user: User, campaign: Campaign, count: int, exclude: set[int], *, lock: bool) -> list[int]:
    free = _free_sites(user, campaign, exclude)
    mine = Decision.objects.in_force().filter(site=OuterRef("pk"), reviewer=user).order_by()
    first = free.exclude(Exists(mine)).order_by("-priority", "id")
    ids = list((_locked(first) if lock else first).values_list("pk", flat=True)[:count])
    if len(ids) < count:
        skipped = mine.filter(verdict=Decision.Verdict.SKIP).order_by("-id").values("id")[:1]
        later = free.filter(Exists(mine.filter(verdict=Decision.Verdict.SKIP)))
        later = later.exclude(pk__in=ids).annotate(skipped=Subquery(skipped)).order_by("skipped")
        ids += list((_locked(later) if lock else later).values_list("pk", flat=True)[: count - len(ids)])
    return ids


def _free_sites(user: User, campaign: Campaign, exclude: Collection[int]) -> SiteQuerySet:
    """Open sites of the campaign with a place for one more opinion, on which the user has none."""
    sites = Site.objects.filter(state=Site.State.OPEN).matching(campaign.conditions())
    if exclude:
        sites = sites.exclude(pk__in=list(exclude))
    opinions = Decision.objects.in_force().filter(site=OuterRef("pk"), version__isnull=False).order_by()
    sites = sites.exclude(Exists(opinions.filter(reviewer=user)))
    if campaign.reviews_needed == 1 and not campaign.blind_share:
        return sites.exclude(_leased())
    leases = Claim.objects.filter(site=OuterRef("pk"), expires_at__gt=timezone.now()).order_by()
    return (
        sites.exclude(Exists(leases.filter(reviewer=user)))
        .alias(leases=_count_of(leases), opinions=_count_of(opinions), wanted=_wanted(campaign))
        .filter(leases__lt=F("wanted") - F("opinions"))
    )


def _wanted(campaign: Campaign) -> Case | Value:
    """``Campaign.opinions_wanted`` for every site of a query."""
    if campaign.reviews_needed > 1:
        return Value(campaign.reviews_needed)
    place = share_place(F("pk"), campaign=campaign.pk)
    return Case(When(LessThan(place, campaign.blind_share * SHARE_STEPS), then=2), default=1)


def _leased(*, but_by: User | None = None) -> Exists:
    live = Claim.objects.filter(site=OuterRef("pk"), expires_at__gt=timezone.now())
    return Exists(live.exclude(reviewer=but_by) if but_by else live)


def _count_of(rows: QuerySet[Claim] | QuerySet[Decision]) -> Coalesce:
    counted = rows.values("site").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _locked(sites: SiteQuerySet) -> SiteQuerySet:
    """On PostGIS rows that somebody is just leasing are passed over; SpatiaLite has one writer at a time."""
    return sites.select_for_update(skip_locked=True, of=("self",))


def _lease(user: User, campaign: Campaign, site_ids: Sequence[int]) -> list[Claim]:
    now = timezone.now()
    until = now + timedelta(seconds=campaign.lease_s)
    Claim.objects.filter(site__in=site_ids, reviewer=user).update(expires_at=until)
    Claim.objects.filter(site__in=site_ids, expires_at__lte=now).delete()
    taken = set(Claim.objects.filter(site__in=site_ids).values_list("site_id", "slot"))
    fresh = [
        Claim(site_id=pk, slot=slot, campaign=campaign, reviewer=user, token=uuid.uuid4(), expires_at=until)
        for pk in site_ids
        if (slot := next((free for free in range(campaign.opinions_wanted(pk)) if (pk, free) not in taken), None))
        is not None
    ]
    # The constraints decide: who is second on a slot, or holds the site already, adds nothing.
    Claim.objects.bulk_create(fresh, ignore_conflicts=True)
    held = Claim.objects.filter(site__in=site_ids, reviewer=user, campaign=campaign).select_related("site")
    order = {pk: place for place, pk in enumerate(site_ids)}
    return sorted(held, key=lambda claim: order[claim.site_id])


def _let_go_surplus(user: User) -> None:
    surplus = list(
        Claim.objects.filter(reviewer=user).order_by("-expires_at", "-id").values_list("pk", flat=True)[MAX_HELD:]
    )
    if surplus:
        Claim.objects.filter(pk__in=surplus).delete()


def upcoming_sites(*, user: User, campaign: Campaign, count: int, exclude: Collection[int] = ()) -> list[Site]:
    """Look ahead in a reviewer's queue without leasing anything.

    Args:
        user: the reviewer.
        campaign: the queue.
        count: how many at most.
        exclude: site ids to leave out, such as those that the browser has.

    Returns:
        Sites in the order in which they would be served, with what a card shows.
    """
    return shown_sites(_next_sites(user, campaign, count, set(exclude), lock=False) if count else [])


def beat_claim(*, user: User, token: UUID) -> datetime | None:
    """Keep a claim alive, even one that has run out as long as nobody else took its place.

    Returns:
        When it runs out now; None where it is gone: claim the site again.
    """
    claim = Claim.objects.select_related("campaign").filter(token=token, reviewer=user).first()
    if claim is None:
        return None
    until = timezone.now() + timedelta(seconds=claim.campaign.lease_s)
    return until if Claim.objects.filter(pk=claim.pk).update(expires_at=until) else None


def release_claim(*, user: User, token: UUID) -> bool:
    """Give a claim back; a lead may release anybody's.

    Returns:
        Whether there was one.
    """
    claims = Claim.objects.filter(token=token)
    if not user.has_perm("labelling.delete_claim"):
        claims = claims.filter(reviewer=user)
    return bool(claims.delete()[0])


def waiting_for(*, user: User, campaign: Campaign) -> Waiting | None:
    """Say whether others hold what is left of a campaign."""
    now = timezone.now()
    others = Claim.objects.filter(campaign=campaign, expires_at__gt=now, site__state=Site.State.OPEN)
    found = others.exclude(reviewer=user).aggregate(leased=Count("pk"), first=Min("expires_at"))
    if not found["leased"]:
        return None
    return Waiting(leased=found["leased"], free_in_s=max(1, int((found["first"] - now).total_seconds())))


def progress_of(*, user: User, campaign: Campaign) -> Progress:
    """Count how far a campaign and a reviewer have come."""
    done, total = _counts_of(campaign)
    now = timezone.now()
    midnight, pace = now.replace(hour=0, minute=0, second=0, microsecond=0), now - timedelta(minutes=PACE_MINUTES)
    mine = Decision.objects.filter(reviewer=user, undone_by__isnull=True, created_at__gte=min(midnight, pace))
    mine = mine.exclude(verdict__in=[Decision.Verdict.SKIP, Decision.Verdict.UNDO])
    counted = mine.aggregate(
        today=Count("pk", filter=Q(created_at__gte=midnight)),
        recent=Count("pk", filter=Q(created_at__gte=pace)),
        first=Min("created_at", filter=Q(created_at__gte=pace)),
    )
    minutes = (now - counted["first"]).total_seconds() / 60 if counted["first"] else 0.0
    return Progress(done, total, counted["today"], round(counted["recent"] / max(minutes, 1.0), 1))


def _counts_of(campaign: Campaign) -> tuple[int, int]:
    """Done and total. A count that takes long is kept for a while in proportion."""
    key = f"campaign-counts-{campaign.pk}-{campaign.created_at.timestamp()}"
    kept: tuple[int, int] | None = cache.get(key)
    if kept is not None:
        return kept
    began = time.perf_counter()
    counted = (
        Site.objects.matching(campaign.conditions())
        .order_by()
        .aggregate(done=Count("pk", filter=~Q(state=Site.State.OPEN)), total=Count("pk"))
    )
    took = time.perf_counter() - began
    counts = counted["done"], counted["total"]
    if took > _COUNT_AT_ONCE_S:
        cache.set(key, counts, took * _COUNT_SHARE)
    return counts
