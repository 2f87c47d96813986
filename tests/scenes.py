"""Tiny GeoTIFFs for the tests, in any CRS: smooth made-up ground with a bright pit in the middle."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling

from labelling.core.raster import SceneRef, open_raster, transformer, utm_of

METRES_PER_DEGREE = 111_320


def make_scene(
    path: Path,
    *,
    bands: tuple[str, ...] = ("B02", "B03", "B04", "B08"),
    size: int | tuple[int, int] = 64,
    lon: float = -44.6,
    lat: float = -21.07,
    pixel_m: float = 10,
    crs: str = "utm",
    seed: int = 0,
    nodata: float | None = None,
    data: NDArray[Any] | None = None,
    scale: float | None = 0.0001,
    offset: float = 0.0,
    overviews: bool = False,
    tags: Mapping[str, str] | None = None,
    **profile: Any,
) -> Path:
    """Write a GeoTIFF with its upper left corner at (lon, lat).

    ``size`` is a side, or (height, width). ``crs`` is ``utm`` for the zone of the corner, or any other.
    ``data`` of shape (C, H, W) replaces the made-up ground; ``scale=None`` leaves scale and offset unsaid;
    ``profile`` reaches rasterio, such as ``blockxsize`` or ``transform``.
    """
    height, width = (size, size) if isinstance(size, int) else size
    pixels = made_up_ground(len(bands), height, width, seed=seed) if data is None else data
    name = utm_of(lon, lat) if crs == "utm" else crs
    options: dict[str, Any] = {
        "dtype": pixels.dtype,
        "nodata": nodata,
        "crs": name or None,
        "photometric": "MINISBLACK",
        **profile,
    }
    options.setdefault("transform", _corner(name, lon, lat, pixel_m))
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = {"count": pixels.shape[0], "height": pixels.shape[1], "width": pixels.shape[2]}
    with rasterio.open(path, "w", driver="GTiff", **shape, **options) as file:
        file.write(pixels)
        for index, band in enumerate(bands[: pixels.shape[0]], start=1):
            file.set_band_description(index, band)
        if scale is not None:
            file.scales, file.offsets = (scale,) * file.count, (offset,) * file.count
        file.update_tags(**(tags or {}))
        if overviews:
            file.build_overviews([2, 4], Resampling.average)
    return path


def ref_of(path: Path, **changes: Any) -> SceneRef:
    """The scene as a catalogue would know it, from the file's own header."""
    with open_raster(path) as file:
        ref = SceneRef(
            path=str(path),
            crs=file.crs.to_string(),
            transform=tuple(file.transform)[:6],
            width=file.width,
            height=file.height,
            dtype=file.dtypes[0],
            bands=tuple(file.descriptions),
            scales=tuple(file.scales),
            offsets=tuple(file.offsets),
            nodata=file.nodata,
        )
    return replace(ref, **changes)


def made_up_ground(count: int, height: int, width: int, *, seed: int = 0) -> NDArray[np.uint16]:
    """Digital numbers between about 300 and 5 000, different in each band, none of them 0."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    bands = []
    for _ in range(count):
        a, b, c = rng.uniform(1, 6, 3)
        waves = 900 + 300 * np.sin(a * x * 6 + c) + 250 * np.cos(b * y * 6)
        pit = 2500 * (np.hypot(x - x.mean(), y - y.mean()) < 0.15)
        bands.append(waves + pit + rng.normal(0, 25, (height, width)))
    ground: NDArray[np.uint16] = np.clip(np.stack(bands), 300, 9000).astype(np.uint16)
    return ground


def _corner(crs: str, lon: float, lat: float, pixel_m: float) -> Affine:
    if not crs or crs == "EPSG:4326":
        step = pixel_m / METRES_PER_DEGREE
        return Affine(step, 0, lon, 0, -step, lat)
    x, y = transformer("EPSG:4326", crs).transform(lon, lat)
    return Affine(pixel_m, 0, x, 0, -pixel_m, y)
