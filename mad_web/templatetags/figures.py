"""How figures read on every page: thin spaces in thousands, ISO dates, units."""

from datetime import datetime, timedelta
from typing import Literal

from django import template
from django.utils import timezone

register = template.Library()
THIN = "\N{NARROW NO-BREAK SPACE}"
NOTHING = "\N{EN DASH}"


@register.filter
def figure(value: float | int | Literal[""] | None, places: int = 0) -> str:
    """1204 -> 1 204; with places, 0.7143|figure:2 -> 0.71; what is not there is a dash."""
    return NOTHING if value is None or value == "" else f"{value:,.{places}f}".replace(",", THIN)


@register.filter
def percent(value: float | Literal[""] | None, places: int = 0) -> str:
    """0.62 -> 62 %; what is not there is a dash."""
    return NOTHING if value is None or value == "" else f"{figure(value * 100, places)}{THIN}%"


@register.filter
def hectares(value: float | None) -> str:
    """63.2 -> 63 ha; small areas keep a digit."""
    if value is None:
        return NOTHING
    return f"{figure(value, 0 if value >= 10 else 1)}{THIN}ha"


@register.filter
def iso(value: datetime | None) -> str:
    """Minutes in ISO order, UTC."""
    return NOTHING if value is None else value.astimezone(timezone.get_default_timezone()).strftime("%Y-%m-%d %H:%M")


@register.filter
def iso_day(value: datetime | None) -> str:
    return NOTHING if value is None else value.strftime("%Y-%m-%d")


@register.filter
def duration(value: timedelta | float | None) -> str:
    """Seconds or a timedelta in the two largest units: 3725 -> 1 h 2 min."""
    if value is None:
        return NOTHING
    left = round(value.total_seconds() if isinstance(value, timedelta) else value)
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{THIN}{unit}")
    return " ".join(parts[:2])
