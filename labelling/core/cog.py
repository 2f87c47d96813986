"""Cloud-optimised copies: tiled, compressed, with overviews, so that a low zoom reads little.

``python -m labelling.core.cog`` writes one in a process of its own, from a JSON spec on stdin.
"""

from pathlib import Path
from typing import Any

from rasterio.errors import RasterioError
from rio_cogeo.cogeo import cog_translate
from rio_cogeo.profiles import DEFLATEProfile

import labelling.core.gdal  # noqa: F401  # before rasterio, so that its drivers are the few we want
from labelling.core.blobs import atomic_path
from labelling.core.child import Emit, child_main
from labelling.core.errors import BadRaster
from labelling.core.raster import open_raster


def write_cog(source: Path, target: Path, *, nodata: float | None) -> None:
    """Copy a GeoTIFF as a cloud-optimised one, in the same grid and with the same numbers.

    Args:
        source: a checked GeoTIFF.
        target: where the copy shall appear, whole or not at all.
        nodata: digital number that means "no data", or None.

    Raises:
        BadRaster: the source cannot be read, or the copy not be written.
    """
    with open_raster(source) as dataset, atomic_path(target) as temporary:
        predictor = 3 if dataset.dtypes[0].startswith("float") else 2
        # Blocks of the size of a map tile: a tile then unpacks little that it does not show.
        blocks = {"blockxsize": 256, "blockysize": 256}
        profile = {**DEFLATEProfile(), **blocks, "predictor": predictor, "bigtiff": "IF_SAFER"}
        try:
            cog_translate(
                dataset,
                str(temporary),
                profile,
                nodata=nodata,
                in_memory=False,
                overview_resampling="average",
                forward_band_tags=True,
                quiet=True,
            )
        except RasterioError as error:
            msg = f"its cloud-optimised copy could not be written: {error}"
            raise BadRaster(msg, file=source.name) from error


def _write(spec: dict[str, Any], emit: Emit) -> None:
    emit({"event": "progress", "phase": "writing a cloud-optimised copy", "progress": 0.0})
    write_cog(Path(spec["source"]), Path(spec["target"]), nodata=spec["nodata"])


if __name__ == "__main__":
    child_main(_write, expected=BadRaster)
