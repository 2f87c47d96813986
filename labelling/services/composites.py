"""Composites: several scenes of one ground made into one, which is a file and a scene of its own."""

import json
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from shapely import to_geojson
from shapely.geometry.base import BaseGeometry

from labelling.core.blobs import remove_scratch
from labelling.core.companions import is_companion
from labelling.core.composite import plan_composite
from labelling.core.composite_file import spec_of
from labelling.core.errors import BadInput, Conflict, NotFound
from labelling.core.geotiff import inside_path
from labelling.core.masks import METHOD as MASKS
from labelling.models import Job, Scene
from labelling.models.spatial import to_geos
from labelling.services.children import run_child
from labelling.services.jobs import JobHandle, enqueue_job, log_of
from labelling.services.scenes import import_scenes, scene_roots, scenes_called

MAKE = "labelling.make_composite"
ATTEMPTS = 2
_NAME = re.compile(r"\w[\w .-]{0,99}")
_MODULE = "labelling.core.composite_file"


@dataclass(frozen=True)
class CompositeOrder:
    """What is to be made, ready for JSON.

    Attributes:
        scenes: numbers of the scenes; of two that are as good the first is taken.
        method: ``median`` or ``medoid``.
        target: path of the file.
        area: GeoJSON in EPSG:4326, or None for all the ground of the scenes.
    """

    scenes: tuple[int, ...]
    method: str
    target: str
    area: dict[str, Any] | None = None


def choose_scenes(
    *,
    wanted: Sequence[str] = (),
    area: BaseGeometry | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    level: str = "",
) -> list[Scene]:
    """Find what a composite can be made of, newest first.

    Args:
        wanted: names, numbers, files or folders of catalogued scenes; none for all single acquisitions.
        area: only scenes that touch it, EPSG:4326.
        since: only scenes that were taken from then on.
        until: only scenes that were taken up to then.
        level: only scenes of it.

    Raises:
        NotFound: one of those wanted is not catalogued.
    """
    scenes = Scene.objects.filter(kind=Scene.Kind.SINGLE)
    if wanted:
        called = {text: scenes_called(text) for text in wanted}
        missing = [text for text, found in called.items() if not found]
        if missing:
            msg = f"no catalogued scene is called {', '.join(missing)}"
            raise NotFound(msg)
        scenes = Scene.objects.filter(pk__in={scene.pk for found in called.values() for scene in found})
    if area is not None:
        scenes = scenes.filter(footprint__intersects=to_geos(area))
    limits = {"acquired_at__gte": since, "acquired_at__lte": until, "level": level}
    scenes = scenes.filter(**{name: limit for name, limit in limits.items() if limit})
    return sorted(scenes, key=lambda scene: (scene.acquired_at is None, -_seconds(scene), scene.pk))


def _seconds(scene: Scene) -> float:
    return scene.acquired_at.timestamp() if scene.acquired_at else 0.0


def place_of(name: str) -> Path:
    """Where a composite of a name lies that is not asked for elsewhere.

    Raises:
        BadInput: not a name for a file.
    """
    if not _NAME.fullmatch(name):
        msg = f"{name[:100]!r} is no name for a composite: up to 100 letters, digits, spaces, _ . -"
        raise BadInput(msg)
    return Path(settings.MAD_HOME) / "composites" / f"{name}.tif"


def plan_order(
    *, scenes: Sequence[Scene], method: str, target: Path, area: BaseGeometry | None = None
) -> CompositeOrder:
    """Check that a composite can be made, before anybody waits for it.

    Args:
        scenes: single acquisitions of one sensor and level; of two that are as good the first is taken.
        method: ``median`` or ``medoid``.
        target: a new .tif where imagery may lie.
        area: EPSG:4326; the composite covers its bounding box, as far as there are scenes.

    Raises:
        BadInput: the scenes do not go together, or the file may not lie there.
        Conflict: the file is there already, or a worker makes it.
    """
    _check_alike(scenes)
    plan_composite([scene.ref() for scene in scenes], method=method, area=area)
    real = inside_path(target, roots=scene_roots())
    if real.suffix.lower() != ".tif" or is_companion(real):
        msg = f"{target.name} is no name for a scene: let it end with .tif, and hold none of SCL, CLD, CLP"
        raise BadInput(msg)
    under_way = Job.objects.filter(kind=MAKE, params__target=str(real)).exclude(state__in=Job.FINAL)
    if real.exists() or under_way.exists():
        msg = f"{target.name} is there already, or being made: choose another name"
        raise Conflict(msg)
    cut = None if area is None else json.loads(to_geojson(area))
    return CompositeOrder(tuple(scene.pk for scene in scenes), method, str(real), cut)


def _check_alike(scenes: Sequence[Scene]) -> None:
    if any(scene.kind != Scene.Kind.SINGLE for scene in scenes):
        msg = "a composite is made of single acquisitions: leave out scenes that are composites themselves"
        raise BadInput(msg)
    for what, change in (("level", "choose one level"), ("sensor", "choose scenes of one sensor")):
        found = sorted({getattr(scene, what) or "not said" for scene in scenes})
        if len(found) > 1:
            msg = f"the scenes differ in their {what} ({', '.join(found)}), which is never mixed: {change}"
            raise BadInput(msg)


def order_composite(*, order: CompositeOrder, user: User | None) -> Job:
    """Ask a worker for a composite."""
    title = f"Composite {Path(order.target).stem}"[:200]
    return enqueue_job(kind=MAKE, title=title, params=asdict(order), user=user, max_attempts=ATTEMPTS)


def work_on_composite(*, job: Job, handle: JobHandle) -> dict[str, Any]:
    """Do the job of ``order_composite``.

    Raises:
        ChildFailed: a scene cannot be read, or the file not be written.
        JobCancelled: somebody asked to cancel; nothing is left behind.
    """
    scene = make_composite(order=CompositeOrder(**job.params), handle=handle)
    return {"scene": scene.pk, "uri": scene.uri}


def make_composite(
    *, order: CompositeOrder, handle: JobHandle | None = None, on_progress: Callable[[float], None] | None = None
) -> Scene:
    """Write a composite in a child process and catalogue it; made anew, it takes its own place.

    Args:
        order: from ``plan_order``.
        handle: the job to keep alive meanwhile.
        on_progress: called with the share that is done, 0 to 1.

    Returns:
        The new scene, whose ``provenance`` says what it was made of, as does the tag COMPOSITE of its file.

    Raises:
        NotFound: one of the scenes is no longer catalogued.
        BadInput: the scenes no longer go together, or nothing in them can be seen.
        ChildFailed: a scene cannot be read, or the file not be written.
        JobCancelled: somebody asked to cancel; nothing is left behind.
    """
    there = Scene.objects.in_bulk(order.scenes)
    if len(there) < len(order.scenes):
        msg = "some of the scenes are no longer catalogued: choose again"
        raise NotFound(msg)
    scenes, target, told = [there[number] for number in order.scenes], Path(order.target), dict[str, Any]()
    _check_alike(scenes)

    def hear(event: dict[str, Any]) -> None:
        if event["event"] == "written":
            told.update(event["provenance"])
        elif on_progress:
            on_progress(event["done"])

    spec = spec_of(
        [scene.ref() for scene in scenes],
        method=order.method,
        area=order.area,
        target=target,
        provenance=_provenance(order, scenes),
        tags=_tags(scenes),
    )
    log = log_of(handle) if handle else settings.LOG_ROOT / "composites.log"
    try:
        run_child(handle=handle, module=_MODULE, spec=spec, log=log, on_event=hear)
    finally:
        remove_scratch(target)
    scene = _catalogue(target, scenes, told)
    if on_progress:
        on_progress(1.0)
    return scene


def _catalogue(target: Path, scenes: Sequence[Scene], provenance: dict[str, Any]) -> Scene:
    report = import_scenes(
        paths=[target],
        kind=Scene.Kind.COMPOSITE,
        sensor=scenes[0].sensor,
        level=scenes[0].level,
        synthetic=any(scene.synthetic for scene in scenes),
    )
    if report.refused:
        target.unlink()
        raise BadInput(report.refused[0].reason, file=target.name)
    scene = Scene.objects.get(uri=str(target))
    scene.provenance = provenance
    scene.save(update_fields=["provenance"])
    return scene


def _provenance(order: CompositeOrder, scenes: Sequence[Scene]) -> dict[str, Any]:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "method": order.method,
        "made_at": timezone.now().isoformat(timespec="seconds"),
        "software": f"{project['name']} {project['version']}",
        "masks_method": MASKS,
        "area": order.area,
        "scenes": [
            {
                "id": scene.pk,
                "name": scene.name,
                "version": scene.version,
                "level": scene.level,
                "acquired_at": scene.acquired_at and scene.acquired_at.isoformat(),
            }
            for scene in scenes
        ],
    }


def _tags(scenes: Sequence[Scene]) -> dict[str, str]:
    times = sorted(scene.acquired_at for scene in scenes if scene.acquired_at)
    tags = {
        "PROCESSING_LEVEL": scenes[0].level,
        "ATTRIBUTION": "; ".join(sorted({scene.attribution for scene in scenes if scene.attribution})),
        "ACQUIRED_AT": times[0].isoformat() if times else "",
        "ACQUIRED_UNTIL": times[-1].isoformat() if times else "",
    }
    return {name: text for name, text in tags.items() if text}
