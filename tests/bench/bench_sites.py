"""How fast the sites page answers, paints and moves over a million sites on PostGIS; prints figures.

    python -m tests.bench.bench_sites [--sites 1000000] [--times 7] [--no-browser]

A private server with generated sites is started and thrown away. Each figure is one request through the whole
program, in milliseconds: the median and the worst. "first map" is all four tiles of the world, one after the other.
Then Chromium, drawing in software, opens the page in front of two web processes: "painted" is the time from the start
of the navigation until all sites of the first view are on the screen; "pan" and "zoom" count frames while the mouse
drags the map and turns the wheel.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.bench.bench_queue import pages
from tests.stack import postgis

TILE = "/tiles/sites/{}.json"
ASKED: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("first map", 1000, tuple(TILE.format(f"1/{x}/{y}") for x in (0, 1) for y in (0, 1))),
    ("map, one type", 1000, tuple(TILE.format(f"1/{x}/{y}") + "?feature=open_pit" for x in (0, 1) for y in (0, 1))),
    ("map, few scores", 1000, tuple(TILE.format(f"1/{x}/{y}") + "?score_from=0.999" for x in (0, 1) for y in (0, 1))),
    ("a tile at zoom 3", 300, (TILE.format("3/4/4"),)),
    ("a tile at zoom 6", 300, (TILE.format("6/37/33"),)),
    ("a tile at zoom 11", 300, (TILE.format("11/1190/1080"),)),
    ("table, all", 300, ("/sites/",)),
    ("table, last page", 300, ("/sites/?page=200",)),
    ("table, to review", 300, ("/sites/?state=open",)),
    ("table, a common type", 300, ("/sites/?feature=open_pit",)),
    ("table, a rare type", 300, ("/sites/?feature=artisanal_diggings&state=contested",)),
    ("table, a region", 300, ("/sites/?region=region+17",)),
    ("table, a biome", 300, ("/sites/?region=biome+3",)),
    ("table, a large source", 300, ("/sites/?source=polygons+of+the+world",)),
    ("table, a small source", 300, ("/sites/?source=cobalt",)),
    ("table, a number", 300, ("/sites/?q=77777",)),
    ("table, part of a name", 300, ("/sites/?q=mine+7777",)),
    ("table, a name of none", 300, ("/sites/?q=nothing+is+called+so",)),
    ("table, two letters", 300, ("/sites/?q=zq",)),
    ("name, state and type", 300, ("/sites/?q=mine+7777&state=open&feature=open_pit",)),
    ("biome, state and type", 300, ("/sites/?region=biome+3&state=open&feature=open_pit",)),
    ("source, state and type", 300, ("/sites/?source=polygons+of+the+world&feature=open_pit&state=verified",)),
    ("realm, state and source", 300, ("/sites/?region=realm+1&state=contested&source=labelled+mines",)),
    ("table, a range of scores", 300, ("/sites/?score_from=0.5&score_to=0.5001",)),
    ("score, source and state", 300, ("/sites/?score_from=0.9&source=polygons+of+the+world&state=open",)),
    ("no type on any axis", 300, ("/sites/?feature=none&commodity=none&method=none",)),
)
SEEN = ("/sites/", "/sites/?state=open", "/sites/?region=biome+3&feature=open_pit", "/sites/?q=mine+7777")
PAINTED_MS = 1000
FRAMES = 30


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--sites", type=int, default=1_000_000)
    reader.add_argument("--times", type=int, default=7)
    reader.add_argument("--no-browser", action="store_true", help="the requests alone")
    given = reader.parse_args()
    root = Path(tempfile.mkdtemp(prefix="mad-bench-"))
    root.chmod(0o711)  # the database's user passes through
    try:
        (root / "postgis").mkdir(mode=0o700)
        with postgis(root / "postgis") as url:
            os.environ |= {"DATABASE_URL": url, "MAD_HOME": str(root / "home"), "LOG_LEVEL": "WARNING"}
            os.environ["DJANGO_SETTINGS_MODULE"] = "mad_web.settings"
            measure(given.sites, given.times)
            if not given.no_browser:
                with pages(root) as web:
                    look(f"http://127.0.0.1:{web.port}", given.times)
    finally:
        shutil.rmtree(root)


def measure(sites: int, times: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections
    from django.test import Client

    from labelling.services.taxonomy import sync_taxonomy
    from mad_web.roles import sync_roles
    from mad_web.statics import collect_changed_statics
    from tests.bench.crowded import settle
    from tests.cast import Cast

    started = time.perf_counter()
    call_command("migrate", verbosity=0)
    sync_taxonomy()
    sync_roles()
    collect_changed_statics()
    settle(sites)
    say(f"{sites} sites written in {time.perf_counter() - started:.0f} s")
    client = Client(SERVER_NAME="localhost")
    client.force_login(Cast.arrive().gus)
    for name, promised, addresses in ASKED:
        tell(name, [once(client, addresses) for _ in range(times)], promised)
    connections.close_all()
    for connection in connections.all():
        connection.close_pool()  # type: ignore[attr-defined]


def tell(name: str, took: list[float], promised: float) -> None:
    verdict = "" if median(took) <= promised else f"  over the {promised} promised"
    say(f"{name:24}{median(took):8.0f} ms   worst {max(took):6.0f}{verdict}")


def look(url: str, times: int) -> None:
    """The same page in a browser, by real mouse input."""
    from tests.bench.map_in_browser import first_paint, frames_while, middle_of, opened, pan, zoom

    with opened(url, "gus") as page:
        for path in SEEN:
            tell(
                f"painted: {path[7:] or 'all'}"[:24], [first_paint(page, url + path) for _ in range(times)], PAINTED_MS
            )
        for path in SEEN:
            for name, move in (("pan", pan), ("zoom", zoom)):
                first_paint(page, url + path)
                motion = middle_of([frames_while(page, move) for _ in range(3)])
                verdict = "" if motion.per_second >= FRAMES else f"  under the {FRAMES} promised"
                what = f"{name}: {path[7:] or 'all'}"[:24]
                say(
                    f"{what:24}{motion.per_second:8.0f} frames a second"
                    f"   95 % within {motion.slow_ms:.0f} ms, worst {motion.worst_ms:.0f} ms{verdict}"
                )


def once(client: "Client", addresses: tuple[str, ...]) -> float:  # type: ignore[name-defined]  # noqa: F821
    started = time.perf_counter()
    for address in addresses:
        answer = client.get(address)
        if answer.status_code != 200:
            msg = f"{address} answered {answer.status_code}"
            raise SystemExit(msg)
    return (time.perf_counter() - started) * 1000


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
