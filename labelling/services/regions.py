"""Ecoregions: where points belong."""

from collections.abc import Sequence

from shapely.geometry import Point

from labelling.core.regions import RegionIndex
from labelling.models import Region
from labelling.models.spatial import to_shapely


def regions_of(points: Sequence[Point]) -> list[Region | None]:
    """Find the ecoregion of each point.

    Args:
        points: EPSG:4326.

    Returns:
        The region around each point, else the nearest within 100 km (a point off the coast), else None.
        Their outlines are left out; ask for ``geom`` and it is read.
    """
    if not points:
        return []
    outlines = list(Region.objects.order_by("pk").values_list("pk", "geom"))
    regions = Region.objects.defer("geom").in_bulk()
    index = RegionIndex([to_shapely(geometry) for _, geometry in outlines])
    places = index.locate(points)
    return [None if place is None else regions[outlines[place][0]] for place in places]
