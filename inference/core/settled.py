"""Which detections speak of ground that people have already judged; those are not proposed again.

A detection repeats a settled site where

1. the site is a point, and lies in the detection's box;
2. the box and the box around the site overlap by an IoU of 0.3, or of 0.5 where the two name different types;
3. the two name the same type, and 80 % of one lies inside the other;
4. the site was rejected, and 80 % of the detection lies inside it.

So a pond inside the outline of a verified pit is still proposed, a second box on the same pond is not, and
what was rejected as a whole comes back neither whole nor in parts. Boxes are compared with boxes, since a
detector knows no outlines; the shares are those of ``labelling.core.matching``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from labelling.core.matching import SAME_INSIDE, SAME_IOU, SAME_IOU_ACROSS_TYPES


@dataclass(frozen=True)
class Settled:
    """A site with a verdict.

    Attributes:
        geometry: its outline, EPSG:4326.
        type_code: its type on the model's axis; empty where it has none.
        is_rejected: people said that there is nothing.
        site: its number.
    """

    geometry: BaseGeometry
    type_code: str = ""
    is_rejected: bool = False
    site: int = 0


def settled_by(
    detections: Sequence[BaseGeometry], types: Sequence[str], sites: Sequence[Settled]
) -> list[Settled | None]:
    """Find the settled site that each detection repeats.

    Args:
        detections: polygons of boxes, EPSG:4326.
        types: type code of each.
        sites: the settled sites of the neighbourhood.

    Returns:
        For each detection a site, a rejected one where there are several, or None.
    """
    found: list[Settled | None] = [None] * len(detections)
    if not len(detections) or not len(sites):
        return found
    outlines = np.asarray([site.geometry for site in sites], dtype=object)
    boxes = np.asarray(detections, dtype=object)
    left, right = shapely.STRtree(outlines).query(boxes, predicate="intersects")
    same = _same(boxes[left], outlines[right], *_relations(left, right, types, sites))
    for index, number in zip(left[same].tolist(), right[same].tolist(), strict=True):
        before = found[index]
        if before is None or (sites[number].is_rejected and not before.is_rejected):
            found[index] = sites[number]
    return found


def _relations(
    left: NDArray[np.intp], right: NDArray[np.intp], types: Sequence[str], sites: Sequence[Settled]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """For each pair: both name the same type, both name one and they differ, the site was rejected."""
    mine = np.asarray([types[index] for index in left], dtype=object)
    theirs = np.asarray([sites[number].type_code for number in right], dtype=object)
    rejected = np.asarray([sites[number].is_rejected for number in right], np.bool_)
    agree = np.asarray(mine == theirs, np.bool_)
    return agree, ~agree & np.asarray(theirs != "", np.bool_), rejected


def _same(
    boxes: NDArray[np.object_],
    outlines: NDArray[np.object_],
    agree: NDArray[np.bool_],
    clash: NDArray[np.bool_],
    rejected: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    # Shares of small areas, so degrees do: the stretch of a degree cancels out.
    around = shapely.envelope(outlines)
    area, area_around = shapely.area(boxes), shapely.area(around)
    common_around = shapely.area(shapely.intersection(boxes, around))
    iou = common_around / (area + area_around - common_around)
    common = shapely.area(shapely.intersection(boxes, outlines))
    points = shapely.area(outlines) == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        site_inside = np.where(points, 0.0, common / shapely.area(outlines))
    inside = common / area
    alike = (iou >= SAME_IOU_ACROSS_TYPES) | (~clash & (iou >= SAME_IOU))
    nested = agree & (np.maximum(inside, site_inside) >= SAME_INSIDE)
    return np.asarray(points | alike | nested | (rejected & (inside >= SAME_INSIDE)), np.bool_)
