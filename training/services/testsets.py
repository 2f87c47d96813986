"""Freeze the universal test set, and check that it is still what was frozen."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import transaction
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import NotFound
from labelling.models import MineType, Region, Scene
from labelling.models.spatial import to_geos, to_shapely
from labelling.models.taxonomy import Axis
from labelling.services.opinions import ask_opinions
from training.core.blocks import Block, BlockGrid, buffered_box, leaks
from training.core.errors import BadRecipe, FrozenTestSet, TooFewLabels
from training.core.testset import (
    Window,
    checksum_of,
    choose_blocks,
    choose_empty_blocks,
)
from training.models import TestBlock, TestLabel, TestSet, TestWindow
from training.services.ground import windows_by_block

# What everything is judged by, nobody judges alone.
OPINIONS = 2
NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{0,118}$")


def freeze_testset(
    *,
    name: str,
    axis: str = "feature",
    block_m: float = 20_000.0,
    buffer_m: float = 2_000.0,
    share: float = 0.2,
    seed: int = 0,
) -> TestSet:
    """Choose spatial blocks of reviewed ground and freeze the verified labels in them.

    From then on each site in a block or its buffer needs two blind opinions (``ask_opinions``).

    Args:
        name: small letters, digits, dot, dash and underscore.
        axis: axis of the taxonomy whose types are tested.
        block_m: side of a block, metres.
        buffer_m: nothing within so many metres of a block may train.
        share: wanted share of the verified labels in reviewed areas, above 0 and up to 0.5.
        seed: decides between blocks that are equally good.

    Raises:
        FrozenTestSet: a test set of this name exists; it stays as it is.
        BadRecipe: a value out of range.
        TooFewLabels: no block can be tested without taking all of a type from training.
    """
    _check(name=name, axis=axis, buffer_m=buffer_m, share=share)
    try:
        grid = BlockGrid(block_m)
    except ValueError as error:
        raise BadRecipe(str(error)) from error
    windows = windows_by_block(axis=axis, grid=grid)
    strata = {block: _strata(found) for block, found in windows.items()}
    chosen = choose_blocks({block: found for block, found in strata.items() if found}, share=share, seed=seed)
    if not chosen:
        raise TooFewLabels(_advice(strata, axis, block_m))
    empty = choose_empty_blocks([block for block, found in strata.items() if not found], share=share, seed=seed)
    drafts = _draft(grid, {block: windows[block] for block in sorted([*chosen, *empty])}, buffer_m)
    testset = TestSet(name=name, axis=axis, block_m=block_m, buffer_m=buffer_m, share=share, seed=seed)
    testset.counts = _counts(strata, chosen, empty, drafts)
    testset.checksum = checksum_of(_content(testset, drafts))
    return _save(testset, drafts)


def testset_named(name: str | None = None) -> TestSet:
    """Find a test set; the newest where no name is given.

    Raises:
        NotFound: there is none.
    """
    found = TestSet.objects.filter(name=name).first() if name else TestSet.objects.first()
    if found is None:
        known = ", ".join(TestSet.objects.values_list("name", flat=True)) or "none is frozen yet: freeze_testset NAME"
        msg = f"no test set is called {name}: {known}" if name else f"no test set: {known}"
        raise NotFound(msg)
    return found


testset_named.__test__ = False  # type: ignore[attr-defined]  # not a test of pytest's


def verify_testset(*, testset: TestSet) -> None:
    """Make sure that a test set is what was frozen, and that its scenes still are.

    Raises:
        FrozenTestSet: a row, or the file of a scene, has changed.
    """
    if checksum_of(_content(testset, load_blocks(testset))) != testset.checksum:
        msg = f"test set {testset.name} is not what was frozen: restore its rows from a backup, or freeze another"
        raise FrozenTestSet(msg)
    for window in TestWindow.objects.filter(block__testset=testset).select_related("scene"):
        if window.scene.version != window.scene_version:
            msg = f"scene {window.scene.name} has changed since test set {testset.name} was frozen: restore its file"
            raise FrozenTestSet(msg)


def find_leaks(*, testset: TestSet, footprints: Sequence[BaseGeometry]) -> list[int]:
    """Find the pieces of ground (EPSG:4326) that touch a test block or its buffer; gives their indexes."""
    buffered = [to_shapely(block.buffered) for block in TestBlock.objects.filter(testset=testset)]
    return leaks(buffered, footprints)


def _check(*, name: str, axis: str, buffer_m: float, share: float) -> None:
    if TestSet.objects.filter(name=name).exists():
        msg = f"test set {name} exists and is frozen: choose another name"
        raise FrozenTestSet(msg)
    faults = {
        f"{name!r} is no name of a test set: use small letters, digits, dot, dash and underscore": not NAME.match(name),
        f"no axis {axis!r}: use {', '.join(Axis.values)}": axis not in Axis.values,
        f"the buffer lies between 0 and 100 000 m, not {buffer_m:g} m": not 0 <= buffer_m <= 100_000,
        f"the share lies above 0 and up to 0.5, not {share:g}": not 0 < share <= 0.5,
    }
    found = next((fault for fault, is_so in faults.items() if is_so), None)
    if found:
        raise BadRecipe(found)


def _strata(windows: Sequence[Window]) -> Counter[tuple[str, str]]:
    return Counter((truth.type_code, truth.region) for window in windows for truth in window.truths)


def _advice(strata: dict[Block, Counter[tuple[str, str]]], axis: str, block_m: float) -> str:
    with_labels = sum(bool(found) for found in strata.values())
    total = sum(found.total() for found in strata.values())
    return (
        f"{total} verified labels with a type on the axis {axis} lie in reviewed areas that a scene shows, in "
        f"{with_labels} blocks of {block_m:g} m; no block can be tested and leave half of them, and some of each "
        "type, to train. Verify sites farther apart, or freeze smaller blocks (--block-m)"
    )


Draft = tuple[TestBlock, list[tuple[TestWindow, list[TestLabel]]]]


def _draft(grid: BlockGrid, windows: dict[Block, list[Window]], buffer_m: float) -> list[Draft]:
    truths = [truth for found in windows.values() for window in found for truth in window.truths]
    types = MineType.objects.in_bulk({truth.type_code for truth in truths}, field_name="code")
    regions = {region.name: region for region in Region.objects.defer("geom")}
    scenes = Scene.objects.in_bulk({window.scene for found in windows.values() for window in found})
    drafts = []
    for block, found in windows.items():
        row = TestBlock(
            key=grid.key(block),
            geometry=cast(Polygon, to_geos(grid.polygon(block))),
            buffered=cast(MultiPolygon, to_geos(buffered_box(grid.bounds(block), buffer_m))),
            region=_region(found, regions),
        )
        rows = []
        for window in found:
            scene = scenes[window.scene]
            shown = TestWindow(
                block=row, scene=scene, scene_version=scene.version, area=cast(MultiPolygon, to_geos(window.area))
            )
            labels = [
                TestLabel(
                    window=shown,
                    site_id=truth.site,
                    geometry=to_geos(truth.geometry),
                    mine_type=types[truth.type_code],
                    region=regions.get(truth.region),
                )
                for truth in window.truths
            ]
            rows.append((shown, labels))
        drafts.append((row, rows))
    return drafts


def _region(windows: Sequence[Window], regions: dict[str, Region]) -> Region | None:
    """The region of most labels; of a block without labels, the one that its first window lies in."""
    named = Counter(truth.region for window in windows for truth in window.truths if truth.region)
    if named:
        return regions.get(named.most_common(1)[0][0])
    inside = to_geos(windows[0].area.representative_point())
    return Region.objects.defer("geom").filter(geom__intersects=inside).first()


def _counts(
    strata: dict[Block, Counter[tuple[str, str]]], chosen: list[Block], empty: list[Block], drafts: list[Draft]
) -> dict[str, Any]:
    labels = [label for _, windows in drafts for _, found in windows for label in found]
    types = Counter(label.mine_type.code for label in labels)
    everywhere: Counter[str] = Counter()
    for found in strata.values():
        for (code, _), count in found.items():
            everywhere[code] += count
    return {
        "blocks": len(chosen),
        "empty_blocks": len(empty),
        "windows": sum(len(windows) for _, windows in drafts),
        "labels": len(labels),
        "labels_everywhere": everywhere.total(),
        "types": dict(types),
        "types_not_tested": {code: count for code, count in everywhere.items() if code not in types},
        "regions": dict(Counter(label.region.name for label in labels if label.region)),
    }


def _content(testset: TestSet, drafts: Sequence[Draft]) -> dict[str, Any]:
    """What the checksum is made of: nothing that differs between two databases with the same rows."""
    return {
        "axis": testset.axis,
        "block_m": float(testset.block_m),
        "buffer_m": float(testset.buffer_m),
        "blocks": {
            block.key: {
                "geometry": to_shapely(block.geometry),
                "buffered": to_shapely(block.buffered),
                "region": block.region.eco_id if block.region else None,
                "windows": {
                    f"{window.scene.name} {window.scene_version}": {
                        "area": to_shapely(window.area),
                        "labels": sorted(checksum_of(_truth(label)) for label in labels),
                    }
                    for window, labels in windows
                },
            }
            for block, windows in drafts
        },
    }


def _truth(label: TestLabel) -> dict[str, Any]:
    region = label.region.eco_id if label.region else None
    return {"geometry": to_shapely(label.geometry), "type": label.mine_type.code, "region": region}


def load_blocks(testset: TestSet) -> list[Draft]:
    """Read the blocks of a test set with their windows and the truth on each."""
    labels: dict[int, list[TestLabel]] = {}
    for label in TestLabel.objects.filter(testset=testset).select_related("mine_type", "region").defer("region__geom"):
        labels.setdefault(label.window_id, []).append(label)
    windows: dict[int, list[tuple[TestWindow, list[TestLabel]]]] = {}
    for window in TestWindow.objects.filter(block__testset=testset).select_related("scene"):
        windows.setdefault(window.block_id, []).append((window, labels.get(window.pk, [])))
    blocks = TestBlock.objects.filter(testset=testset).select_related("region").defer("region__geom")
    return [(block, windows.get(block.pk, [])) for block in blocks]


@transaction.atomic
def _save(testset: TestSet, drafts: Sequence[Draft]) -> TestSet:
    testset.save()
    for block, windows in drafts:
        block.testset = testset
        block.save()
        for window, labels in windows:
            window.block = block
            window.save()
            for label in labels:
                label.testset, label.window = testset, window
            TestLabel.objects.bulk_create(labels)
    ground = [to_shapely(block.buffered) for block, _ in drafts]
    ask_opinions(areas=ground, at_least=OPINIONS, why=f"test set {testset.name}")
    return testset
