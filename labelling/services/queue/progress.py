"""How far a campaign and a reviewer have come, and why there may be nothing to review."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from labelling.models import Campaign, Claim, Decision, Site
from labelling.services.gold import gold_answers
from labelling.services.queue import statements
from labelling.services.queue.memory import kept
from labelling.services.queue.suspects import count_suspects_of

PACE_MINUTES = 10
EXACT_UP_TO = 5_000
"""Up to so many sites a campaign is counted each time."""
SITES_A_SECOND = 10_000
"""One of more sites is counted again after a second for each so many."""


@dataclass(frozen=True)
class Progress:
    """How far a campaign and a reviewer have come.

    Attributes:
        done: sites of the campaign that are not open any more; gold sites that the reviewer answered count like any
            other, as long as there is something left to do.
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
    done, total, newest = kept("counts", campaign, lambda: _count(campaign), seconds=_seconds_kept)
    if campaign.gold_share and done < total:
        # As old as the counts: what moved at once would tell that it was gold.
        answered = gold_answers(user=user, campaign=campaign).filter(pk__lte=newest).count()
        done = min(done + answered, total - 1)
    now = timezone.now()
    midnight, pace = now.replace(hour=0, minute=0, second=0, microsecond=0), now - timedelta(minutes=PACE_MINUTES)
    since = min(midnight, pace)
    values = {"user": user.pk, "since": since, "midnight": midnight, "pace": pace}
    [(today, recent, first)] = statements.ask(statements.MINE, values=values)
    if isinstance(first, str):  # SpatiaLite keeps moments as text
        first = datetime.fromisoformat(first).replace(tzinfo=UTC)
    minutes = (now - first).total_seconds() / 60 if first else 0.0
    return Progress(done, total, today, round(recent / max(minutes, 1.0), 1))


def _seconds_kept(counts: tuple[int, int, int]) -> float:
    """Where there are many sites, the count takes long and hardly moves."""
    total = counts[1]
    return total / SITES_A_SECOND if total > EXACT_UP_TO else 0


def _count(campaign: Campaign) -> tuple[int, int, int]:
    """Done, all, and the newest decision that they know of."""
    newest = Decision.objects.aggregate(newest=Max("pk"))["newest"] or 0 if campaign.gold_share else 0
    if (conditions := campaign.conditions()).suspect:
        return *count_suspects_of(conditions=conditions), newest
    counted = (
        Site.objects.matching(campaign.conditions())
        .order_by()
        .aggregate(done=Count("pk", filter=~Q(state=Site.State.OPEN)), total=Count("pk"))
    )
    return counted["done"], counted["total"], newest
