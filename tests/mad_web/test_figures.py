from datetime import UTC, datetime, timedelta

import pytest

from mad_web.templatetags.figures import duration, figure, hectares, iso, iso_day, percent

NARROW = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "places", "shown"),
    [(1204, 0, f"1{NARROW}204"), (0.7143, 2, "0.71"), (None, 0, "–"), (2_004_000, 0, f"2{NARROW}004{NARROW}000")],
)
def test_figures_have_thin_spaces(value: float | None, places: int, shown: str) -> None:
    assert figure(value, places) == shown


def test_units_follow_the_figure() -> None:
    assert hectares(63.2) == f"63{NARROW}ha"
    assert hectares(1.25) == f"1.2{NARROW}ha"
    assert percent(0.624) == f"62{NARROW}%"
    assert hectares(None) == percent(None) == "–"


def test_dates_are_iso() -> None:
    when = datetime(2021, 7, 3, 9, 5, tzinfo=UTC)
    assert iso(when) == "2021-07-03 09:05"
    assert iso_day(when) == "2021-07-03"
    assert iso(None) == iso_day(None) == "–"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, f"0{NARROW}s"),
        (61, f"1{NARROW}min 1{NARROW}s"),
        (timedelta(hours=1, minutes=2, seconds=5), f"1{NARROW}h 2{NARROW}min"),
        (None, "–"),
    ],
)
def test_durations_say_their_two_largest_units(value: timedelta | float | None, shown: str) -> None:
    assert duration(value) == shown
