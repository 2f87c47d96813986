"""Pixels with their place on the ground, read from files that may be hostile."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NewType

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

import labelling.core.gdal  # noqa: F401  # before rasterio, so that its drivers are the few we want
from labelling.core.errors import BadRaster

Px = NewType("Px", float)
"""A length in pixels."""
Metres = NewType("Metres", float)
"""A length on the ground."""
DigitalNumbers = NewType("DigitalNumbers", np.ndarray[Any, Any])
"""Pixel values as the file holds them."""
Reflectance = NewType("Reflectance", np.ndarray[Any, np.dtype[np.float32]])
"""Pixel values as a share of the light that fell in, float32, mostly 0 to 1."""

MAX_BANDS = 64
MAX_SIDE = 200_000
MAX_PIXELS = 4_000_000_000
MAX_BLOCK_SIDE = 4096
TIFF_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


@dataclass(frozen=True)
class SceneRef:
    """A catalogued scene as the floors without a database know it.

    Attributes:
        path: absolute path of the GeoTIFF.
        crs: ``EPSG:n`` or WKT.
        transform: a, b, c, d, e, f of the affine transform from pixel to CRS.
        bands: band names in the order of the file.
        scales, offsets: reflectance = digital number * scale + offset, one per band.
        nodata: digital number that means "no data", or None.
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


def checked_path(path: str | Path, *, roots: tuple[Path, ...] = ()) -> Path:
    """Make sure that a path is an ordinary TIFF file before GDAL sees it.

    Args:
        path: absolute path of an existing file.
        roots: the file must lie below one of these folders; empty for any.

    Returns:
        The path with symbolic links resolved.

    Raises:
        BadRaster: not absolute, not a file, outside the roots, or not a TIFF by its first bytes.
    """
    text, name = str(path), Path(path).name
    if not text.startswith("/") or text.startswith("/vsi") or any(mark in text for mark in "?<{\x00"):
        msg = "not an absolute path of a file"
        raise BadRaster(msg, file=name)
    real = Path(text).resolve()
    if not real.is_file():
        msg = "no such file"
        raise BadRaster(msg, file=name)
    if roots and not any(real.is_relative_to(root.resolve()) for root in roots):
        msg = "lies outside the folders that imagery may be read from (MAD_SCENE_ROOTS)"
        raise BadRaster(msg, file=name)
    with real.open("rb") as file:
        head = file.read(4)
    if not head:
        msg = "the file is empty"
        raise BadRaster(msg, file=name)
    if head not in TIFF_MAGIC:
        msg = "not a GeoTIFF: its first bytes are not those of a TIFF file"
        raise BadRaster(msg, file=name)
    return real


@contextmanager
def open_raster(path: str | Path, *, roots: tuple[Path, ...] = ()) -> Iterator[Any]:
    """Open a GeoTIFF with the GeoTIFF driver only, after its header was found to be sane.

    Args:
        path: absolute path of an existing file.
        roots: the file must lie below one of these folders; empty for any.

    Yields:
        The open rasterio dataset.

    Raises:
        BadRaster: not a TIFF, truncated, or a header that asks for too much.
    """
    real = checked_path(path, roots=roots)
    try:
        with rasterio.open(str(real), driver="GTiff") as dataset:
            _check_header(dataset, real.name)
            yield dataset
    except rasterio.errors.RasterioIOError as error:
        msg = f"cannot be read, it may be truncated: {error}"
        raise BadRaster(msg, file=real.name) from error


def _check_header(dataset: Any, name: str) -> None:
    blocks = [side for shape in dataset.block_shapes for side in shape]
    faults = {
        f"{dataset.count} bands, at most {MAX_BANDS} are read": dataset.count > MAX_BANDS,
        f"{dataset.width} x {dataset.height} pixels, too many": max(dataset.width, dataset.height) > MAX_SIDE
        or dataset.width * dataset.height > MAX_PIXELS,
        "complex numbers": any(dtype.startswith("complex") for dtype in dataset.dtypes),
        "its bands have different types": len(set(dataset.dtypes)) > 1,
        f"blocks of {max(blocks)} pixels: write it as a tiled GeoTIFF": min(blocks) > MAX_BLOCK_SIDE,
    }
    found = next((fault for fault, is_so in faults.items() if is_so), None)
    if found:
        raise BadRaster(found, file=name)


def read_window(ref: SceneRef, window: Window, *, bands: tuple[str, ...] = (), size: int | None = None) -> Pixels:
    """Read a window of a scene in its own grid; what lies outside the image is masked.

    Args:
        ref: the scene.
        window: columns and rows in pixels of the scene; may reach over its edges.
        bands: names of the bands wanted, in that order; empty for all.
        size: side of the result in pixels, resampled bilinearly; None for the window's own size.

    Returns:
        Pixels of shape (C, size, size), or (C, height, width) of the window.

    Raises:
        BadRaster: the scene lacks a band, or the file cannot be read.
    """
    bands = bands or ref.bands
    indexes = ref.indexes(bands)
    shape = (size, size) if size else (round(window.height), round(window.width))
    with open_raster(ref.path) as dataset:
        options = {"window": window, "out_shape": (len(bands), *shape), "boundless": True, "masked": False}
        data = dataset.read(indexes, fill_value=ref.nodata or 0, resampling=Resampling.bilinear, **options)
        mask = _mask(dataset, data, ref, window, shape)
    step = Affine.translation(window.col_off, window.row_off) * Affine.scale(
        window.width / shape[1], window.height / shape[0]
    )
    return _pixels(ref, bands, data, mask, ref.affine * step)


def _mask(dataset: Any, data: NDArray[Any], ref: SceneRef, window: Window, shape: tuple[int, int]) -> NDArray[np.bool_]:
    columns = window.col_off + (np.arange(shape[1]) + 0.5) * window.width / shape[1]
    rows = window.row_off + (np.arange(shape[0]) + 0.5) * window.height / shape[0]
    inside = ((rows >= 0) & (rows < dataset.height))[:, None] & ((columns >= 0) & (columns < dataset.width))[None, :]
    if ref.nodata is None:
        return np.asarray(inside, np.bool_)
    missing = np.isnan(data) if np.isnan(ref.nodata) else data == ref.nodata
    return np.asarray(inside & ~missing.all(axis=0), np.bool_)


def _pixels(ref: SceneRef, bands: tuple[str, ...], data: Any, mask: NDArray[np.bool_], transform: Affine) -> Pixels:
    places = [ref.bands.index(band) for band in bands]
    scales, offsets = tuple(ref.scales[i] for i in places), tuple(ref.offsets[i] for i in places)
    return Pixels(data, mask, ref.crs, transform, bands, scales, offsets)


def read_grid(
    ref: SceneRef, *, crs: str, transform: Affine, width: int, height: int, bands: tuple[str, ...] = ()
) -> Pixels:
    """Read a scene resampled (bilinearly) onto a grid of another CRS or pixel size.

    Args:
        ref: the scene.
        crs: CRS of the grid, such as ``EPSG:32721``.
        transform: affine transform of the grid, pixel to CRS.
        width: columns of the grid.
        height: rows of the grid.
        bands: names of the bands wanted, in that order; empty for all.

    Returns:
        Pixels of shape (C, height, width); masked where the scene has nothing.

    Raises:
        BadRaster: the scene lacks a band, or the file cannot be read.
    """
    bands = bands or ref.bands
    indexes = ref.indexes(bands)
    with open_raster(ref.path) as dataset:
        options = {"crs": crs, "transform": transform, "width": width, "height": height}
        with WarpedVRT(
            dataset,
            src_crs=ref.crs,
            src_nodata=ref.nodata,
            add_alpha=ref.nodata is None,
            resampling=Resampling.bilinear,
            **options,
        ) as warped:
            data = warped.read(indexes)
            mask = warped.dataset_mask() > 0
    return _pixels(ref, bands, data, np.asarray(mask, np.bool_), transform)


def utm_of(lon: float, lat: float) -> str:
    """Name the UTM zone of a point, or the polar stereographic CRS beyond 84 N and 80 S.

    Args:
        lon: longitude, degrees, EPSG:4326.
        lat: latitude, degrees, EPSG:4326.

    Returns:
        ``EPSG:n`` of a CRS in metres.
    """
    if lat >= 84:
        return "EPSG:32661"
    if lat <= -80:
        return "EPSG:32761"
    zone = int((lon + 180) % 360 // 6) + 1
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def transformer(source: str, target: str) -> Transformer:
    """Make a transformer between CRSs with x (longitude, easting) first on both sides."""
    return Transformer.from_crs(source, target, always_xy=True)
