"""What travels with an export so that it can be understood without this program: data card and field list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labelling.core.export import MIN_VISIBLE, ExportSettings

_PROVENANCE = (
    ("verified_by", "text", "pseudonym of the reviewer who had the last word; `decided_by` where it is not verified"),
    ("verified_at", "ISO 8601, UTC", "when; `decided_at` where it is not verified"),
    ("verified_level", "text", "`lead`, or how many reviews agreed; `decided_level` where it is not verified"),
    ("decision", "number", "id of that decision"),
    ("version", "number", "how many decisions on the site had been applied"),
    ("sources", "text", "names of the sources that claim the site, split by `; `"),
    ("synthetic", "true or false", "made on generated imagery: no mine of this world"),
)
_GEOJSON = (
    ("id, site", "number", "the site: the same in every export"),
    ("geometry", "degrees, EPSG:4326", "RFC 7946: longitude first, seven decimals, split at the antimeridian"),
    ("name", "text", "of the site, empty where it has none"),
    ("state", "text", "`verified`, `contested` or `rejected`"),
    ("reason", "text", "of a rejection, else empty"),
    ("feature, commodity, method", "code or null", "type of the mine on each axis"),
    ("area_ha", "hectares", "geodesic area on WGS 84; 0 for a point"),
    ("region, biome, realm, eco_id", "text, number", "ecoregion (RESOLVE 2017) and what is above it"),
    *_PROVENANCE,
    ("licences", "text", "licences of the sources, split by `; `"),
)
_PLACES = (
    ("chip", "text", "name: hash of imagery, place and bands"),
    ("file", "path", "the image"),
    ("crs", "EPSG code", "UTM zone of the chip"),
    ("transform", "six numbers", "a b c d e f: x = a column + b row + c, y = d column + e row + f, metres"),
    ("width, height", "pixels", "size of the image"),
    ("scene", "object", "name, version, kind, sensor, acquired_at, attribution, synthetic"),
    ("bands", "names", "channels in order; pages in order in a TIFF"),
    ("stretch", "reflectance", "low became 0 and high 255, per band"),
    ("shown", "0 to 1", "share of the pixels that is shown; the rest is black: not reviewed, unknown, or no data"),
    ("labels", "objects", "the labels in the order of the lines or annotations, with the fields below"),
    ("labels[].site", "number", "the site: the same in every export"),
    *((f"labels[].{name}", unit, meaning) for name, unit, meaning in _PROVENANCE),
)
_YOLO = (
    ("class", "number", "place of the type in `names` of data.yaml, from 0"),
    ("x y width height", "shares of the side", "middle and size of the box; an outline has x y of each corner instead"),
)
_COCO = (
    ("bbox", "pixels", "x, y of the upper left corner, width, height"),
    ("segmentation", "pixels", "outer rings; COCO polygons have no holes"),
    ("area", "square pixels", "of the outline, without its holes"),
    ("site", "number", "the site: the same in every export"),
    *_PROVENANCE,
)
LOAD = {
    "yolo": "yolo detect train data=data.yaml model=yolo11n.yaml   # from this folder, ultralytics",
    "coco": 'from pycocotools.coco import COCO\nCOCO("annotations.json")   # images lie in images/',
    "geojson": "ogrinfo -so labels.geojson labels   # QGIS: Layer > Add Layer > Add Vector Layer",
}


@dataclass(frozen=True)
class Card:
    """What a data card tells.

    Attributes:
        settings: what was asked for.
        last_decision: id of the newest decision that the export knows.
        counts: figures of the export.
        classes: type codes, in the order of the classes.
        licences: rows of ``licences_of``.
        attributions: of the imagery.
        synthetic: whether any of it is generated.
    """

    settings: ExportSettings
    last_decision: int
    counts: Mapping[str, Any]
    classes: Sequence[str]
    licences: Sequence[Mapping[str, Any]]
    attributions: Sequence[str]
    synthetic: bool


def data_card(card: Card) -> str:
    """Write the README.md of an export."""
    settings = card.settings
    chips = settings.has_chips
    parts = [
        "# Mines, labelled\n",
        "**Synthetic: generated imagery, no mine of this world.**\n" if card.synthetic else "",
        f"Labels with the states {', '.join(settings.states)} on the axis `{settings.axis}`, exported as "
        f"{settings.format} by MAD Web, as they were after decision {card.last_decision}. A verified label is one that "
        "people looked at on Sentinel-2 imagery and accepted, corrected or drew. `FIELDS.md` says what each field "
        "means; `manifest.json` names every file with its SHA-256.\n",
        f"## How to load it\n```\n{LOAD[settings.format]}\n```\n",
        "## Counts\n" + _table(("what", "count"), _flat(card.counts)),
        _classes(card) if chips else "",
        _made(settings) if chips else "",
        "## Licences\nThe terms of each source go on with its labels.\n\n"
        + _table(
            ("source", "licence", "labels", "citation"),
            [(row["source"], row["licence"] or "not stated", row["labels"], row["citation"]) for row in card.licences],
        ),
        "## Imagery\n" + "".join(f"- {text}\n" for text in card.attributions) if chips and card.attributions else "",
        "## What it does not tell\nWhat is not labelled is no proof that there is no mine: only in reviewed areas has "
        "a person said that everything is labelled. Outlines are as precise as 10 m pixels let people see.\n",
    ]
    return "\n".join(part for part in parts if part)


def _classes(card: Card) -> str:
    first = 1 if card.settings.format == "coco" else 0
    rows = [(number, f"`{code}`") for number, code in enumerate(card.classes, start=first)]
    return "## Classes\n" + _table(("number", "type"), rows)


def _made(settings: ExportSettings) -> str:
    return (
        f"## How the chips were made\n{settings.chip_px} x {settings.chip_px} pixels of {settings.pixel_m:g} m in the "
        f"UTM zone of the place, bands {', '.join(settings.bands)}, around each label. Only reviewed ground is shown; "
        f"the rest is black. A label that is cut off counts where {MIN_VISIBLE:.0%} of it is shown. Chips overlap: "
        "split by place, never by chip. `georeference.jsonl` has the place of each chip.\n"
    )


def field_list(settings: ExportSettings) -> str:
    """Write the FIELDS.md of an export: every field, its unit, its meaning."""
    heads = ("field", "unit", "meaning")
    if settings.format == "geojson":
        return "# Fields\n\n## labels.geojson\n" + _table(heads, _GEOJSON)
    own = ("labels/*.txt", _YOLO) if settings.format == "yolo" else ("annotations.json, annotations", _COCO)
    return f"# Fields\n\n## {own[0]}\n{_table(heads, own[1])}\n## georeference.jsonl\n{_table(heads, _PLACES)}"


def _flat(counts: Mapping[str, Any]) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = []
    for name, value in counts.items():
        told = name.replace("_", " ")
        rows += (
            [(f"{told}: {key}", count) for key, count in value.items()] if isinstance(value, dict) else [(told, value)]
        )
    return rows


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(_cell(cell) for cell in line) + " |\n" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())
