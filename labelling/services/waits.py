"""What reviewers waited for their next site, kept by day, and said again."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from labelling.core.waits import count_waits, within_ms
from labelling.models import WaitDay

DAYS = 7
SHARE = 0.95


@dataclass(frozen=True)
class Waits:
    """What all reviewers waited of late.

    Attributes:
        days: how many, to today (UTC).
        n: how often somebody waited.
        share: of those times, 0 to 1, which ended...
        within_ms: ...within so many milliseconds; ``None`` where nobody waited.
    """

    days: int
    n: int
    share: float
    within_ms: int | None


@transaction.atomic
def add_waits(*, user: User, waits: Iterable[int]) -> None:
    """Add to what a reviewer waited today (UTC).

    Args:
        user: who waited.
        waits: milliseconds from the press that decided to the next site painted with its imagery.

    Raises:
        IndexError: a wait is longer than ``labelling.core.waits.LONGEST_MS``.
    """
    row, _ = WaitDay.objects.get_or_create(reviewer=user, day=timezone.now().date())
    row = WaitDay.objects.select_for_update().get(pk=row.pk)
    for bound, count in count_waits(waits).items():
        row.counts[str(bound)] = row.counts.get(str(bound), 0) + count
    row.save(update_fields=["counts"])


def recent_waits() -> Waits:
    """What all reviewers waited in the last ``DAYS`` days."""
    total: Counter[int] = Counter()
    since = timezone.now().date() - timedelta(days=DAYS - 1)
    for counts in WaitDay.objects.filter(day__gte=since).values_list("counts", flat=True):
        total.update({int(bound): count for bound, count in counts.items()})
    return Waits(DAYS, total.total(), SHARE, within_ms(total, SHARE))
