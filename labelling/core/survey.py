"""A quick look at an image's pixels: what to show as black and white, and how much of it is usable."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from labelling.core.errors import BadRaster
from labelling.core.radiometry import saturated
from labelling.core.raster import Pixels, SceneRef, read_window
from labelling.core.render import combinations_for, index_values

SIDE = 768
"""Side of what is looked at, pixels."""
WHOLE_UP_TO = 2048
"""Images up to this side are read whole, larger ones by overviews or by samples."""
_SAMPLES = 4
PERCENTILES = (2, 98)
CLOUD_BLUE = 0.3
"""Ground that reflects more blue light than this is taken for cloud or snow, and does not set the stretch."""
LEAST_CLEAR = 0.1
"""Unless less than this share of the image would be left."""


@dataclass(frozen=True)
class Survey:
    """What a quick look found.

    Attributes:
        display: per band the 2nd and 98th percentile of clear ground in digital numbers; per index (by its id) in
            its values.
        quality: ``valid``, the share of pixels with data in every band, and ``saturated``, the share of those in
            which a band holds the highest number of its type.
    """

    display: dict[str, list[float]]
    quality: dict[str, float]


def survey_scene(ref: SceneRef, *, has_overviews: bool) -> Survey:
    """Look at a scene through a decimated read, or where that would read all of a large file, at 16 samples.

    Args:
        ref: the scene.
        has_overviews: smaller copies are in the file.

    Raises:
        BadRaster: the file cannot be read, or holds no data at all.
    """
    looks = [_squeezed(ref)] if has_overviews or max(ref.width, ref.height) <= WHOLE_UP_TO else _samples(ref)
    shown = np.concatenate([look.data[:, look.mask] for look in looks], axis=1)
    if not shown.size:
        msg = "holds no data at all: every pixel that was looked at is nodata"
        raise BadRaster(msg, file=ref.path.rsplit("/", 1)[-1])
    clear = shown[:, _clear(shown, ref)]
    limits = np.percentile(clear, PERCENTILES, axis=1).T
    display = {band: [float(value) for value in pair] for band, pair in zip(ref.bands, limits, strict=True)}
    for one in combinations_for(ref.bands):
        if one.is_index and one.limits is None:
            values = [index_values(_only(look, one.bands), one)[look.mask] for look in looks]
            display[one.id] = [round(float(value), 4) for value in np.percentile(np.concatenate(values), PERCENTILES)]
    seen = sum(look.mask.size for look in looks)
    quality = {
        "valid": round(shown.shape[1] / seen, 4),
        "saturated": round(float(saturated(shown).mean()), 4),
    }
    return Survey(display, quality)


def _squeezed(ref: SceneRef) -> Pixels:
    whole = Window(0, 0, ref.width, ref.height)
    return read_window(ref, whole, size=SIDE if max(ref.width, ref.height) > SIDE else None)


def _samples(ref: SceneRef) -> list[Pixels]:
    side = SIDE // _SAMPLES
    places = [(row + 0.5, column + 0.5) for row in range(_SAMPLES) for column in range(_SAMPLES)]
    corners = [
        (int(column * ref.width / _SAMPLES - side / 2), int(row * ref.height / _SAMPLES - side / 2))
        for row, column in places
    ]
    return [read_window(ref, Window(column, row, side, side)) for column, row in corners]


def _only(look: Pixels, bands: tuple[str, ...]) -> Pixels:
    places = [look.bands.index(band) for band in bands]
    scales, offsets = (tuple(values[place] for place in places) for values in (look.scales, look.offsets))
    return Pixels(look.data[places], look.mask, look.crs, look.transform, bands, scales, offsets)


def _clear(shown: NDArray[Any], ref: SceneRef) -> NDArray[np.bool_]:
    everything = np.ones(shown.shape[1], np.bool_)
    if "B02" not in ref.bands:
        return everything
    blue = ref.bands.index("B02")
    clear = np.asarray(shown[blue] * ref.scales[blue] + ref.offsets[blue] <= CLOUD_BLUE, np.bool_)
    return clear if clear.mean() >= LEAST_CLEAR else everything
