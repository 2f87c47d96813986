"""How long a reviewer waits from key press to the next site painted with its imagery; prints figures.

    nice -n -15 python -m tests.bench.bench_review [--decisions 200] [--rounds 3] [--rows NAME ...] [--out FILE]
        [--stage FOLDER]

The real server and the real Chromium on a private stage, set in about a minute and thrown away, or kept in a folder.
Every row starts with the server's tile cache and the browser's caches empty, and from the same database. One row is
``--decisions`` accepts in a row:

- ``fast``: the next key is pressed as soon as the site is painted; ``read``: one second after that.
- ``plain``: this machine's own network; ``slow``: 200 ms of latency and 2 Mbit/s each way, by Chromium itself.

The clock starts at the time stamp of the key's event. It stops at the animation frame after the one in which the card
names another site, every picture of the map's uppermost layer is loaded and decoded, and the middle and the corners of
the site's outline lie on such a picture. "evidence" is the time until the small pictures of bands and
dates and the film strip are there too, measured where the site is read. Before a row the first site is painted and
two seconds pass.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.bench.pace import SESSION
from tests.browser.server import CHROMIUM, FLAGS, ROOT, Stage, environment
from tests.stack import free_port

STORY = "pace"
FRESH = "fresh.sqlite3"
PLACES = 24
LATENCY_MS = 200
BYTES_S = 250_000
READ_S = 1.0
ROWS = ("plain-fast", "plain-read", "slow-read", "slow-fast")
LIMITS = {"plain-fast": (50, 100), "plain-read": (50, 100), "slow-read": (None, 150)}
CLOCK = Path(__file__).with_name("clock.js")


@dataclass(frozen=True)
class Row:
    """One run of accepts; times in milliseconds."""

    row: str
    round: int
    decisions: int
    median_ms: float
    p95_ms: float
    worst_ms: float
    evidence_p95_ms: float | None
    seconds: float
    raw_fetch_ms: float
    requests: int
    kilobytes: int
    in_database_in_order: bool
    waits_ms: tuple[float, ...]


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--decisions", type=int, default=200)
    reader.add_argument("--rounds", type=int, default=3)
    reader.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    reader.add_argument("--out", type=Path)
    reader.add_argument(
        "--stage", type=Path, help="set the stage in this folder, or use the one that is there; keep it"
    )
    given = reader.parse_args()
    with set_stage(given.stage) as stage, sync_playwright() as playwright:
        rows = []
        for number in range(given.rounds):
            for name in given.rows:
                restore(stage)
                with stage_running(stage):
                    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
                    rows.append(run(browser, stage, name, number, given.decisions))
                    browser.close()
                say_row(rows[-1])
    result = {"load": os.getloadavg(), "rows": [asdict(row) for row in rows], "summary": summary(rows)}
    if given.out:
        given.out.write_text(json.dumps(result, indent=1))
    say(json.dumps(result["summary"], indent=1))


@contextmanager
def set_stage(kept: Path | None) -> Iterator[Stage]:
    home = kept or Path(tempfile.mkdtemp(prefix="mad-bench-"))
    stage = Stage(home, f"http://127.0.0.1:{free_port()}")
    try:
        if (home / FRESH).exists():
            restore(stage)
            module([ROOT / "manage.py", "prepare", "--verbosity", "0"], home)  # the program may have changed since
        else:
            home.mkdir(parents=True, exist_ok=True)
            module(["-m", "tests.bench.pace", STORY, PLACES], home)
        shutil.copy(home / "mad.sqlite3", home / FRESH)
        yield stage
    finally:
        if not kept:
            shutil.rmtree(home)


def module(words: Sequence[object], home: Path) -> None:
    subprocess.run([sys.executable, *map(str, words)], cwd=ROOT, env=environment(home), check=True)


@contextmanager
def stage_running(stage: Stage) -> Iterator[None]:
    stage.start()
    try:
        yield
    finally:
        stage.stop()


def restore(stage: Stage) -> None:
    """The database as it was, and no tile drawn yet."""
    for old in stage.home.glob("mad.sqlite3*"):
        old.unlink()
    shutil.copy(stage.home / FRESH, stage.home / "mad.sqlite3")
    shutil.rmtree(stage.home / "tiles", ignore_errors=True)


def run(browser: Browser, stage: Stage, name: str, number: int, decisions: int) -> Row:
    network, pace = name.split("-")
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    context.add_init_script(CLOCK.read_text())
    context.add_cookies([{"name": "sessionid", "value": (stage.home / SESSION).read_text(), "url": stage.url}])
    page = context.new_page()
    traffic = throttled(context, page, network)
    page.goto(f"{stage.url}/review/synthetic-{STORY}/", timeout=120_000)
    expect(page.locator("#question")).to_be_visible(timeout=60_000)
    page.evaluate("clock.painted(0)")
    page.wait_for_timeout(2000)
    raw = page.evaluate("clock.rawFetch('/healthz')")
    assert network == "plain" or raw >= LATENCY_MS, f"nothing is throttled: a fetch took {raw:.0f} ms"
    waits, evidence, served = [], [], []
    began = time.perf_counter()
    for _ in range(decisions):
        page.keyboard.press("a")
        painted = page.evaluate("clock.painted()")
        waits.append(painted["ms"])
        served.append(painted["was"])
        if pace == "read":
            read_until = time.perf_counter() + READ_S
            evidence.append(page.evaluate("clock.whole()"))
            page.wait_for_timeout(max(0.0, read_until - time.perf_counter()) * 1000)
    took = time.perf_counter() - began
    expect(page.locator("#saved")).to_have_attribute("data-unsaved", "0", timeout=600_000)
    context.close()
    made = [(one["site"], one["verdict"]) for one in stage.decisions(STORY)]
    return Row(
        row=name,
        round=number,
        decisions=decisions,
        median_ms=round(median(waits), 1),
        p95_ms=round(p95(waits), 1),
        worst_ms=round(max(waits), 1),
        evidence_p95_ms=round(p95(evidence), 1) if evidence else None,
        seconds=round(took, 1),
        raw_fetch_ms=round(raw, 1),
        requests=len(traffic),
        kilobytes=sum(traffic) // 1000,
        in_database_in_order=made == [(site, made[0][1]) for site in served],
        waits_ms=tuple(round(wait, 1) for wait in waits),
    )


def throttled(context: BrowserContext, page: Page, network: str) -> list[int]:
    """Slow the page down where the row says so; returns the sizes of what it fetches from now on, as they arrive."""
    sizes: list[int] = []
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    if network == "slow":
        session.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": LATENCY_MS, "downloadThroughput": BYTES_S, "uploadThroughput": BYTES_S},
        )
    return sizes


def p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1]


def summary(rows: Sequence[Row]) -> dict[str, dict[str, object]]:
    """Median over the rounds of each row's figures, against what is promised."""
    told: dict[str, dict[str, object]] = {}
    for name in dict.fromkeys(row.row for row in rows):
        own = [row for row in rows if row.row == name]
        half, late = median(row.median_ms for row in own), median(row.p95_ms for row in own)
        most_half, most_late = LIMITS.get(name, (None, None))
        kept = (most_half is None or half < most_half) and (most_late is None or late < most_late)
        told[name] = {
            "rounds": len(own),
            "median_ms": half,
            "p95_ms": late,
            "worst_ms": max(row.worst_ms for row in own),
            "evidence_p95_ms": max((row.evidence_p95_ms for row in own if row.evidence_p95_ms), default=None),
            "promised": "no promise" if name not in LIMITS else ("kept" if kept else "NOT kept"),
            "in_database_in_order": all(row.in_database_in_order for row in own),
        }
    return told


def say_row(row: Row) -> None:
    say(
        f"{row.row:11} round {row.round + 1}  median {row.median_ms:6.1f}  p95 {row.p95_ms:6.1f}"
        f"  worst {row.worst_ms:6.1f} ms  evidence p95 {row.evidence_p95_ms} ms  {row.seconds:5.1f} s"
        f"  raw fetch {row.raw_fetch_ms:5.1f} ms  {row.requests} requests  {row.kilobytes} kB"
        f"  all in the database once and in order: {row.in_database_in_order}"
    )


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
