"""Which sites belong to a campaign: a closed set of conditions, nothing that a client could name freely."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadInput
from labelling.core.outlines import AREAL, check_outline, read_outline, to_geojson

KEYS = ("area", "sources", "types", "regions", "min_score", "max_score", "evidence", "suspect")
EVIDENCE: Mapping[str, str] = {"several_sources": "two sources or more speak of it", "imagery": "a scene shows it"}
MAX_VALUES = 200
MAX_AREA_TEXT = 2_000_000


@dataclass(frozen=True)
class CampaignFilter:
    """Conditions that a site must all meet; an empty one asks for nothing.

    Attributes:
        area: polygon or multipolygon that the site touches, EPSG:4326.
        sources: names, one of which has proposed the site.
        types: codes, one of which the site has now.
        regions: ``eco_id`` of ecoregions, one of which the site lies in.
        min_score: least score, 0 to 1: of what one of the sources proposed, without sources the highest of the site.
        max_score: highest score of the same, 0 to 1, no less than the least.
        evidence: keys of ``EVIDENCE``; there must be all of it.
        suspect: judged sites whose label looks wrong, instead of open ones; only leads are served such a queue.
    """

    area: BaseGeometry | None = None
    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    regions: tuple[int, ...] = ()
    min_score: float | None = None
    max_score: float | None = None
    evidence: tuple[str, ...] = ()
    suspect: bool = False

    @classmethod
    def from_json(cls, value: Any) -> "CampaignFilter":
        """Read a filter.

        Raises:
            BadInput: not an object, an unknown key, or a value of the wrong kind; the text names it.
        """
        if not isinstance(value, Mapping):
            msg = "the conditions are a JSON object, {} for none"
            raise BadInput(msg)
        unknown = sorted(set(value) - set(KEYS))
        if unknown:
            msg = f"unknown condition {unknown[0]!r}: use {', '.join(KEYS)}"
            raise BadInput(msg)
        low, high = (_share(value, key) for key in ("min_score", "max_score"))
        if low is not None and high is not None and high < low:
            msg = "max_score is no less than min_score"
            raise BadInput(msg)
        return cls(
            area=None if value.get("area") is None else _areal(read_outline(value["area"])),
            sources=_values(value, "sources", str),
            types=_values(value, "types", str),
            regions=_values(value, "regions", int),
            min_score=low,
            max_score=high,
            evidence=_evidence(_values(value, "evidence", str)),
            suspect=_flag(value.get("suspect", False)),
        )

    def to_json(self) -> dict[str, Any]:
        """Write the conditions that are set, so that ``from_json`` reads the same filter."""
        every: dict[str, Any] = {
            "area": to_geojson(self.area) if self.area is not None else None,
            "sources": list(self.sources),
            "types": list(self.types),
            "regions": list(self.regions),
            "min_score": self.min_score,
            "max_score": self.max_score,
            "evidence": list(self.evidence),
            "suspect": self.suspect or None,
        }
        return {key: value for key, value in every.items() if value not in (None, [])}


def read_area(text: str) -> BaseGeometry:
    """Read the area of a campaign from what somebody pasted, drew or took from a file.

    Args:
        text: GeoJSON in EPSG:4326: a polygon or multipolygon, a feature, or a collection of such features,
            whose areas are joined.

    Returns:
        A valid polygon or multipolygon, EPSG:4326.

    Raises:
        BadInput: not such GeoJSON, empty, or too large; the text says what to change.
    """
    if len(text) > MAX_AREA_TEXT:
        msg = f"an area of over {MAX_AREA_TEXT // 1000} kB is not read: simplify it"
        raise BadInput(msg)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = "the area is not JSON: paste the whole content of a GeoJSON file"
        raise BadInput(msg) from error
    parts = [_areal(read_outline(geometry)) for geometry in _geometries(value)]
    if not parts:
        msg = "the area holds no polygon"
        raise BadInput(msg)
    return parts[0] if len(parts) == 1 else _areal(check_outline(shapely.union_all(parts)))


def _geometries(value: Any) -> list[Any]:
    kind = value.get("type") if isinstance(value, Mapping) else None
    if kind == "Feature":
        return [value.get("geometry")]
    features = value.get("features") if kind == "FeatureCollection" else None
    if not isinstance(features, list):
        return [value]
    if len(features) > MAX_VALUES:
        msg = f"the area has {len(features)} features, at most {MAX_VALUES} are joined: merge them"
        raise BadInput(msg)
    return [feature.get("geometry") if isinstance(feature, Mapping) else None for feature in features]


def _areal(geometry: BaseGeometry) -> BaseGeometry:
    if geometry.geom_type not in AREAL:
        msg = "the area of a campaign is a polygon or a multipolygon"
        raise BadInput(msg)
    return geometry


def _values(value: Mapping[str, Any], key: str, kind: type) -> tuple[Any, ...]:
    values = value.get(key) or []
    good = isinstance(values, list | tuple) and all(type(one) is kind for one in values)
    if not good or len(values) > MAX_VALUES:
        msg = f"{key} is a list of at most {MAX_VALUES} {'numbers' if kind is int else 'names'}"
        raise BadInput(msg)
    return tuple(values)


def _evidence(names: tuple[str, ...]) -> tuple[str, ...]:
    unknown = sorted(set(names) - set(EVIDENCE))
    if unknown:
        msg = f"unknown evidence {unknown[0]!r}: use {', '.join(EVIDENCE)}"
        raise BadInput(msg)
    return names


def _share(conditions: Mapping[str, Any], key: str) -> float | None:
    value = conditions.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value <= 1:
        msg = f"{key} is a number from 0 to 1"
        raise BadInput(msg)
    return float(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        msg = "suspect is true or false"
        raise BadInput(msg)
    return value
