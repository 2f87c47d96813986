"""Sentinel-2 products as ESA ships them: SAFE folders of level 1C and 2A with a JPEG 2000 file for each band."""

import re
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from labelling.core.companions import Companions
from labelling.core.errors import BadRaster
from labelling.core.headers import BandFile
from labelling.core.products import BANDS, GRANULE, NAMES, read_product, read_sun
from labelling.core.scenes import Said

MAX_FILES = 2000
"""A product has about 150."""
_IMAGE = re.compile(r"T\d{2}[A-Z]{3}_\d{8}T\d{6}_(?P<kind>[A-Z0-9]{3})(?:_(?P<pixel>[126]0)m)?\.jp2")
_CLOUD = re.compile(r"MSK_(?P<kind>CLDPRB)_(?P<pixel>[26]0)m\.jp2")


@dataclass(frozen=True)
class SafeProduct:
    """What is in a SAFE folder.

    Attributes:
        bands: each band at its finest pixel size, in the order of the spectrum.
        said: what the product says beside its images.
    """

    bands: tuple[BandFile, ...]
    said: Said


def is_safe(path: Path) -> bool:
    """Whether a path is a SAFE folder, by its name or by the XML and the granules in it."""
    by_files = (path / "GRANULE").is_dir() and any((path / name).is_file() for name in NAMES)
    return path.is_dir() and (path.suffix.upper() == ".SAFE" or by_files)


def read_safe(folder: Path) -> SafeProduct:
    """Find the bands of a SAFE folder.

    Args:
        folder: that ``is_safe``.

    Raises:
        BadRaster: it has no XML or no bands, or several tiles, as products before 2016 have.
        BadInput: its XML cannot be read.
    """
    xml = next((folder / name for name in NAMES if (folder / name).is_file()), None)
    if xml is None:
        msg = f"a SAFE folder without {' or '.join(NAMES)}: it was not unpacked whole, or is of another mission"
        raise BadRaster(msg, file=folder.name)
    product = read_product(xml)
    granules = [path for path in islice(folder.glob("GRANULE/*"), MAX_FILES) if path.is_dir()]
    if len(granules) != 1:
        msg = f"it holds {len(granules)} granules; products with one are read"
        raise BadRaster(msg, file=folder.name)
    images = _finest(granules[0] / "IMG_DATA", _IMAGE)
    bands = tuple(BandFile(band, str(images[band])) for band in BANDS if band in images)
    if not bands:
        msg = "no band in GRANULE/*/IMG_DATA: it was not unpacked whole"
        raise BadRaster(msg, file=folder.name)
    cloud = _finest(granules[0] / "QI_DATA", _CLOUD).get("CLDPRB", "")
    companions = Companions(scl=str(images.get("SCL", "")), cloud_probability=str(cloud))
    sun = read_sun(granules[0] / GRANULE) if (granules[0] / GRANULE).is_file() else None
    return SafeProduct(bands, Said({"PRODUCT": product.uri}, product, companions=companions, sun=sun))


def _finest(folder: Path, pattern: re.Pattern[str]) -> dict[str, Path]:
    """Of each kind of image the one with the smallest pixels."""
    found: dict[str, tuple[int, Path]] = {}
    for path in islice(chain(folder.glob("*.jp2"), folder.glob("R[126]0m/*.jp2")), MAX_FILES):
        match = pattern.fullmatch(path.name)
        if match:
            pixel = int(match["pixel"] or 0)
            if match["kind"] not in found or pixel < found[match["kind"]][0]:
                found[match["kind"]] = (pixel, path)
    return {kind: path for kind, (_, path) in found.items()}
