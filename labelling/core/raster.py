"""Pixels read with their place on the ground, from files that may be hostile."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

import labelling.core.gdal  # noqa: F401  # before rasterio, so that its drivers are the few we want
from labelling.core.enlarging import enlarge
from labelling.core.errors import BadRaster
from labelling.core.geotiff import check_source, checked_path, lend_raster, open_raster
from labelling.core.pixels import DigitalNumbers, Metres, Pixels, Px, Reflectance
from labelling.core.scene_ref import Layer, SceneRef

__all__ = [
    "DigitalNumbers",
    "Layer",
    "Metres",
    "Pixels",
    "Px",
    "Reflectance",
    "SceneRef",
    "check_source",
    "checked_path",
    "covers_same_ground",
    "lend_layer",
    "lend_raster",
    "open_raster",
    "read_grid",
    "read_window",
    "transformer",
    "utm_of",
]

_AROUND = 2
"""Pixels around a window of a coarser file that count for its edge."""


def read_window(ref: SceneRef, window: Window, *, bands: tuple[str, ...] = (), size: int | None = None) -> Pixels:
    """Read a window of a scene in its own grid; what lies outside the image is masked.

    Args:
        ref: the scene.
        window: columns and rows in pixels of the scene; may reach over its edges.
        bands: names of the bands wanted, in that order; empty for all.
        size: side of the result in pixels, resampled bilinearly; None for the window's own size.

    Returns:
        Pixels of shape (C, size, size), or (C, height, width) of the window. A pixel is masked where one of
        the bands has no data, and where it is not wholly inside the image.

    Raises:
        BadRaster: the scene lacks a band, or the file cannot be read or is another one than was catalogued.
    """
    bands = bands or ref.bands
    layers = ref.layers(bands)
    height, width = (size, size) if size else (round(window.height), round(window.width))
    rows = _inside(window.row_off, window.height, height, ref.height)
    columns = _inside(window.col_off, window.width, width, ref.width)
    data = np.full((len(bands), height, width), ref.nodata or 0, ref.dtype)
    mask = np.zeros((height, width), np.bool_)
    y, x = window.height / height, window.width / width
    if rows.start < rows.stop and columns.start < columns.stop:
        part = Window(
            window.col_off + columns.start * x,
            window.row_off + rows.start * y,
            (columns.stop - columns.start) * x,
            (rows.stop - rows.start) * y,
        )
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        mask[rows, columns] = True
        for layer in layers:
            with lend_layer(ref, layer) as dataset, _with_nodata(dataset, ref.nodata) as source:
                data[list(layer.places), rows, columns] = _read_part(source, ref, layer.indexes, part, shape)
                if ref.nodata is None and _has_own_mask(dataset):
                    own = _own_window(dataset, ref, part)
                    mask[rows, columns] &= source.dataset_mask(window=own, out_shape=shape) > 0
        mask[rows, columns] &= _valid(data[:, rows, columns], ref.nodata)
    step = Affine.translation(window.col_off, window.row_off) @ Affine.scale(x, y)
    return _pixels(ref, bands, data, mask, ref.affine @ step)


def _inside(start: float, length: float, count: int, end: int) -> slice:
    """Which of ``count`` equal parts of [start, start + length) lie wholly within [0, end)."""
    step = length / count
    first = max(0, math.ceil(-start / step - 1e-6))
    last = min(count, math.floor((end - start) / step + 1e-6))
    return slice(first, max(first, last))


@contextmanager
def lend_layer(ref: SceneRef, layer: Layer, *, roots: tuple[Path, ...] = ()) -> Iterator[Any]:
    """Lend the open file of some bands of a scene.

    Args:
        ref: the scene.
        layer: one of ``ref.layers(...)``.
        roots: a file of this machine must lie below one of these folders; empty for any.

    Yields:
        The open rasterio dataset; it is not to be closed nor handed to another thread.

    Raises:
        BadRaster: the file cannot be read or is another one than was catalogued.
    """
    with lend_raster(layer.path, roots=roots) as dataset:
        is_whole = (dataset.width, dataset.height) == (ref.width, ref.height) and dataset.count >= len(ref.bands)
        if not (covers_same_ground(dataset, ref) if ref.files else is_whole):
            msg = "is another file than the one that was catalogued: import it again"
            raise BadRaster(msg, file=Path(layer.path).name)
        yield dataset


def covers_same_ground(dataset: Any, ref: SceneRef) -> bool:
    """Whether a file has the corners of a scene, whatever the size of its pixels; to a tenth of the scene's pixel."""
    corners = [ref.affine @ (0, 0), ref.affine @ (ref.width, ref.height)]
    own = [dataset.transform @ (0, 0), dataset.transform @ (dataset.width, dataset.height)]
    return bool(np.allclose(corners, own, rtol=0, atol=0.1 * ref.affine.a))


def _read_part(source: Any, ref: SceneRef, indexes: tuple[int, ...], part: Window, shape: tuple[int, int]) -> Any:
    """Read a window of a scene from one of its files, of shape (bands, *shape).

    Of a file in larger pixels whole ones are read and some around them, and cut after they were enlarged: so a pixel
    of the scene is the same in whatever window it is read, as it is not where GDAL resamples parts of pixels.
    """
    coarse = ref.width // source.width
    is_whole = (coarse * source.width, coarse * source.height) == (ref.width, ref.height)
    if coarse < 2 or not is_whole or (part.height, part.width) != shape:
        own = _own_window(source, ref, part)
        return source.read(indexes, out_shape=(len(indexes), *shape), window=own, resampling=Resampling.bilinear)
    top, left = (max(0, int(start // coarse) - _AROUND) for start in (part.row_off, part.col_off))
    low = min(source.height, math.ceil((part.row_off + part.height) / coarse) + _AROUND)
    right = min(source.width, math.ceil((part.col_off + part.width) / coarse) + _AROUND)
    read = source.read(indexes, window=Window(left, top, right - left, low - top))
    read = enlarge(read, factor=coarse, nodata=ref.nodata)
    row, column = round(part.row_off) - top * coarse, round(part.col_off) - left * coarse
    return read[:, row : row + shape[0], column : column + shape[1]]


def _own_window(dataset: Any, ref: SceneRef, window: Window) -> Window:
    """A window of a scene in the pixels of one of its files."""
    x, y = dataset.width / ref.width, dataset.height / ref.height
    return Window(window.col_off * x, window.row_off * y, window.width * x, window.height * y)


@contextmanager
def _with_nodata(dataset: Any, nodata: float | None) -> Iterator[Any]:
    """The dataset with the catalogue's nodata, which the file itself may not know."""
    if nodata is None or _same(dataset.nodata, nodata):
        yield dataset
        return
    with WarpedVRT(dataset, src_nodata=nodata, nodata=nodata) as renamed:
        yield renamed


def _same(first: float | None, second: float | None) -> bool:
    return first == second or (first is not None and second is not None and np.isnan(first) and np.isnan(second))


def _valid(data: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    """True where every band has data: neither nodata nor NaN; (C, H, W) to (H, W)."""
    valid = np.ones(data.shape[1:], np.bool_)
    if np.issubdtype(data.dtype, np.floating):
        valid &= ~np.isnan(data).any(axis=0)
    if nodata is not None and not np.isnan(nodata):
        valid &= (data != nodata).all(axis=0)
    return valid


def _has_own_mask(dataset: Any) -> bool:
    return any(MaskFlags.per_dataset in flags for flags in dataset.mask_flag_enums)


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
        Pixels of shape (C, height, width) in the grid's CRS; masked where the scene has nothing.

    Raises:
        BadRaster: the scene lacks a band, or the file cannot be read or is another one than was catalogued.
    """
    bands = bands or ref.bands
    options = {"crs": crs, "transform": transform, "width": width, "height": height, "src_crs": ref.crs}
    if ref.nodata is not None:
        # Else a band without data would be mixed into its neighbours as if it were dark ground.
        options |= {"src_nodata": ref.nodata, "nodata": ref.nodata, "UNIFIED_SRC_NODATA": "NO"}
    data = np.empty((len(bands), height, width), ref.dtype)
    mask = np.ones((height, width), np.bool_)
    for layer in ref.layers(bands):
        with lend_layer(ref, layer) as dataset:
            add_alpha = ref.nodata is None and ColorInterp.alpha not in dataset.colorinterp
            with WarpedVRT(dataset, add_alpha=add_alpha, resampling=Resampling.bilinear, **options) as warped:
                # The mask of a warped dataset forgets its alpha unless there are two or four bands: read it as a band.
                by_alpha = warped.colorinterp[-1] == ColorInterp.alpha
                read = warped.read([*layer.indexes, warped.count] if by_alpha else layer.indexes)
        data[list(layer.places)] = read[: len(layer.indexes)]
        if by_alpha:
            mask &= read[-1] > 0
    mask &= _valid(data, ref.nodata)
    return replace(_pixels(ref, bands, data, mask, transform), crs=crs)


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
    zone = min(int((lon + 180) % 360 // 6), 59) + 1
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


@lru_cache(maxsize=256)
def transformer(source: str, target: str) -> Transformer:
    """Make a transformer between CRSs with x (longitude, easting) first on both sides."""
    return Transformer.from_crs(source, target, always_xy=True)
