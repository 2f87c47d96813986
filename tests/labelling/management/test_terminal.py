import sys
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management.base import OutputWrapper

from labelling.management.terminal import Bar, day


def test_a_bar_grows_on_one_line_and_ends_it() -> None:
    text = StringIO()
    bar = Bar(OutputWrapper(text))
    for done in range(4):
        bar.count(done, 3)
    empty, third, two_thirds, full = text.getvalue().removeprefix("\r").split("\r")
    assert (empty, third) == (f"[{'.' * 30}] 0 of 3", f"[{'#' * 10}{'.' * 20}] 1 of 3")
    assert "\n" not in two_thirds
    assert full == f"[{'#' * 30}] 3 of 3\n"


def test_a_share_is_told_in_per_cent() -> None:
    text = StringIO()
    Bar(OutputWrapper(text)).share(0.5)
    assert text.getvalue() == f"\r[{'#' * 15}{'.' * 15}] 50%"


@pytest.mark.parametrize("looks_on", [True, False])
def test_a_bar_is_for_people(looks_on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: looks_on)
    assert (Bar.on(OutputWrapper(StringIO())) is not None) == looks_on


def test_a_day_begins_at_midnight_utc() -> None:
    assert day("2022-01-31") == datetime(2022, 1, 31, tzinfo=UTC)
    with pytest.raises(ValueError, match="Invalid isoformat"):
        day("last week")
