"""Measure the quality of a whole Sentinel-2 tile: time and memory.

``python -m tests.bench.bench_quality [--side 10980] [--bands 12]`` writes one made-up tile with clouds into a temporary
folder, measures it in a process of its own, and prints one line of JSON.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.windows import Window

from labelling.core.products import BANDS
from labelling.core.quality import measure_quality
from tests.scenes import made_up_ground, ref_of

_STEP = 1024


def write_tile(path: Path, *, side: int, bands: int, date: int = 0) -> None:
    """A tile like those of level 2A: 16-bit numbers, deflated in blocks of 512, a cloud in each fourth window.

    On another date other windows are clouded, and the ground has other noise.
    """
    names = [band for band in BANDS if band != "B10"][:bands]
    profile = {"driver": "GTiff", "dtype": "uint16", "count": bands, "width": side, "height": side, "nodata": 0}
    layout = {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate", "predictor": 2, "zlevel": 1}
    place = {"crs": "EPSG:32723", "transform": Affine(10, 0, 6e5, 0, -10, 7.6e6)}
    clear = made_up_ground(bands, _STEP, _STEP, seed=date)
    cloud = np.clip(clear + 5000, 0, 12_000).astype(np.uint16)
    with rasterio.open(path, "w", BIGTIFF="IF_SAFER", **profile, **layout, **place) as file:
        file.descriptions, file.scales = names, (0.0001,) * bands
        for row in range(0, side, _STEP):
            for column in range(0, side, _STEP):
                height, width = min(_STEP, side - row), min(_STEP, side - column)
                data = cloud if ((row + column) // _STEP + date) % 4 == 0 else clear
                file.write(data[:, :height, :width], window=Window(column, row, width, height))


def measure(path: Path) -> None:
    """Print time, the most memory that this process took, and what was found."""
    started = time.monotonic()
    quality, cells = measure_quality(ref_of(path))
    told = {
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(time.process_time(), 1),
        "most_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "cells": list(cells.values.shape),
        **quality.to_json(),
    }
    sys.stdout.write(json.dumps(told) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=10_980)
    parser.add_argument("--bands", type=int, default=12)
    parser.add_argument("--measure", type=Path)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    with tempfile.TemporaryDirectory(prefix="tile-") as folder:
        path = Path(folder) / "tile.tif"
        write_tile(path, side=options.side, bands=options.bands)
        subprocess.run([sys.executable, "-m", "tests.bench.bench_quality", "--measure", str(path)], check=True)


if __name__ == "__main__":
    main()
