"""Cut the chips of a recipe out of the scenes, and look at them again."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import shapely
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from labelling.core.chips import ChipGrid, chip_grid
from labelling.core.masks import Kind, read_weights
from labelling.services.jobs import JobCancelled, JobHandle, beat_job
from labelling.services.mosaics import mosaic_over
from training.core.blocks import BlockGrid
from training.core.chips import Chip, make_chip
from training.core.dataset_files import Row, chip_name, refuse_leaks, write_example
from training.core.errors import TooFewLabels
from training.core.perturb import cover, keep_within, place_chips, seeded, widen
from training.core.recipe import Recipe
from training.core.splits import TRAIN, VAL, Split, choose_val_blocks
from training.services.material import Anchor, Imagery, Material

_BEAT_S = 2.0

KEPT_OUT = "in a test block or its buffer"
NO_SCENE = "no scene shows it"
HARDLY_SEEN = "too little of it could be shown"
HIDDEN = "hidden by clouds in every scene"


@dataclass
class ChipCutter:
    """One run over the material, into a folder that nobody else sees yet."""

    recipe: Recipe
    material: Material
    folder: Path
    handle: JobHandle | None
    rows: list[Row] = field(default_factory=list)
    sites: dict[int, str] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    names: set[str] = field(default_factory=set)
    last_beat: float = 0.0

    def __post_init__(self) -> None:
        stuff = self.material
        self.truth_tree = shapely.STRtree([truth.geometry for truth in stuff.truths])
        self.area_tree = shapely.STRtree(stuff.areas)
        self.scene_tree = shapely.STRtree([scene.footprint for scene in stuff.scenes])
        self.kept_out_tree = shapely.STRtree(stuff.kept_out)
        self.split = self._split()

    def cut(self) -> dict[str, object]:
        """Write all chips, look at them again, and count them.

        Raises:
            TooFewLabels: one side of the split would be empty; says why.
            Leak: a chip shows ground that is kept out.
            JobCancelled: somebody asked to stop.
        """
        for index, anchor in enumerate(self.material.anchors):
            self._beat(0.8 * index / len(self.material.anchors))
            self._cut_label(anchor)
        for side in (TRAIN, VAL):
            self._cut_backgrounds(side)
        self._refuse_too_few()
        refuse_leaks(self.folder, self.rows, self.material.kept_out)
        for side in (TRAIN, VAL):
            mine = [row for row in self.rows if row["split"] == side]
            refuse_leaks(self.folder, mine, self.split.forbidden_to(side))
        return self._counts()

    def _split(self) -> Split:
        recipe, grid = self.recipe, BlockGrid(self.recipe.block_m)
        usable = [anchor.point for anchor in self.material.anchors if not self._is_kept_out(anchor.point)]
        labels = Counter(grid.block_at(point.x, point.y) for point in usable)
        blocks = choose_val_blocks(labels, val_share=recipe.val_share, seed=recipe.split_seed)
        return Split(blocks, recipe.block_m, recipe.buffer_m)

    def _is_kept_out(self, point: Point) -> bool:
        return bool(len(self.kept_out_tree.query(point, predicate="intersects")))

    def _cut_label(self, anchor: Anchor) -> None:
        if self._is_kept_out(anchor.point):
            self.left_out[KEPT_OUT] += 1
            return
        side, point = self.split.side_of(anchor.point.x, anchor.point.y), anchor.point
        scenes = self._scenes_showing(anchor.geometry)
        seen = False
        clear = list(islice(self._clear(scenes, point), self.recipe.scenes_per_label))
        for scene in clear:
            shown = self._filled(scene, scenes, anchor)
            for grid in place_chips(self.recipe, lon=point.x, lat=point.y, key=f"{anchor.site}:{scene.scene.version}"):
                ground = self._ground(side, shown, grid, point)
                moved = keep_within(grid, ground) if not ground.is_empty else grid
                seen |= self._cut(shown, moved, side, ground, wanted=anchor.site)
        if not seen:
            self.left_out[(HARDLY_SEEN if clear else HIDDEN) if scenes else NO_SCENE] += 1

    def _clear(self, scenes: Iterable[Imagery], point: Point) -> Iterator[Imagery]:
        """Of scenes those in which the ground around a place is as clear as the recipe asks for."""
        recipe = self.recipe
        if not recipe.min_clear:
            yield from scenes
            return
        grid = chip_grid(lon=point.x, lat=point.y, side_px=recipe.chip_px, pixel_m=recipe.pixel_m)
        for scene in scenes:
            weights = read_weights(scene.ref, grid)
            shown = weights.kinds != Kind.NO_DATA
            if shown.any() and weights.values[shown].mean() >= recipe.min_clear:
                yield scene

    def _filled(self, front: Imagery, scenes: Sequence[Imagery], anchor: Anchor) -> tuple[Imagery, ...]:
        """A scene, and where it ends within a label, clear ones of its kind that go on."""
        if front.footprint.covers(anchor.geometry):
            return (front,)
        others = [one for one in self._clear(scenes, anchor.point) if one is not front]
        found = mosaic_over(scenes=[one.scene for one in (front, *others)], place=anchor.geometry)
        by_row = {one.scene.pk: one for one in (front, *others)}
        return tuple(by_row[scene.pk] for scene in found.scenes) if found else (front,)

    def _scenes_showing(self, geometry: BaseGeometry) -> list[Imagery]:
        """Scenes over a label: those that show most of it first, then in the order of the material."""
        found = sorted(int(index) for index in self.scene_tree.query(geometry, predicate="intersects"))
        scenes = [self.material.scenes[index] for index in found]
        whole = geometry.area
        return sorted(scenes, key=lambda scene: -round(scene.footprint.intersection(geometry).area / whole, 2))

    def _ground(self, side: str, shown: Sequence[Imagery], grid: ChipGrid, point: Point) -> BaseGeometry:
        """What may be shown around a chip: reviewed, of its side, of the scenes, outside every test block."""
        near = widen(grid).footprint()
        areas = [self.material.areas[index] for index in self.area_tree.query(near)]
        ground = shapely.intersection(shapely.union_all(areas), near)
        footprint = shapely.union_all([one.footprint for one in shown])
        ground = shapely.intersection(self.split.ground_of(side, ground), footprint)
        ground = self._away_from_tests(ground, near)
        return next((part for part in shapely.get_parts(ground) if part.intersects(point)), ground)

    def _away_from_tests(self, ground: BaseGeometry, near: BaseGeometry) -> BaseGeometry:
        kept_out = [self.material.kept_out[index] for index in self.kept_out_tree.query(near)]
        return shapely.difference(ground, shapely.union_all(kept_out))

    def _cut(
        self, shown: Sequence[Imagery], grid: ChipGrid, side: str, ground: BaseGeometry, wanted: int | None
    ) -> bool:
        """Write the chip where it shows the wanted label, or no label where none is wanted."""
        name = chip_name("+".join(one.scene.version for one in shown), grid)
        if name in self.names or ground.is_empty:
            return name in self.names
        footprint = grid.footprint()
        truths = [self.material.truths[index] for index in sorted(self.truth_tree.query(footprint))]
        ref, *fill = (one.ref for one in shown)
        chip = make_chip(ref=ref, fill=fill, grid=grid, ground=ground, truths=truths, recipe=self.recipe)
        if chip is None or (wanted not in chip.sites if wanted is not None else bool(chip.sites)):
            return False
        self._keep(name, shown, grid, side, chip)
        return True

    def _keep(self, name: str, shown: Sequence[Imagery], grid: ChipGrid, side: str, chip: Chip) -> None:
        front, *fill = ({"id": one.scene.pk, "name": one.scene.name, "version": one.scene.version} for one in shown)
        told = {**front, "filled_by": fill} if fill else front
        self.names.add(name)
        self.rows.append(write_example(self.folder, name=name, split=side, chip=chip, grid=grid, scene=told))
        for site in chip.sites:
            self.sites.setdefault(site, side)

    def _cut_backgrounds(self, side: str) -> None:
        labelled = sum(row["split"] == side for row in self.rows)
        missing = round(labelled * self.recipe.backgrounds / (1 - self.recipe.backgrounds))
        for scene, grid, point in self._background_places(side) if missing else ():
            self._beat(0.9)
            missing -= self._cut([scene], grid, side, self._ground(side, [scene], grid, point), wanted=None)
            if missing <= 0:
                return

    def _background_places(self, side: str) -> Iterator[tuple[Imagery, ChipGrid, Point]]:
        """Places all over the reviewed areas, in an order that only the seed decides."""
        recipe = self.recipe
        places = [place for area in self.material.areas for place in cover(area, recipe.chip_px * recipe.pixel_m)]
        places = [place for place in places if self.split.side_of(place.x, place.y) == side]
        seeded(recipe.split_seed, f"backgrounds {side}").shuffle(places)
        for point in places:
            grid = chip_grid(lon=point.x, lat=point.y, side_px=recipe.chip_px, pixel_m=recipe.pixel_m)
            scenes = self._clear(self._scenes_showing(point.buffer(1e-4)), point)
            for scene in islice(scenes, recipe.scenes_per_label):
                yield scene, grid, point

    def _refuse_too_few(self) -> None:
        for side, words in ((TRAIN, "train"), (VAL, "validate")):
            if not any(row["split"] == side and row["sites"] for row in self.rows):
                why = ", ".join(f"{count} {reason}" for reason, count in (self._left_out()).items())
                msg = (
                    f"no chip is left to {words} with, of {len(self.material.anchors)} labels in reviewed areas "
                    f"({why or 'none left out'}): verify more labels, or make block_m or the test set smaller"
                )
                raise TooFewLabels(msg)

    def _left_out(self) -> dict[str, int]:
        return dict(self.left_out + Counter(self.material.left_out))

    def _counts(self) -> dict[str, object]:
        counts: dict[str, object] = {
            "left_out": self._left_out(),
            "scenes": {"taken": len(self.material.scenes), "left_out": self.material.scenes_left_out},
        }
        for side in (TRAIN, VAL):
            mine = [row for row in self.rows if row["split"] == side]
            types = Counter(index for row in mine for index in row["types"])
            counts[side] = {
                "chips": len(mine),
                "backgrounds": sum(not row["sites"] for row in mine),
                "labels": {code: types[index] for index, code in enumerate(self.material.types)},
                "sites": sum(split == side for split in self.sites.values()),
            }
        return counts

    def _beat(self, progress: float) -> None:
        if self.handle is None or time.monotonic() - self.last_beat < _BEAT_S:
            return
        self.last_beat = time.monotonic()
        if beat_job(handle=self.handle, phase=f"export, {len(self.rows)} chips", progress=progress):
            msg = "cancelled while its dataset was built"
            raise JobCancelled(msg)
