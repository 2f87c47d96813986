"""Bring imagery into the catalogue, and find in it."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from labelling.core.cog import write_cog
from labelling.core.companions import is_companion
from labelling.core.errors import BadInput, BadRaster, Conflict
from labelling.core.raster import check_source, checked_path, open_raster
from labelling.core.scene_mapping import SceneMapping, read_mapping
from labelling.core.scenes import SceneFacts, describe_scene, fingerprint_of
from labelling.core.survey import Survey, survey_scene
from labelling.models import Job, Scene
from labelling.models.spatial import to_geos
from labelling.services.children import run_child
from labelling.services.jobs import JobHandle, enqueue_job, log_of

SUFFIXES = (".tif", ".tiff")
MAX_PATH = 1000
CONVERT = "labelling.convert_scene"


@dataclass(frozen=True)
class Refusal:
    """A file that was not catalogued, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class SceneReport:
    """What an import did.

    Attributes:
        added: scenes that are new.
        updated: scenes whose file, or what is said of it, has changed.
        known: how many were catalogued already, and are the same.
        refused: files that were not catalogued, each with its reason.
    """

    added: tuple[Scene, ...]
    updated: tuple[Scene, ...]
    known: int
    refused: tuple[Refusal, ...]

    @property
    def slow(self) -> tuple[Scene, ...]:
        """Of the new ones those whose tiles will be slow: large and without overviews."""
        return tuple(scene for scene in (*self.added, *self.updated) if scene.wants_overviews)


@dataclass(frozen=True)
class _Order:
    """What the caller wants of every file."""

    kind: str
    sensor: str
    level: str
    mapping: SceneMapping
    synthetic: bool
    convert: bool


def scene_roots() -> tuple[Path, ...]:
    """The folders below which imagery may lie."""
    return (settings.MAD_HOME, *settings.SCENE_ROOTS)


def import_scenes(
    *,
    paths: Sequence[Path | str],
    kind: str = Scene.Kind.SINGLE,
    sensor: str = "",
    level: str = "",
    mapping: SceneMapping | None = None,
    synthetic: bool = False,
    convert: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> SceneReport:
    """Catalogue GeoTIFFs: each is checked, measured and written in a transaction of its own.

    Args:
        paths: files, folders (searched to their depths for .tif and .tiff) or patterns such as ``/data/*.tif``.
        kind: ``single`` or ``composite``.
        sensor: such as ``sentinel-2``; empty for what the file says.
        level: ``L1C`` or ``L2A``; empty for what the file says.
        mapping: what the files do not say themselves. Each file's own ``<file>.json`` comes second.
        synthetic: the imagery was made up, and every page shall say so.
        convert: write each as a cloud-optimised GeoTIFF into ``MAD_HOME`` and catalogue that.
        on_progress: called with how many are done and how many there are.

    Returns:
        What was added, updated, known and refused. Importing the same files again adds nothing.
    """
    order = _Order(kind, sensor, level, mapping or SceneMapping(), synthetic, convert)
    files, refused = _find_files(paths)
    found: dict[str, list[Scene]] = {"added": [], "updated": [], "known": []}
    for done, file in enumerate(files, start=1):
        try:
            outcome, scene = _import_file(file, order)
            found[outcome].append(scene)
        except BadInput as error:
            refused.append(Refusal(str(file), error.reason))
        except OSError as error:
            refused.append(Refusal(str(file), error.strerror or str(error)))
        except IntegrityError:
            refused.append(Refusal(str(file), "another import catalogued it at the same moment: import it again"))
        if on_progress:
            on_progress(done, len(files))
    return SceneReport(tuple(found["added"]), tuple(found["updated"]), len(found["known"]), tuple(refused))


def _find_files(paths: Sequence[Path | str]) -> tuple[list[Path], list[Refusal]]:
    files: dict[Path, None] = {}
    refused = []
    for path in paths:
        found = list(_files_of(Path(path).absolute()))
        files.update(dict.fromkeys(found))
        if not found:
            reason = "no .tif or .tiff file in it" if Path(path).is_dir() else "no such file"
            refused.append(Refusal(str(path), reason))
    return list(files), refused


def _files_of(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(one for one in path.rglob("*") if _is_scene(one))
    elif path.exists():
        yield path
    else:
        yield from sorted(
            one for one in Path("/").glob(str(path).lstrip("/")) if one.is_file() and not is_companion(one)
        )


def _is_scene(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not is_companion(path) and path.is_file()


def _import_file(file: Path, order: _Order) -> tuple[str, Scene]:
    real = checked_path(file, roots=scene_roots())
    with open_raster(real, roots=scene_roots()) as dataset:
        facts = describe_scene(dataset, path=real, mapping=order.mapping.over(_sidecar_of(real)))
    for companion in filter(None, (facts.ref.scl, facts.ref.cloud_probability)):
        check_source(companion, roots=scene_roots())
    facts = replace(facts, sensor=order.sensor or facts.sensor, level=order.level or facts.level)
    version = fingerprint_of(facts, more=(order.kind, order.synthetic))
    copy = _copy_path(real)
    scene = Scene.objects.filter(uri__in=[str(real), str(copy)]).first()
    convert = order.convert or (scene is not None and scene.uri == str(copy))
    uri = copy if convert else real
    if scene and (scene.version, scene.uri) == (version, str(uri)) and uri.exists():
        return "known", scene
    survey = survey_scene(facts.ref, has_overviews=facts.has_overviews)
    if convert:
        write_cog(real, copy, nodata=facts.ref.nodata)
        facts = replace(facts, ref=replace(facts.ref, path=str(copy)), has_overviews=True)
    outcome = "updated" if scene else "added"
    return outcome, _save_scene(scene or Scene(), facts, survey, version=version, order=order, name=real.stem)


def _sidecar_of(file: Path) -> SceneMapping:
    sidecar = file.with_name(f"{file.name}.json")
    return read_mapping(sidecar) if sidecar.is_file() else SceneMapping()


def _copy_path(source: Path) -> Path:
    """Where the cloud-optimised copy of a file lies: the same for the same source, so that it is replaced."""
    place = hashlib.sha256(str(source).encode()).hexdigest()[:12]
    return Path(settings.MAD_HOME) / "scenes" / f"{source.stem[:100]}-{place}.tif"


@transaction.atomic
def _save_scene(scene: Scene, facts: SceneFacts, survey: Survey, *, version: str, order: _Order, name: str) -> Scene:
    ref = facts.ref
    if max(len(path) for path in (ref.path, ref.scl, ref.cloud_probability)) > MAX_PATH:
        msg = f"its path, or that of a companion, is longer than {MAX_PATH} characters"
        raise BadRaster(msg, file=Path(ref.path).name)
    values = {
        "name": name[:200],
        "uri": ref.path,
        "version": version,
        "kind": order.kind,
        "sensor": facts.sensor[:40],
        "level": facts.level[:10],
        "baseline": facts.baseline,
        "radiometry": facts.radiometry[:200],
        "scl": ref.scl,
        "cloud_probability": ref.cloud_probability,
        "acquired_at": facts.acquired_at,
        "acquired_until": facts.acquired_until,
        "crs": ref.crs,
        "transform": list(ref.transform),
        "width": ref.width,
        "height": ref.height,
        "dtype": ref.dtype,
        "bands": list(ref.bands),
        "scales": list(ref.scales),
        "offsets": list(ref.offsets),
        "nodata": ref.nodata,
        "pixel_m": facts.pixel_m,
        "footprint": to_geos(facts.footprint),
        "has_overviews": facts.has_overviews,
        "display": survey.display,
        "quality": {**facts.stated, **survey.quality},
        "clearness": b"",
        "cell_px": 0,
        "attribution": facts.attribution,
        "synthetic": order.synthetic,
    }
    for field, value in values.items():
        setattr(scene, field, value)
    scene.save()
    return scene


def conversion_of(*, scene: Scene) -> Job | None:
    """Find the newest job that writes, or wrote, a scene's cloud-optimised copy."""
    return Job.objects.filter(kind=CONVERT, params__scene=scene.pk).first()


def order_conversion(*, scene: Scene, user: User) -> Job:
    """Ask a worker for a scene's cloud-optimised copy; the job that is under way where there is one.

    Raises:
        Conflict: the scene has its overviews already.
    """
    if not scene.wants_overviews:
        msg = "this scene needs no copy: it is small, or has overviews"
        raise Conflict(msg)
    job = conversion_of(scene=scene)
    if job and not job.is_final and not job.is_silent:
        return job
    return enqueue_job(kind=CONVERT, title=f"Copy of {scene.name}", params={"scene": scene.pk}, user=user)


def convert_scene(*, scene: Scene, handle: JobHandle) -> Scene:
    """Write a scene's cloud-optimised copy in a child process and catalogue it in the place of the file.

    The version stays: the numbers are the same, and the tiles that were drawn from them are too.

    Args:
        scene: the scene.
        handle: the job to keep alive meanwhile.

    Raises:
        ChildFailed: the file cannot be read, or the copy not be written.
        JobCancelled: somebody asked to cancel it.
    """
    copy = _copy_path(Path(scene.uri))
    spec = {"source": scene.uri, "target": str(copy), "nodata": scene.nodata}
    try:
        run_child(handle=handle, module="labelling.core.cog", spec=spec, log=log_of(handle), on_event=lambda _: None)
    finally:
        for left in copy.parent.glob(f".{copy.stem}-*"):  # of a child that was killed
            left.unlink(missing_ok=True)
    scene.uri, scene.has_overviews = str(copy), True
    scene.save(update_fields=["uri", "has_overviews"])
    return scene
