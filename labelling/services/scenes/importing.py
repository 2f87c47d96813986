"""Import scenes: list what there is as rows, read each, and write it; taken up again where it stopped."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from labelling.core.intake import ImportOrder
from labelling.core.remote import is_remote
from labelling.core.scene_mapping import SceneMapping
from labelling.models import ImportItem, Job, Scene, SceneImport
from labelling.services.jobs import JobCancelled, JobHandle, beat_job
from labelling.services.scenes.listing import Refusal, Source, list_source, name_of
from labelling.services.scenes.publishing import Outcome, publish
from labelling.services.scenes.reading import read_apart, read_here
from labelling.services.scenes.report import SceneReport

State = ImportItem.State
LISTED_AT_ONCE = 1000
PUBLISHED_AT_ONCE = 200
PUBLISHED_EVERY_S = 2.0
READ_HERE_UP_TO = 40
"""So few are read in the process that asks: a child takes a second to start."""
MAX_TRIES = 3
MAX_KEY = 1000
MOST_PROCESSES = 8


def import_scenes(
    *,
    paths: Sequence[Path | Source],
    kind: str = Scene.Kind.SINGLE,
    sensor: str = "",
    level: str = "",
    mapping: SceneMapping | None = None,
    synthetic: bool = False,
    convert: bool = False,
    processes: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> SceneReport:
    """Catalogue imagery: each scene is checked, measured and written.

    An import that was killed is taken up by asking for the same again: what was settled stays settled.

    Args:
        paths: files, folders (searched to their depths), SAFE folders, patterns such as ``/data/*.tif``, addresses
            ``https://...`` and ``s3://bucket/prefix``, and searches of STAC catalogues (see ``listing.Source``).
        kind: ``single`` or ``composite``.
        sensor: such as ``sentinel-2``; empty for what the file says.
        level: ``L1C`` or ``L2A``; empty for what the file says.
        mapping: what the files do not say themselves. Each file's own ``<file>.json`` comes second.
        synthetic: the imagery was made up, and every page shall say so.
        convert: write each as a cloud-optimised GeoTIFF into ``MAD_HOME`` and catalogue that.
        processes: how many read side by side; 0: this one alone; None: by the number of scenes and processors.
        on_progress: called with how many are done and how many there are.

    Returns:
        What was added, updated, known and refused. Importing the same files again adds nothing.
    """
    order = ImportOrder(kind, sensor, level, mapping or SceneMapping(), synthetic, convert)
    sources = [_plain(path) for path in paths]
    scene_import = open_import(sources=sources, order=order)
    run_import(scene_import=scene_import, reader=uuid4(), processes=processes, on_progress=on_progress)
    return SceneReport(scene_import)


def _plain(path: Path | Source) -> Source:
    if isinstance(path, Path | str):
        return str(path) if is_remote(str(path)) else str(Path(path).absolute())
    return path


def open_import(*, sources: Sequence[Source], order: ImportOrder) -> SceneImport:
    """Write an import's row, or find the one of the same order that was not finished.

    Args:
        sources: see ``listing.Source``.
        order: what is wanted of every scene.
    """
    said = order.to_json()
    digest = hashlib.sha256(json.dumps([list(sources), said], sort_keys=True).encode()).hexdigest()
    unfinished = SceneImport.objects.filter(digest=digest, finished_at=None, job=None).first()
    if unfinished:
        return unfinished
    return SceneImport.objects.create(title=title_of(sources), sources=list(sources), order=said, digest=digest)


def title_of(sources: Sequence[Source]) -> str:
    """What people call an import."""
    first = name_of(sources[0])[:150] if sources else "nothing"
    return first if len(sources) < 2 else f"{first} and {len(sources) - 1} more"


def run_import(
    *,
    scene_import: SceneImport,
    reader: UUID,
    handle: JobHandle | None = None,
    processes: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """List what is not listed, read what is not read, and wait for what others read of it.

    Args:
        scene_import: the import.
        reader: who reads here: the job, or a command.
        handle: the job to keep alive meanwhile.
        processes: see ``import_scenes``.
        on_progress: called with how many are settled and how many there are.

    Raises:
        JobCancelled: somebody asked to cancel; what was read is kept.
        LostJob: the job is another worker's.
    """
    if not scene_import.is_listed:
        list_items(scene_import=scene_import, handle=handle)
    read_items(scene_import=scene_import, reader=reader, handle=handle, processes=processes, on_progress=on_progress)
    scene_import.finished_at = timezone.now()
    scene_import.save(update_fields=["finished_at"])


def list_items(*, scene_import: SceneImport, handle: JobHandle | None) -> None:
    """Give everything that the sources hold its row; what has one already keeps it.

    Raises:
        JobCancelled: somebody asked to cancel.
        LostJob: the job is another worker's.
    """
    listed = (_row(scene_import, found) for source in scene_import.sources for found in list_source(source))
    count = 0
    while rows := list(islice(listed, LISTED_AT_ONCE)):
        ImportItem.objects.bulk_create(rows, ignore_conflicts=True)
        count += len(rows)
        if handle is not None and beat_job(handle=handle, phase=f"{count} found so far"):
            msg = "cancelled while scenes were listed"
            raise JobCancelled(msg)
    scene_import.is_listed = True
    scene_import.save(update_fields=["is_listed"])


def _row(scene_import: SceneImport, found: Any) -> ImportItem:
    if isinstance(found, Refusal):
        key, said, refusal = found.file, {}, found.reason
    else:
        key, said, refusal = found.key, dict(found.said), ""
    if len(key) > MAX_KEY or not key.isprintable():
        key, refusal = repr(key)[:MAX_KEY], f"its path is longer than {MAX_KEY} characters, or cannot be written down"
    state = State.REFUSED if refusal else State.FOUND
    return ImportItem(scene_import=scene_import, key=key, said=said, state=state, reason=refusal)


def free_items(*, scene_import: SceneImport, reader: UUID) -> None:
    """Let items go that were held by who does not live any more, or by this reader in an earlier life."""
    alive = Job.objects.filter(state=Job.State.RUNNING).exclude(pk=reader).values("pk")
    held = scene_import.items.filter(state=State.READING).exclude(reader__in=alive)
    held.filter(tries__gte=MAX_TRIES).update(
        state=State.REFUSED, reader=None, reason=f"reading it has ended the process {MAX_TRIES} times"
    )
    held.update(state=State.FOUND, reader=None)


def take_items(*, scene_import: SceneImport, reader: UUID, count: int) -> list[ImportItem]:
    """Take waiting items for a reader; two readers never get the same one."""
    with transaction.atomic():
        waiting = scene_import.items.waiting().select_for_update(skip_locked=True).order_by("pk")
        ids = list(waiting.values_list("pk", flat=True)[:count])
        ImportItem.objects.filter(pk__in=ids).update(state=State.READING, reader=reader, tries=F("tries") + 1)
    return list(ImportItem.objects.filter(pk__in=ids).order_by("pk"))


def read_items(
    *,
    scene_import: SceneImport,
    reader: UUID,
    handle: JobHandle | None,
    processes: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    is_helping: bool = False,
) -> None:
    """Read and publish until every item of an import is settled.

    Args:
        scene_import: the import; all of it has its rows.
        reader: who reads here: the job, or a command.
        handle: the job to keep alive meanwhile.
        processes: see ``import_scenes``.
        on_progress: called with how many are settled and how many there are.
        is_helping: stop where nothing waits, and when the import's own job ends.

    Raises:
        JobCancelled: somebody asked to cancel; what was read is kept.
        LostJob: the job is another worker's.
    """
    tally = _Tally(scene_import, handle, on_progress, is_helping=is_helping)
    while True:
        free_items(scene_import=scene_import, reader=reader)
        waiting = scene_import.items.waiting().count()
        if waiting:
            for batch in _batches(_outcomes(scene_import, reader, waiting, processes)):
                tally.publish(batch)
        elif scene_import.items.unsettled().exists() and not is_helping:
            tally.beat()
            time.sleep(1)
        else:
            return


def _outcomes(scene_import: SceneImport, reader: UUID, waiting: int, processes: int | None) -> Iterator[Outcome | None]:
    def take(count: int) -> list[ImportItem]:
        return take_items(scene_import=scene_import, reader=reader, count=count)

    order = ImportOrder.from_json(scene_import.order)
    if processes is None:
        processes = 0 if waiting <= READ_HERE_UP_TO else min(os.cpu_count() or 1, MOST_PROCESSES)
    if not processes:
        yield from read_here(take=take, order=order)
        return
    log = settings.LOG_ROOT / "imports" / f"{scene_import.pk}.log"
    with closing(read_apart(take=take, order=order, processes=processes, log=log)) as outcomes:
        yield from outcomes


def _batches(outcomes: Iterable[Outcome | None]) -> Iterator[list[Outcome]]:
    """Outcomes in batches to be written at once; an empty one where a second has passed without any."""
    batch, since = list[Outcome](), time.monotonic()
    for outcome in outcomes:
        if outcome is not None:
            batch.append(outcome)
        if len(batch) >= PUBLISHED_AT_ONCE or time.monotonic() - since > PUBLISHED_EVERY_S or outcome is None:
            yield batch
            batch, since = [], time.monotonic()
    yield batch


class _Tally:
    """Publishes, counts, and tells job and terminal how far it is."""

    def __init__(
        self,
        scene_import: SceneImport,
        handle: JobHandle | None,
        on_progress: Callable[[int, int], None] | None,
        *,
        is_helping: bool,
    ) -> None:
        self.scene_import, self.handle, self.on_progress = scene_import, handle, on_progress
        self.is_helping = is_helping
        self.total = scene_import.items.count()
        self.settled = self.total - scene_import.items.unsettled().count()

    def publish(self, batch: Sequence[Outcome]) -> None:
        if not batch:
            self.beat()
            return
        self._heed()
        settled = self.settled + len(batch)
        publish(batch, handle=self.handle, progress=settled / self.total, phase=self._phase(settled))
        self.settled = settled
        if self.on_progress:
            self.on_progress(settled, self.total)

    def beat(self) -> None:
        self._heed()
        self.settled = self.total - self.scene_import.items.unsettled().count()
        if self.handle and beat_job(
            handle=self.handle, phase=self._phase(self.settled), progress=self.settled / max(1, self.total)
        ):
            msg = "cancelled while scenes were read"
            raise JobCancelled(msg)

    def _heed(self) -> None:
        """Who helps stops with the one that he helps."""
        if (
            self.is_helping
            and not Job.objects.filter(
                scene_import=self.scene_import, state=Job.State.RUNNING, cancel_requested=False
            ).exists()
        ):
            msg = "the import that this job helped with has ended"
            raise JobCancelled(msg)

    def _phase(self, settled: int) -> str:
        return f"{settled:,} of {self.total:,} scenes".replace(",", " ")
