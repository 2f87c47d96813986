"""SAFE folders of Sentinel-2 as ESA ships them, small: the real XML of a product over made-up JPEG 2000 bands."""

import shutil
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

TILE, SENSED = "T29UNU", "20221005T115411"
NAME = "S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE"
PIXELS = {
    10: ("B02", "B03", "B04", "B08"),
    20: ("B05", "B06", "B07", "B8A", "B11", "B12"),
    60: ("B01", "B09"),
}
"""Native pixel sizes, metres; level 1C adds B10."""
SIDE_M = 2400
CORNER = (499_980.0, 5_900_020.0)


def make_safe(folder: Path, *, xml: Path, level: str = "L2A") -> dict[str, NDArray[np.uint16]]:
    """Write a product and give the pixels of each band in its native size.

    ``xml`` is the folder that holds the product's real ``MTD_MSIL2A.xml`` and ``MTD_TL.xml``. Level 1C is made from
    the same by what is different in it. Level 2A holds coarser copies of finer bands too, as ESA's does.
    """
    granule = folder / "GRANULE" / f"{level}_{TILE}_A038058_20221005T115407"
    (granule / "QI_DATA").mkdir(parents=True)
    said = (xml / "MTD_MSIL2A.xml").read_text()
    if level == "L1C":
        for old, new in (("Level-2A", "Level-1C"), ("BOA_", "RADIO_"), ("MSIL2A", "MSIL1C"), ("S2MSI2A", "S2MSI1C")):
            said = said.replace(old, new)
        said = said.replace("RADIO_QUANTIFICATION_VALUE", "QUANTIFICATION_VALUE")
    (folder / f"MTD_MSI{level}.xml").write_text(said)
    shutil.copy(xml / "MTD_TL.xml", granule / "MTD_TL.xml")
    rng, bands = np.random.default_rng(1), dict[str, NDArray[np.uint16]]()
    for pixel, names in PIXELS.items():
        for band in (*names, *(("B10",) if level == "L1C" and pixel == 60 else ())):
            side = SIDE_M // pixel
            bands[band] = rng.integers(1100, 4000, (side, side)).astype(np.uint16)
            _write_band(granule / "IMG_DATA", band, pixel, level, bands[band])
            for coarser in (one for one in PIXELS if one > pixel and level == "L2A"):
                step = coarser // pixel
                _write_band(granule / "IMG_DATA", band, coarser, level, bands[band][::step, ::step])
    if level == "L2A":
        scl = np.full((SIDE_M // 20, SIDE_M // 20), 4, np.uint8)
        write_jp2(granule / "IMG_DATA" / "R20m" / f"{TILE}_{SENSED}_SCL_20m.jp2", scl, 20)
        write_jp2(granule / "QI_DATA" / "MSK_CLDPRB_20m.jp2", scl * 0, 20)
        write_jp2(granule / "QI_DATA" / "MSK_CLDPRB_60m.jp2", scl[::3, ::3] * 0, 60)
        write_jp2(granule / "IMG_DATA" / "R10m" / f"{TILE}_{SENSED}_TCI_10m.jp2", np.zeros((240, 240), np.uint8), 10)
    return bands


def _write_band(images: Path, band: str, pixel: int, level: str, data: NDArray[np.uint16]) -> None:
    place = images if level == "L1C" else images / f"R{pixel}m"
    ending = "" if level == "L1C" else f"_{pixel}m"
    write_jp2(place / f"{TILE}_{SENSED}_{band}{ending}.jp2", data, pixel)


def write_jp2(path: Path, data: NDArray[np.generic], pixel: int) -> None:
    """Write a lossless JPEG 2000 as ESA's processor does: tiled, with its place on the ground."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = {"height": data.shape[0], "width": data.shape[1], "count": 1, "dtype": data.dtype}
    place = {"crs": "EPSG:32629", "transform": Affine(pixel, 0, CORNER[0], 0, -pixel, CORNER[1])}
    options = {"QUALITY": "100", "REVERSIBLE": "YES", "blockxsize": 128, "blockysize": 128}
    with rasterio.open(path, "w", driver="JP2OpenJPEG", **shape, **place, **options) as file:
        file.write(data, 1)
