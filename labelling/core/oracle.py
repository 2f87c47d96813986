"""A reviewer who knows the truth: for demonstrations, simulations and tests."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from labelling.core.agreement import outline_iou

SAME_IOU = 0.1
GOOD_IOU = 0.9


@dataclass(frozen=True, eq=False)
class Truth:
    """What really stands at a place.

    Attributes:
        outline: polygon, EPSG:4326.
        code: type code on the axis of the campaign.
    """

    outline: Polygon
    code: str


@dataclass(frozen=True)
class Judgement:
    """What the oracle says of a site.

    Attributes:
        verdict: ``accept``, ``fix`` or ``reject``.
        reason: of a rejection.
        truth: index of the truth that the site is, or None.
        redraw: whether the outline is to be replaced by the truth's.
    """

    verdict: str
    reason: str = ""
    truth: int | None = None
    redraw: bool = False


def iou(first: BaseGeometry, second: BaseGeometry) -> float:
    """Intersection over union of two geometries in the same coordinates, 0 where one of them is a point."""
    return outline_iou(first, second) or 0.0


def judge_outline(
    outline: BaseGeometry, code: str | None, truths: Sequence[Truth], *, taken: Collection[int]
) -> Judgement:
    """Judge a site by the truth.

    Args:
        outline: its footprint, a point or polygon, EPSG:4326.
        code: its current type on the axis, or None.
        truths: all that really stands there.
        taken: indexes of truths that other sites already are.

    Returns:
        A rejection where no truth lies there (IoU under 0.1, and no point inside) or it is taken; else an
        acceptance where outline (IoU of 0.9) and type are right, and a fix where they are not.
    """
    near = [index for index, truth in enumerate(truths) if truth.outline.intersects(outline)]
    best = max(near, key=lambda index: _likeness(outline, truths[index].outline), default=None)
    if best is None or _likeness(outline, truths[best].outline) < SAME_IOU:
        return Judgement("reject", reason="not_a_mine")
    if best in taken:
        return Judgement("reject", reason="duplicate", truth=best)
    redraw = iou(outline, truths[best].outline) < GOOD_IOU
    is_right = not redraw and code == truths[best].code
    return Judgement("accept" if is_right else "fix", truth=best, redraw=redraw)


def _likeness(outline: BaseGeometry, truth: Polygon) -> float:
    return iou(outline, truth) if outline.area else float(truth.contains(outline))
