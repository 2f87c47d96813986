"""How fast small scenes are catalogued, and in how much memory; prints figures.

    nice python -m tests.bench.bench_catalogue [--scenes 20000] [--distinct 200] [--processes 2] [--postgis]

GeoTIFFs of 64 x 64 pixels and 4 bands are generated, linked under as many names as are wanted, and imported into a
home that is thrown away, by the command that people use. Memory is the sum of the program and its children, sampled
five times a second. The import is then ordered again, and killed half-way and resumed.
"""

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.stack import postgis

PROMISED_S, PROMISED_MB = 120, 500
_SAMPLE_S = 0.2
_RSS = re.compile(r"Pss:\s+(\d+) kB")


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--scenes", type=int, default=20_000)
    reader.add_argument("--distinct", type=int, default=200)
    reader.add_argument("--processes", type=int, default=2)
    reader.add_argument("--postgis", action="store_true")
    given = reader.parse_args()
    root = Path(tempfile.mkdtemp(prefix="mad-bench-"))
    root.chmod(0o711)  # the database's user passes through
    try:
        with _database(root, given.postgis) as database:
            measure(root, database, given.scenes, given.distinct, given.processes)
    finally:
        shutil.rmtree(root)


@contextlib.contextmanager
def _database(root: Path, is_postgis: bool) -> Iterator[dict[str, str]]:
    if not is_postgis:
        yield {}
        return
    (root / "postgis").mkdir(mode=0o700)
    with postgis(root / "postgis") as url:
        yield {"DATABASE_URL": url}


def measure(root: Path, database: Mapping[str, str], scenes: int, distinct: int, processes: int) -> None:
    started = time.perf_counter()
    settle(root / "store", scenes, distinct)
    say(f"{scenes} files of {distinct} distinct ones made in {time.perf_counter() - started:.0f} s")
    settings = {**os.environ, **database, "LOG_LEVEL": "WARNING", "DJANGO_SETTINGS_MODULE": "mad_web.settings"}
    order = ("import_scenes", str(root / "store"), "--processes", str(processes))
    whole = home(root / "whole", settings)
    took = tell("first import", run(whole, *order), promised=True)
    tell("once more", run(whole, *order))
    if not database:  # a second home has a second database only where it is a file
        halved = home(root / "halved", settings)
        tell("killed half-way", run(halved, *order, kill_after=max(3.0, took / 2)))
        tell("resumed", run(halved, *order))


def home(place: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """A home with an empty database, as an environment."""
    found = {**settings, "MAD_HOME": str(place)}
    run(found, "migrate", "--verbosity", "0")
    return found


def tell(what: str, figures: tuple[float, float, str], *, promised: bool = False) -> float:
    took, peak, said = figures
    is_over = promised and (took > PROMISED_S or peak > PROMISED_MB)
    say(f"{what:18}{took:6.1f} s {peak:5.0f} MB  {said}{f'  over {PROMISED_S} s, {PROMISED_MB} MB' if is_over else ''}")
    return took


def settle(store: Path, scenes: int, distinct: int) -> None:
    """Write distinct scenes, and link each under many names."""
    from tests.scenes import make_scene

    for number in range(distinct):
        make_scene(store / "0000" / f"{number}.tif", lon=-60 + number * 0.02, seed=number, nodata=0, compress="deflate")
    for number in range(distinct, scenes):
        place = store / f"{number // 1000:04}" / f"{number}.tif"
        place.parent.mkdir(exist_ok=True)
        os.link(store / "0000" / f"{number % distinct}.tif", place)


def run(settings: Mapping[str, str], *words: str, kill_after: float | None = None) -> tuple[float, float, str]:
    """Run a command of the program: seconds, most megabytes, and its last line."""
    started = time.perf_counter()
    command = [sys.executable, "manage.py", *words]
    with subprocess.Popen(command, env=dict(settings), stdout=subprocess.PIPE, text=True) as process:
        peaks: list[float] = []
        watch = threading.Thread(target=_watch, args=(process, peaks), daemon=True)
        watch.start()
        if kill_after is not None:
            time.sleep(kill_after)
            process.send_signal(signal.SIGKILL)
        said = process.stdout.read() if process.stdout else ""
    watch.join()
    if process.returncode and kill_after is None:
        msg = f"{' '.join(words)} ended with {process.returncode}"
        raise SystemExit(msg)
    return time.perf_counter() - started, max(peaks, default=0.0), (said.strip().splitlines() or [""])[-1]


def _watch(process: "subprocess.Popen[str]", peaks: list[float]) -> None:
    while process.poll() is None:
        peaks.append(sum(_megabytes(pid) for pid in _family(process.pid)))
        time.sleep(_SAMPLE_S)


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _megabytes(pid: int) -> float:
    """The process's share of memory: what several have in common counts once."""
    with contextlib.suppress(OSError):
        found = _RSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
        return int(found[1]) / 1024 if found else 0.0
    return 0.0


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
