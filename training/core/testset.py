"""The universal test set: which blocks it takes, what ground of them is scored on which scene, and its checksum."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry import MultiPolygon, Point
from shapely.geometry.base import BaseGeometry

from labelling.core.geometry import areal, inner_point
from training.core.blocks import Block

Stratum = tuple[str, str]
"""Type code, and name of the ecoregion (empty where there is none)."""
# About a centimetre: overlays snap to it, so that edges that nearly meet do meet.
SNAP_DEG = 1e-7
# About a pixel of Sentinel-2: less ground than that holds nothing that could be scored.
MIN_GROUND_DEG2 = 1e-8
NEW_TYPE, NEW_STRATUM = 10.0, 2.0
MAX_SHARE = 0.5


@dataclass(frozen=True)
class Settled:
    """A place about which people have spoken.

    Attributes:
        site: its id.
        geometry: EPSG:4326, polygonal.
        type_code: the verified type; empty where there is a mine, or may be one, but not of a known type.
        region: name of its ecoregion, or empty.
    """

    site: int
    geometry: BaseGeometry
    type_code: str
    region: str = ""

    @property
    def centre(self) -> Point:
        """The middle of its box, by which it belongs to a block; of its largest part over the antimeridian."""
        west, south, east, north = self.geometry.bounds
        if east - west > 180:
            return inner_point(max(shapely.get_parts(self.geometry), key=lambda part: float(part.area)))
        return Point((west + east) / 2, (south + north) / 2)


@dataclass(frozen=True)
class Window:
    """Ground that is scored on one scene, EPSG:4326, and the truth on it."""

    scene: int
    area: MultiPolygon
    truths: tuple[Settled, ...]


def choose_blocks(strata: Mapping[Block, Counter[Stratum]], *, share: float, seed: int) -> list[Block]:
    """Choose test blocks that cover every type and, as far as they go, every pair of type and region.

    Greedy: each step takes the block that brings most of what is still missing and least of what is not. Each
    type that lies in several blocks is tested and keeps a block to train on; a type that lies in one block
    trains. At most half of the labels are taken.

    Args:
        strata: labels of each block, counted by type and region.
        share: wanted share of the labels, above 0 and up to 0.5.
        seed: decides between blocks that are equally good.

    Returns:
        The chosen blocks in order; empty where none can be taken.
    """
    order = sorted(strata)
    random.Random(seed).shuffle(order)  # noqa: S311  # not a secret
    choice = _Choice(strata, share)
    while block := choice.best(order):
        choice.take(block)
    return sorted(choice.taken)


class _Choice:
    def __init__(self, strata: Mapping[Block, Counter[Stratum]], share: float) -> None:
        self.strata = strata
        self.total: Counter[Stratum] = sum(strata.values(), Counter())
        self.quota = share * self.total.total()
        self.wanted = {stratum: share * count for stratum, count in self.total.items()}
        self.left = Counter(code for counts in strata.values() for code in {code for code, _ in counts})
        self.testable = {code for code, blocks in self.left.items() if blocks > 1}
        self.got: Counter[Stratum] = Counter()
        self.taken: set[Block] = set()

    def best(self, order: Sequence[Block]) -> Block | None:
        """The best block to take next; None where the quota is full or nothing may be taken."""
        covered = {code for code, _ in self.got}
        if self.got.total() >= self.quota and covered >= self.testable:
            return None
        allowed = [block for block in order if block not in self.taken and self.may_take(block)]
        if self.got.total() >= self.quota:
            allowed = [block for block in allowed if {code for code, _ in self.strata[block]} & self.testable - covered]
        return max(allowed, key=self.worth, default=None)

    def may_take(self, block: Block) -> bool:
        counts = self.strata[block]
        keeps_training = all(self.left[code] > 1 for code in {code for code, _ in counts})
        return keeps_training and self.got.total() + counts.total() <= MAX_SHARE * self.total.total()

    def worth(self, block: Block) -> float:
        counts, covered = self.strata[block], {code for code, _ in self.got}
        new_types = {code for code, _ in counts} & self.testable - covered
        new_strata = [stratum for stratum in counts if stratum not in self.got]
        missing = sum(min(count, max(0.0, self.wanted[s] - self.got[s])) for s, count in counts.items())
        waste = counts.total() - missing
        return NEW_TYPE * len(new_types) + NEW_STRATUM * len(new_strata) + (missing - waste) / max(self.quota, 1)

    def take(self, block: Block) -> None:
        self.taken.add(block)
        self.got += self.strata[block]
        self.left.subtract({code for code, _ in self.strata[block]})


def choose_empty_blocks(blocks: Sequence[Block], *, share: float, seed: int) -> list[Block]:
    """Choose the same share of the blocks where people looked and found nothing: false alarms are counted there."""
    picked = random.Random(seed).sample(sorted(blocks), round(share * len(blocks)))  # noqa: S311  # not a secret
    return sorted(picked)


def share_out(ground: BaseGeometry, scenes: Sequence[tuple[int, BaseGeometry]]) -> list[tuple[int, MultiPolygon]]:
    """Give each piece of ground to the first scene that shows it, so that nothing is scored twice.

    Args:
        ground: reviewed ground of a block, EPSG:4326.
        scenes: id and footprint (EPSG:4326), the best first.

    Returns:
        Scenes with the ground that each is scored on, in the same order.
    """
    pieces = []
    for scene, footprint in scenes:
        piece = areal(shapely.intersection(ground, footprint, grid_size=SNAP_DEG))
        if piece.area > MIN_GROUND_DEG2:
            pieces.append((scene, piece))
            ground = shapely.difference(ground, footprint, grid_size=SNAP_DEG)
    return pieces


def make_windows(
    pieces: Sequence[tuple[int, MultiPolygon]], settled: Sequence[Settled], own: Collection[int]
) -> list[Window]:
    """Put truth on the ground that is scored, and take away the ground whose truth is not known.

    A label with a type belongs to the first piece that holds its middle. The rest of any other label, and every
    place that is contested, has no type, or belongs to another block, is cut out: a find there is neither right
    nor wrong.

    Args:
        pieces: scenes with their ground, as ``share_out`` gives it.
        settled: whatever people said around there.
        own: sites whose middle lies in this block: no label is tested in two.

    Returns:
        One window a piece, without those that nothing is left of.
    """
    windows: list[Window] = []
    taken: set[int] = set()
    for scene, piece in pieces:
        near = [place for place in settled if place.geometry.intersects(piece)]
        free = {place.site for place in near if place.type_code and place.site in own} - taken
        truths = [place for place in near if place.site in free and piece.covers(place.centre)]
        area = _without(piece, [place for place in near if place not in truths])
        lost = [place for place in truths if not area.covers(place.centre)]
        area = _without(area, lost)
        truths = [place for place in truths if place not in lost and area.covers(place.centre)]
        taken |= {place.site for place in truths}
        if area.area > MIN_GROUND_DEG2:
            windows.append(Window(scene, area, tuple(truths)))
    return windows


def _without(area: MultiPolygon, places: Sequence[Settled]) -> MultiPolygon:
    others = shapely.union_all([place.geometry for place in places])
    return areal(shapely.difference(area, others, grid_size=SNAP_DEG))


def checksum_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of a test set: sorted keys, no spaces, geometries as normalised WKB."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=_canonical, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: object) -> str:
    if not isinstance(value, BaseGeometry):
        msg = f"a {type(value).__name__} has no canonical form"
        raise TypeError(msg)
    return str(shapely.to_wkb(shapely.normalize(value), hex=True, output_dimension=2, byte_order=1))
