"""What the front page says of the work on labels."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.contrib.auth.models import User
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from labelling.models import Campaign, Decision, Job, MineType, Region, Scene, Site
from labelling.models.taxonomy import Axis
from labelling.services.campaigns import campaigns_of
from labelling.services.queue import Progress, progress_of

DAYS = 14
_MAX_CAMPAIGNS = 20
_MAX_REGIONS = 12
_MAX_JOBS = 8
UNTYPED_COLOR = "#999999"


@dataclass(frozen=True)
class Slice:
    """Sites of one type or one region, by state."""

    name: str
    color: str
    open: int
    verified: int
    rejected: int
    contested: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.open + self.verified + self.rejected + self.contested

    @property
    def settled(self) -> float:
        """The share that is verified or rejected, 0 to 1."""
        return (self.verified + self.rejected) / self.total if self.total else 0.0


@dataclass(frozen=True)
class Day:
    """Decisions that stand, made on one day (UTC): everybody's and one's own."""

    day: date
    everybody: int
    mine: int


@dataclass(frozen=True)
class Work:
    """The state of the work on labels.

    Attributes:
        scenes: how many are in the catalogue.
        sites: all sites, by state.
        by_type: on the axis ``feature``, most sites first; sites without a type come last.
        by_region: the same by ecoregion, the largest few.
        days: the last ``DAYS`` days, oldest first.
        campaigns: those of the user, with how far they are.
        jobs: those that wait or run, oldest first.
    """

    scenes: int
    sites: Slice
    by_type: tuple[Slice, ...]
    by_region: tuple[Slice, ...]
    days: tuple[Day, ...]
    campaigns: tuple[tuple[Campaign, Progress], ...]
    jobs: tuple[Job, ...]

    @property
    def next_campaign(self) -> tuple[Campaign, Progress] | None:
        """Where the user goes on: the campaign with the most left to do."""
        unfinished = [pair for pair in self.campaigns if pair[1].done < pair[1].total]
        return max(unfinished, key=lambda pair: pair[1].total - pair[1].done, default=None)


def survey_work(*, user: User) -> Work:
    """Count what the front page shows, in a handful of grouped queries."""
    by_type = _by_type()
    return Work(
        scenes=Scene.objects.count(),
        sites=_sum_up("sites", "", Counter(dict(Site.objects.order_by().values_list("state").annotate(Count("pk"))))),
        by_type=by_type,
        by_region=_by_region(),
        days=_days(user),
        campaigns=tuple(
            (campaign, progress_of(user=user, campaign=campaign))
            for campaign in campaigns_of(user=user)[:_MAX_CAMPAIGNS]
        ),
        jobs=tuple(
            Job.objects.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING]).order_by("created_at")[:_MAX_JOBS]
        ),
    )


def _sum_up(name: str, color: str, states: Counter[str]) -> Slice:
    return Slice(name, color, *(states[state] for state in ("open", "verified", "rejected", "contested")))


def _by(rows: Iterable[tuple[int | None, str, int]]) -> dict[int | None, Counter[str]]:
    found: dict[int | None, Counter[str]] = {}
    for key, state, count in rows:
        found.setdefault(key, Counter())[state] += count
    return found


def _by_type() -> tuple[Slice, ...]:
    counted = _by(Site.objects.order_by().values_list("feature", "state").annotate(Count("pk")))
    types = MineType.objects.filter(axis=Axis.FEATURE).in_bulk()
    named = [_sum_up(types[key].name, types[key].color, states) for key, states in counted.items() if key is not None]
    named.sort(key=lambda part: (-part.total, part.name))
    without = counted.get(None)
    return (*named, _sum_up("no type yet", UNTYPED_COLOR, without)) if without else tuple(named)


def _by_region() -> tuple[Slice, ...]:
    counted = _by(Site.objects.order_by().values_list("region", "state").annotate(Count("pk")))
    names = dict(Region.objects.filter(pk__in=[key for key in counted if key]).values_list("pk", "name"))
    parts = [_sum_up(names.get(key, "") if key else "no region", "", states) for key, states in counted.items()]
    return tuple(sorted(parts, key=lambda part: (-part.total, part.name))[:_MAX_REGIONS])


def _days(user: User) -> tuple[Day, ...]:
    today = timezone.now().date()
    first = today - timedelta(days=DAYS - 1)
    stand = Decision.objects.filter(created_at__date__gte=first, undone_by__isnull=True)
    stand = stand.exclude(verdict__in=[Decision.Verdict.SKIP, Decision.Verdict.UNDO]).order_by()
    dated = stand.annotate(day=TruncDate("created_at")).values_list("day")
    everybody = dict(dated.annotate(Count("pk")))
    mine = dict(dated.filter(reviewer=user).annotate(Count("pk")))
    every = (first + timedelta(days=number) for number in range(DAYS))
    return tuple(Day(day, everybody.get(day, 0), mine.get(day, 0)) for day in every)
