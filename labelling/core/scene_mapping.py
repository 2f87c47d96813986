"""What a person says about images that do not say it themselves."""

import json
import math
import re
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from labelling.core.acquisition import moment
from labelling.core.errors import BadInput

MAX_BYTES = 100_000
_BAND_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,19}")
_SENTINEL = re.compile(r"B?0?(1[0-2]|[1-9]|8A)", re.IGNORECASE)
_COMMON_NAMES = {
    "coastal": "B01",
    "blue": "B02",
    "green": "B03",
    "red": "B04",
    "nir": "B08",
    "nir08": "B8A",
    "nir09": "B09",
    "rededge1": "B05",
    "rededge2": "B06",
    "rededge3": "B07",
    "cirrus": "B10",
    "swir16": "B11",
    "swir22": "B12",
}


@dataclass(frozen=True)
class SceneMapping:
    """What a person says about files that do not say it themselves; None where the file is to speak.

    Attributes:
        bands: band names in the order of the file.
        scale, offset: reflectance = digital number * scale + offset.
        baseline: processing baseline of Sentinel-2, such as ``04.00``, which stands for scale and offset.
        nodata: digital number that means "no data".
        acquired_at, acquired_until: time of a single scene, or first and last of a composite.
        sensor, level, attribution: as in the catalogue.
        scl, cloud_probability: files that lie elsewhere than beside the scene, or have other names.
    """

    bands: tuple[str, ...] | None = None
    scale: float | None = None
    offset: float | None = None
    baseline: str | None = None
    nodata: float | None = None
    acquired_at: datetime | None = None
    acquired_until: datetime | None = None
    sensor: str | None = None
    level: str | None = None
    attribution: str | None = None
    scl: str | None = None
    cloud_probability: str | None = None

    @classmethod
    def from_json(cls, said: Any, *, file: str) -> "SceneMapping":
        """Read a mapping such as ``{"bands": ["B02", "B03"], "scale": 0.0001, "offset": -0.1}``.

        Args:
            said: what was in the JSON.
            file: its name, for the error.

        Raises:
            BadInput: not an object, an unknown key, or a value of the wrong kind.
        """
        known = [field.name for field in fields(cls)]
        if not isinstance(said, dict) or not set(said) <= set(known):
            msg = f"the mapping is a JSON object with some of the keys {', '.join(known)}"
            raise BadInput(msg, file=file)
        try:
            return cls(**{key: _VALUES[key](value) for key, value in said.items() if value is not None})
        except (TypeError, ValueError) as error:
            msg = f"the mapping cannot be understood: {error}"
            raise BadInput(msg, file=file) from error

    def over(self, other: "SceneMapping") -> "SceneMapping":
        """This mapping, and what the other one says where this one is silent."""
        return replace(other, **{key: value for key, value in self.__dict__.items() if value is not None})


def read_mapping(path: Path) -> SceneMapping:
    """Read a mapping from a JSON file.

    Raises:
        BadInput: the file is too large, not JSON, or not a mapping.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            msg = f"larger than {MAX_BYTES // 1000} kB, not a mapping"
            raise BadInput(msg, file=path.name)
        said = json.loads(content.decode())
    except (OSError, ValueError, RecursionError) as error:
        msg = f"the mapping is not a JSON file in UTF-8: {error}"
        raise BadInput(msg, file=path.name) from error
    return SceneMapping.from_json(said, file=path.name)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        msg = f"{value!r} is not a finite number"
        raise ValueError(msg)
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        msg = f"{value!r} is not a text"
        raise TypeError(msg)
    return value.strip()


def band_names(value: Any) -> tuple[str, ...]:
    """Understand names of bands: a list, or a text with commas or spaces between them.

    Raises:
        ValueError: one of them is not a name.
        TypeError: one of them is not a text.
    """
    parts = re.split(r"[,\s]+", value.strip()) if isinstance(value, str) else value
    return tuple(band_name(_text(part)) for part in parts)


_VALUES: dict[str, Any] = {
    "bands": band_names,
    "scale": _number,
    "offset": _number,
    "baseline": _text,
    "nodata": _number,
    "acquired_at": lambda value: moment(_text(value)),
    "acquired_until": lambda value: moment(_text(value)),
    "sensor": _text,
    "level": _text,
    "attribution": _text,
    "scl": _text,
    "cloud_probability": _text,
}


def band_name(text: str) -> str:
    """Write a band's name as Sentinel-2 does: ``B2``, ``b02`` and ``blue`` are B02; other names stay.

    Raises:
        ValueError: not a name.
    """
    plain = text.strip()
    number = _SENTINEL.fullmatch(plain)
    if number:
        return f"B{number[1].upper().zfill(2)}"
    if not _BAND_NAME.fullmatch(plain):
        msg = f"{plain[:40]!r} is not a band name: a letter, then up to 19 letters, digits, _ . -"
        raise ValueError(msg)
    return _COMMON_NAMES.get(plain.lower(), plain)
