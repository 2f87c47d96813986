"""How the numbers of an image become reflectance, as its metadata say it; never guessed from a date or from values."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelling.core.products import Product, has_offset

QUANTIFICATION = 10_000
OFFSET = -1_000
"""What ESA divides by, and adds before from baseline 04.00 on, in every band of every product so far (SentiWiki,
S2 Products: "DN=0 remains the no data value; L2A_BOA = (L2A_DN + BOA_ADD_OFFSET) / QUANTIFICATION_VALUE")."""
_IN_NAME = re.compile(r"MSIL(?:1C|2A)_\d{8}T\d{6}_N(\d\d)(\d\d)_")
_BASELINE = re.compile(r"\d\d\.\d\d")
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_NOT_SAID = (
    "it does not say how its numbers become reflectance: give scale and offset with --mapping, such as "
    '{"scale": 0.0001, "offset": 0} before processing baseline 04.00 and "offset": -0.1 from it on, '
    'or the baseline itself, such as {"baseline": "04.00"}'
)


@dataclass(frozen=True)
class Radiometry:
    """How numbers become reflectance.

    Attributes:
        scales, offsets: reflectance = digital number * scale + offset, one per band.
        nodata: digital number that means "no data", or None.
        baseline: processing baseline of Sentinel-2, such as ``04.00``; empty where nothing says it.
        said_by: who says so, in words for people.
    """

    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    nodata: float | None
    baseline: str
    said_by: str


@dataclass(frozen=True)
class _Said:
    by: str
    scales: tuple[float, ...]
    offsets: tuple[float, ...]

    def agrees(self, other: "_Said") -> bool:
        mine, others = (self.scales, self.offsets), (other.scales, other.offsets)
        return bool(np.allclose(mine, others, rtol=1e-6, atol=1e-12))

    def words(self) -> str:
        pairs = sorted({(scale, offset) for scale, offset in zip(self.scales, self.offsets, strict=True)})
        return f"{self.by} says number × " + " or ".join(f"{scale:g} {offset:+g}" for scale, offset in pairs)


def read_radiometry(
    *,
    bands: Sequence[str],
    dtype: str,
    name: str = "",
    tags: Mapping[str, str] = _NOTHING,
    scales: Sequence[float] = (),
    offsets: Sequence[float] = (),
    nodata: float | None = None,
    product: Product | None = None,
    item: Mapping[str, Any] | None = None,
    assets: Sequence[str] = (),
    scale: float | None = None,
    offset: float | None = None,
    baseline: str | None = None,
) -> Radiometry:
    """Find scale and offset in all that is said of an image, and refuse where two sources say different things.

    Read are, each only as far as it is given: the scale and offset of the file (GDAL), a STAC item
    (``raster:bands``, ``raster:scale``, and ``*:boa_offset_applied`` of mirrors that took the offset off the
    pixels already), the XML of the product, tags of the file, and the processing baseline in a tag, in the STAC
    item or in the name of the product. Numbers with a fraction are reflectance, unless the file says otherwise.

    Args:
        bands: names of the bands, such as ``B04``, in the order of the image.
        dtype: of the pixels, such as ``uint16``.
        name: of the file or product.
        tags: of the file.
        scales: of the file, as GDAL gives them; one per band, or empty.
        offsets: likewise.
        nodata: of the file, as GDAL gives it.
        product: from ``read_product``.
        item: a STAC item as JSON.
        assets: keys of the item's assets, one per band.
        scale: what a person says; it counts for more than all the others.
        offset: likewise.
        baseline: likewise; it stands for both.

    Returns:
        Scale and offset of each band, no data, and who said so.

    Raises:
        ValueError: nothing says it, two sources contradict each other, or a number makes no sense.
    """
    if baseline and not _BASELINE.fullmatch(baseline):
        msg = f"its processing baseline is {baseline[:20]!r}, not a number such as 04.00"
        raise ValueError(msg)
    count = len(bands)
    told = baseline or _baseline(name, tags, product, item)
    if scale is not None and offset is not None:
        found: _Said | None = _Said("a person", (scale,) * count, (offset,) * count)
    elif baseline:
        found = _of_baseline(baseline, count, by=f"a person (baseline {baseline})")
    else:
        own = _of_file(dtype, tuple(scales), tuple(offsets), count)
        others = [_of_stac(item, assets), _of_product(product, bands), _of_tags(tags, count)]
        if told and not product:
            others.append(_of_baseline(told, count, by=f"processing baseline {told}"))
        if item is not None and _is_applied(item):
            others = [one and _without_offset(one) for one in others]
        said = [own] if own and dtype.startswith("float") else [own, *others]
        found = _by_person(_agreed([one for one in said if one]), scale, offset, count)
    if found is None:
        raise ValueError(_NOT_SAID)
    _check_numbers(found)
    # Zero is "no data" in every product of Sentinel-2, also in a copy that does not mark it.
    empty = product.nodata if product else 0 if told and np.dtype(dtype).kind in "iu" else None
    return Radiometry(found.scales, found.offsets, empty if nodata is None else nodata, told, found.by)


def _of_file(dtype: str, scales: tuple[float, ...], offsets: tuple[float, ...], count: int) -> _Said | None:
    scales, offsets = scales or (1.0,) * count, offsets or (0.0,) * count
    if (set(scales), set(offsets)) != ({1.0}, {0.0}):
        return _Said("the file", scales, offsets)
    return _Said("the file, by the fractions in it", scales, offsets) if dtype.startswith("float") else None


def _of_tags(tags: Mapping[str, str], count: int) -> _Said | None:
    divisor = tags.get("QUANTIFICATION") or tags.get("QUANTIFICATION_VALUE")
    if not divisor:
        return None
    added = float(tags.get("BOA_ADD_OFFSET") or tags.get("RADIO_ADD_OFFSET") or 0)
    if not float(divisor):
        msg = "its quantification is 0"
        raise ValueError(msg)
    return _of_numbers("the tags of the file", float(divisor), (added,) * count)


def _of_product(product: Product | None, bands: Sequence[str]) -> _Said | None:
    if product is None:
        return None
    missing = [band for band in bands if product.offsets and band not in product.offsets]
    if missing:
        msg = f"{product.file} names no offset of {', '.join(missing)}"
        raise ValueError(msg)
    added = tuple(product.offsets.get(band, 0.0) for band in bands)
    return _of_numbers(f"{product.file} (baseline {product.baseline})", product.quantification, added)


def _of_baseline(baseline: str, count: int, *, by: str) -> _Said:
    return _of_numbers(by, QUANTIFICATION, (float(OFFSET if has_offset(baseline) else 0),) * count)


def _of_numbers(by: str, divisor: float, added: tuple[float, ...]) -> _Said:
    return _Said(by, (1 / divisor,) * len(added), tuple(one / divisor for one in added))


def _of_stac(item: Mapping[str, Any] | None, assets: Sequence[str]) -> _Said | None:
    if item is None:
        return None
    pairs = [_asset_scaling(item.get("assets", {}).get(key, {})) for key in assets]
    if not pairs or None in pairs:
        return None
    scales, offsets = zip(*(pair for pair in pairs if pair), strict=True)
    return _Said("the STAC item", scales, offsets)


def _asset_scaling(asset: Mapping[str, Any]) -> tuple[float, float] | None:
    # The raster extension before 1.1 in a list of bands, since then beside them or on the asset itself.
    first = next(iter(asset.get("raster:bands") or ()), _NOTHING)
    band = next(iter(asset.get("bands") or ()), _NOTHING)
    scale = first.get("scale", band.get("raster:scale", asset.get("raster:scale")))
    offset = first.get("offset", band.get("raster:offset", asset.get("raster:offset")))
    return None if scale is None else (float(scale), float(offset or 0))


def _is_applied(item: Mapping[str, Any]) -> bool:
    said = item.get("properties", {}).items()
    return any(key.endswith(":boa_offset_applied") and value is True for key, value in said)


def _without_offset(said: _Said) -> _Said:
    return _Said(f"{said.by}, whose offset the mirror has applied", said.scales, (0.0,) * len(said.offsets))


def _baseline(name: str, tags: Mapping[str, str], product: Product | None, item: Mapping[str, Any] | None) -> str:
    if product:
        return product.baseline
    properties = item.get("properties", {}) if item else {}
    keys = ("s2:processing_baseline", "sentinel:processing_baseline", "processing:version")
    for said in (tags.get("PROCESSING_BASELINE"), *(properties.get(key) for key in keys)):
        if said and _BASELINE.fullmatch(str(said)):
            return str(said)
    products = (*(tags.get(key, "") for key in ("PRODUCT", "PRODUCT_URI", "PRODUCT_ID")), name)
    found = next((match for text in products if (match := _IN_NAME.search(text))), None)
    return f"{found[1]}.{found[2]}" if found else ""


def _agreed(said: Sequence[_Said]) -> _Said | None:
    for one in said[1:]:
        if not said[0].agrees(one):
            msg = f"{said[0].words()}, but {one.words()}: say which holds with --mapping (scale and offset)"
            raise ValueError(msg)
    return said[0] if said else None


def _by_person(found: _Said | None, scale: float | None, offset: float | None, count: int) -> _Said | None:
    if scale is None and (offset is None or found is None):
        return found
    scales = found.scales if scale is None and found else (scale or 0.0,) * count
    offsets = found.offsets if offset is None and found else (offset or 0.0,) * count
    return _Said("a person", scales, offsets)


def _check_numbers(found: _Said) -> None:
    if not all(math.isfinite(number) for number in (*found.scales, *found.offsets)) or 0 in found.scales:
        msg = "its scale or offset is not a finite number, or the scale is 0"
        raise ValueError(msg)


def nodata_for(dtype: str, nodata: float | None) -> float | None:
    """The number for "no data"; None where the type of the pixels cannot hold it, as no pixel then has it."""
    if nodata is None or np.dtype(dtype).kind == "f":
        return None if nodata is None else float(nodata)
    info = np.iinfo(dtype)
    return float(nodata) if info.min <= nodata <= info.max and nodata == int(nodata) else None


def saturated(data: NDArray[Any]) -> NDArray[np.bool_]:
    """Find where a detector was filled to the brim: the highest number that the type of the pixels can hold.

    Sentinel-2 writes 65535 for it (``SATURATED`` among the special values of the product's XML). More light than
    fell in is none: clouds, snow and slopes that face a low sun reflect more than 1.

    Args:
        data: digital numbers, shape (C, ...); where the highest number means "no data" these pixels are not to be
            counted.

    Returns:
        True where at least one band is saturated, shape (...); nowhere in numbers with a fraction.
    """
    if not np.issubdtype(data.dtype, np.integer):
        return np.zeros(data.shape[1:], np.bool_)
    full: NDArray[np.bool_] = (data == np.iinfo(data.dtype).max).any(axis=0)
    return full
