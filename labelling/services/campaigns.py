"""Campaigns: who reviews what, on which axis, how many times."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet
from django.utils.text import slugify

from labelling.core.campaigns import CampaignFilter
from labelling.core.errors import BadInput, NotFound
from labelling.core.gold import MAX_SHARE
from labelling.models import Campaign, MineType, Region, Site, Source
from labelling.models.taxonomy import Axis

MAX_REVIEWS = 9
LEASE_S = range(30, 24 * 3600 + 1)
RESERVED = ("contested", "new", "suspects")  # addresses that are pages of their own


@dataclass(frozen=True)
class Terms:
    """What a campaign asks for, and of whom.

    Attributes:
        name: what people read.
        axis: the types that are asked for.
        conditions: ``CampaignFilter`` as JSON; none: every site.
        reviews_needed: how many opinions settle a site, 1 to 9; above 1 they are blind.
        reviewers: who may review in it; none: every reviewer.
        guideline: text for the reviewers.
        lease_s: after so many seconds without a sign of life a claim is free again.
        blind_share: share of the sites that get a second, blind opinion where one settles the others, 0 to 1.
        gold_share: share of what a reviewer gets that is a gold site, 0 to 0.5.
    """

    name: str
    axis: str = Axis.FEATURE
    conditions: Mapping[str, Any] = field(default_factory=dict)
    reviews_needed: int = 1
    reviewers: Collection[User] = ()
    guideline: str = ""
    lease_s: int = 600
    blind_share: float = 0.0
    gold_share: float = 0.0


def create_campaign(*, terms: Terms) -> Campaign:
    """Open a queue.

    Args:
        terms: of the campaign; the slug of the name is its address.

    Raises:
        BadInput: a value that cannot be taken, an unknown source, type or region, or a name that is taken.
    """
    slug = slugify(terms.name)[:60]
    if not slug or slug in RESERVED:
        taken = " and ".join(repr(word) for word in RESERVED)
        raise BadInput(f"{terms.name!r} cannot be the name of a campaign: use letters or digits; {taken} are taken")
    return _save(Campaign(slug=slug), terms)


def change_campaign(*, campaign: Campaign, terms: Terms, active: bool) -> Campaign:
    """Set every term of a campaign anew; its address stays, and so do decisions and claims.

    Args:
        campaign: the queue.
        terms: of what is served and decided from now on. Another axis only while nobody has decided in it; a decision
            keeps the number of opinions that it was made with.
        active: False closes it to reviewers.

    Raises:
        BadInput: as for ``create_campaign``, or another axis than that of the decisions made.
    """
    if terms.axis != campaign.axis and campaign.decisions.exists():
        raise BadInput(f"decisions on the axis {campaign.axis} were made here: open another campaign for {terms.axis}")
    campaign.active = active
    return _save(campaign, terms)


def _save(campaign: Campaign, terms: Terms) -> Campaign:
    wanted = _checked(terms)
    campaign.name, campaign.axis, campaign.filter = terms.name.strip(), terms.axis, wanted.to_json()
    campaign.reviews_needed = terms.reviews_needed
    campaign.blind_share, campaign.gold_share = terms.blind_share, terms.gold_share
    campaign.guideline, campaign.lease_s = terms.guideline, terms.lease_s
    try:
        with transaction.atomic():
            campaign.save()
            campaign.reviewers.set(terms.reviewers)
    except IntegrityError:
        raise BadInput(f"there is a campaign named like {campaign.name!r}: choose another name") from None
    return campaign


def _checked(terms: Terms) -> CampaignFilter:
    """The filter of terms that can be had."""
    if terms.axis not in Axis.values:
        raise BadInput(f"unknown axis {terms.axis!r}: use {', '.join(Axis.values)}")
    if not 1 <= terms.reviews_needed <= MAX_REVIEWS:
        raise BadInput(f"reviews_needed is 1 to {MAX_REVIEWS}")
    if terms.lease_s not in LEASE_S:
        raise BadInput(f"lease_s is {LEASE_S.start} to {LEASE_S.stop - 1} seconds")
    if not 0 <= terms.blind_share <= 1:
        raise BadInput("blind_share is 0 to 1")
    if not 0 <= terms.gold_share <= MAX_SHARE:
        raise BadInput(f"gold_share is 0 to {MAX_SHARE}")
    if not terms.name.strip():
        raise BadInput("give the campaign a name with letters or digits")
    wanted = CampaignFilter.from_json(terms.conditions)
    _check_known(wanted)
    return wanted


def count_matching(*, conditions: CampaignFilter) -> tuple[int, int]:
    """Count the sites that a filter asks for.

    Returns:
        Those still open, and all of them.
    """
    counted = (
        Site.objects.matching(conditions)
        .order_by()
        .aggregate(open=Count("pk", filter=Q(state=Site.State.OPEN)), all=Count("pk"))
    )
    # Suspects are judged, and every one of them waits.
    return counted["all" if conditions.suspect else "open"], counted["all"]


def _check_known(wanted: CampaignFilter) -> None:
    known: tuple[tuple[str, Collection[Any], QuerySet[Any, Any]], ...] = (
        ("source", wanted.sources, Source.objects.filter(name__in=wanted.sources).values_list("name", flat=True)),
        ("type", wanted.types, MineType.objects.filter(code__in=wanted.types).values_list("code", flat=True)),
        ("region", wanted.regions, Region.objects.filter(eco_id__in=wanted.regions).values_list("eco_id", flat=True)),
    )
    for noun, asked, found in known:
        missing = sorted(set(asked) - set(found)) if asked else []
        if missing:
            raise BadInput(f"unknown {noun} {missing[0]!r}")


def ensure_default_campaign() -> Campaign:
    """Give the campaign over every site, opened where there is no campaign at all yet."""
    first = Campaign.objects.order_by("pk").first()
    return first or create_campaign(terms=Terms("All sites", guideline="Every open site, the most telling first."))


def campaigns_of(*, user: User) -> QuerySet[Campaign]:
    """The open campaigns that a user may review in, by name."""
    return Campaign.objects.of(user).filter(active=True)


def campaign_for(*, user: User, site: Site) -> Campaign | None:
    """The open campaign in which a lead decides on a site anew: that of its last decision, else the lead's first."""
    mine = campaigns_of(user=user)
    return mine.filter(decisions__site=site).order_by("-decisions__id").first() or mine.first()


def find_campaign(*, user: User, slug: str, or_closed: bool = False) -> Campaign:
    """Find a campaign of a user.

    Raises:
        NotFound: no such campaign, closed (unless ``or_closed``), or not one of the user's.
    """
    found = Campaign.objects.find(user, column="slug", value=slug)
    if found is None or not (or_closed or found.active):
        msg = "no such campaign"
        raise NotFound(msg)
    return found
