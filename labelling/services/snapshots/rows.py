"""The rows of snapshots: ask for one, find one, hand one out."""

import re
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from labelling.core.errors import BadInput, NotFound
from labelling.core.export import ExportSettings
from labelling.models import Job, Snapshot
from labelling.services.jobs import JobHandle, enqueue_job
from labelling.services.snapshots.writing import write_snapshot

TASK = "labelling.export"
NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{0,118}$")


@transaction.atomic
def begin_snapshot(*, settings: ExportSettings, name: str = "", user: User | None = None) -> Snapshot:
    """Write the row of a snapshot that is still to be made.

    Args:
        settings: what to export.
        name: small letters, digits, dot, dash and underscore; empty for format, day and a number.
        user: who asks.

    Raises:
        BadInput: the name is taken, or is none.
    """
    name = name or _free_name(settings.format)
    if not NAME.match(name):
        msg = f"{name!r} is no name of a dataset: use small letters, digits, dot, dash and underscore"
        raise BadInput(msg)
    if Snapshot.objects.filter(name=name).exists():
        msg = f"dataset {name} exists and does not change: choose another name"
        raise BadInput(msg)
    return Snapshot.objects.create(
        name=name, format=settings.format, axis=settings.axis, options=settings.to_json(), created_by=user
    )


def _free_name(wanted: str) -> str:
    stem = f"{wanted}-{timezone.now():%Y-%m-%d}"
    taken = set(Snapshot.objects.filter(name__startswith=stem).values_list("name", flat=True))
    return next(name for number in range(1, len(taken) + 2) if (name := f"{stem}-{number}") not in taken)


@transaction.atomic
def enqueue_snapshot(*, settings: ExportSettings, name: str = "", user: User | None = None) -> Snapshot:
    """Ask a worker for a snapshot; otherwise as ``begin_snapshot``.

    Raises:
        BadInput: the name is taken, or is none.
    """
    snapshot = begin_snapshot(settings=settings, name=name, user=user)
    snapshot.job = enqueue_job(
        kind=TASK, title=f"export {snapshot.name}", params={"snapshot": snapshot.pk}, user=user, max_attempts=2
    )
    snapshot.save(update_fields=["job"])
    return snapshot


def run_snapshot(*, job: Job, handle: JobHandle) -> dict[str, Any]:
    """The work of an export's job."""
    snapshot = write_snapshot(snapshot=Snapshot.objects.get(pk=job.params["snapshot"]), handle=handle)
    return dict(snapshot.counts)


def whole_snapshot(*, key: UUID) -> Snapshot:
    """Find a snapshot that can be handed out.

    Raises:
        NotFound: there is none, it is not whole, or its files are gone.
    """
    found = Snapshot.objects.filter(key=key).exclude(sha256="").first()
    if found is None or not found.archive.is_file():
        msg = "no such dataset"
        raise NotFound(msg)
    return found


def check_out(out: Path) -> None:
    """Make sure that a folder can take a copy: it is not there yet, or is empty.

    Raises:
        BadInput: there is something in the folder, or at its place.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        msg = f"{out} is not an empty folder: name one that does not exist yet"
        raise BadInput(msg)


def copy_snapshot(*, snapshot: Snapshot, out: Path) -> None:
    """Copy the files of a snapshot into a folder, whole or not at all.

    Raises:
        BadInput: there is something in the folder, or at its place.
    """
    check_out(out)
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}-{snapshot.key}")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        shutil.copytree(snapshot.folder, beside)
        if out.exists():
            out.rmdir()
        beside.rename(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
