"""The one way from reflectance to a model's input, for training chips and for detection alike."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelling.core.chips import stretch_to_uint8
from labelling.core.raster import Pixels


@dataclass(frozen=True)
class Preparation:
    """How pixels become the input of a model.

    Attributes:
        bands: band names in the order of the model's channels.
        chip_px: side of a chip, pixels.
        pixel_m: ground size of a chip's pixel, metres.
        low: reflectance that becomes 0, one per band.
        high: reflectance that becomes 255, one per band.
    """

    bands: tuple[str, ...]
    chip_px: int
    pixel_m: float
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse lengths and bounds that do not fit.

        Raises:
            ValueError: no bands, bounds of another number than bands, or high not above low.
        """
        if not self.bands or not len(self.bands) == len(self.low) == len(self.high):
            msg = f"{len(self.bands)} bands need as many low and high bounds, not {len(self.low)} and {len(self.high)}"
            raise ValueError(msg)
        if any(high <= low for low, high in zip(self.low, self.high, strict=True)):
            msg = "each high bound of the stretch must lie above its low bound"
            raise ValueError(msg)

    def to_uint8(self, pixels: Pixels) -> NDArray[np.uint8]:
        """Stretch pixels to the model's input.

        Args:
            pixels: holds at least the bands of this preparation.

        Returns:
            uint8 of shape (H, W, C) with C in the order of ``bands``; 0 where there is no data.

        Raises:
            ValueError: a band is missing.
        """
        order = [pixels.bands.index(band) for band in self.bands]
        return stretch_to_uint8(pixels.reflectance()[order], pixels.mask, self.low, self.high)

    def to_json(self) -> dict[str, Any]:
        """The canonical JSON form, as a model version keeps it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Preparation":
        """Read the canonical JSON form.

        Raises:
            ValueError: a field is missing or does not fit.
        """
        try:
            return cls(
                bands=tuple(data["bands"]),
                chip_px=int(data["chip_px"]),
                pixel_m=float(data["pixel_m"]),
                low=tuple(map(float, data["low"])),
                high=tuple(map(float, data["high"])),
            )
        except KeyError as error:
            msg = f"the preparation lacks {error}"
            raise ValueError(msg) from error
