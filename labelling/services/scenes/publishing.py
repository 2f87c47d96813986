"""Write what was read into the catalogue, many scenes at once, together with the state of their items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.gis.geos import GEOSGeometry
from django.db import transaction

from labelling.core.intake import Candidate, Reading, uris_of
from labelling.models import ImportItem, Scene
from labelling.services.jobs import JobCancelled, JobHandle, beat_job
from labelling.services.scenes.roots import copy_store

State = ImportItem.State
# What is measured later of the pixels is void when they change.
_UNMEASURED = {"measured": "", "clearness": b"", "cell_px": 0}


@dataclass(frozen=True)
class Outcome:
    """What became of an item: what was read of it, or why it was refused."""

    item: ImportItem
    reading: Reading | None = None
    reason: str = ""


def candidates_of(items: Sequence[ImportItem]) -> list[Candidate]:
    """What is to be read, with the versions that the catalogue knows of it."""
    uris = {item.pk: uris_of(item.key, copy_store()) for item in items}
    wanted = [uri for pair in uris.values() for uri in pair]
    known = dict(Scene.objects.filter(uri__in=wanted).values_list("uri", "version"))
    return [
        Candidate(item.key, item.said, {uri: known[uri] for uri in uris[item.pk] if uri in known}) for item in items
    ]


@transaction.atomic
def publish(outcomes: Sequence[Outcome], *, handle: JobHandle | None, progress: float, phase: str) -> None:
    """Write scenes and settle their items, all or nothing.

    Args:
        outcomes: of items of one import.
        handle: the job that read them; it is kept alive, and its loss undoes the writing.
        progress: of the whole import, 0 to 1.
        phase: what the job does now.

    Raises:
        LostJob: the job is another worker's; nothing was written.
        JobCancelled: somebody asked to cancel; nothing was written.
    """
    if handle is not None and beat_job(handle=handle, phase=phase, progress=progress):
        msg = "cancelled while scenes were read"
        raise JobCancelled(msg)
    saved = _save_scenes([one for one in outcomes if one.reading])
    for outcome in outcomes:
        item = outcome.item
        item.state = State.CATALOGUED if outcome.reading else State.REFUSED
        item.reason, item.reader = outcome.reason, None
        if outcome.reading:
            item.scene, item.outcome = saved[outcome.reading.uri]
    ImportItem.objects.bulk_update(
        [one.item for one in outcomes], ["state", "reason", "reader", "scene", "outcome"], batch_size=200
    )


def _save_scenes(outcomes: Sequence[Outcome]) -> dict[str, tuple[Scene, str]]:
    """Write the scenes that are new or changed; by uri each scene, and what became of it."""
    read = {one.reading.uri: (one.reading, uris_of(one.item.key, copy_store())) for one in outcomes if one.reading}
    there = {
        scene.uri: scene for scene in Scene.objects.filter(uri__in={uri for _, pair in read.values() for uri in pair})
    }
    saved, fresh = dict[str, tuple[Scene, str]](), list[Scene]()
    for uri, (reading, pair) in read.items():
        before = there.get(uri) or next((there[other] for other in pair if other in there), None)
        if before and (not reading.values or (before.uri, before.version) == (uri, reading.values["version"])):
            saved[uri] = before, "known"
            continue
        scene = before or Scene()
        for name, value in _fields(reading.values).items():
            setattr(scene, name, value)
        saved[uri] = scene, "updated" if before else "added"
        if before:
            scene.save()
        else:
            fresh.append(scene)
    if fresh:
        # Another import may catalogue the same file at the same moment.
        changed = [name for name in _fields(read[fresh[0].uri][0].values) if name != "uri"]
        Scene.objects.bulk_create(fresh, update_conflicts=True, unique_fields=["uri"], update_fields=changed)
    return saved


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    times = {name: values[name] and datetime.fromisoformat(values[name]) for name in ("acquired_at", "acquired_until")}
    return {**values, **_UNMEASURED, **times, "footprint": GEOSGeometry(values["footprint"], srid=4326)}
