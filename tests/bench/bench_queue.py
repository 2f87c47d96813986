"""How fast the queue serves and takes decisions on PostGIS, over HTTP, beside Label Studio; prints figures.

    nice -n -15 python -m tests.bench.bench_queue [--sites 10000 20000 100000 1000000] [--seconds 300]
        [--peers FOLDER --label-studio VENV/bin/python [--rounds 3] [--round-s 12]]

A private server with generated sites (and scenes, so that cards are whole) is started and thrown away; the pages
are served by gunicorn, two processes of four threads, as Label Studio's are. Every reviewer logs in and sends what
the review screen sends: it asks for what follows behind the decisions, and waits only when nothing that is leased to
it is left. At each number of sites: ``next`` and ``submit`` of 25 reviewers who decide every 2 s; at
the largest for ``--seconds``, with a check of every decision afterwards. With ``--peers`` (the folder of the peer
benchmarks) 8 and 25 reviewers work without a pause in rounds by turns here and in Label Studio on the same database
server, each over 20 000 tasks.
"""

import argparse
import asyncio
import collections
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

from tests.bench.browsers import Pace, Reviewer, Wire, work_at_pace
from tests.stack import free_port, postgis

REVIEWERS = 25
EVERY_S = 2.0
PROMISED_MS = 50
SAME = 1.2
TASKS = 20_000
WORKERS = ("--workers", "2", "--worker-class", "gthread", "--threads", "4")
DURABLE = ("max_connections=120", "shared_buffers=256MB", "random_page_cost=1.1")


class Web(NamedTuple):
    """The pages that are measured: their port, and the process above their processes."""

    port: int
    pid: int


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--sites", type=int, nargs="+", default=[10_000, 20_000, 100_000, 1_000_000])
    reader.add_argument("--seconds", type=float, default=300)
    reader.add_argument("--short-s", type=float, default=20, help="at all sizes but the last")
    reader.add_argument("--peers", type=Path)
    reader.add_argument("--label-studio", type=Path)
    reader.add_argument("--rounds", type=int, default=3)
    reader.add_argument("--round-s", type=float, default=12)
    given = reader.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left behind
    root = Path(tempfile.mkdtemp(prefix="mad-bench-"))
    root.chmod(0o711)  # the database's user passes through
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, root)
        (root / "postgis").mkdir(mode=0o700)
        url = stack.enter_context(postgis(root / "postgis", options=DURABLE))
        os.environ |= {"DATABASE_URL": url, "MAD_HOME": str(root / "home"), "LOG_LEVEL": "WARNING"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "mad_web.settings"
        names = prepare()
        stack.callback(leave_database)
        measure(given, root, url, stack.enter_context(pages(root)), names)


def measure(given: argparse.Namespace, root: Path, url: str, web: Web, names: Sequence[str]) -> None:
    crowd = [Reviewer(Wire(web.port), "all-sites") for _ in names]
    asyncio.run(arrive(crowd, names))
    figures: dict[int, Pace] = {}
    for place, size in enumerate(sorted(given.sites)):
        grow(size)
        seconds = given.seconds if place == len(given.sites) - 1 else given.short_s
        asyncio.run(work_at_pace(crowd, every_s=EVERY_S, seconds=4.0))  # warm
        figures[size] = asyncio.run(work_at_pace(crowd, every_s=EVERY_S, seconds=seconds))
        say_pace(f"{size} sites, {len(crowd)} reviewers every {EVERY_S:.0f} s", figures[size])
        check(crowd, figures[size])
        if size == TASKS and given.peers:
            from tests.bench.beside import side_by_side

            side_by_side(given, root, url, web.pid, crowd)
    if TASKS in figures:
        ratio = p95(figures[max(figures)].next_ms) / p95(figures[TASKS].next_ms)
        say(f"next p95 at {max(figures)} sites is {ratio:.2f} x that at {TASKS}{'' if ratio <= SAME else '  OVER'}")


def prepare() -> list[str]:
    import django

    django.setup()
    from django.contrib.auth.models import Group, User
    from django.core.management import call_command

    from labelling.services.campaigns import ensure_default_campaign
    from labelling.services.taxonomy import sync_taxonomy
    from mad_web.roles import sync_roles
    from mad_web.statics import collect_changed_statics
    from tests.cast import PASSWORD

    call_command("migrate", verbosity=0)
    sync_taxonomy()
    sync_roles()
    collect_changed_statics()
    ensure_default_campaign()
    people = [User.objects.create_user(f"reviewer {number}", password=PASSWORD) for number in range(REVIEWERS)]
    Group.objects.get(name="reviewer").user_set.add(*people)
    return [person.get_username() for person in people]


def grow(size: int) -> None:
    from labelling.models import Scene, Site
    from tests.bench.crowded import photograph, settle

    began, there = time.perf_counter(), Site.objects.count()
    if not Scene.objects.exists():
        photograph()
    settle(size - there, after=there)
    say(f"{size} sites written in {time.perf_counter() - began:.0f} s")


@contextmanager
def pages(root: Path) -> Iterator[Web]:
    """The web processes of a deployment, with their standard output in a file."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "mad_web.wsgi", "--bind", f"127.0.0.1:{port}", *WORKERS]
    with (root / "web.log").open("wb") as log:
        process = subprocess.Popen([*command, "--no-control-socket"], stdout=log, stderr=log)
    try:
        asyncio.run(until_ready(port))
        yield Web(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


async def until_ready(port: int) -> None:
    for _ in range(300):
        wire = Wire(port)
        try:
            if (await wire.ask("GET", "/readyz"))[0] == 200:
                return
        except OSError:
            await asyncio.sleep(0.1)
        finally:
            wire.close()
    raise SystemExit("the pages did not come up")


async def arrive(crowd: Sequence[Reviewer], names: Sequence[str]) -> None:
    from tests.cast import PASSWORD

    for reviewer, name in zip(crowd, names, strict=True):
        await reviewer.log_in(name, PASSWORD)
        await reviewer.leave()


def check(crowd: Sequence[Reviewer], pace: Pace) -> None:
    """No site held twice, no decision lost or doubled, and each site's version the number of its decisions."""
    from django.db import connection
    from django.utils import timezone

    from labelling.models import Claim, Decision, Label

    confirmed = {key: row for reviewer in crowd for key, row in reviewer.confirmed.items()}
    stored = {str(key): row for key, *row in Decision.objects.values_list("key", "site", "version", "verdict")}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM labelling_site s WHERE version <> (SELECT count(*) FROM labelling_decision d"
            " WHERE d.site_id = s.id AND d.version IS NOT NULL) AND (version > 0 OR EXISTS"
            " (SELECT FROM labelling_decision d WHERE d.site_id = s.id))"
        )
        [(wrong_versions,)] = cursor.fetchall()
    settled = {site for site, _, verdict in confirmed.values() if verdict != "skip"}
    live = Claim.objects.filter(expires_at__gt=timezone.now()).values_list("site", flat=True)
    statuses: collections.Counter[str] = sum((reviewer.statuses for reviewer in crowd), collections.Counter())
    faults = {
        "held by two": len(pace.doubly_held) + len(live) - len(set(live)),
        "lost": len(confirmed.keys() - stored.keys()),
        "not confirmed": len(stored.keys() - confirmed.keys() - set().union(*(reviewer.kept for reviewer in crowd))),
        "on another site": sum(stored[key][0] != row[0] for key, row in confirmed.items() if key in stored),
        "versions that are not the number of decisions": wrong_versions,
        "decided twice": len(confirmed) - len({row[0] for row in confirmed.values()}) - _skipped_again(confirmed),
        "settled without label": len(settled) - Label.objects.filter(site__in=settled).count(),
    }
    say(f"  {len(confirmed)} decisions confirmed; {dict(statuses)}")
    say("  faults: " + (", ".join(f"{name} {count}" for name, count in faults.items() if count) or "none"))


def _skipped_again(confirmed: dict[str, tuple[int, int, str]]) -> int:
    """A skipped site comes back, at the end of the queue or to somebody else."""
    times = collections.Counter(site for site, _, _ in confirmed.values())
    skips = collections.Counter(site for site, _, verdict in confirmed.values() if verdict == "skip")
    return sum(min(times[site] - 1, count) for site, count in skips.items())


def p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20)[-1] if len(values) > 1 else float("nan")


def say_pace(what: str, pace: Pace) -> None:
    say(what)
    for name, values in (("next", pace.next_ms), ("submit", pace.submit_ms)):
        worst = p95(values)
        verdict = "" if worst <= PROMISED_MS else f"  OVER the {PROMISED_MS} promised"
        say(f"  {name:8}median {median(values):6.1f} ms   p95 {worst:6.1f} ms   {len(values)} times{verdict}")


def leave_database() -> None:
    from django.db import connections

    connections.close_all()
    for connection in connections.all():
        close: Any = getattr(connection, "close_pool", None)
        if close:
            close()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
