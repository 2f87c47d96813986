"""Cloud-optimised copies: tiled, compressed, with overviews, so that a low zoom reads little.

``python -m labelling.core.cog`` writes one in a process of its own, from a JSON spec on stdin.
"""

from pathlib import Path
from typing import Any

import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window
from rio_cogeo.cogeo import cog_translate
from rio_cogeo.profiles import DEFLATEProfile

import labelling.core.gdal  # noqa: F401  # before rasterio, so that its drivers are the few we want
from labelling.core.blobs import atomic_path, scratch_folder
from labelling.core.child import Emit, child_main
from labelling.core.errors import BadRaster
from labelling.core.raster import SceneRef, open_raster, read_window

_BLOCKS = {"blockxsize": 256, "blockysize": 256}
# Each band in blocks of its own: what is compressed together later would be unpacked for every band here.
SCRATCH = {"tiled": True, **_BLOCKS, "interleave": "band", "compress": "lzw", "bigtiff": "IF_SAFER"}
"""How a file is written that is to become a cloud-optimised one."""
_ROWS = 1024


def write_cog(ref: SceneRef, target: Path) -> None:
    """Copy a scene as one cloud-optimised file, in its grid and with the same numbers.

    Args:
        ref: a checked scene: a file, or several, which are put together on its grid.
        target: where the copy shall appear, whole or not at all.

    Raises:
        BadRaster: the scene cannot be read, or the copy not be written.
    """
    # A folder, since rio-cogeo leaves a large file of its own beside the copy where it is killed.
    with scratch_folder(target) as folder, atomic_path(target) as temporary:
        copy, stacked = folder / "copy.tif", folder / "stacked.tif"
        try:
            if ref.files:
                _stack(ref, str(stacked))
            with open_raster(stacked if ref.files else ref.path) as dataset:
                _translate(dataset, copy, ref.nodata)
            copy.replace(temporary)
        except RasterioError as error:
            msg = f"its cloud-optimised copy could not be written: {error}"
            raise BadRaster(msg, file=Path(ref.path).name) from error


def _translate(dataset: Any, target: Path, nodata: float | None) -> None:
    predictor = 3 if dataset.dtypes[0].startswith("float") else 2
    # Blocks of the size of a map tile: a tile then unpacks little that it does not show.
    profile = {**DEFLATEProfile(), **_BLOCKS, "predictor": predictor, "bigtiff": "IF_SAFER"}
    cog_translate(
        dataset,
        str(target),
        profile,
        nodata=nodata,
        in_memory=False,
        overview_resampling="average",
        forward_band_tags=True,
        quiet=True,
    )


def _stack(ref: SceneRef, path: str) -> None:
    """Put the files of a scene together, some rows at a time."""
    shape = {"width": ref.width, "height": ref.height, "count": len(ref.bands), "dtype": ref.dtype}
    place = {"crs": ref.crs, "transform": ref.affine, "nodata": ref.nodata}
    with rasterio.open(path, "w", driver="GTiff", **shape, **SCRATCH, **place) as file:
        for index, band in enumerate(ref.bands, start=1):
            file.set_band_description(index, band)
            for top in range(0, ref.height, _ROWS):
                window = Window(0, top, ref.width, min(_ROWS, ref.height - top))
                file.write(read_window(ref, window, bands=(band,)).data[0], index, window=window)
        file.scales, file.offsets = ref.scales, ref.offsets


def _write(spec: dict[str, Any], emit: Emit) -> None:
    emit({"event": "progress", "phase": "writing a cloud-optimised copy", "progress": 0.0})
    write_cog(SceneRef.from_json(spec["ref"]), Path(spec["target"]))


if __name__ == "__main__":
    child_main(_write, expected=BadRaster)
