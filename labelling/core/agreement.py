"""How far opinions agree: the overlap of outlines."""

import shapely
from shapely.geometry.base import BaseGeometry


def outline_iou(first: BaseGeometry, second: BaseGeometry) -> float | None:
    """Measure the overlap of two outlines of one place: intersection over union of their areas.

    Degrees stretch areas by the same factor all over a place as small as a mine, so it cancels out.

    Args:
        first: EPSG:4326.
        second: EPSG:4326.

    Returns:
        0 to 1, or None where one of them is a point.
    """
    if not (first.area and second.area):
        return None
    if shapely.equals(first, second):
        return 1.0
    return float(shapely.intersection(first, second).area / shapely.union(first, second).area)
