"""How good a scene is, measured window by window: data, clouds, saturation, sharpness, sun."""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from labelling.core.masks import METHOD as MASKS
from labelling.core.masks import Kind, read_weights
from labelling.core.radiometry import saturated
from labelling.core.raster import Pixels, SceneRef, read_window

METHOD = f"1.{MASKS}"
"""To be raised whenever the same scene is measured differently than before."""
BLOCK = 1024
"""Side of a window that is read at once, pixels; 12 bands of it take 25 MB."""
CELLS = 64
"""A scene has at most so many cells along a side in its ``clearness``."""
_LEAST_CELL = 16
_SHARP_BANDS = ("B04", "B03", "B02", "B08")
_TRUSTED = 0.75
_PLACES = 4


@dataclass(frozen=True)
class Clearness:
    """How clear a scene is in each of its cells, squares of the same number of pixels from the upper left corner.

    Attributes:
        values: mean weight of the pixels of a cell, 0 where it shows nothing and 255 where all of it is clear,
            uint8 of shape (rows, columns).
        cell_px: side of a cell, pixels; the last row and column may be smaller.
    """

    values: NDArray[np.uint8]
    cell_px: int

    def over(self, *, left: float, top: float, right: float, bottom: float) -> float:
        """Mean clearness, 0 to 1, of the cells that a box in pixels touches; 0 outside the scene."""
        rows, columns = (
            slice(
                max(0, int(first // self.cell_px)),
                max(0, math.ceil(last / self.cell_px), int(first // self.cell_px) + 1),
            )
            for first, last in ((top, bottom), (left, right))
        )
        touched = self.values[rows, columns]
        return float(touched.mean() / 255) if touched.size else 0.0


@dataclass(frozen=True)
class Quality:
    """What was measured of a scene. Shares are 0 to 1; all but ``valid`` are of the pixels that have data.

    Attributes:
        valid: share of all pixels that have data in every band.
        cloud: covered by cloud, thin cirrus included, as ESA counts its cloud cover.
        haze: the thin part of it.
        shadow: in the shadow of a cloud, or dark as one.
        snow: snow or ice.
        saturated: a band is saturated.
        clear: mean weight of the pixels, see ``labelling.core.masks``.
        sharpness: 0 where neighbours differ no more than in an image twice as coarse, 1 where they differ as much
            as pixels further apart; None where too little is clear. Noise counts as sharpness.
        by: who was heard of clouds, such as ``scl + spectrum``.
        method: how it was measured.
    """

    valid: float
    cloud: float
    haze: float
    shadow: float
    snow: float
    saturated: float
    clear: float
    sharpness: float | None
    by: str
    method: str = METHOD

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def measure_quality(ref: SceneRef, *, on_block: Callable[[float], None] | None = None) -> tuple[Quality, Clearness]:
    """Measure a scene in windows of 1024 by 1024 pixels, so that memory does not grow with the scene.

    Args:
        ref: the scene.
        on_block: called with the share that is done, 0 to 1; may raise to stop.

    Raises:
        BadRaster: a file cannot be read.
    """
    cell = max(_LEAST_CELL, math.ceil(max(ref.width, ref.height) / CELLS))
    sums = _Sums(np.zeros((math.ceil(ref.height / cell), math.ceil(ref.width / cell))))
    windows = list(_windows(ref, side=max(1, BLOCK // cell) * cell))
    for done, window in enumerate(windows, start=1):
        pixels = read_window(ref, window)
        weights = read_weights(ref, pixels, pixels=pixels)
        sums.add(pixels, weights.values, weights.kinds, weights.by)
        sums.add_cells(weights.values, row=int(window.row_off) // cell, column=int(window.col_off) // cell, cell=cell)
        if on_block:
            on_block(done / len(windows))
    return sums.quality(), Clearness(_cell_means(sums.cells, ref, cell), cell)


def _windows(ref: SceneRef, *, side: int) -> Iterator[Window]:
    for row in range(0, ref.height, side):
        for column in range(0, ref.width, side):
            yield Window(column, row, min(side, ref.width - column), min(side, ref.height - row))


@dataclass
class _Sums:
    """What adds up over the windows."""

    cells: NDArray[np.float64]
    seen: int = 0
    saturated: int = 0
    weight: float = 0.0
    kinds: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(Kind), np.int64))
    near: list[float] = field(default_factory=lambda: [0.0, 0.0])
    far: list[float] = field(default_factory=lambda: [0.0, 0.0])
    by: str = ""

    def add(self, pixels: Pixels, values: NDArray[np.float32], kinds: NDArray[np.uint8], by: str) -> None:
        self.seen += pixels.mask.size
        self.by = max(self.by, by, key=len)
        self.weight += float(values.sum(dtype=np.float64))
        self.kinds += np.bincount(kinds.ravel(), minlength=len(Kind))
        full = saturated(pixels.data) & pixels.mask
        self.saturated += int(full.sum())
        self._add_differences(pixels, values > _TRUSTED)

    def _add_differences(self, pixels: Pixels, trusted: NDArray[np.bool_]) -> None:
        band = next((band for band in _SHARP_BANDS if band in pixels.bands), pixels.bands[0])
        plane = pixels.data[pixels.bands.index(band)].astype(np.float32)
        for lag, total in ((1, self.near), (2, self.far)):
            for first, second in ((np.s_[lag:, :], np.s_[:-lag, :]), (np.s_[:, lag:], np.s_[:, :-lag])):
                both = trusted[first] & trusted[second]
                total[0] += float(np.square(plane[first] - plane[second])[both].sum(dtype=np.float64))
                total[1] += int(both.sum())

    def add_cells(self, values: NDArray[np.float32], *, row: int, column: int, cell: int) -> None:
        rows, columns = (np.arange(0, length, cell) for length in values.shape)
        sums = np.add.reduceat(np.add.reduceat(values, rows, axis=0, dtype=np.float64), columns, axis=1)
        self.cells[row : row + len(rows), column : column + len(columns)] += sums

    def quality(self) -> Quality:
        shown = int(self.kinds.sum() - self.kinds[Kind.NO_DATA])

        def share(*kinds: Kind) -> float:
            return _share(int(self.kinds[list(kinds)].sum()), shown)

        return Quality(
            valid=_share(shown, self.seen),
            cloud=share(Kind.CLOUD, Kind.HAZE),
            haze=share(Kind.HAZE),
            shadow=share(Kind.SHADOW),
            snow=share(Kind.SNOW),
            saturated=_share(self.saturated, shown),
            clear=_share(self.weight, shown),
            sharpness=self._sharpness(),
            by=self.by,
        )

    def _sharpness(self) -> float | None:
        """Mean squared difference of pixels one apart over that of pixels two apart, from 1/4 (smooth) to 1."""
        if not self.near[1] or not self.far[1] or not self.far[0]:
            return None
        ratio = (self.near[0] / self.near[1]) / (self.far[0] / self.far[1])
        return round(min(1.0, max(0.0, (ratio - 0.25) / 0.75)), _PLACES)


def _share(part: float, whole: float) -> float:
    return round(part / whole, _PLACES) if whole else 0.0


def _cell_means(sums: NDArray[np.float64], ref: SceneRef, cell: int) -> NDArray[np.uint8]:
    rows, columns = (np.minimum(cell, length - np.arange(0, length, cell)) for length in (ref.height, ref.width))
    means: NDArray[np.uint8] = np.round(255 * sums / np.outer(rows, columns)).astype(np.uint8)
    return means


def sun_elevation(at: datetime, *, lon: float, lat: float) -> float:
    """Compute how high the sun stands, within about half a degree; refraction is left out.

    Source: J. W. Spencer, Fourier series representation of the position of the sun, Search 2 (1971), for the
    declination and the equation of time.

    Args:
        at: the moment, with a time zone.
        lon: longitude, degrees, EPSG:4326.
        lat: latitude, degrees, EPSG:4326.

    Returns:
        Degrees above the horizon.
    """
    utc = at.utctimetuple()
    hours = utc.tm_hour + utc.tm_min / 60 + utc.tm_sec / 3600
    day = 2 * math.pi * (utc.tm_yday - 1 + (hours - 12) / 24) / 365
    one, two, three = ((math.cos(step * day), math.sin(step * day)) for step in (1, 2, 3))
    declination = (
        0.006918 - 0.399912 * one[0] + 0.070257 * one[1] - 0.006758 * two[0] + 0.000907 * two[1]
        - 0.002697 * three[0] + 0.00148 * three[1]
    )  # fmt: skip
    minutes = 229.18 * (
        0.000075 + 0.001868 * one[0] - 0.032077 * one[1] - 0.014615 * two[0] - 0.040849 * two[1]
    )  # fmt: skip
    angle = math.radians(15 * (hours + lon / 15 + minutes / 60 - 12))
    phi = math.radians(lat)
    height = math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(angle)
    return math.degrees(math.asin(max(-1.0, min(1.0, height))))
