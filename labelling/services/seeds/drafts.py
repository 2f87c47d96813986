"""Files that somebody has brought and not yet imported. Nothing of them is in the database but the draft."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from labelling.core.blobs import blob_path, receive_file
from labelling.core.errors import BadInput, Conflict
from labelling.core.formats import clean_name, sniff_format
from labelling.models import Job, SeedDraft, SeedImport
from labelling.models.turns import take_turn
from labelling.services.jobs import JobHandle, enqueue_job, finish_job
from labelling.services.seeds.importing import SeedReport, import_seeds
from labelling.services.seeds.preview import look_at
from labelling.services.seeds.progress import telling

LOOK_AT_SEEDS, IMPORT_SEEDS = "labelling.look_at_seeds", "labelling.import_seeds"
SMALL_BYTES = 3_000_000
_PIECE = 1 << 20
_SUFFIXES = frozenset(
    {".geojson", ".json", ".gpkg", ".zip", ".fgb", ".parquet", ".geoparquet", ".csv", ".tsv", ".txt", ".xlsx"}
)


@dataclass(frozen=True)
class InboxFile:
    """A file that lies on the server, ready to be imported.

    Attributes:
        name: below the folder ``SEED_INBOX``.
        size: bytes.
    """

    name: str
    size: int


def list_inbox() -> list[InboxFile]:
    """The files that somebody has put on the server for import, by name."""
    folder = settings.SEED_INBOX
    found = [path for path in folder.iterdir() if path.is_file() and not path.is_symlink()] if folder.is_dir() else []
    return [InboxFile(path.name, path.stat().st_size) for path in sorted(found) if path.suffix.lower() in _SUFFIXES]


def draft_of_inbox(*, user: User, name: str) -> SeedDraft:
    """Bring a file that lies on the server.

    Raises:
        BadInput: there is no such file, or it cannot be taken.
    """
    if name not in {file.name for file in list_inbox()}:
        msg = "no such file on the server"
        raise BadInput(msg)
    with Path(settings.SEED_INBOX, name).open("rb") as file:
        return start_draft(user=user, file_name=name, pieces=iter(lambda: file.read(_PIECE), b""))


def start_draft(*, user: User, file_name: str, pieces: Iterable[bytes]) -> SeedDraft:
    """Keep a file under its hash, and look at it.

    Args:
        user: who brings it.
        file_name: as the person calls it; it names nothing on the server.
        pieces: the content.

    Raises:
        BadInput: too large, or not one of the formats.
    """
    name = clean_name(PurePosixPath(file_name.replace("\\", "/")).name)
    with receive_file(settings.BLOB_ROOT, pieces, most=settings.SEED_UPLOAD_BYTES) as file:
        try:
            sniff_format(file.path)
        except BadInput as error:
            raise BadInput(error.reason, file=name) from error
        draft = SeedDraft(file_name=name, sha256=file.sha256, size=file.size, created_by=user)
        draft.choices = _first_choices(draft)
        with _turn(file.sha256):
            file.keep()
            draft.save()
    look(draft=draft)
    return draft


@contextmanager
def _turn(sha256: str) -> Iterator[None]:
    """A file and the rows that speak of it: while one hand brings it no other one finds it unused."""
    with transaction.atomic():
        take_turn(f"seed file {sha256}")
        yield


def path_of(draft: SeedDraft) -> Path:
    """Where the file of a draft lies."""
    return blob_path(settings.BLOB_ROOT, draft.sha256)


def _first_choices(draft: SeedDraft) -> dict[str, Any]:
    """The source of an earlier version of the file: of the same content, or of the same name."""
    earlier = SeedImport.objects.select_related("source").order_by("-pk")
    last = earlier.filter(sha256=draft.sha256).first() or earlier.filter(file_name=draft.file_name).first()
    if last is None:
        return {"source_name": PurePosixPath(draft.file_name).stem[:120], "kind": "labelled"}
    return {"source_name": last.source.name, "kind": last.source.kind}


def choose(*, draft: SeedDraft, choices: Mapping[str, Any]) -> None:
    """Keep what a person has chosen, and look again."""
    draft.choices = dict(choices)
    draft.save(update_fields=["choices"])
    look(draft=draft)


def look(*, draft: SeedDraft) -> None:
    """Work out what an import would do: a small file at once, a large one by a worker."""
    if draft.size <= SMALL_BYTES:
        draft.choices, draft.preview = look_at(path=path_of(draft), choices=draft.choices, before=draft.preview)
        draft.previewed = draft.choices
        draft.save(update_fields=["choices", "preview", "previewed"])
        return
    if draft.job is None or draft.job.is_final or draft.job.params.get("choices") != draft.choices:
        _order(draft, LOOK_AT_SEEDS, f"look at {draft.file_name}", draft.created_by)


@transaction.atomic
def _order(draft: SeedDraft, kind: str, title: str, user: User) -> None:
    if draft.job is not None and not draft.job.is_final:
        Job.objects.filter(pk=draft.job.pk, state=Job.State.QUEUED).update(state=Job.State.CANCELLED)
        Job.objects.filter(pk=draft.job.pk).update(cancel_requested=True)
    params = {"draft": str(draft.pk), "choices": draft.choices}
    draft.job = enqueue_job(kind=kind, title=title[:200], params=params, user=user)
    draft.save(update_fields=["job"])


def run_look(*, job: Job, handle: JobHandle) -> dict[str, Any]:
    """Look at a large file for its draft."""
    draft = SeedDraft.objects.get(pk=job.params["draft"])
    with telling(handle) as tell:
        tell(f"reading {draft.file_name}")
        choices, preview = look_at(path=path_of(draft), choices=job.params["choices"], before=draft.preview)
        tell("looked at")
    # Whoever has chosen something else meanwhile gets a job of their own.
    SeedDraft.objects.filter(pk=draft.pk, choices=job.params["choices"]).update(
        choices=choices, preview=preview, previewed=choices
    )
    return {"counts": preview.get("counts", {})}


def import_draft(*, draft: SeedDraft, user: User) -> SeedReport | None:
    """Import what the preview shows: a small file at once, a large one by a worker.

    Returns:
        What it did; None where a worker does it (``draft.job``).

    Raises:
        Conflict: the preview is not of what is chosen now.
        BadInput: the file cannot be imported so; then nothing was written.
    """
    if draft.previewed != draft.choices or "counts" not in draft.preview:
        msg = "look at the preview first: what you see is not what would be imported"
        raise Conflict(msg)
    if draft.size > SMALL_BYTES:
        _order(draft, IMPORT_SEEDS, f"import {draft.file_name}", user)
        return None
    return _import(draft, draft.choices, user, on_written=lambda _: discard_draft(draft=draft))


def run_import(*, job: Job, handle: JobHandle) -> dict[str, Any]:
    """Import a large file; its rows and the end of the job are written together or not at all."""
    draft = SeedDraft.objects.get(pk=job.params["draft"])

    def finish(report: SeedReport) -> None:
        finish_job(handle=handle, result={"import": report.import_id, **report.counts()})
        discard_draft(draft=draft)

    with telling(handle) as tell:
        report = _import(draft, job.params["choices"], job.created_by, on_progress=tell, on_written=finish)
    return report.counts()


def _import(draft: SeedDraft, choices: Mapping[str, Any], user: User | None, **more: Any) -> SeedReport:
    return import_seeds(
        path=path_of(draft),
        file_name=draft.file_name,
        source_name=choices["source_name"],
        kind=choices["kind"],
        mapping=choices["mapping"],
        type_code=choices.get("type_code", ""),
        layer=choices.get("layer") or None,
        licence=choices.get("licence", ""),
        citation=choices.get("citation", ""),
        is_whole=bool(choices.get("is_whole")),
        skip_bad_rows=bool(choices.get("skip_bad_rows")),
        user=user,
        **more,
    )


def discard_draft(*, draft: SeedDraft) -> None:
    """Forget a draft, and its file where nothing else is made of it."""
    sha256 = draft.sha256
    draft.delete()
    transaction.on_commit(lambda: _drop_file(sha256))


def _drop_file(sha256: str) -> None:
    with _turn(sha256):
        used = SeedDraft.objects.filter(sha256=sha256).exists() or SeedImport.objects.filter(sha256=sha256).exists()
        if not used:
            blob_path(settings.BLOB_ROOT, sha256).unlink(missing_ok=True)
