"""Chips: square pieces of imagery in a local metric grid, with what is labelled on them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from shapely.affinity import affine_transform
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from labelling.core.globe import outline_to_lonlat, to_crs
from labelling.core.raster import Pixels, SceneRef, read_grid, transformer, utm_of

RGB = 3


class Grid(Protocol):
    """Anything with a CRS, an affine transform and a size in pixels: a chip's grid, or its pixels."""

    @property
    def crs(self) -> str: ...
    @property
    def transform(self) -> Affine: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


@dataclass(frozen=True)
class ChipGrid:
    """Where the pixels of a chip lie.

    Attributes:
        crs: ``EPSG:n`` of the local UTM zone.
        transform: affine transform from pixel (column, row) to CRS (x, y).
        width, height: pixels.
    """

    crs: str
    transform: Affine
    width: int
    height: int

    def footprint(self) -> BaseGeometry:
        """The ground of the chip, EPSG:4326, split at the antimeridian."""
        corners = box(0, 0, self.width, self.height)
        return outline_to_lonlat(affine_transform(corners, self.transform.to_shapely()), self.crs)


def chip_grid(*, lon: float, lat: float, side_px: int, pixel_m: float) -> ChipGrid:
    """Lay a square grid around a place in its UTM zone.

    The corner is a whole number of pixels from the zone's origin, so that a scene on that grid already
    (Sentinel-2 at its own pixel size) is copied, not resampled.

    Args:
        lon: longitude of the middle, degrees, EPSG:4326.
        lat: latitude of the middle, degrees, EPSG:4326.
        side_px: side, pixels.
        pixel_m: ground size of a pixel, metres.
    """
    crs = utm_of(lon, lat)
    x, y = transformer("EPSG:4326", crs).transform(lon, lat)
    column, row = round(x / pixel_m - side_px / 2), round(y / pixel_m + side_px / 2)
    transform = Affine(pixel_m, 0, column * pixel_m, 0, -pixel_m, row * pixel_m)
    return ChipGrid(crs, transform, side_px, side_px)


def cut_chip(
    ref: SceneRef, *, lon: float, lat: float, side_px: int, pixel_m: float, bands: tuple[str, ...] = ()
) -> Pixels:
    """Cut a chip out of a scene around a place.

    Args:
        ref: the scene.
        lon: longitude of the middle, degrees, EPSG:4326.
        lat: latitude of the middle, degrees, EPSG:4326.
        side_px: side, pixels.
        pixel_m: ground size of a pixel, metres.
        bands: names of the bands wanted, in that order; empty for all.

    Returns:
        Pixels of shape (C, side_px, side_px) on the grid of ``chip_grid``; masked where the scene has nothing.

    Raises:
        BadRaster: the scene lacks a band, or the file cannot be read.
    """
    return cut_grid(ref, chip_grid(lon=lon, lat=lat, side_px=side_px, pixel_m=pixel_m), bands=bands)


def cut_grid(ref: SceneRef, grid: Grid, *, bands: tuple[str, ...] = ()) -> Pixels:
    """Cut the chip of a grid out of a scene; otherwise as ``cut_chip``.

    Raises:
        BadRaster: the scene lacks a band, or the file cannot be read.
    """
    return read_grid(ref, crs=grid.crs, transform=grid.transform, width=grid.width, height=grid.height, bands=bands)


def geometry_in_chip(geometry: BaseGeometry, grid: Grid) -> BaseGeometry:
    """Bring a geometry onto a chip.

    Args:
        geometry: EPSG:4326.
        grid: the chip.

    Returns:
        What of it lies on the chip, in pixels (column, row from the upper left corner); empty where nothing
        does. A polygon stays polygonal: an edge that only touches the chip is dropped.
    """
    on_ground = to_crs(geometry, grid.crs)
    in_pixels = affine_transform(on_ground, (~grid.transform).to_shapely()) if not on_ground.is_empty else on_ground
    if not in_pixels.is_valid:  # a hair's breadth between two corners can close in another CRS
        in_pixels = shapely.make_valid(in_pixels, method="structure", keep_collapsed=False)
    return _of_dimension(shapely.intersection(in_pixels, box(0, 0, grid.width, grid.height)), in_pixels)


def _of_dimension(clipped: BaseGeometry, whole: BaseGeometry) -> BaseGeometry:
    parts = shapely.get_parts(clipped)
    kept = parts[shapely.get_dimensions(parts) == shapely.get_dimensions(whole)]
    return clipped if len(kept) == len(parts) else shapely.union_all(kept)


def stretch_to_uint8(
    reflectance: NDArray[np.float32], mask: NDArray[np.bool_], low: tuple[float, ...], high: tuple[float, ...]
) -> NDArray[np.uint8]:
    """Stretch reflectance to bytes, band by band.

    Args:
        reflectance: float32 of shape (C, H, W).
        mask: True where there is data, shape (H, W).
        low: reflectance that becomes 0, one per band.
        high: reflectance that becomes 255, one per band.

    Returns:
        uint8 of shape (H, W, C); 0 where there is no data.
    """
    floor = np.asarray(low, np.float32)[:, None, None]
    share = (reflectance - floor) / (np.asarray(high, np.float32)[:, None, None] - floor)
    stretched = np.where(mask, np.clip(share, 0, 1) * 255 + 0.5, 0)
    return np.ascontiguousarray(stretched.astype(np.uint8).transpose(1, 2, 0))


def chip_suffix(channels: int) -> str:
    """The kind of file that holds so many channels: ``.png`` for three, else ``.tiff``."""
    return ".png" if channels == RGB else ".tiff"


def write_chip(image: NDArray[np.uint8], path: Path) -> None:
    """Write a chip as a file that detectors read: PNG for three channels, else a TIFF with a page per channel.

    Args:
        image: uint8 of shape (H, W, C), channels in the order of the bands (red first for an RGB chip).
        path: ends as ``chip_suffix`` says.

    Raises:
        ValueError: another dtype, shape or suffix.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or path.suffix != chip_suffix(image.shape[2]):
        msg = f"a chip is uint8 of shape (H, W, C) in a .png of 3 or a .tiff of C, not {image.shape} in {path.name}"
        raise ValueError(msg)
    if image.shape[2] == RGB:
        Image.fromarray(image).save(path, optimize=False)
        return
    first, *others = (Image.fromarray(np.ascontiguousarray(image[:, :, index])) for index in range(image.shape[2]))
    options: dict[str, Any] = {"save_all": True, "append_images": others} if others else {}
    first.save(path, compression="tiff_adobe_deflate", **options)


def yolo_line(
    class_index: int, geometry_px: BaseGeometry, side_px: int, kind: Literal["detect", "segment"] = "detect"
) -> str:
    """Say where a label lies on a chip, as YOLO reads it.

    Args:
        class_index: place of its type among the classes, from 0.
        geometry_px: polygon on the chip, pixels, as ``geometry_in_chip`` gives it.
        side_px: side of the chip, pixels.
        kind: ``detect`` for class, middle x, middle y, width, height; ``segment`` for class and the outer ring
            of the largest part; all as shares of the side.

    Raises:
        ValueError: the geometry has no area.
    """
    if geometry_px.area <= 0:
        msg = "a label without an area has no box: leave it out"
        raise ValueError(msg)
    if kind == "segment":
        largest = max(shapely.get_parts(geometry_px), key=lambda part: float(part.area))
        numbers = (np.asarray(largest.exterior.coords)[:-1] / side_px).ravel()
    else:
        x0, y0, x1, y1 = geometry_px.bounds
        numbers = np.asarray([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]) / side_px
    return " ".join([str(class_index), *(f"{min(max(number, 0.0), 1.0):.7f}" for number in numbers)])
