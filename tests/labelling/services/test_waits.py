"""What reviewers waited, kept by person and day."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labelling.models import WaitDay
from labelling.services.waits import DAYS, add_waits, recent_waits
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_waits_of_all_are_added_up_by_person_and_day(cast: Cast) -> None:
    assert recent_waits().n == 0
    assert recent_waits().within_ms is None
    add_waits(user=cast.ana, waits=[30, 35, 700])
    add_waits(user=cast.ana, waits=[31])
    add_waits(user=cast.ben, waits=[90] * 36)
    assert WaitDay.objects.get(reviewer=cast.ana).counts == {"30": 1, "40": 2, "1000": 1}
    assert WaitDay.objects.count() == 2
    told = recent_waits()
    assert (told.n, told.within_ms) == (40, 100)


def test_what_is_long_ago_says_nothing_of_today(cast: Cast) -> None:
    today = timezone.now().date()
    for back, bound in ((0, "50"), (DAYS - 1, "60"), (DAYS, "5000")):
        WaitDay.objects.create(reviewer=cast.ana, day=today - timedelta(days=back), counts={bound: 10})
    told = recent_waits()
    assert (told.n, told.within_ms) == (20, 60)
