"""Scenes with bright blobs at known places."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from labelling.core.raster import SceneRef
from tests.scenes import make_scene, ref_of

BANDS = ("B02", "B03", "B04")
Blob = tuple[int, int, int, int, str]
"""Columns and rows x0, y0, x1, y1, and the band that is bright there."""


def blob_scene(
    path: Path, blobs: Sequence[Blob], *, size: int | tuple[int, int] = 200, nodata_from: int | None = None, **more: Any
) -> SceneRef:
    """Dark ground of reflectance 0.1 with blobs of 0.5; no data from a column on, where one is given."""
    height, width = (size, size) if isinstance(size, int) else size
    data = np.full((len(BANDS), height, width), 1000, np.uint16)
    for x0, y0, x1, y1, band in blobs:
        data[BANDS.index(band), y0:y1, x0:x1] = 5000
    if nodata_from is not None:
        data[:, :, nodata_from:] = 0
        more["nodata"] = 0.0
    make_scene(path, bands=BANDS, data=data, **more)
    return ref_of(path)
