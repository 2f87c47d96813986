"""The spatial split: what validates was never seen in training.

The rule: a few blocks of ground validate. A validation chip shows only ground inside them; a training chip shows
only ground outside them, and nothing within ``buffer_m`` of them. What a chip may not show is black on it. So no
pixel is ever on both sides, however much scenes or chips overlap.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

from training.core.blocks import Block, BlockGrid, buffered_box
from training.core.errors import TooFewLabels

TRAIN, VAL = "train", "val"
# A block that would bring more than this much of what is wanted is passed over while others are left.
_GREED = 1.25


def choose_val_blocks(labels: Mapping[Block, int], *, val_share: float, seed: int) -> frozenset[Block]:
    """Choose the blocks that validate: at random by the seed, about the wanted share of the labels.

    Args:
        labels: how many labels each block holds.
        val_share: wanted share of the labels, 0 to 1.
        seed: another one gives another choice.

    Returns:
        At least one block, and never all of them.

    Raises:
        TooFewLabels: the labels lie in fewer than two blocks.
    """
    if len(labels) < 2:
        msg = (
            f"all {sum(labels.values())} labels lie in one block of the split, which needs two: "
            "verify labels farther apart, or make block_m smaller"
        )
        raise TooFewLabels(msg)
    wanted = val_share * sum(labels.values())
    order = sorted(labels, key=lambda block: hashlib.sha256(f"{seed}:{block.row}:{block.column}".encode()).digest())
    chosen: set[Block] = set()
    taken = 0
    for block in order[:-1]:
        if taken < wanted and taken + labels[block] <= wanted * _GREED:
            chosen.add(block)
            taken += labels[block]
    return frozenset(chosen or {min(order, key=lambda block: labels[block])})


@dataclass(frozen=True)
class Split:
    """Which ground trains and which validates.

    Attributes:
        val_blocks: the blocks that validate.
        block_m: side of a block, metres.
        buffer_m: training keeps so far away from them, metres.
    """

    val_blocks: frozenset[Block]
    block_m: float
    buffer_m: float

    def side_of(self, lon: float, lat: float) -> str:
        """``val`` or ``train``, by the block of a place (degrees, EPSG:4326)."""
        return VAL if BlockGrid(self.block_m).block_at(lon, lat) in self.val_blocks else TRAIN

    def ground_of(self, side: str, near: BaseGeometry) -> BaseGeometry:
        """Cut away from a piece of ground what a side may not show.

        Args:
            side: ``train`` or ``val``.
            near: the piece of ground, EPSG:4326.

        Returns:
            What of it may be shown, EPSG:4326.
        """
        if side == VAL:
            return shapely.intersection(near, shapely.union_all(self._blocks_near(near, 0.0)))
        return shapely.difference(near, shapely.union_all(self._blocks_near(near, self.buffer_m)))

    def forbidden_to(self, side: str) -> list[BaseGeometry]:
        """Ground that chips of a side must not show, EPSG:4326: for training, the blocks that validate."""
        return [BlockGrid(self.block_m).polygon(block) for block in sorted(self.val_blocks)] if side == TRAIN else []

    def _blocks_near(self, near: BaseGeometry, grow_m: float) -> list[BaseGeometry]:
        grid = BlockGrid(self.block_m)
        grown = (buffered_box(grid.bounds(block), grow_m) for block in sorted(self.val_blocks))
        return [block for block in grown if block.intersects(near)]
