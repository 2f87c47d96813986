"""Write a snapshot beside its place, check it, and only then put it there."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import shapely
from django.db import transaction

from labelling.core.chips import ChipGrid
from labelling.core.data_card import Card, data_card, field_list
from labelling.core.errors import TryLater
from labelling.core.export import ExportSettings, licences_of
from labelling.core.export_chips import (
    MIN_SHOWN,
    Example,
    Ground,
    chip_name,
    cut_example,
    place_on_labels,
    place_on_nothing,
)
from labelling.core.export_files import (
    ChipFolder,
    check_export,
    write_geojson,
    write_manifest,
    write_zip,
)
from labelling.models import Snapshot
from labelling.services.jobs import JobCancelled, JobHandle, beat_job, finish_job
from labelling.services.snapshots.selection import Picture, Selection, select_labels

UNSEEN = "too small, or on no scene with the bands"
LEAST_FREE = 0.05
# Scenes that are tried for a chip before it is given up.
TRIES = 4


@dataclass(frozen=True)
class _Index:
    """The ground and the scenes, to be found by place."""

    selection: Selection
    labels: shapely.STRtree
    reviewed: shapely.STRtree
    unknown: shapely.STRtree
    pictures: shapely.STRtree

    @classmethod
    def of(cls, selection: Selection) -> "_Index":
        ground = selection.ground
        return cls(
            selection,
            shapely.STRtree([label.geometry for label in ground.labels]),
            shapely.STRtree(list(ground.reviewed)),
            shapely.STRtree(list(ground.unknown)),
            shapely.STRtree([picture.footprint for picture in selection.pictures]),
        )

    def around(self, grid: ChipGrid) -> tuple[Ground, list[Picture]]:
        """What was said about the ground of a chip, and the scenes to cut it from, best first."""
        footprint, ground = grid.footprint(), self.selection.ground
        areas = sorted(self.reviewed.query(footprint, predicate="intersects"))
        near = Ground(
            [ground.reviewed[index] for index in areas],
            [ground.labels[index] for index in sorted(self.labels.query(footprint, predicate="intersects"))],
            [ground.unknown[index] for index in sorted(self.unknown.query(footprint, predicate="intersects"))],
        )
        reviewed_on = {self.selection.reviewed_on[index] for index in areas}
        shown = shapely.intersection(shapely.union_all(near.reviewed), footprint)
        found = [self.selection.pictures[i] for i in sorted(self.pictures.query(footprint, predicate="intersects"))]

        def order(picture: Picture) -> tuple[bool, float]:
            covered = shapely.intersection(shown, picture.footprint).area
            return picture.scene.pk not in reviewed_on, -round(covered / max(shown.area, 1e-12), 2)

        return near, sorted(found, key=order)[:TRIES]


def write_snapshot(
    *, snapshot: Snapshot, handle: JobHandle | None = None, tell: Callable[[str], None] | None = None
) -> Snapshot:
    """Export labels into the folder of a snapshot, and mark it as whole.

    Args:
        snapshot: its row, with what was asked for.
        handle: the job to keep alive, and to finish with the same transaction; None where there is none.
        tell: hears what is being done.

    Raises:
        BadInput: nothing to export, or something asked for does not exist.
        BadRaster: a scene cannot be read.
        ExportBroken: what was read back is not what was to be written.
        TryLater: the disk is nearly full.
        JobCancelled: somebody asked to cancel; nothing is left behind.
    """
    settings = ExportSettings.from_json(snapshot.options)
    target = snapshot.folder.parent
    attempt = target.with_name(f".{target.name}-{handle.attempt if handle else 0}")
    _check_room(target.parent)
    pulse = _Pulse(handle, tell)
    pulse("reading labels", 0.0)
    selection = select_labels(settings=settings)
    shutil.rmtree(attempt, ignore_errors=True)
    try:
        files = attempt / "files"
        files.mkdir(parents=True)
        exported, counts = _write(files, selection, settings, pulse)
        snapshot.licences = licences_of(exported.labels, exported.licences)
        snapshot.counts, snapshot.last_decision = counts, exported.last_decision
        _write_card(files, snapshot, exported, settings)
        pulse("checking", 0.9)
        snapshot.sha256 = write_manifest(files, _heading(snapshot, settings, exported))
        write_zip(files, attempt / "files.zip", root=snapshot.name)
        pulse("publishing", 0.95)
        _publish(snapshot, exported, attempt, target, handle)
    finally:
        shutil.rmtree(attempt, ignore_errors=True)
    return snapshot


class _Pulse:
    """Keeps the job alive and says what is being done."""

    def __init__(self, handle: JobHandle | None, tell: Callable[[str], None] | None) -> None:
        self.handle, self.tell, self.said = handle, tell, ""

    def __call__(self, phase: str, progress: float) -> None:
        if self.handle is not None and beat_job(handle=self.handle, phase=phase, progress=progress):
            msg = "the export was cancelled"
            raise JobCancelled(msg)
        if self.tell is not None and phase != self.said:
            self.tell(phase)
            self.said = phase


def _check_room(folder: Path) -> None:
    usage = shutil.disk_usage(folder)
    if usage.free < LEAST_FREE * usage.total:
        msg = f"only {usage.free / usage.total:.0%} of the disk of the exports is free: delete old exports first"
        raise TryLater(msg)


def _write(
    files: Path, selection: Selection, settings: ExportSettings, pulse: _Pulse
) -> tuple[Selection, dict[str, Any]]:
    """Write the labels and read them back; gives what was written of the selection, and its counts."""
    if not settings.has_chips:
        pulse("writing labels", 0.2)
        write_geojson(files, selection.labels, selection.licences)
        written, chips = selection, Counter[str]()
    else:
        with ChipFolder(files, settings=settings, classes=selection.classes) as folder:
            _write_chips(folder, selection, settings, pulse)
            seen = [label for label in selection.labels if label.site in folder.sites]
            left_out = selection.left_out + Counter({UNSEEN: len(selection.labels) - len(seen)})
            written, chips = replace(selection, labels=tuple(seen), left_out=left_out), folder.counts
            folder.finish(licences=licences_of(seen, selection.licences))
    sites = {label.site: label for label in written.labels}
    check_export(files, settings=settings, labels=sites, expected=chips)
    types = Counter(label.types.get(settings.axis, "none") for label in written.labels)
    counts = {"labels": len(written.labels), **chips, "types": dict(types), "left_out": dict(written.left_out)}
    counts["states"] = dict(Counter(label.state for label in written.labels))
    return written, counts


def _write_chips(folder: ChipFolder, selection: Selection, settings: ExportSettings, pulse: _Pulse) -> None:
    index = _Index.of(selection)
    grids = place_on_labels(selection.labels, settings)
    for number, grid in enumerate(grids):
        pulse("cutting chips", 0.1 + 0.6 * number / len(grids))
        _add(folder, index, grid, settings, lambda example: bool(example.placed))
    # What the first scene of a shared chip did not show gets a chip of its own.
    for label in selection.labels:
        if label.site not in folder.sites:
            (grid,) = place_on_labels([label], settings)
            _add(folder, index, grid, settings, partial(_shows, label.site))
    empty = place_on_nothing(selection.ground, settings, most=max(1, folder.counts["chips"]))
    for number, grid in enumerate(empty):
        pulse("cutting chips without mines", 0.7 + 0.2 * number / len(empty))
        _add(folder, index, grid, settings, lambda example: example.shown >= MIN_SHOWN and not example.placed)


def _shows(site: int, example: Example) -> bool:
    return any(label.site == site for label, _ in example.placed)


def _add(
    folder: ChipFolder, index: _Index, grid: ChipGrid, settings: ExportSettings, is_good: Callable[[Example], bool]
) -> None:
    """Cut a chip from the first scene on which it is good, and write it."""
    for name, example, scene in _examples(index, grid, settings):
        if name not in folder.names and is_good(example):
            folder.add(name=name, example=example, grid=grid, scene=scene)
            return


def _examples(index: _Index, grid: ChipGrid, settings: ExportSettings) -> Iterator[tuple[str, Example, dict[str, Any]]]:
    ground, pictures = index.around(grid)
    for picture in pictures:
        scene = picture.scene
        told = {
            "name": scene.name,
            "version": scene.version,
            "kind": scene.kind,
            "sensor": scene.sensor,
            "acquired_at": scene.acquired_at.isoformat() if scene.acquired_at else None,
            "attribution": scene.attribution,
            "synthetic": scene.synthetic,
        }
        example = cut_example(ref=scene.ref(), grid=grid, ground=ground, settings=settings)
        yield chip_name(scene.version, grid, settings), example, told


def _write_card(files: Path, snapshot: Snapshot, exported: Selection, settings: ExportSettings) -> None:
    card = Card(
        settings=settings,
        last_decision=exported.last_decision,
        counts=snapshot.counts,
        classes=exported.classes,
        licences=snapshot.licences,
        attributions=sorted({picture.scene.attribution for picture in exported.pictures} - {""}),
        synthetic=any(label.synthetic for label in exported.labels),
    )
    (files / "README.md").write_text(data_card(card), encoding="utf-8")
    (files / "FIELDS.md").write_text(field_list(settings), encoding="utf-8")


def _heading(snapshot: Snapshot, settings: ExportSettings, exported: Selection) -> dict[str, Any]:
    return {
        "settings": settings.to_json(),
        "classes": list(exported.classes),
        "last_decision": exported.last_decision,
        "counts": snapshot.counts,
        "licences": snapshot.licences,
        "imagery": _imagery(exported.pictures) if settings.has_chips else [],
    }


def _imagery(pictures: Sequence[Picture]) -> list[dict[str, str]]:
    rows = [{"name": picture.scene.name, "version": picture.scene.version} for picture in pictures]
    return sorted(rows, key=lambda row: (row["name"], row["version"]))


def _publish(snapshot: Snapshot, exported: Selection, attempt: Path, target: Path, handle: JobHandle | None) -> None:
    with transaction.atomic():
        snapshot.save(update_fields=["sha256", "counts", "licences", "last_decision"])
        snapshot.sites.set([label.site for label in exported.labels])
        if handle is not None:
            finish_job(handle=handle, result={"snapshot": snapshot.name, **snapshot.counts})
        # Last, so that a row whose files are not in place is rolled back.
        shutil.rmtree(target, ignore_errors=True)
        attempt.rename(target)
