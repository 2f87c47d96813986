"""The queue of suspect labels: judged sites, the strongest doubts first."""

from collections.abc import Collection
from dataclasses import replace

from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef

from labelling.core.campaigns import CampaignFilter
from labelling.models import Decision, Site, Suspect
from labelling.models.site import SiteQuerySet

AT_MOST = 200


def suspects_in_turn(*, user: User, conditions: CampaignFilter, exclude: Collection[int]) -> list[int]:
    """Sites whose label looks wrong; those that the user has skipped since come last.

    Args:
        user: a lead.
        conditions: of the campaign.
        exclude: site ids to leave out.
    """
    waiting = Suspect.objects.waiting().filter(site__in=Site.objects.matching(conditions)).exclude(site__in=exclude)
    skipped = Decision.objects.in_force().filter(
        site=OuterRef("site"), reviewer=user, verdict=Decision.Verdict.SKIP, id__gt=OuterRef("decision")
    )
    turn = waiting.annotate(was_skipped=Exists(skipped.order_by())).order_by("was_skipped", "-score", "site_id")
    return list(turn.values_list("site_id", flat=True)[:AT_MOST])


def count_suspects_of(*, conditions: CampaignFilter) -> tuple[int, int]:
    """How many suspects of a campaign are settled, and how many there have been."""
    of_campaign: SiteQuerySet = Site.objects.matching(replace(conditions, suspect=False)).filter(suspect__isnull=False)
    waiting = of_campaign.filter(suspect__decision=F("label__decision")).count()
    total = of_campaign.count()
    return total - waiting, total
