"""When, by what and at which level an image was taken, from its tags and its name."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

_SINCE = ("ACQUIRED_AT", "ACQUISITION_DATETIME", "SENSING_TIME", "DATATAKE_1_DATATAKE_SENSING_START")
_UNTIL = ("ACQUIRED_UNTIL",)
_PRODUCTS = ("PRODUCT", "PRODUCT_URI", "PRODUCT_ID")
# S2A_MSIL2A_20221005T115411_..., T29UNU_20221005T115411_..., S2A2A_20170703_022_... (the first date is the sensing).
_STAMP = re.compile(r"(?:S2[A-D]_MSIL(?:1C|2A)_|T\d{2}[A-Z]{3}_)(\d{8}T\d{6})|S2[A-D](?:1C|2A)_(\d{8})(?=_)")
_LEVEL = re.compile(r"MSIL(1C|2A)|S2[A-D](1C|2A)_|\bL(1C|2A)\b|Level-(1C|2A)")
_SENTINEL_2 = re.compile(r"\bS2[A-D](?:_|1C|2A)|Sentinel-2|\bT\d{2}[A-Z]{3}_\d{8}T\d{6}")
_LANDSAT_1 = datetime(1972, 7, 23, tzinfo=UTC)


def moment(text: str) -> datetime:
    """Understand a time; UTC where no zone is said.

    Args:
        text: ISO 8601, ``20221005T115411``, or ``2022:10:05 11:54:11`` as TIFF writes it.

    Raises:
        ValueError: not a time, before the first Landsat, or in the future.
    """
    plain = re.sub(r"^(\d{4}):(\d\d):(\d\d)", r"\1-\2-\3", text.strip())
    try:
        found = datetime.fromisoformat(plain)
    except ValueError as error:
        msg = f"{text[:40]!r} is not a time such as 2022-10-05T11:54:11Z"
        raise ValueError(msg) from error
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    if not _LANDSAT_1 <= found <= datetime.now(UTC) + timedelta(days=1):
        msg = f"{text[:40]!r} is before the first Landsat or in the future"
        raise ValueError(msg)
    return found


def acquired_from(name: str, tags: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """Find when an image was taken, and until when where it is a composite.

    Args:
        name: of the file.
        tags: of the file. TIFF's own time comes last: by its definition it is that of the file, not of the image.

    Raises:
        ValueError: a tag holds what is not a time.
    """
    since = _first(tags, _SINCE)
    if since is None:
        stamp = next((found for text in (*_products(tags), name) if (found := _STAMP.search(text))), None)
        since = (stamp[1] or stamp[2]) if stamp else None
    until = _first(tags, _UNTIL)
    return (moment(since) if since else _file_time(tags)), (moment(until) if until else None)


def _file_time(tags: Mapping[str, str]) -> datetime | None:
    try:
        return moment(tags.get("TIFFTAG_DATETIME", ""))
    except ValueError:
        return None


def level_from(name: str, tags: Mapping[str, str]) -> str:
    """Find the processing level: ``L1C``, ``L2A``, or empty where nothing says it."""
    texts = (tags.get("PROCESSING_LEVEL", ""), *_products(tags), name)
    found = next((match for text in texts if (match := _LEVEL.search(text))), None)
    return "L" + next(filter(None, found.groups())) if found else ""


def sensor_from(name: str, tags: Mapping[str, str]) -> str:
    """Find the sensor: ``sentinel-2``, or empty where nothing says it."""
    return "sentinel-2" if any(_SENTINEL_2.search(text) for text in (*_products(tags), name)) else ""


def _first(tags: Mapping[str, str], keys: tuple[str, ...]) -> str | None:
    return next((tags[key] for key in keys if tags.get(key)), None)


def _products(tags: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(tags[key] for key in _PRODUCTS if tags.get(key))
