"""What the headers of images say, of one file or of a file a band."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affine import Affine
from rasterio.enums import ColorInterp

from labelling.core.scene_mapping import band_names


@dataclass(frozen=True)
class BandFile:
    """A band that lies in a file of its own.

    Attributes:
        band: its name, such as ``B08``.
        path: absolute path or address of the file.
        asset: key of the STAC asset; empty where it is none.
    """

    band: str
    path: str
    asset: str = ""


@dataclass(frozen=True)
class Headers:
    """What the header of an image, or the headers of its files, say."""

    place: str
    tags: Mapping[str, str]
    grid: Mapping[str, Any]
    dtype: str
    bands: tuple[str, ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    nodata: float | None
    has_overviews: bool
    files: tuple[str, ...] = ()


def read_headers(dataset: Any, *, place: str, tags: Mapping[str, str], bands: tuple[str, ...] | None) -> Headers:
    """Read the header of an image that holds all bands.

    Args:
        dataset: from ``open_raster``.
        place: where it lies.
        tags: that count before its own.
        bands: names that a person gives; None: its own.

    Raises:
        ValueError: no CRS, a turned grid, or bands without names.
    """
    found = dataset.tags() | dict(tags)
    names = _bands_of(dataset, found, bands)
    return Headers(
        place=place,
        tags=found,
        grid=_checked_grid(dataset),
        dtype=dataset.dtypes[0],
        bands=names,
        scales=tuple(dataset.scales[: len(names)]),
        offsets=tuple(dataset.offsets[: len(names)]),
        nodata=dataset.nodata,
        has_overviews=bool(dataset.overviews(1)),
    )


def stack_headers(files: Sequence[BandFile], opened: Sequence[Any], *, place: str, tags: Mapping[str, str]) -> Headers:
    """Read the headers of files that hold a band each; the finest of them gives the grid.

    Args:
        files: at least one.
        opened: the dataset of each, from ``open_raster``.
        place: folder or address that stands for all of them.
        tags: that count before their own.

    Raises:
        ValueError: several bands in a file, different types, a name that stands twice, no CRS, or a turned grid.
    """
    several = next((file.band for file, dataset in zip(files, opened, strict=True) if dataset.count != 1), None)
    if several:
        msg = f"the file of {several} holds several bands"
        raise ValueError(msg)
    if len({dataset.dtypes[0] for dataset in opened}) > 1:
        msg = "its bands have different types"
        raise ValueError(msg)
    if len({file.band for file in files}) < len(files):
        msg = f"two bands have the same name: {', '.join(file.band for file in files)}"
        raise ValueError(msg)
    finest = min(opened, key=lambda dataset: float(dataset.transform.a))
    return Headers(
        place=place,
        tags=finest.tags() | dict(tags),
        grid=_checked_grid(finest),
        dtype=finest.dtypes[0],
        bands=tuple(file.band for file in files),
        scales=tuple(dataset.scales[0] for dataset in opened),
        offsets=tuple(dataset.offsets[0] for dataset in opened),
        nodata=finest.nodata,
        has_overviews=all(dataset.overviews(1) for dataset in opened),
        files=tuple(file.path for file in files),
    )


def _checked_grid(dataset: Any) -> dict[str, Any]:
    if dataset.crs is None:
        msg = "has no CRS: say where it lies with gdal_edit.py -a_srs EPSG:n"
        raise ValueError(msg)
    transform: Affine = dataset.transform
    if transform.is_identity:
        msg = "has no transform from pixels to the ground"
        raise ValueError(msg)
    if transform.b or transform.d or transform.a <= 0 or transform.e >= 0:
        msg = "its grid is turned or mirrored: north must be up, warp it with gdalwarp"
        raise ValueError(msg)
    if not all(math.isfinite(number) for number in transform[:6]):
        msg = "its transform is not finite"
        raise ValueError(msg)
    code = dataset.crs.to_epsg()
    crs = f"EPSG:{code}" if code else dataset.crs.to_wkt()
    return {"crs": crs, "transform": transform, "width": dataset.width, "height": dataset.height}


def _bands_of(dataset: Any, tags: Mapping[str, str], given: tuple[str, ...] | None) -> tuple[str, ...]:
    alphas = [place for place, meaning in enumerate(dataset.colorinterp) if meaning == ColorInterp.alpha]
    count = dataset.count - len(alphas)
    if alphas not in ([], [count]):
        msg = "its alpha band must be the last one"
        raise ValueError(msg)
    names = given or (band_names(tags["BANDS"]) if tags.get("BANDS") else None)
    if names is None:
        described = dataset.descriptions[:count]
        if not all(described):
            msg = f'its {count} bands have no names: give them with --mapping, such as {{"bands": ["B02", ...]}}'
            raise ValueError(msg)
        names = band_names(described)
    if len(names) != count:
        msg = f"it has {count} bands, but {len(names)} are named: {', '.join(names)}"
        raise ValueError(msg)
    if len(set(names)) != count:
        msg = f"two bands have the same name: {', '.join(names)}"
        raise ValueError(msg)
    return names
