"""What an export is asked for, and the labels that go into it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadInput
from labelling.core.globe import split_at_antimeridian

FORMATS = ("yolo", "coco", "geojson")
STATES = ("verified", "contested", "rejected")
VERIFIED = "verified"
# Reflectance that becomes white: ground is darker in the visible bands than in the infrared.
WHITE_VISIBLE, WHITE_INFRARED = 0.3, 0.6
VISIBLE = frozenset({"B01", "B02", "B03", "B04", "B05"})
# A label that is cut off counts on a chip that shows so much of it, or of the chip where the label is larger.
MIN_VISIBLE = 0.3
# RFC 7946, section 11.2: seven decimals are a centimetre.
DECIMALS = 7


@dataclass(frozen=True)
class ExportSettings:
    """What to export.

    Attributes:
        format: ``yolo``, ``coco`` or ``geojson``.
        axis: axis whose types are the classes.
        states: states of labels; anything but verified is for GeoJSON only.
        campaign: slug of the campaign whose decisions settled the labels; empty for all.
        types: type codes on the axis; empty for all.
        regions: numbers of ecoregions; empty for everywhere.
        bands: bands of the chips in order.
        chip_px: side of a chip, pixels.
        pixel_m: ground size of a pixel, metres.
        outlines: YOLO lines give outlines instead of boxes.
    """

    format: str
    axis: str = "feature"
    states: tuple[str, ...] = (VERIFIED,)
    campaign: str = ""
    types: tuple[str, ...] = ()
    regions: tuple[int, ...] = ()
    bands: tuple[str, ...] = ("B04", "B03", "B02")
    chip_px: int = 640
    pixel_m: float = 10.0
    outlines: bool = False

    def __post_init__(self) -> None:
        """Refuse values that make no sense.

        Raises:
            BadInput: says which, and what it may be.
        """
        faults = {
            f"no format {self.format!r}: use {', '.join(FORMATS)}": self.format not in FORMATS,
            f"states are {', '.join(STATES)}": not self.states or not set(self.states) <= set(STATES),
            "chips hold verified labels only: export other states as geojson": self.format != "geojson"
            and self.states != (VERIFIED,),
            "name at least one band, and each once": not self.bands or len(set(self.bands)) < len(self.bands),
            f"a chip has 32 to 4096 pixels a side, not {self.chip_px}": not 32 <= self.chip_px <= 4096,
            f"a pixel has 0.5 to 500 m, not {self.pixel_m:g}": not 0.5 <= self.pixel_m <= 500,
        }
        found = next((fault for fault, is_so in faults.items() if is_so), None)
        if found:
            raise BadInput(found)

    @property
    def has_chips(self) -> bool:
        """Whether images are part of it."""
        return self.format != "geojson"

    @property
    def kind(self) -> Literal["detect", "segment"]:
        """What a YOLO line gives."""
        return "segment" if self.outlines else "detect"

    @property
    def stretch(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Reflectance that becomes 0, and 255, one per band."""
        high = tuple(WHITE_VISIBLE if band in VISIBLE else WHITE_INFRARED for band in self.bands)
        return (0.0,) * len(self.bands), high

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, tuples as lists."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ExportSettings":
        """Read plain JSON.

        Raises:
            BadInput: a field that is unknown or makes no sense.
        """
        unknown = set(data) - {field.name for field in fields(cls)}
        if unknown:
            msg = f"an export has no {', '.join(sorted(unknown))}"
            raise BadInput(msg)
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**values)


@dataclass(frozen=True)
class Licence:
    """A source of claims, and on what terms it gives them."""

    source: str
    kind: str
    licence: str
    citation: str


@dataclass(frozen=True)
class ExportLabel:
    """A label with all that travels with it.

    Attributes:
        site: id of the site: the label's identity in every export.
        geometry: EPSG:4326.
        state: verified, contested or rejected.
        reason: of a rejection.
        types: axis -> code.
        name: of the site.
        area_ha: geodesic area, hectares.
        region, biome, realm: of the site; empty where unknown.
        eco_id: number of its ecoregion, or None.
        decided_by: ``reviewer-<id>``: a pseudonym, not a name.
        decided_at: ISO 8601, UTC.
        level: who had the last word: ``lead``, or how many reviews agreed.
        decision: id of the decision that settled it.
        version: of the site, which counts its decisions.
        sources: names of the sources that claim it.
        synthetic: the imagery that it was labelled on was generated.
    """

    site: int
    geometry: BaseGeometry
    state: str
    reason: str
    types: Mapping[str, str]
    name: str
    area_ha: float
    region: str
    biome: str
    realm: str
    eco_id: int | None
    decided_by: str
    decided_at: str
    level: str
    decision: int
    version: int
    sources: tuple[str, ...]
    synthetic: bool

    @property
    def provenance(self) -> dict[str, Any]:
        """Who says so, when, and on whose claim: on every exported label."""
        word = VERIFIED if self.state == VERIFIED else "decided"
        return {
            f"{word}_by": self.decided_by,
            f"{word}_at": self.decided_at,
            f"{word}_level": self.level,
            "decision": self.decision,
            "version": self.version,
            "sources": "; ".join(self.sources),
            "synthetic": self.synthetic,
        }


def to_feature(label: ExportLabel, licences: Mapping[str, Licence]) -> dict[str, Any]:
    """Write a label as a GeoJSON feature (RFC 7946).

    Args:
        label: the label.
        licences: by the name of the source.

    Returns:
        Feature with its site as id; rings run counter-clockwise, nothing crosses the antimeridian, seven decimals.
    """
    terms = sorted({licences[source].licence or "not stated" for source in label.sources})
    properties = {
        "site": label.site,
        "name": label.name,
        "state": label.state,
        "reason": label.reason,
        **{axis: label.types.get(axis) for axis in ("feature", "commodity", "method")},
        "area_ha": round(label.area_ha, 4),
        "region": label.region,
        "biome": label.biome,
        "realm": label.realm,
        "eco_id": label.eco_id,
        **label.provenance,
        "licences": "; ".join(terms),
    }
    return {"type": "Feature", "id": label.site, "geometry": to_rfc7946(label.geometry), "properties": properties}


def to_rfc7946(geometry: BaseGeometry) -> dict[str, Any]:
    """Write a geometry (EPSG:4326) as RFC 7946 asks: split at the antimeridian, right-hand rings, seven decimals."""
    whole = shapely.orient_polygons(split_at_antimeridian(shapely.force_2d(geometry)), exterior_cw=False)
    written: dict[str, Any] = mapping(whole)
    return {"type": written["type"], "coordinates": _rounded(written["coordinates"])}


def _rounded(value: Any) -> Any:
    return round(value, DECIMALS) if isinstance(value, float) else [_rounded(part) for part in value]


def licences_of(labels: Sequence[ExportLabel], licences: Mapping[str, Licence]) -> list[dict[str, Any]]:
    """The sources that the labels come from, each with its terms and how many labels it has a claim on."""
    counts = {name: sum(name in label.sources for label in labels) for name in licences}
    return [{**asdict(licences[name]), "labels": count} for name, count in sorted(counts.items()) if count]
