"""Hand out sites: lease the next ones, and look ahead without leasing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from labelling.models import Campaign, Claim
from labelling.services.gold import gold_in_hand, mix_in
from labelling.services.queue.free import Free, Upcoming
from labelling.services.queue.leases import held_by_others, lease_sites

_ROUNDS = 8
_PLENTY = 2


@dataclass(frozen=True)
class Ahead:
    """What follows in a reviewer's queue.

    Attributes:
        sites: in the order in which they are to be reviewed.
        claims: the reviewer's on the first of them.
    """

    sites: list[Upcoming]
    claims: list[Claim]


def claim_sites(
    *, user: User, campaign: Campaign, want: Sequence[int] = (), count: int = 1, exclude: Collection[int] = ()
) -> list[Claim]:
    """Lease sites to a reviewer.

    First those wanted, as far as they are still free; then what the reviewer holds already; then, for a lead, what
    is contested, longest first; then the queue by priority; at its end what the reviewer skipped, longest ago
    first. Sites on which an opinion of the reviewer stands are not served again.

    Args:
        user: the reviewer.
        campaign: the queue.
        want: site ids in order of preference, such as those that the browser has fetched ahead. A lead may
            want a contested or finished site.
        count: how many to lease at most.
        exclude: site ids to leave out, such as those whose decision is still on its way.

    Returns:
        Up to ``count`` live claims in the order in which they are to be reviewed; fewer where there is no more.
    """
    held: list[Claim] = []
    for _ in range(_ROUNDS):
        missing = count - len(held)
        if missing <= 0:
            break
        mine = {claim.site_id for claim in held}
        fresh, exhausted = _claim_round(user, campaign, want, missing, {*exclude, *mine})
        held += fresh
        if exhausted:
            break
    return held


@transaction.atomic
def _claim_round(
    user: User, campaign: Campaign, want: Sequence[int], count: int, exclude: set[int]
) -> tuple[list[Claim], bool]:
    """One try. Somebody may be faster on some of the sites; then the next round looks further."""
    free = Free(user, campaign, exclude, lock=True)
    wanted = {one.site for one in free.wanted(want)}
    if campaign.gold_share:
        wanted |= gold_in_hand(user=user, campaign=campaign, sites=set(want) - exclude)
    ids = [pk for pk in dict.fromkeys(want) if pk in wanted][:count]
    if len(ids) < count:
        own = [one.site for one in free.own() if one.site not in ids]
        preferred = [pk for pk in want if pk in own]
        ids = [*preferred, *ids, *(pk for pk in own if pk not in preferred)][:count]
    if len(ids) < count:
        free.exclude |= set(ids)
        ids += [one.site for one in _deal(free, count - len(ids))]
    leased = lease_sites(user=user, campaign=campaign, site_ids=ids, wanted=free.opinions_wanted())
    return leased, len(ids) < count


def upcoming_sites(*, user: User, campaign: Campaign, count: int, exclude: Collection[int] = ()) -> list[Upcoming]:
    """Look ahead in a reviewer's queue without leasing anything.

    Args:
        user: the reviewer.
        campaign: the queue.
        count: how many at most.
        exclude: site ids to leave out, such as those that the browser has.

    Returns:
        Sites in the order in which they would be served.
    """
    return _deal(Free(user, campaign, exclude), count) if count else []


def hold_ahead(*, user: User, campaign: Campaign, count: int, hold: int, exclude: Collection[int] = ()) -> Ahead:
    """Look ahead in a reviewer's queue, and lease the first of what follows, so that it is not taken from the screen.

    What the reviewer holds already is held on. More is leased only where twice as many sites are found: at the end
    of a queue nobody is to wait for what another only keeps for later. While others hold as many sites of the campaign
    as would be looked at, only what is leased is shown: they will have taken the rest before it is opened.

    Args:
        user: the reviewer.
        campaign: the queue.
        count: how many to look at, at most.
        hold: how many of them to lease, at most.
        exclude: site ids to leave out, such as those whose decision is still on its way.
    """
    if hold <= 0:
        return Ahead(upcoming_sites(user=user, campaign=campaign, count=count, exclude=exclude), [])
    for _ in range(_ROUNDS):
        with transaction.atomic():
            ahead, asked = _hold_round(Free(user, campaign, exclude, lock=True), count, hold)
        if len(ahead.claims) == asked:
            break
    return ahead


def _hold_round(free: Free, count: int, hold: int) -> tuple[Ahead, int]:
    """One try, and of how many a lease was asked. Where others were faster on some, the next finds what is left."""
    sites = free.own()[:hold]
    free.exclude |= {one.site for one in sites}
    found, missing = _deal(free, max(0, count - len(sites))), hold - len(sites)
    ids = [one.site for one in sites]
    if len(found) >= _PLENTY * missing:
        ids += [one.site for one in found[:missing]]
    claims = lease_sites(user=free.user, campaign=free.campaign, site_ids=ids, wanted=free.opinions_wanted())
    if len(claims) == hold and held_by_others(user=free.user, campaign=free.campaign) >= count:
        found = found[:missing]
    return Ahead([*sites, *found], claims), len(ids)


def _deal(free: Free, count: int) -> list[Upcoming]:
    """The next sites, with gold ones among them."""
    exclude = set(free.exclude)
    sites = {one.site: one for one in free.first(count)}
    dealt = mix_in(user=free.user, campaign=free.campaign, sites=list(sites), count=count, exclude=exclude)
    return [sites.get(pk, Upcoming(pk, 0)) for pk in dealt]
