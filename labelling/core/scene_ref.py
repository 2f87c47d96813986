"""A scene as the floors without a database know it: where its files lie and what their numbers mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affine import Affine

from labelling.core.errors import BadRaster


@dataclass(frozen=True)
class Layer:
    """Bands that lie in one file.

    Attributes:
        path: of the file.
        indexes: 1-based, in the file.
        places: of the same bands among those that were asked for, from 0.
    """

    path: str
    indexes: tuple[int, ...]
    places: tuple[int, ...]


@dataclass(frozen=True)
class SceneRef:
    """A catalogued scene as the floors without a database know it.

    Attributes:
        path: absolute path of the GeoTIFF, ``https://...`` or ``s3://bucket/key``; of a scene in several files the
            folder or address that stands for all of them.
        crs: ``EPSG:n`` or WKT.
        transform: a, b, c, d, e, f of the affine transform from pixel to CRS.
        bands: band names in the order of the file.
        scales, offsets: reflectance = digital number * scale + offset, one per band.
        nodata: digital number that means "no data", or None.
        files: one a band where each band lies in a file of its own, as in a Sentinel-2 SAFE folder: the same ground,
            maybe in larger pixels, which are read on the grid of the scene; or one that holds all bands; empty where
            that is ``path`` itself.
        scl: its scene classification: a raster of its own, on any grid; empty where it has none.
        cloud_probability: likewise, 0 to 100.
    """

    path: str
    crs: str
    transform: tuple[float, ...]
    width: int
    height: int
    dtype: str
    bands: tuple[str, ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    nodata: float | None
    files: tuple[str, ...] = ()
    scl: str = ""
    cloud_probability: str = ""

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "SceneRef":
        """The scene whose ``asdict`` became JSON."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in said.items()
        }
        return cls(**values)

    @property
    def affine(self) -> Affine:
        """The affine transform from pixel (column, row) to CRS (x, y)."""
        return Affine(*self.transform)

    def indexes(self, bands: tuple[str, ...]) -> tuple[int, ...]:
        """Find the 1-based indexes of bands.

        Raises:
            BadRaster: the scene lacks one of them.
        """
        missing = [band for band in bands if band not in self.bands]
        if missing:
            msg = f"no band {', '.join(missing)}; the scene has {', '.join(self.bands)}"
            raise BadRaster(msg, file=Path(self.path).name)
        return tuple(self.bands.index(band) + 1 for band in bands)

    def layers(self, bands: tuple[str, ...]) -> tuple[Layer, ...]:
        """Find the files that hold bands.

        Raises:
            BadRaster: the scene lacks one of them.
        """
        indexes = self.indexes(bands)
        if len(self.files) < 2:
            return (Layer(self.files[0] if self.files else self.path, indexes, tuple(range(len(bands)))),)
        return tuple(Layer(self.files[index - 1], (1,), (place,)) for place, index in enumerate(indexes))
