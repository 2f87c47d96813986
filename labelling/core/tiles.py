"""Map tiles and thumbnails read from a scene by rio-tiler."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio import band
from rasterio.crs import CRS
from rasterio.dtypes import in_dtype_range
from rasterio.enums import ColorInterp, Resampling
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT
from rasterio.warp import reproject
from rio_tiler.reader import read

import labelling.core.gdal  # noqa: F401  # before rasterio, so that its drivers are the few we want
from labelling.core.grid import TileAddress
from labelling.core.raster import Pixels, SceneRef, lend_layer, transformer

TILE_SIZE = 256
MERCATOR = CRS.from_epsg(3857)
Bounds = tuple[float, float, float, float]
"""West, south, east, north."""


def read_tile(
    ref: SceneRef, *, tile: TileAddress, bands: tuple[str, ...], roots: tuple[Path, ...] = (), size: int = TILE_SIZE
) -> Pixels:
    """Read a map tile of a scene.

    Args:
        ref: the scene.
        tile: which tile of the web Mercator pyramid.
        bands: names of the bands wanted, in that order.
        roots: the file must lie below one of these folders; empty for any.
        size: side of the tile in pixels.

    Returns:
        Digital numbers in EPSG:3857 of shape (C, size, size), masked where the scene has nothing.

    Raises:
        BadRaster: the scene lacks a band, or the file cannot be read.
    """
    return _read_part(ref, tile.mercator_bounds(), (size, size), bands, roots)


def read_box(
    ref: SceneRef, *, bounds: Bounds, bands: tuple[str, ...], roots: tuple[Path, ...] = (), size: int
) -> Pixels:
    """Read a box of a scene, drawn as a map would draw it.

    Args:
        ref: the scene.
        bounds: west, south, east, north in EPSG:3857, metres.
        bands: names of the bands wanted, in that order.
        roots: the file must lie below one of these folders; empty for any.
        size: the longer side in pixels.

    Returns:
        Digital numbers in EPSG:3857 of shape (C, H, W), masked where the scene has nothing.

    Raises:
        BadRaster: the scene lacks a band, or the file cannot be read.
    """
    across, down = bounds[2] - bounds[0], bounds[3] - bounds[1]
    longer = max(across, down)
    shape = max(1, round(size * down / longer)), max(1, round(size * across / longer))
    return _read_part(ref, bounds, shape, bands, roots)


def _read_part(
    ref: SceneRef, bounds: Bounds, shape: tuple[int, int], bands: tuple[str, ...], roots: tuple[Path, ...]
) -> Pixels:
    height, width = shape
    # rio-tiler would find the grid by a VRT text, whose driver is off; and at the size of the tile GDAL
    # would not look at the overviews: so the grid is a whole multiple of the tile, about as fine as the scene.
    fine = max(1, round((bounds[2] - bounds[0]) / width / _mercator_pixel(ref)))
    grid = {
        "transform": from_bounds(*bounds, width=width * fine, height=height * fine),
        "width": width * fine,
        "height": height * fine,
    }
    data = np.empty((len(bands), height, width), ref.dtype)
    mask = np.ones((height, width), np.bool_)
    for layer in ref.layers(bands):
        with lend_layer(ref, layer, roots=roots) as dataset:
            options = grid | _no_data(ref, dataset)
            warp = _warp_bands if fine == 1 and _is_plain(dataset, options) else _warp_file
            data[list(layer.places)], holes = warp(dataset, layer.indexes, shape, options)
        mask &= ~holes.any(axis=0)
    places = [index - 1 for index in ref.indexes(bands)]
    return Pixels(
        data=data,
        mask=mask,
        crs=MERCATOR.to_string(),
        transform=from_bounds(*bounds, width=width, height=height),
        bands=bands,
        scales=tuple(ref.scales[place] for place in places),
        offsets=tuple(ref.offsets[place] for place in places),
    )


def _is_plain(dataset: Any, options: Mapping[str, Any]) -> bool:
    """Whether a file's holes are told by one value that its pixels can have."""
    has_alpha = ColorInterp.alpha in dataset.colorinterp
    return not has_alpha and "nodata" in options and in_dtype_range(options["nodata"], dataset.dtypes[0])


def _warp_bands(
    dataset: Any, indexes: Sequence[int], shape: tuple[int, int], options: Mapping[str, Any]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Warp a few bands by themselves, from the file's own pixels."""
    nodata = options["nodata"]
    data = np.empty((len(indexes), *shape), dataset.dtypes[0])
    reproject(
        band(dataset, list(indexes)),
        data,
        dst_crs=MERCATOR,
        dst_transform=options["transform"],
        src_nodata=options["src_nodata"],
        dst_nodata=nodata,
        UNIFIED_SRC_NODATA=options["UNIFIED_SRC_NODATA"],
        resampling=Resampling.bilinear,
    )
    return data, np.isnan(data) if math.isnan(nodata) else data == nodata


def _warp_file(
    dataset: Any, indexes: Sequence[int], shape: tuple[int, int], options: Mapping[str, Any]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Warp from the overviews, or with an alpha; GDAL then warps all bands of the file, wanted or not."""
    height, width = shape
    with WarpedVRT(dataset, crs=MERCATOR, resampling=Resampling.bilinear, **options) as map_:
        image = read(map_, indexes=indexes, height=height, width=width, resampling_method="bilinear")
    return image.array.data, np.ma.getmaskarray(image.array)


def _no_data(ref: SceneRef, dataset: Any) -> dict[str, Any]:
    nodata = math.nan if ref.nodata is None and ref.dtype.startswith("float") else ref.nodata
    if nodata is None:
        return {"add_alpha": ColorInterp.alpha not in dataset.colorinterp}
    # Else a band without data would be mixed into its neighbours as if it were dark ground.
    return {"src_nodata": nodata, "nodata": nodata, "UNIFIED_SRC_NODATA": "NO"}


@lru_cache(maxsize=4096)
def _mercator_pixel(ref: SceneRef) -> float:
    """The width of the pixel at the centre of a scene on the map, metres of EPSG:3857."""
    column, row = ref.width / 2, ref.height / 2
    (x0, y0), (x1, y1) = (ref.affine @ place for place in ((column, row), (column + 1, row)))
    (left, right), (low, high) = transformer(ref.crs, "EPSG:3857").transform([x0, x1], [y0, y1])
    return math.hypot(right - left, high - low)
