"""What a Sentinel-2 product says of itself: the XML files ``MTD_MSIL1C.xml``, ``MTD_MSIL2A.xml`` and ``MTD_TL.xml``."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree as ET

from labelling.core.errors import BadInput

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
"""By their ``band_id`` in the XML, from 0."""
NAMES = ("MTD_MSIL2A.xml", "MTD_MSIL1C.xml")
GRANULE = "MTD_TL.xml"
MAX_BYTES = 32 << 20
_QUANTIFICATIONS = {
    "L1C": ("QUANTIFICATION_VALUE",),
    "L2A": ("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE"),
}
_OFFSETS = {"L1C": "RADIO_ADD_OFFSET", "L2A": "BOA_ADD_OFFSET"}
_BASELINE = re.compile(r"\d\d\.\d\d")
_TILE, _STAMP = re.compile(r"T\d{2}[A-Z]{3}(?=_)"), re.compile(r"\d{8}T\d{6}")


@dataclass(frozen=True)
class Product:
    """A Sentinel-2 product as its XML describes it.

    Attributes:
        file: name of the XML file.
        uri: name of the product, such as ``S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE``.
        level: ``L1C`` or ``L2A``.
        baseline: processing baseline, such as ``04.00``.
        quantification: reflectance = (digital number + offset) / quantification.
        offsets: digital numbers to add, by band name; empty where the product has none (before baseline 04.00).
        nodata: digital number that means "no data".
        cloud: share of the pixels with data of the whole product that ESA counts as cloud; None where it does not say.
        empty: share of the pixels of the whole product without data; likewise.
    """

    file: str
    uri: str
    level: str
    baseline: str
    quantification: float
    offsets: Mapping[str, float]
    nodata: int
    cloud: float | None = None
    empty: float | None = None

    def describes(self, name: str, tags: Mapping[str, str]) -> bool:
        """Say whether an image is of this product: a tag names it, or its own name has the tile and the sensing time.

        Args:
            name: of the image file.
            tags: of the image file.
        """
        if self.uri in {tags.get(key) for key in ("PRODUCT", "PRODUCT_URI", "PRODUCT_ID")}:
            return True
        # The last part of a product's name is when it was made, which no image bears.
        tile, stamp = _TILE.search(name), _STAMP.search(name)
        return bool(tile and stamp and tile[0] in self.uri and stamp[0] in self.uri.split("_")[:-1])


@dataclass(frozen=True)
class Sun:
    """Where the sun stood.

    Attributes:
        elevation: degrees above the horizon.
        azimuth: degrees from north, clockwise.
    """

    elevation: float
    azimuth: float


def read_product(path: Path) -> Product:
    """Read the XML of a product.

    Args:
        path: ``MTD_MSIL1C.xml`` or ``MTD_MSIL2A.xml``.

    Raises:
        BadInput: not such a file, or without level, baseline, quantification or, from baseline 04.00 on, offsets.
    """
    root = _parsed(path)
    level = "L" + _text(root, "PROCESSING_LEVEL", path).removeprefix("Level-")
    if level not in _OFFSETS:
        msg = f"its level is {level[:20]}; L1C and L2A are read"
        raise BadInput(msg, file=path.name)
    baseline = _text(root, "PROCESSING_BASELINE", path)
    if not _BASELINE.fullmatch(baseline):
        msg = f"its processing baseline is {baseline[:20]!r}, not a number such as 04.00"
        raise BadInput(msg, file=path.name)
    offsets = _offsets(root, _OFFSETS[level], path)
    if not offsets and has_offset(baseline):
        msg = f"baseline {baseline} has offsets, but it names no {_OFFSETS[level]}"
        raise BadInput(msg, file=path.name)
    return Product(
        file=path.name,
        uri=_text(root, "PRODUCT_URI", path),
        level=level,
        baseline=baseline,
        quantification=_quantification(root, level, path),
        offsets=MappingProxyType(offsets),
        nodata=_special(root, "NODATA", path),
        cloud=_share(root, "Cloud_Coverage_Assessment", path),
        empty=_share(root, "NODATA_PIXEL_PERCENTAGE", path),
    )


def has_offset(baseline: str) -> bool:
    """Say whether products of a baseline have an offset: from 04.00 on, whatever the date of sensing.

    Source: ESA, Sentinel-2 Products Specification Document, issue 14.9 (2021), and SentiWiki, S2 Products.
    """
    return float(baseline) >= 4


def find_product(path: Path, tags: Mapping[str, str], *, level: str = "") -> Product | None:
    """Find the XML beside an image, in the same folder, where it describes that image.

    Args:
        path: of the image.
        tags: of the image.
        level: of the image where it is known: an L1C image is not described by an L2A product.

    Raises:
        BadInput: the XML cannot be read.
    """
    beside = (path.with_name(name) for name in NAMES if not level or level in name)
    for file in beside:
        if file.is_file():
            product = read_product(file)
            if product.describes(path.name, tags):
                return product
    return None


def read_sun(path: Path) -> Sun:
    """Read the mean place of the sun from the XML of a granule.

    Args:
        path: ``MTD_TL.xml``.

    Raises:
        BadInput: not such a file.
    """
    angles = _parsed(path).find(".//Mean_Sun_Angle")
    if angles is None:
        msg = "it names no Mean_Sun_Angle"
        raise BadInput(msg, file=path.name)
    zenith, azimuth = (_number(angles, name, path) for name in ("ZENITH_ANGLE", "AZIMUTH_ANGLE"))
    return Sun(elevation=90 - zenith, azimuth=azimuth)


def find_sun(path: Path) -> Sun | None:
    """Find the sun's place in the ``MTD_TL.xml`` beside an image that the XML of its product describes.

    Args:
        path: of the image.

    Raises:
        BadInput: the XML cannot be read.
    """
    file = path.with_name(GRANULE)
    return read_sun(file) if file.is_file() else None


class _NoDoctype(ET.TreeBuilder):
    """Products have no DOCTYPE; a hostile one would define entities that grow without bound."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        msg = "it has a DOCTYPE, as no product does"
        raise ValueError(msg)


def _parsed(path: Path) -> ET.Element:
    try:
        if path.stat().st_size > MAX_BYTES:
            msg = f"larger than {MAX_BYTES >> 20} MB, not the XML of a product"
            raise ValueError(msg)
        return ET.parse(path, parser=ET.XMLParser(target=_NoDoctype())).getroot()  # noqa: S314  # see _NoDoctype
    except (OSError, ET.ParseError, ValueError, LookupError) as error:
        msg = f"cannot be read as the XML of a product: {getattr(error, 'strerror', None) or error}"
        raise BadInput(msg, file=path.name) from error


def _text(root: ET.Element, name: str, path: Path) -> str:
    found = (root.findtext(f".//{name}") or "").strip()
    if not found:
        msg = f"it names no {name}"
        raise BadInput(msg, file=path.name)
    return found


def _number(root: ET.Element, name: str, path: Path) -> float:
    return _finite(_text(root, name, path), name, path)


def _finite(text: Any, name: str, path: Path) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        msg = f"{name} is {str(text)[:20]!r}, not a number"
        raise BadInput(msg, file=path.name)
    return value


def _share(root: ET.Element, name: str, path: Path) -> float | None:
    return _number(root, name, path) / 100 if root.find(f".//{name}") is not None else None


def _quantification(root: ET.Element, level: str, path: Path) -> float:
    name = next((name for name in _QUANTIFICATIONS[level] if root.find(f".//{name}") is not None), None)
    value = _number(root, name or _QUANTIFICATIONS[level][0], path)
    if value <= 0:
        msg = f"{name} is {value:g}: it must be above 0"
        raise BadInput(msg, file=path.name)
    return value


def _offsets(root: ET.Element, name: str, path: Path) -> dict[str, float]:
    found = {}
    for element in root.iter(name):
        place = element.get("band_id", "")
        if not place.isdecimal() or int(place) >= len(BANDS):
            msg = f"{name} names the band {place[:20]!r}; there are 0 to {len(BANDS) - 1}"
            raise BadInput(msg, file=path.name)
        found[BANDS[int(place)]] = _finite(element.text, name, path)
    return found


def _special(root: ET.Element, name: str, path: Path) -> int:
    for value in root.iter("Special_Values"):
        if (value.findtext("SPECIAL_VALUE_TEXT") or "").strip() == name:
            return int(_number(value, "SPECIAL_VALUE_INDEX", path))
    return 0
