"""Reviewed ground, block by block: who shows it, and what people settled on it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

from labelling.core.geometry import areal, inner_point
from labelling.core.globe import circle_on_ground
from labelling.models import Decision, Label, MineType, ReviewedArea, Scene
from labelling.models.spatial import to_shapely
from labelling.services.reading import consistent_read
from training.core.blocks import Block, BlockGrid
from training.core.testset import SNAP_DEG, Settled, Window, make_windows, share_out

# A mine known only as a point reaches somewhere around it; a find there is neither right nor wrong.
POINT_M = 250.0
# Rejected for these reasons, the ground is what any other ground is; for all others a mine may be there.
BACKGROUND = (Decision.Reason.NOT_A_MINE, Decision.Reason.DUPLICATE)


@dataclass(frozen=True)
class _Picture:
    """A scene that may be scored on, with its place in the order of preference."""

    id: int
    footprint: BaseGeometry
    rank: tuple[float, int]


@dataclass(frozen=True)
class _Survey:
    """What is reviewed, settled and seen, as it was at one moment."""

    areas: tuple[tuple[BaseGeometry, int | None], ...]
    settled: tuple[Settled, ...]
    pictures: tuple[_Picture, ...]


def windows_by_block(*, axis: str, grid: BlockGrid) -> dict[Block, list[Window]]:
    """Find every block with reviewed ground that a scene shows, and what could be scored there.

    Args:
        axis: axis of the taxonomy.
        grid: the blocks.
    """
    with consistent_read():
        survey = _survey(axis)
    return _windows(grid, survey)


def _survey(axis: str) -> _Survey:
    rows = ReviewedArea.objects.filter(axis=axis, revoked_at=None).order_by("pk")
    areas = tuple((to_shapely(area.geometry), area.scene_id) for area in rows)
    labels = Label.objects.select_related(axis, "site__region").defer("site__region__geom").order_by("site_id")
    settled = (_settled(label, axis) for label in labels.iterator(2000))
    scenes = Scene.objects.order_by("-kind", "-acquired_at", "name", "pk")
    pictures = (
        _Picture(scene.pk, to_shapely(scene.footprint), (-scene.usable, place)) for place, scene in enumerate(scenes)
    )
    return _Survey(areas, tuple(place for place in settled if place is not None), tuple(pictures))


def _settled(label: Label, axis: str) -> Settled | None:
    if label.state == Label.State.REJECTED and label.reason in BACKGROUND:
        return None
    geometry, region = to_shapely(label.geometry), label.site.region
    mine_type: MineType | None = getattr(label, axis)
    if shapely.get_dimensions(geometry) < 2:
        centre = inner_point(geometry)
        return Settled(label.site_id, circle_on_ground(centre.x, centre.y, POINT_M), "")
    code = mine_type.code if mine_type is not None and label.state == Label.State.VERIFIED else ""
    return Settled(label.site_id, geometry, code, region.name if region else "")


def _windows(grid: BlockGrid, survey: _Survey) -> dict[Block, list[Window]]:
    """Every block with reviewed ground that a scene shows, and its windows."""
    places: dict[Block, list[int]] = {}
    for index, (area, _) in enumerate(survey.areas):
        for block in grid.blocks_touching(area):
            places.setdefault(block, []).append(index)
    scenes = shapely.STRtree([picture.footprint for picture in survey.pictures])
    settled = shapely.STRtree([place.geometry for place in survey.settled])
    found = {}
    for block, indexes in sorted(places.items()):
        cell, areas = grid.polygon(block), [survey.areas[index] for index in indexes]
        ground = areal(shapely.intersection(shapely.union_all([area for area, _ in areas]), cell, grid_size=SNAP_DEG))
        seen = [survey.pictures[index] for index in scenes.query(ground, predicate="intersects")]
        near = [survey.settled[index] for index in sorted(settled.query(ground, predicate="intersects"))]
        own = {place.site for place in near if grid.block_at(place.centre.x, place.centre.y) == block}
        windows = make_windows(share_out(ground, _by_preference(seen, areas)), near, own)
        if windows:
            found[block] = windows
    return found


def _by_preference(
    seen: Iterable[_Picture], areas: Sequence[tuple[BaseGeometry, int | None]]
) -> list[tuple[int, BaseGeometry]]:
    """Scenes that people reviewed the ground on, then the clearest with the fewest gaps, then the newest."""
    reviewed_on = {scene for _, scene in areas}
    ordered = sorted(seen, key=lambda picture: (picture.id not in reviewed_on, *picture.rank))
    return [(picture.id, picture.footprint) for picture in ordered]
