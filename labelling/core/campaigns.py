"""Which sites belong to a campaign: a closed set of conditions, nothing that a client could name freely."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadInput
from labelling.core.outlines import AREAL, read_outline, to_geojson

KEYS = ("area", "sources", "types", "regions", "min_score")
MAX_VALUES = 200


@dataclass(frozen=True)
class CampaignFilter:
    """Conditions that a site must all meet; an empty one asks for nothing.

    Attributes:
        area: polygon or multipolygon that the site touches, EPSG:4326.
        sources: names, one of which has proposed the site.
        types: codes, one of which the site has now.
        regions: ``eco_id`` of ecoregions, one of which the site lies in.
        min_score: least score of the site, 0 to 1.
    """

    area: BaseGeometry | None = None
    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    regions: tuple[int, ...] = ()
    min_score: float | None = None

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
        area = None if value.get("area") is None else read_outline(value["area"])
        if area is not None and area.geom_type not in AREAL:
            msg = "the area of a campaign is a polygon or a multipolygon"
            raise BadInput(msg)
        return cls(
            area=area,
            sources=_values(value, "sources", str),
            types=_values(value, "types", str),
            regions=_values(value, "regions", int),
            min_score=_share(value.get("min_score")),
        )

    def to_json(self) -> dict[str, Any]:
        """Write the conditions that are set, so that ``from_json`` reads the same filter."""
        every: dict[str, Any] = {
            "area": to_geojson(self.area) if self.area is not None else None,
            "sources": list(self.sources),
            "types": list(self.types),
            "regions": list(self.regions),
            "min_score": self.min_score,
        }
        return {key: value for key, value in every.items() if value not in (None, [])}


def _values(value: Mapping[str, Any], key: str, kind: type) -> tuple[Any, ...]:
    values = value.get(key) or []
    good = isinstance(values, list | tuple) and all(type(one) is kind for one in values)
    if not good or len(values) > MAX_VALUES:
        msg = f"{key} is a list of at most {MAX_VALUES} {'numbers' if kind is int else 'names'}"
        raise BadInput(msg)
    return tuple(values)


def _share(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value <= 1:
        msg = "min_score is a number from 0 to 1"
        raise BadInput(msg)
    return float(value)
