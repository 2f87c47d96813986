"""Pixels made visible: band combinations, stretch, colour ramps, encoded images."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rio_tiler.colormap import cmap

from labelling.core.errors import BadInput
from labelling.core.raster import Pixels

Limits = tuple[float, float]
"""What is shown darkest and brightest: reflectance of a band, or value of an index."""

FORMATS = {"png": "image/png", "webp": "image/webp", "jpg": "image/jpeg"}
PLAIN_LIMITS: Limits = (0.0, 0.3)
"""Where nothing was measured: Sentinel-2's usual range of land, as in its true colour image."""
_JPG_QUALITY = 85
_WEBP_QUALITY = 85


@dataclass(frozen=True)
class Combination:
    """What of a scene is shown.

    Attributes:
        id: name in URLs, such as ``swir`` or ``B12,B08,B04``.
        name: what a person reads.
        bands: red, green, blue; one band; or the two of an index.
        formula: ``bands`` (three colours, or one in grey), ``difference`` (a - b) / (a + b), ``ratio`` a / b, or
            ``value`` of one plane.
        ramp: colour map of an index, one that the colour-blind can read.
        limits: limits of an index that are the same for every scene; None where they follow the scene.
    """

    id: str
    name: str
    bands: tuple[str, ...]
    formula: str = "bands"
    ramp: str = ""
    limits: Limits | None = None

    @property
    def is_index(self) -> bool:
        """One value per pixel, shown on a ramp."""
        return self.formula != "bands"


WEIGHTS = Combination("weights", "weights", (), "value", "cividis", (0.0, 1.0))
"""How far each pixel can be trusted, of ``labelling.core.masks``: drawn from one plane that is none of the scene's."""
_NIR = ("B08", "B8A")
_KNOWN: tuple[tuple[Combination, tuple[tuple[str, ...], ...]], ...] = (
    (Combination("true-colour", "true colour", ()), (("B04",), ("B03",), ("B02",))),
    (Combination("false-colour", "false colour", ()), (_NIR, ("B04",), ("B03",))),
    (Combination("swir", "SWIR", ()), (("B12",), _NIR[::-1], ("B04",))),
    (Combination("ndvi", "NDVI", (), "difference", "viridis", (-0.1, 0.9)), (_NIR, ("B04",))),
    (Combination("iron", "iron B04/B02", (), "ratio", "inferno"), (("B04",), ("B02",))),
    (Combination("clay", "clay B11/B12", (), "ratio", "cividis"), (("B11",), ("B12",))),
)


def combinations_for(bands: Sequence[str]) -> tuple[Combination, ...]:
    """List the combinations that a scene's bands allow, the most natural first; never empty.

    Args:
        bands: names of the scene's bands.
    """
    return _combinations_for(tuple(bands))


@lru_cache
def _combinations_for(bands: tuple[str, ...]) -> tuple[Combination, ...]:
    found = []
    for known, wanted in _KNOWN:
        chosen = tuple(band for choices in wanted for band in [band for band in choices if band in bands][:1])
        if len(chosen) == len(wanted):
            found.append(replace(known, bands=chosen))
    return tuple(found) or (_of_bands(bands[:3] if len(bands) >= 3 else bands[:1]),)


def find_combination(text: str, bands: Sequence[str]) -> Combination:
    """Understand a combination from a URL: its id, or one or three bands with commas between.

    Args:
        text: such as ``swir`` or ``B12,B08,B04``.
        bands: names of the scene's bands.

    Raises:
        BadInput: there is no such combination, or the scene lacks one of its bands.
    """
    named = next((one for one in combinations_for(bands) if one.id == text), None)
    if named:
        return named
    wanted = tuple(text.split(","))
    if len(wanted) not in {1, 3} or not set(wanted) <= set(bands):
        ids = ", ".join(one.id for one in combinations_for(bands))
        msg = f"no such combination; this scene has {ids}, or one or three of the bands {', '.join(bands)}"
        raise BadInput(msg)
    return _of_bands(wanted)


def _of_bands(bands: tuple[str, ...]) -> Combination:
    return Combination(",".join(bands), " ".join(bands), bands)


def parse_stretch(text: str) -> Limits | None:
    """Understand ``lo,hi`` from a URL; empty for the scene's own stretch.

    Raises:
        BadInput: not two finite numbers, the lower one first.
    """
    if not text:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high and max(abs(low), abs(high)) <= 1e6):
        msg = "the stretch is two numbers with a comma between, the lower one first, such as 0.02,0.25"
        raise BadInput(msg)
    return low, high


def index_values(pixels: Pixels, combination: Combination) -> NDArray[np.float32]:
    """Compute an index of two bands; 0 where there is no data or nothing to divide by.

    Args:
        pixels: of the two bands of the combination, in that order, or of its one plane.
        combination: one whose formula is not ``bands``.

    Returns:
        Values without unit, float32 of shape (H, W).
    """
    if combination.formula == "value":
        return np.asarray(pixels.reflectance()[0], np.float32)
    first, second = pixels.reflectance()
    above, below = (first - second, first + second) if combination.formula == "difference" else (first, second)
    safe = np.abs(below) > 1e-6
    values: NDArray[np.float32] = np.divide(above, below, out=np.zeros_like(below), where=safe)
    return values


def limits_of(
    combination: Combination, *, display: Mapping[str, Any], scales: Sequence[float], offsets: Sequence[float]
) -> tuple[Limits, ...]:
    """Choose the default limits: one pair for an index, else one per band.

    Args:
        combination: what is shown.
        display: the scene's percentiles: per band in digital numbers, per index (by its id) in its values.
        scales: reflectance = digital number * scale + offset, one per band of the combination.
        offsets: see ``scales``.
    """
    if combination.is_index:
        return (combination.limits or _pair(display.get(combination.id)) or (0.5, 2.0),)
    limits = []
    for band, scale, offset in zip(combination.bands, scales, offsets, strict=True):
        measured = _pair(display.get(band))
        limits.append((measured[0] * scale + offset, measured[1] * scale + offset) if measured else PLAIN_LIMITS)
    return tuple(limits)


def _pair(measured: Any) -> Limits | None:
    if not measured or not measured[0] < measured[1]:
        return None
    return float(measured[0]), float(measured[1])


def render(pixels: Pixels, combination: Combination, *, limits: Sequence[Limits], fmt: str) -> bytes:
    """Draw pixels and encode them.

    Args:
        pixels: the bands of the combination, in its order.
        combination: what to show.
        limits: darkest and brightest: one pair for all, or one per band.
        fmt: ``png``, ``webp`` or ``jpg``.

    Returns:
        The encoded image, transparent (JPEG: black) where there is no data.
    """
    return _encoded(_coloured(pixels, combination, limits), pixels.mask, fmt)


def render_sheet(pixels: Pixels, looks: Sequence[tuple[Combination, Sequence[Limits]]], *, fmt: str) -> bytes:
    """Draw the same pixels in several ways, side by side in one image.

    Args:
        pixels: every band of every combination.
        looks: what to show and its limits (see ``render``), from left to right.
        fmt: ``png``, ``webp`` or ``jpg``.

    Returns:
        The encoded image, as many times as wide as the pixels as there are looks.
    """
    cells = [_coloured(_only(pixels, combination.bands), combination, limits) for combination, limits in looks]
    return _encoded(np.hstack(cells), np.tile(pixels.mask, len(cells)), fmt)


def _only(pixels: Pixels, bands: tuple[str, ...]) -> Pixels:
    places = [pixels.bands.index(band) for band in bands]
    scales, offsets = (tuple(values[place] for place in places) for values in (pixels.scales, pixels.offsets))
    return replace(pixels, data=pixels.data[places], bands=bands, scales=scales, offsets=offsets)


def _coloured(pixels: Pixels, combination: Combination, limits: Sequence[Limits]) -> NDArray[np.uint8]:
    if combination.is_index:
        shades = _stretched(index_values(pixels, combination), limits[0], _STRAIGHT)
        return _ramp(combination.ramp)[shades]
    pairs = limits if len(limits) == len(combination.bands) else [limits[0]] * len(combination.bands)
    planes = [_stretched(plane, pair, _BRIGHTER) for plane, pair in zip(pixels.reflectance(), pairs, strict=True)]
    return np.stack(planes * 3 if len(planes) == 1 else planes, axis=-1)


def _stretched(values: NDArray[np.float32], limits: Limits, curve: NDArray[np.uint8]) -> NDArray[np.uint8]:
    low, high = limits
    steps = len(curve) - 1
    scaled = (values - np.float32(low)) * np.float32(steps / (high - low)) + np.float32(0.5)
    shades: NDArray[np.uint8] = curve[np.clip(scaled, 0, steps).astype(np.uint16)]
    return shades


_STRAIGHT = np.arange(256, dtype=np.uint8)
# Land is dark beside what a mine lays bare: a gamma opens the forest without burning out the pit.
_BRIGHTER = np.round(255 * np.linspace(0, 1, 1024) ** (1 / 1.3)).astype(np.uint8)


@cache
def _ramp(name: str) -> NDArray[np.uint8]:
    colours = cmap.get(name)
    return np.array([colours[shade][:3] for shade in range(256)], np.uint8)


def _encoded(colours: NDArray[np.uint8], mask: NDArray[np.bool_], fmt: str) -> bytes:
    whole = bool(mask.all())
    if not whole:
        colours = np.where(mask[..., None], colours, np.uint8(0))
    if not whole and fmt != "jpg":
        colours = np.dstack([colours, mask.astype(np.uint8) * np.uint8(255)])
    # Of the lossless settings the fastest; level 6 takes four times as long to save a tenth of the bytes.
    options: dict[str, dict[str, Any]] = {
        "png": {"compress_level": 1},
        "webp": {"quality": _WEBP_QUALITY, "method": 0},
        "jpg": {"quality": _JPG_QUALITY},
    }
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(colours)).save(stream, "JPEG" if fmt == "jpg" else fmt, **options[fmt])
    return stream.getvalue()


@cache
def empty_tile(fmt: str, size: int = 256) -> bytes:
    """Encode a tile without any data: transparent, or black as JPEG."""
    return _encoded(np.zeros((size, size, 3), np.uint8), np.zeros((size, size), np.bool_), fmt)
