"""How good scenes are: measured once by a job, and asked for by lists, recipes and the review."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from numpy.typing import NDArray

from labelling.core.errors import BadRaster
from labelling.core.quality import METHOD, Clearness, measure_quality, sun_elevation
from labelling.core.raster import transformer
from labelling.models import Job, Scene
from labelling.models.turns import take_turn
from labelling.services.jobs import JobCancelled, JobHandle, beat_job, enqueue_job

MEASURE = "labelling.measure_quality"
REST = timedelta(hours=1)
"""After a job that failed or was cancelled nobody orders the next one by himself for so long."""
HIDDEN_BELOW = 0.5
"""Ground of which less is clear is taken for hidden by clouds."""
_BEAT_S = 2.0


@dataclass(frozen=True)
class Measured:
    """What measuring did.

    Attributes:
        scenes: how many were measured.
        faults: files that could not be read, by the name of the scene.
    """

    scenes: int
    faults: dict[str, str]


def order_measuring(*, user: User | None = None) -> Job | None:
    """Ask a worker to measure what is not measured yet; the job that is under way where there is one.

    Args:
        user: who asks; nobody where the tick does, which leaves a failed or cancelled job alone for an hour.

    Returns:
        The job, or None where all scenes are measured.
    """
    if not Scene.objects.unmeasured(METHOD).exists():
        return None
    under_way = Q(state__in=[Job.State.QUEUED, Job.State.RUNNING])
    if user is None:
        under_way |= Q(state__in=[Job.State.FAILED, Job.State.CANCELLED], finished_at__gt=timezone.now() - REST)
    with transaction.atomic():
        take_turn(MEASURE)
        job = Job.objects.filter(under_way, kind=MEASURE).first()
        title = "Measure the quality of scenes"
        return job or enqueue_job(kind=MEASURE, title=title, params={}, user=user, max_attempts=3)


def measure_scenes(
    *, anew: bool = False, handle: JobHandle | None = None, on_progress: Callable[[int, int], None] | None = None
) -> Measured:
    """Measure the scenes that are not measured yet, each in a transaction of its own.

    A scene whose file cannot be read is noted as measured with its fault, so that it is not tried again until it is
    imported again.

    Args:
        anew: all scenes, also those that are measured.
        handle: the job to keep alive meanwhile.
        on_progress: called with how many are done and how many there are.

    Raises:
        JobCancelled: somebody asked to cancel it; what was measured is kept.
    """
    scenes = Scene.objects.all() if anew else Scene.objects.unmeasured(METHOD)
    ids = list(scenes.order_by("pk").values_list("pk", flat=True))
    beat, faults, done = _Beat(handle, len(ids)), {}, 0
    for number, pk in enumerate(ids, start=1):
        scene = Scene.objects.filter(pk=pk).first()
        if scene is None:
            continue
        fault = measure_scene(scene=scene, on_block=beat.within(number - 1))
        done += 1
        if fault:
            faults[scene.name] = fault
        if on_progress:
            on_progress(number, len(ids))
    return Measured(done, faults)


def measure_scene(*, scene: Scene, on_block: Callable[[float], None] | None = None) -> str:
    """Measure one scene and keep what was found, unless it was imported anew meanwhile.

    Args:
        scene: the scene.
        on_block: called with the share that is done; may raise to stop.

    Returns:
        Why it could not be measured, or nothing.
    """
    stated = {key: scene.quality[key] for key in ("product_cloud", "product_empty", "sun") if key in scene.quality}
    stated.setdefault("sun", _sun_over(scene))
    news: dict[str, Any] = {"measured": METHOD, "clearness": b"", "cell_px": 0}
    fault = ""
    try:
        quality, clearness = measure_quality(scene.ref(), on_block=on_block)
        news |= {"quality": stated | quality.to_json(), "clearness": clearness.values.tobytes()}
        news["cell_px"] = clearness.cell_px
    except (BadRaster, OSError) as error:
        fault = str(error)
        news["quality"] = scene.quality | stated | {"fault": fault[:300]}
    Scene.objects.filter(pk=scene.pk, version=scene.version).update(**news)
    return fault


def _sun_over(scene: Scene) -> float | None:
    """Computed where the time of day is known: of a composite it is not, nor of a name that holds a day alone."""
    at = scene.acquired_at
    if at is None or scene.kind != Scene.Kind.SINGLE or (at.hour, at.minute, at.second) == (0, 0, 0):
        return None
    middle = scene.footprint.centroid
    return round(sun_elevation(at, lon=middle.x, lat=middle.y), 2)


@dataclass
class _Beat:
    """Tells the job how far the work is, at most every two seconds."""

    handle: JobHandle | None
    total: int
    last: float = 0.0

    def within(self, before: int) -> Callable[[float], None]:
        return lambda share: self.tell(before, share)

    def tell(self, before: int, share: float) -> None:
        if self.handle is None or time.monotonic() - self.last < _BEAT_S:
            return
        self.last = time.monotonic()
        phase = f"scene {before + 1} of {self.total}"
        if beat_job(handle=self.handle, phase=phase, progress=(before + share) / self.total):
            msg = "cancelled while scenes were measured"
            raise JobCancelled(msg)


def clearness_of(scene: Scene) -> Clearness | None:
    """How clear a scene is in each of its cells; None until it is measured."""
    if not scene.cell_px:
        return None
    rows = -(-scene.height // scene.cell_px)
    return Clearness(np.frombuffer(bytes(scene.clearness), np.uint8).reshape(rows, -1), scene.cell_px)


def clearness_over(*, scene: Scene, boxes: Sequence[tuple[float, float, float, float]]) -> list[float | None]:
    """How clear a scene is over places.

    Args:
        scene: the scene.
        boxes: west, south, east, north of each place, EPSG:4326.

    Returns:
        0 (hidden, or outside) to 1 (clear) for each place; None until the scene is measured.
    """
    cells = clearness_of(scene)
    if cells is None or not boxes:
        return [None] * len(boxes)
    west, south, east, north = np.asarray(boxes, np.float64).T
    corners = transformer("EPSG:4326", scene.crs).transform(
        np.stack([west, west, east, east]), np.stack([south, north, south, north])
    )
    columns, rows = _to_pixels(scene, *corners)
    sides = zip(columns.min(axis=0), rows.min(axis=0), columns.max(axis=0), rows.max(axis=0), strict=True)
    return [
        cells.over(left=left, top=top, right=right, bottom=bottom)
        if np.isfinite([left, top, right, bottom]).all()
        else 0.0
        for left, top, right, bottom in sides
    ]


def _to_pixels(
    scene: Scene, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, _, left, _, e, top = scene.transform[:6]
    return (x - left) / a, (y - top) / e


def put_hidden_last(
    *, scenes: Mapping[int, Sequence[Scene]], boxes: Mapping[int, tuple[float, float, float, float]]
) -> dict[int, list[Scene]]:
    """Order the scenes of places so that those which clouds hide there come last; else the order stays.

    Args:
        scenes: of each place; what is not measured is taken for clear.
        boxes: west, south, east, north of each place, EPSG:4326.
    """
    places: dict[int, list[int]] = defaultdict(list)
    by_pk = {scene.pk: scene for found in scenes.values() for scene in found}
    for place, found in scenes.items():
        for scene in found:
            places[scene.pk].append(place)
    hidden = {
        (pk, place)
        for pk, here in places.items()
        for place, clear in zip(
            here, clearness_over(scene=by_pk[pk], boxes=[boxes[place] for place in here]), strict=True
        )
        if clear is not None and clear < HIDDEN_BELOW
    }
    return {place: sorted(found, key=lambda scene: (scene.pk, place) in hidden) for place, found in scenes.items()}
