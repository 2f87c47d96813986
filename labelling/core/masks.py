"""How far each pixel can be trusted: clouds, haze and shadows weigh, they do not delete.

Bright tailings are often called cloud and dark ponds shadow, so no pixel that has data gets the weight 0, and the
spectrum is heard as a second opinion: what is called cloud but is coloured like ground, and what is called shadow
but is coloured like water, keeps at least half, or four fifths, of its weight.

Three sources, each only where the scene has it:

- the scene classification (SCL) of a level 2A product, class by class as in ``SCL``;
- a cloud probability of 0 to 100, from the product or from s2cloudless;
- the spectrum alone: the tests for potential cloud pixels of Fmask (Zhu and Woodcock 2012, eq. 1-4, with the
  thresholds of Zhu, Wang and Woodcock 2015 for Sentinel-2), each softened to a ramp around its threshold, and the
  lowest of them as the score. They were made for reflectance at the top of the atmosphere; thermal tests are left
  out, as Sentinel-2 has no thermal band.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

import labelling.core.gdal  # noqa: F401  # before rasterio, so that its drivers are the few we want
from labelling.core.chips import Grid, cut_grid
from labelling.core.radiometry import saturated
from labelling.core.raster import Pixels, SceneRef, lend_raster, read_window

METHOD = 1
"""To be raised whenever the same pixels are weighed differently than before."""
Plane = NDArray[np.float32]


class Kind(IntEnum):
    """What a pixel shows."""

    NO_DATA = 0
    CLEAR = 1
    CLOUD = 2
    HAZE = 3
    SHADOW = 4
    SNOW = 5
    DEFECTIVE = 6


SCL: dict[int, tuple[Kind, float]] = {
    1: (Kind.DEFECTIVE, 0.2),
    2: (Kind.SHADOW, 0.7),
    3: (Kind.SHADOW, 0.4),
    4: (Kind.CLEAR, 1.0),
    5: (Kind.CLEAR, 1.0),
    6: (Kind.CLEAR, 1.0),
    7: (Kind.CLEAR, 0.8),
    8: (Kind.CLOUD, 0.2),
    9: (Kind.CLOUD, 0.05),
    10: (Kind.HAZE, 0.5),
    11: (Kind.SNOW, 0.3),
}
"""Kind and weight of the classes: saturated or defective, dark feature, cloud shadow, vegetation, bare, water,
unclassified, cloud of medium and of high probability, thin cirrus, snow. Class 0 (no data) has no opinion."""
LEAST = 0.05
"""Weight of the surest cloud."""
LOOKS_LIKE_GROUND = 0.5
"""What is called cloud keeps this weight where its spectrum is that of ground."""
LOOKS_LIKE_WATER = 0.8
"""What is called shadow keeps this weight where its spectrum is that of water."""
SATURATED = 0.5
"""A saturated pixel keeps this share of its weight."""
LEAST_BY_COLOUR = 0.5
"""Blue, green and red alone do not tell a white cloud from white tailings: they take half the weight at most."""
CLOUD_FROM, HAZE_FROM = 40, 20
"""Cloud probability, per cent; 40 is the threshold of s2cloudless (Skakun et al. 2022)."""
_VISIBLE = ("B02", "B03", "B04")
_NIR = ("B08", "B8A")
_SWIR = "B11"


@dataclass(frozen=True, eq=False)
class Weights:
    """How far the pixels of a window can be trusted.

    Attributes:
        values: 0 (no data) to 1 (clear), float32 of shape (H, W).
        kinds: ``Kind`` of each pixel, uint8 of shape (H, W).
        by: who was heard, such as ``scl + probability + spectrum``; empty where nobody could say anything.
    """

    values: Plane
    kinds: NDArray[np.uint8]
    by: str

    def drawn_over(self, pixels: Pixels) -> Pixels:
        """The weights as pixels of one plane on the grid of the pixels that they were made from."""
        return Pixels(self.values[None], self.values > 0, pixels.crs, pixels.transform, ("weight",))

    def share(self, *kinds: Kind) -> float:
        """Share of the pixels with data that are of some kinds; 0 where there is no data."""
        shown = np.count_nonzero(self.kinds != Kind.NO_DATA)
        return float(np.isin(self.kinds, kinds).sum() / shown) if shown else 0.0


def mask_bands(ref: SceneRef) -> tuple[str, ...]:
    """The bands of a scene that its weights are made from, in the order of the scene; the first one where none is."""
    wanted = {*_VISIBLE, *_NIR, _SWIR}
    return tuple(band for band in ref.bands if band in wanted) or ref.bands[:1]


def read_weights(ref: SceneRef, grid: Grid, *, pixels: Pixels | None = None) -> Weights:
    """Weigh the pixels of a scene on any grid.

    Args:
        ref: the scene; its SCL and cloud probability are read where it has them.
        grid: CRS, transform, width and height, such as ``Pixels`` or a ``ChipGrid``.
        pixels: what was read of the scene on that grid already, with the bands of ``mask_bands`` among others.

    Raises:
        BadRaster: a file cannot be read.
    """
    pixels = pixels or cut_grid(ref, grid, bands=mask_bands(ref))
    scl = read_classes(ref.scl, grid) if ref.scl else None
    probability = read_classes(ref.cloud_probability, grid) if ref.cloud_probability else None
    return weigh(pixels, scl=scl, probability=probability)


def read_window_weights(ref: SceneRef, window: Window) -> Weights:
    """Weigh the pixels of a window in the scene's own grid; 0 outside the image.

    Raises:
        BadRaster: a file cannot be read.
    """
    pixels = read_window(ref, window, bands=mask_bands(ref))
    return read_weights(ref, pixels, pixels=pixels)


def read_classes(path: str, grid: Grid) -> NDArray[np.uint8]:
    """Read an SCL or cloud probability on any grid, by the nearest pixel.

    Args:
        path: of a raster of bytes with one band.
        grid: CRS, transform, width and height.

    Returns:
        uint8 of shape (H, W); 0 outside the file.

    Raises:
        BadRaster: the file cannot be read.
    """
    # "No data" is 0 in both, which also is a probability: read as it is, not as a mask.
    options = {"crs": grid.crs, "transform": grid.transform, "width": grid.width, "height": grid.height}
    with lend_raster(path) as dataset, WarpedVRT(dataset, resampling=Resampling.nearest, nodata=0, **options) as warped:
        classes: NDArray[np.uint8] = np.asarray(warped.read(1), np.uint8)
    return classes


def weigh(
    pixels: Pixels, *, scl: NDArray[np.uint8] | None = None, probability: NDArray[np.uint8] | None = None
) -> Weights:
    """Weigh pixels.

    Args:
        pixels: with the bands that the scene has of B02, B03, B04, B08 or B8A, and B11.
        scl: scene classification on the same grid, shape (H, W).
        probability: of cloud, 0 to 100, on the same grid, shape (H, W).
    """
    spectrum = _Spectrum.of(pixels)
    values, kinds = _by_spectrum(spectrum, pixels.mask.shape)
    heard = ["spectrum"] if spectrum.score is not None else []
    if probability is not None:
        values, kinds = _by_probability(probability)
        heard.insert(0, "probability")
    if scl is not None:
        values, kinds = _by_scl(scl, values, kinds, with_probability=probability is not None)
        heard.insert(0, "scl")
    if spectrum.tells_ground and len(heard) > 1:
        values = _with_second_opinion(values, kinds, spectrum)
    values = np.where(saturated(pixels.data), SATURATED * values, values)
    values = np.where(pixels.mask, np.maximum(values, LEAST), 0)
    return Weights(values.astype(np.float32), np.where(pixels.mask, kinds, np.uint8(0)), " + ".join(heard))


@dataclass(frozen=True, eq=False)
class _Spectrum:
    """What the colours alone say.

    Attributes:
        score: 0 (ground) to 1 (cloud); None where a visible band is missing.
        tells_ground: near and short-wave infrared were there, which tell clouds from bright ground.
        is_water: the green is brighter than the near infrared.
    """

    score: Plane | None
    tells_ground: bool
    is_water: NDArray[np.bool_] | None

    @classmethod
    def of(cls, pixels: Pixels) -> "_Spectrum":
        near = next((band for band in _NIR if band in pixels.bands), None)
        wanted = [*_VISIBLE, *([near] if near else []), _SWIR]
        planes = _planes(pixels, [band for band in wanted if band in pixels.bands])
        nir, swir = planes.get(near or ""), planes.get(_SWIR)
        is_water = None if nir is None or "B03" not in planes else _index(planes["B03"], nir) > 0
        if not set(_VISIBLE) <= set(planes):
            return cls(None, False, is_water)
        return cls(_cloud_score(planes, nir, swir), nir is not None and swir is not None, is_water)


def _planes(pixels: Pixels, bands: list[str]) -> dict[str, Plane]:
    places = [pixels.bands.index(band) for band in bands]
    scaling = zip(places, bands, strict=True)
    return {
        band: pixels.data[place].astype(np.float32) * np.float32(pixels.scales[place])
        + np.float32(pixels.offsets[place])
        for place, band in scaling
    }


def _cloud_score(planes: dict[str, Plane], nir: Plane | None, swir: Plane | None) -> Plane:
    blue, green, red = (planes[band] for band in _VISIBLE)
    # Haze optimised transformation, eq. 3: cloud where above 0.
    score = _ramp(blue - np.float32(0.5) * red - np.float32(0.08), -0.03, 0.05)
    # Whiteness, eq. 2: cloud where below 0.7 of the mean.
    mean = np.maximum((blue + green + red) / np.float32(3), np.float32(1e-3))
    spread = (np.abs(blue - mean) + np.abs(green - mean) + np.abs(red - mean)) / mean
    score = np.minimum(score, 1 - _ramp(spread, 0.5, 0.9))
    if nir is not None:  # eq. 1: vegetation is no cloud
        score = np.minimum(score, 1 - _ramp(_index(nir, red), 0.7, 0.9))
    if swir is not None:  # eq. 1: neither is snow
        score = np.minimum(score, 1 - _ramp(_index(green, swir), 0.75, 0.9))
    if nir is not None and swir is not None:  # eq. 4: bright rock and soil reflect more at the longer wave
        ratio = np.asarray(nir / np.maximum(swir, np.float32(1e-3)), np.float32)
        score = np.minimum(score, _ramp(ratio, 0.75, 1.25))
    return score


def _ramp(values: Plane, low: float, high: float) -> Plane:
    """0 up to low, 1 from high on, straight between."""
    share: Plane = np.clip((values - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return share


def _index(first: Plane, second: Plane) -> Plane:
    """Normalised difference; of a sum near 0, where noise decides, it stays near 0."""
    index: Plane = (first - second) / np.maximum(np.abs(first + second), np.float32(0.02))
    return index


def _by_spectrum(spectrum: _Spectrum, shape: tuple[int, ...]) -> tuple[Plane, NDArray[np.uint8]]:
    kinds = np.full(shape, Kind.CLEAR, np.uint8)
    if spectrum.score is None:
        return np.ones(shape, np.float32), kinds
    least = LEAST if spectrum.tells_ground else LEAST_BY_COLOUR
    kinds[spectrum.score >= 0.35] = Kind.HAZE
    kinds[spectrum.score >= 0.5] = Kind.CLOUD
    return 1 - np.float32(1 - least) * spectrum.score, kinds


def _by_probability(probability: NDArray[np.uint8]) -> tuple[Plane, NDArray[np.uint8]]:
    kinds = np.full(probability.shape, Kind.CLEAR, np.uint8)
    kinds[probability >= HAZE_FROM] = Kind.HAZE
    kinds[probability >= CLOUD_FROM] = Kind.CLOUD
    return 1 - np.minimum(probability, 100).astype(np.float32) / np.float32(100), kinds


def _by_scl(
    scl: NDArray[np.uint8], values: Plane, kinds: NDArray[np.uint8], *, with_probability: bool
) -> tuple[Plane, NDArray[np.uint8]]:
    """The opinion of the SCL, and that of the others where it has none."""
    weight, kind = np.ones(256, np.float32), np.full(256, Kind.CLEAR, np.uint8)
    for number, (what, weighs) in SCL.items():
        weight[number], kind[number] = weighs, what
    said, silent = weight[scl], scl == 0
    if with_probability:  # it knows nothing of shadows, cirrus, snow and broken pixels
        both = np.isin(kind, (Kind.CLEAR, Kind.CLOUD))[scl]
        said = np.where(both, (said + values) / 2, said)
    return np.where(silent, values, said), np.where(silent, kinds, kind[scl])


def _with_second_opinion(values: Plane, kinds: NDArray[np.uint8], spectrum: _Spectrum) -> Plane:
    if spectrum.score is not None:
        ground = LOOKS_LIKE_GROUND * (1 - spectrum.score)
        values = np.where(np.isin(kinds, (Kind.CLOUD, Kind.HAZE)), np.maximum(values, ground), values)
    if spectrum.is_water is not None:
        wet = spectrum.is_water & (kinds == Kind.SHADOW)
        values = np.where(wet, np.maximum(values, np.float32(LOOKS_LIKE_WATER)), values)
    return values
