"""Make a composite of whole Sentinel-2 tiles: time and memory, from the pixels to the cloud-optimised file.

``python -m tests.bench.bench_composite [--side 10980] [--bands 12] [--dates 3] [--method median]`` writes made-up tiles
with clouds into a temporary folder (a tile of full size takes 2.5 GB there, and the composite as much again three
times), makes the composite in a process of its own, measures its quality in another, and prints one line of JSON each.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

from rio_cogeo.cogeo import cog_validate

from labelling.core.composite import METHODS
from labelling.core.composite_file import spec_of
from labelling.core.raster import open_raster
from tests.bench.bench_quality import write_tile
from tests.scenes import ref_of


def make(tiles: list[Path], target: Path, *, method: str) -> None:
    """Make the composite, show how far it is, and print time and the most memory that its process took."""
    refs = [ref_of(tile) for tile in tiles]
    spec = spec_of(refs, method=method, area=None, target=target, provenance={"scenes": [{} for _ in refs]}, tags={})
    started = time.monotonic()
    command = [sys.executable, "-m", "labelling.core.composite_file"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(spec).encode())
        child.stdin.close()
        for line in child.stdout:
            event = json.loads(line)
            if event["event"] == "share":
                sys.stderr.write(f"\r{event['done']:.1%}")
    sys.stderr.write("\n")
    if child.returncode:
        sys.exit("no composite was made")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open_raster(target) as file:
        size = [file.count, file.height, file.width]
    told = {
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "most_mb": used.ru_maxrss // 1024,
        "size": size,
        "file_mb": target.stat().st_size >> 20,
        "is_cog": cog_validate(str(target), quiet=True)[0],
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=10_980)
    parser.add_argument("--bands", type=int, default=12)
    parser.add_argument("--dates", type=int, default=3)
    parser.add_argument("--method", choices=METHODS, default=METHODS[0])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tiles-") as folder:
        tiles = [Path(folder) / f"{date}.tif" for date in range(options.dates)]
        # Each in a process of its own: Linux counts the memory of a parent as that of its children.
        for date, tile in enumerate(tiles):
            said = {"side": options.side, "bands": options.bands, "date": date}
            writer = get_context("spawn").Process(target=write_tile, args=(tile,), kwargs=said)
            writer.start()
            writer.join()
        target = Path(folder) / "composite.tif"
        make(tiles, target, method=options.method)
        subprocess.run([sys.executable, "-m", "tests.bench.bench_quality", "--measure", str(target)], check=True)


if __name__ == "__main__":
    main()
