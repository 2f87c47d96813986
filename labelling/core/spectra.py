"""What a site reflects in each band, against the ground around it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely.geometry.base import BaseGeometry

from labelling.core.chips import ChipGrid
from labelling.core.errors import BadGeometry
from labelling.core.geometry import inner_point
from labelling.core.globe import to_crs
from labelling.core.grid import ground_pixel
from labelling.core.mosaic import cut_filled
from labelling.core.raster import Metres, Pixels, Reflectance, SceneRef, utm_of

WAVELENGTHS_NM: Mapping[str, float] = MappingProxyType(
    {
        "B01": 443, "B02": 490, "B03": 560, "B04": 665, "B05": 705, "B06": 740, "B07": 783,
        "B08": 842, "B8A": 865, "B09": 945, "B10": 1375, "B11": 1610, "B12": 2190,
    }
)  # fmt: skip
"""Nominal centres of the bands of Sentinel-2, nanometres: ESA, Sentinel-2 User Handbook (2015), spectral bands."""
RING_M = (Metres(30.0), Metres(150.0))
"""The ring begins beyond the mixed pixels of the edge and ends before the ground becomes another one."""
DISC_M = Metres(30.0)
"""Radius of the ground that stands for a site of which only a point is known."""
MAX_SIDE = 256
"""Pixels of a side that are read at most; a larger site is read coarser."""


@dataclass(frozen=True)
class BandLevel:
    """Reflectance of one band over some ground, a share of the light that fell in.

    Attributes:
        mean: over all its pixels.
        median: the value in the middle, which a few bright roofs or clouds do not move.
    """

    mean: float
    median: float


@dataclass(frozen=True)
class BandPair:
    """One band inside a site and in the ring around it.

    Attributes:
        band: its name, such as ``B11``.
        wavelength_nm: its centre; None for a band that is not one of Sentinel-2.
        inside: None where the scene has no data inside.
        ring: None where the scene has no data in the ring.
    """

    band: str
    wavelength_nm: float | None
    inside: BandLevel | None
    ring: BandLevel | None

    @property
    def contrast(self) -> float | None:
        """How far the medians are apart, (inside - ring) / (inside + ring), within -1 and 1; None where unknown."""
        if self.inside is None or self.ring is None:
            return None
        inside, ring = max(self.inside.median, 0.0), max(self.ring.median, 0.0)
        return (inside - ring) / (inside + ring) if inside + ring > 0 else None


@dataclass(frozen=True)
class Spectrum:
    """A site against the ground around it, in one scene.

    Attributes:
        bands: by wavelength; bands whose wavelength is not known come last, in the order of the scene.
        inside_px: pixels inside the site that have data.
        ring_px: pixels of the ring that have data.
        pixel_m: ground size of the pixels that were read.
    """

    bands: tuple[BandPair, ...]
    inside_px: int
    ring_px: int
    pixel_m: Metres


def measure_spectrum(
    ref: SceneRef,
    footprint: BaseGeometry,
    *,
    others: Sequence[BaseGeometry] = (),
    fill: Sequence[SceneRef] = (),
    max_side: int = MAX_SIDE,
) -> Spectrum:
    """Measure every band of a scene inside a site and in a ring around it.

    The ring lies 30 to 150 m from the outline and leaves out what belongs to other sites. A pixel counts where
    its centre does; a site too small to hold a centre has the pixels that it touches. Of a point, a disc of
    30 m radius is taken.

    Args:
        ref: the scene.
        footprint: outline of the site, EPSG:4326.
        others: outlines of the sites nearby, EPSG:4326.
        fill: scenes that show the ground which the first does not; then only bands count that all of them have.
        max_side: most pixels along a side that are read.

    Raises:
        BadGeometry: the outline cannot be drawn in metres around its own centre.
        BadRaster: the file cannot be read.
    """
    look = look_at(ref, footprint, others=others, fill=fill, max_side=max_side)
    pixels, inside, ring = look.pixels, look.inside, look.ring
    reflectance = pixels.reflectance()
    levels = zip(pixels.bands, _levels(reflectance, inside), _levels(reflectance, ring), strict=True)
    pairs = [BandPair(band, WAVELENGTHS_NM.get(band), within, around) for band, within, around in levels]
    pairs.sort(key=lambda pair: pair.wavelength_nm or math.inf)
    return Spectrum(tuple(pairs), int(inside.sum()), int(ring.sum()), look.pixel_m)


@dataclass(frozen=True, eq=False)
class Look:
    """The pixels of a site and of the ground around it, in one scene.

    Attributes:
        pixels: on a grid of the site's UTM zone.
        inside: True inside the site where there is data, shape (H, W).
        ring: the same for the ring around it.
        pixel_m: ground size of a pixel.
    """

    pixels: Pixels
    inside: NDArray[np.bool_]
    ring: NDArray[np.bool_]
    pixel_m: Metres


def look_at(
    ref: SceneRef,
    footprint: BaseGeometry,
    *,
    others: Sequence[BaseGeometry] = (),
    fill: Sequence[SceneRef] = (),
    max_side: int = MAX_SIDE,
) -> Look:
    """Read a site and its ring out of a scene; arguments and errors are those of ``measure_spectrum``.

    Raises:
        BadGeometry: the outline cannot be drawn in metres around its own centre.
        BadRaster: the file cannot be read.
    """
    ground = _Ground.around(footprint, others=others)
    grid, pixel_m = _grid_over(ref, ground, max_side)
    pixels = cut_filled(ref, grid, fill=fill)
    inside, ring = _split(ground, grid, pixels)
    return Look(pixels, inside, ring, pixel_m)


@dataclass(frozen=True)
class _Ground:
    """A site and its ring in metres of its UTM zone."""

    crs: str
    site: BaseGeometry
    ring: BaseGeometry

    @classmethod
    def around(cls, footprint: BaseGeometry, *, others: Sequence[BaseGeometry]) -> "_Ground":
        middle = inner_point(footprint)
        crs = utm_of(middle.x, middle.y)
        site = to_crs(footprint, crs)
        if site.is_empty:
            msg = "the outline reaches too far to be measured in one piece"
            raise BadGeometry(msg)
        if footprint.geom_type == "Point":
            site = site.buffer(DISC_M)
        # A metre is a tenth of a pixel, and an outline of 50 000 corners takes seconds to widen.
        plain = shapely.make_valid(shapely.simplify(site, 1.0))
        ring = plain.buffer(RING_M[1]).difference(plain.buffer(RING_M[0]))
        taken = [shapely.make_valid(to_crs(other, crs)) for other in others]
        return cls(crs, site, ring.difference(shapely.union_all(taken)) if taken else ring)


def _grid_over(ref: SceneRef, ground: _Ground, max_side: int) -> tuple[ChipGrid, Metres]:
    """Lay pixels as fine as the scene's over site and ring, or coarser where they would be too many."""
    west, south, east, north = np.asarray(ground.site.bounds) + RING_M[1] * np.array([-1, -1, 1, 1])
    own = min(ground_pixel(crs=ref.crs, transform=ref.affine, width=ref.width, height=ref.height))
    # Sentinel-2's 10 m comes out of the ellipsoid as 9.99 or 10.01: rounded, its own pixels are read as they are.
    pixel = max(round(own, 1), math.ceil(max(east - west, north - south) / (max_side - 1)))
    left, top = math.floor(west / pixel) * pixel, math.ceil(north / pixel) * pixel
    width, height = math.ceil((east - left) / pixel), math.ceil((top - south) / pixel)
    return ChipGrid(ground.crs, Affine(pixel, 0, left, 0, -pixel, top), width, height), Metres(pixel)


def _split(ground: _Ground, grid: ChipGrid, pixels: Pixels) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    inside = _burned(ground.site, grid)
    if not inside.any():
        inside = _burned(ground.site, grid, all_touched=True)
    return inside & pixels.mask, _burned(ground.ring, grid) & ~inside & pixels.mask


def _burned(geometry: BaseGeometry, grid: ChipGrid, **how: Any) -> NDArray[np.bool_]:
    shape = (grid.height, grid.width)
    if geometry.is_empty:
        return np.zeros(shape, np.bool_)
    burned = rasterize([geometry], out_shape=shape, transform=grid.transform, dtype="uint8", **how)
    return np.asarray(burned, np.bool_)


def _levels(reflectance: Reflectance, where: NDArray[np.bool_]) -> list[BandLevel | None]:
    if not where.any():
        return [None] * len(reflectance)
    values = reflectance[:, where].astype(np.float64)
    return [
        BandLevel(float(mean), float(median))
        for mean, median in zip(values.mean(axis=1), np.median(values, axis=1), strict=True)
    ]
