"""What the figures of agreement are asked of, and the rows that it speaks of."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q, QuerySet

from labelling.core.review import BACKGROUND_REASONS
from labelling.models import Campaign, Decision, Label, OpinionPair
from labelling.models.taxonomy import Axis

Verdict = Decision.Verdict


@dataclass(frozen=True)
class Question:
    """What the figures are asked of.

    Attributes:
        axis: on which opinions are compared; that of the campaign where one is named.
        campaign: only what was decided in it; None: everywhere.
        since: the first day, UTC; a pair of opinions counts on the day of the later one.
        until: the last day, UTC.
    """

    axis: str = Axis.FEATURE.value
    campaign: Campaign | None = None
    since: date | None = None
    until: date | None = None

    def pairs(self) -> QuerySet[OpinionPair]:
        """The pairs of blind opinions that are asked about."""
        return OpinionPair.objects.filter(self._when("decided_at"), axis=self.asked_axis).order_by()

    def decisions(self) -> QuerySet[Decision]:
        """The decisions that are asked about and were not taken back: opinions that count, gold answers and skips."""
        stand = Decision.objects.filter(self._when("created_at"), undone_by__isnull=True).order_by()
        return stand.filter(Q(version__isnull=False) | Q(gold=True) | Q(verdict=Verdict.SKIP)).exclude(
            verdict=Verdict.UNDO
        )

    def gold(self) -> QuerySet[Decision]:
        """The answers to gold sites that are asked about and whose site still has a truth to be held against."""
        label = Q(site__label__state=Label.State.REJECTED, site__label__reason__in=BACKGROUND_REASONS)
        label |= Q(site__label__state=Label.State.VERIFIED, **{f"site__label__{self.asked_axis}__isnull": False})
        answers = self.decisions().filter(label, gold=True, campaign__axis=self.asked_axis)
        return answers.exclude(verdict=Verdict.SKIP)

    @property
    def asked_axis(self) -> str:
        """The axis on which opinions are compared."""
        return self.campaign.axis if self.campaign else self.axis

    def _when(self, column: str) -> Q:
        asked = Q(campaign=self.campaign) if self.campaign else Q()
        if self.since:
            asked &= Q(**{f"{column}__gte": midnight(self.since)})
        if self.until:
            asked &= Q(**{f"{column}__lt": midnight(self.until + timedelta(days=1))})
        return asked


def midnight(day: date) -> datetime:
    """When a day begins, UTC."""
    return datetime.combine(day, time(), tzinfo=UTC)
