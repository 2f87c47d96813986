"""Pixels as they travel through the house: an array with its place on the ground and what its numbers mean."""

from dataclasses import dataclass, field
from typing import Any, NewType

import numpy as np
from affine import Affine
from numpy.typing import NDArray

Px = NewType("Px", float)
"""A length in pixels."""
Metres = NewType("Metres", float)
"""A length on the ground."""
DigitalNumbers = NewType("DigitalNumbers", np.ndarray[Any, Any])
"""Pixel values as the file holds them."""
Reflectance = NewType("Reflectance", np.ndarray[Any, np.dtype[np.float32]])
"""Pixel values as a share of the light that fell in, float32, mostly 0 to 1."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """Pixels, where they lie, and what their numbers mean.

    Attributes:
        data: digital numbers, shape (C, H, W).
        mask: True where every band has data, shape (H, W).
        crs: ``EPSG:n`` or WKT.
        transform: affine transform from pixel (column, row) to CRS (x, y).
        bands: C band names.
        scales, offsets: reflectance = digital number * scale + offset, C of each.
    """

    data: NDArray[Any]
    mask: NDArray[np.bool_]
    crs: str
    transform: Affine
    bands: tuple[str, ...]
    scales: tuple[float, ...] = field(default=())
    offsets: tuple[float, ...] = field(default=())

    def __post_init__(self) -> None:
        """Refuse an array that does not fit its description.

        Raises:
            ValueError: a shape, count or dtype that does not fit.
        """
        if self.data.ndim != 3:
            msg = f"pixels have shape (C, H, W), not {self.data.shape}"
            raise ValueError(msg)
        count = self.data.shape[0]
        if self.mask.shape != self.data.shape[1:] or self.mask.dtype != np.bool_:
            msg = f"the mask is boolean of shape {self.data.shape[1:]}, not {self.mask.dtype} {self.mask.shape}"
            raise ValueError(msg)
        if not self.scales:
            object.__setattr__(self, "scales", (1.0,) * count)
        if not self.offsets:
            object.__setattr__(self, "offsets", (0.0,) * count)
        if not len(self.bands) == len(self.scales) == len(self.offsets) == count:
            got = f"{len(self.bands)} names, {len(self.scales)} scales, {len(self.offsets)} offsets"
            msg = f"{count} bands of pixels, but {got}"
            raise ValueError(msg)

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.data.shape[1])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.data.shape[2])

    def reflectance(self) -> Reflectance:
        """Turn digital numbers into reflectance, float32 of shape (C, H, W); 0 where there is no data."""
        scale = np.asarray(self.scales, np.float32)[:, None, None]
        offset = np.asarray(self.offsets, np.float32)[:, None, None]
        return Reflectance(np.where(self.mask, self.data.astype(np.float32) * scale + offset, np.float32(0)))
