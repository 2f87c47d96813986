"""Read one file, folder or catalogue item into what the catalogue keeps of it.

``python -m labelling.core.intake`` does it for many in a process of its own, from a JSON spec on stdin: what a hostile
file can do to a process is done to that one, in bounded time and memory.
"""

import hashlib
import os
import resource
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import labelling.core.gdal  # noqa: F401  # before rasterio, so that its drivers are the few we want
from labelling.core.child import Emit, child_main
from labelling.core.cog import write_cog
from labelling.core.errors import BadInput, BadRaster
from labelling.core.geotiff import inside_path
from labelling.core.raster import lend_raster, open_raster
from labelling.core.remote import is_remote
from labelling.core.safe import is_safe, read_safe
from labelling.core.scene_mapping import SceneMapping, read_mapping
from labelling.core.scenes import SceneFacts, describe_scene, describe_stack, fingerprint_of
from labelling.core.stac_items import read_item
from labelling.core.survey import Survey, survey_scene

MAX_PATH = 1000
LIMIT_S = 180
"""Longest time of one candidate, seconds; a copy of it may take longer."""
COPY_LIMIT_S = 3600
MEMORY = 6 << 30
"""Most address space of the process, bytes."""


@dataclass(frozen=True)
class ImportOrder:
    """What is wanted of every scene.

    Attributes:
        kind: ``single`` or ``composite``.
        sensor, level: such as ``sentinel-2`` and ``L2A``; empty for what the files say.
        mapping: what the files do not say themselves.
        synthetic: the imagery was made up.
        convert: write a cloud-optimised copy of each and catalogue that.
    """

    kind: str = "single"
    sensor: str = ""
    level: str = ""
    mapping: SceneMapping = field(default_factory=SceneMapping)
    synthetic: bool = False
    convert: bool = False

    def to_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        said = {key: value for key, value in asdict(self.mapping).items() if value is not None}
        times = {key: said[key].isoformat() for key in ("acquired_at", "acquired_until") if key in said}
        return {**asdict(self), "mapping": {**said, **times}}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "ImportOrder":
        """The order of ``to_json``."""
        return cls(**{**said, "mapping": SceneMapping.from_json(dict(said["mapping"]), file="the order")})


@dataclass(frozen=True)
class Candidate:
    """What may become a scene.

    Attributes:
        key: path of a file or SAFE folder, address of an image, or link of a STAC item.
        said: the STAC item; empty where it is none.
        known: versions of what is catalogued of it already, by uri.
    """

    key: str
    said: Mapping[str, Any] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What was read of a candidate.

    Attributes:
        uri: of the scene.
        values: what the catalogue keeps, ready for JSON: times in ISO 8601, the footprint as hexadecimal WKB; empty
            where the catalogue knows this version.
    """

    uri: str
    values: Mapping[str, Any]


def uris_of(key: str, store: Path) -> tuple[str, str]:
    """Where the scene of a candidate lies: in place, and as a copy of ours.

    Args:
        key: of the candidate.
        store: folder of the copies.

    Returns:
        The real path or address, and the path of the copy: the same for the same source, so that it is replaced.
    """
    place = key if is_remote(key) else str(Path(key).resolve())
    digest = hashlib.sha256(place.encode()).hexdigest()[:12]
    return place, str(store / f"{Path(place).stem[:100]}-{digest}.tif")


def read_candidate(candidate: Candidate, order: ImportOrder, *, roots: tuple[Path, ...], store: Path) -> Reading:
    """Check and measure a candidate, and write its copy where one is wanted.

    Args:
        candidate: what was found.
        order: what is wanted of it.
        roots: files of this machine must lie below one of these folders.
        store: folder of the copies.

    Raises:
        BadInput: it cannot be catalogued; the text says why.
        OSError: a file of this machine cannot be read, or the copy not be written.
    """
    place, copy = uris_of(candidate.key, store)
    facts = _describe(candidate, place, order.mapping, roots)
    facts = replace(facts, sensor=order.sensor or facts.sensor, level=order.level or facts.level)
    version = fingerprint_of(facts, more=(order.kind, order.synthetic))
    convert = order.convert or copy in candidate.known
    uri = copy if convert else place
    if candidate.known.get(uri) == version and (not convert or Path(copy).exists()):
        return Reading(uri, {})
    survey = survey_scene(facts.ref, has_overviews=facts.has_overviews)
    if convert:
        write_cog(facts.ref, Path(copy))
        facts = replace(facts, ref=replace(facts.ref, path=copy, files=()), has_overviews=True)
    name = Path(candidate.said.get("id", "")).name or Path(place).stem
    return Reading(uri, _values(facts, survey, order, version=version, name=name))


def _describe(candidate: Candidate, place: str, mapping: SceneMapping, roots: tuple[Path, ...]) -> SceneFacts:
    if candidate.said:
        try:
            return _describe_item(candidate, place, mapping, roots)
        except (TypeError, AttributeError, LookupError) as error:
            # What lies in the depths of a catalogue is anybody's JSON.
            msg = f"its STAC item is not written as STAC asks: {error}"
            raise BadRaster(msg, file=Path(place).name) from error
    if is_remote(place):
        with lend_raster(place) as dataset:
            return describe_scene(dataset, path=place, mapping=mapping, roots=roots)
    inside_path(place, roots=roots)
    mapping = mapping.over(_sidecar_of(Path(place)))
    if is_safe(Path(place)):
        safe = read_safe(Path(place))
        return describe_stack(safe.bands, place=place, mapping=mapping, said=safe.said, roots=roots)
    # Lent, since the survey comes back to it.
    with lend_raster(place, roots=roots) as dataset:
        return describe_scene(dataset, path=place, mapping=mapping, roots=roots)


def _describe_item(candidate: Candidate, place: str, mapping: SceneMapping, roots: tuple[Path, ...]) -> SceneFacts:
    item = read_item(candidate.said, link=candidate.key, bands=mapping.bands)
    if not item.names:
        return describe_stack(item.files, place=place, mapping=mapping, said=item.said, roots=roots)
    path = item.files[0].path
    with open_raster(path, roots=roots) as dataset:
        mapping = item.mapping(mapping)
        facts = describe_scene(dataset, path=path, mapping=mapping, said=item.said, roots=roots)
    return replace(facts, ref=replace(facts.ref, path=place, files=(path,)))


def _sidecar_of(file: Path) -> SceneMapping:
    sidecar = file.with_name(f"{file.name}.json")
    return read_mapping(sidecar) if sidecar.is_file() else SceneMapping()


def _values(facts: SceneFacts, survey: Survey, order: ImportOrder, *, version: str, name: str) -> dict[str, Any]:
    ref = facts.ref
    if max(len(path) for path in (ref.path, ref.scl, ref.cloud_probability, *ref.files)) > MAX_PATH:
        msg = f"its path, or that of a companion, is longer than {MAX_PATH} characters"
        raise BadRaster(msg, file=Path(ref.path).name)
    return {
        "name": name[:200],
        "uri": ref.path,
        "files": list(ref.files),
        "version": version,
        "kind": order.kind,
        "sensor": facts.sensor[:40],
        "level": facts.level[:10],
        "baseline": facts.baseline,
        "radiometry": facts.radiometry[:200],
        "scl": ref.scl,
        "cloud_probability": ref.cloud_probability,
        "acquired_at": facts.acquired_at and facts.acquired_at.isoformat(),
        "acquired_until": facts.acquired_until and facts.acquired_until.isoformat(),
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
        "footprint": facts.footprint.wkb_hex,
        "has_overviews": facts.has_overviews,
        "display": survey.display,
        "quality": {**facts.stated, **survey.quality},
        "attribution": facts.attribution,
        "synthetic": order.synthetic,
    }


def _work(spec: dict[str, Any], emit: Emit) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    order = ImportOrder.from_json(spec["order"])
    roots, store = tuple(Path(root) for root in spec["roots"]), Path(spec["store"])
    for place, said in enumerate(spec["candidates"]):
        seconds = COPY_LIMIT_S if order.convert else LIMIT_S
        clock = threading.Timer(seconds, _give_up, args=(emit, seconds))
        clock.daemon = True
        clock.start()
        try:
            reading = read_candidate(Candidate(**said), order, roots=roots, store=store)
            emit({"event": "read", "at": place, "uri": reading.uri, "values": dict(reading.values)})
        except BadInput as error:
            emit({"event": "refused", "at": place, "reason": error.reason})
        except OSError as error:
            emit({"event": "refused", "at": place, "reason": error.strerror or str(error)})
        except MemoryError:
            emit({"event": "refused", "at": place, "reason": "it wants too much memory"})
        finally:
            clock.cancel()


def _give_up(emit: Emit, seconds: float) -> None:
    emit({"event": "error", "message": f"it took longer than {seconds:.0f} s"})
    os._exit(3)


if __name__ == "__main__":
    child_main(_work, expected=BadInput)
