"""How fast the figures of agreement answer; prints milliseconds, and fails where one takes a second or more.

    python -m tests.bench.bench_agreement [--decisions 100000] [--times 5] [--postgis]

A private database with generated opinions is made and thrown away: 20 reviewers, each site judged by two of them, one
pair in five apart, one outline in four drawn, and one answer in fifty to a gold site.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import UUID

from tests.stack import postgis

LIMIT_MS = 1000
BATCH = 2000
CODES = ("open_pit", "waste_rock_dump", "tailings_storage_facility", "pond", "processing_plant")


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--decisions", type=int, default=100_000)
    reader.add_argument("--times", type=int, default=5)
    reader.add_argument("--postgis", action="store_true")
    given = reader.parse_args()
    with ExitStack() as house:
        home = Path(house.enter_context(tempfile.TemporaryDirectory(prefix="mad-bench-")))
        home.chmod(0o711)
        os.environ |= {"MAD_HOME": str(home), "DJANGO_SETTINGS_MODULE": "mad_web.settings"}
        if given.postgis:
            folder = home / "postgis"
            folder.mkdir(mode=0o700)
            os.environ["DATABASE_URL"] = house.enter_context(postgis(folder))
        start()
        fill(given.decisions)
        sys.exit(measure(given.times))


def start() -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    settings.ALLOWED_HOSTS = ["*"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    call_command("migrate", verbosity=0)

    from labelling.services.taxonomy import sync_taxonomy
    from mad_web.roles import sync_roles

    sync_taxonomy()
    sync_roles()


def fill(decisions: int) -> None:
    """Make reviewers, sites, opinions and pairs of them, as the services would have left them."""
    from django.contrib.auth.models import Group, User
    from django.contrib.gis.geos import Point, Polygon

    from labelling.core.agreement import pattern_of
    from labelling.models import Decision, Label, MineType, OpinionPair, Site
    from labelling.services.campaigns import Terms, create_campaign

    rng, began = random.Random(5), datetime(2026, 1, 1, tzinfo=UTC)
    people = [User.objects.create_user(f"reviewer-{number}") for number in range(20)]
    User.objects.create_user("lead").groups.add(Group.objects.get(name="lead"))
    campaign = create_campaign(terms=Terms("Measured", reviews_needed=2))
    types = MineType.objects.in_bulk(CODES, field_name="code")
    outline, key = Polygon.from_bbox((0, 0, 0.01, 0.01)), 0
    for first in range(0, decisions // 2, BATCH):
        count = min(BATCH, decisions // 2 - first)
        fresh = [Site(footprint=outline, point=Point(0.005, 0.005), state="verified", version=2) for _ in range(count)]
        sites = Site.objects.bulk_create(fresh)
        said = [rng.choices(CODES, (50, 20, 10, 15, 5))[0] for _ in sites]
        heard = [rng.choice(CODES) if rng.random() < 0.2 else code for code in said]
        rows = []
        for site, codes in zip(sites, zip(said, heard, strict=True), strict=True):
            for version, (person, code) in enumerate(zip(rng.sample(people, 2), codes, strict=True), start=1):
                key += 1
                is_gold = key % 50 == 0
                rows.append(
                    Decision(
                        key=UUID(int=key),
                        body_sha256="0" * 64,
                        site=site,
                        reviewer=person,
                        campaign=campaign,
                        verdict=rng.choice(("accept", "accept", "fix")),
                        types={"feature": code},
                        geometry=outline,
                        base_version=0,
                        version=None if is_gold else version,
                        gold=is_gold,
                        created_at=began + timedelta(seconds=7 * key),
                    )
                )
        when = [row.created_at for row in rows]
        made = Decision.objects.bulk_create(rows)
        _date(made, when)
        Label.objects.bulk_create(
            Label(
                site=site,
                state="verified",
                geometry=outline,
                feature=types[code],
                decision=made[2 * place],
                decided_at=began,
            )
            for place, (site, code) in enumerate(zip(sites, said, strict=True))
        )
        OpinionPair.objects.bulk_create(
            OpinionPair(
                site=one.site,
                earlier=one,
                later=two,
                axis="feature",
                campaign=campaign,
                earlier_by=one.reviewer,
                later_by=two.reviewer,
                earlier_said=one.types["feature"],
                later_said=two.types["feature"],
                pattern=pattern_of((one.types["feature"], two.types["feature"])),
                overlap=rng.uniform(0.5, 1) if rng.random() < 0.25 else None,
                decided_at=moment,
            )
            for one, two, moment in zip(made[::2], made[1::2], when[1::2], strict=True)
            if not one.gold and not two.gold
        )


def _date(rows: object, when: list[datetime]) -> None:
    """The moment of a decision is the database's; here it is spread over time, behind the back of the rows."""
    from django.db import connection

    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE labelling_decision SET created_at = %s WHERE id = %s",
            [(adapt(moment), row.pk) for row, moment in zip(rows, when, strict=True)],  # type: ignore[call-overload]
        )


def measure(times: int) -> int:
    """Time each page and table, through the whole program."""
    from django.contrib.auth.models import User
    from django.test import Client

    browser = Client()
    browser.force_login(User.objects.get(username="lead"))
    worst = 0.0
    for path in (
        "/agreement/",
        "/agreement/?campaign=measured&since=2026-01-03&until=2026-01-06",
        "/agreement/people/reviewer-7/",
        "/agreement/rows/pairs/?reviewer=reviewer-7&apart=on",
        "/agreement/rows/gold/",
        "/agreement/reviewers.csv",
        "/",
    ):
        took = []
        for _ in range(times):
            began = time.perf_counter()
            answer = browser.get(path, secure=True)
            took.append(1000 * (time.perf_counter() - began))
            assert answer.status_code == 200, (path, answer.status_code)
        worst = max(worst, median(took))
        print(f"{path:70} {median(took):7.0f} ms, worst {max(took):7.0f} ms")  # noqa: T201
    return int(worst >= LIMIT_MS)


if __name__ == "__main__":
    main()
