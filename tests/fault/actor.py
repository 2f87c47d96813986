"""One act in a process of its own, on the database of MAD_HOME: ``python -m tests.fault.actor ACT [ARGUMENT]``."""

import os
import sys
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mad_web.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402

from labelling.models import Job  # noqa: E402
from labelling.services.jobs import request_cancel  # noqa: E402
from labelling.services.taxonomy import sync_taxonomy  # noqa: E402
from mad_web.roles import sync_roles  # noqa: E402
from tests.cast import Cast  # noqa: E402
from tests.training.ground import pit_country  # noqa: E402


def settle(count: str) -> None:
    """People, and pits that they have labelled."""
    sync_taxonomy()
    sync_roles()
    cast = Cast.arrive()
    pit_country(Path(settings.MAD_HOME) / "scenes", cast.ana, count=int(count))


def cancel(job_id: str) -> None:
    """Ada asks a job to stop."""
    request_cancel(job=Job.objects.get(pk=job_id), user=User.objects.get(username="ada"))


def shown(job_id: str) -> None:
    """Say how a page would show a job."""
    sys.stdout.write(Job.objects.get(pk=job_id).state_shown)


if __name__ == "__main__":
    {"settle": settle, "cancel": cancel, "shown": shown}[sys.argv[1]](*sys.argv[2:])
