"""What lies in a tile of the map of sites: each site where they are few, else one cluster a cell."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from django.db.models import Count, F, Min
from django.db.models.functions import Coalesce

from labelling.core.cells import CELL_ZOOM, middles_of, range_of
from labelling.core.grid import TileAddress
from labelling.models import MineType, Site
from labelling.models.site import SiteQuerySet
from labelling.models.spatial import in_box
from labelling.models.taxonomy import Axis

MAX_SITES = 250
NEAR_ZOOM = 10
"""From this zoom on outlines are larger than dots, and reach into tiles beside their point's."""
MAX_ZOOM = 18
_CELLS = 3  # zooms from a tile to its clusters: 8 by 8
_FINE = 2  # zooms further to what a cluster's place is averaged from


@dataclass(frozen=True)
class Cluster:
    """Sites of one cell of a tile.

    Attributes:
        lon: of their middle, degrees, EPSG:4326.
        lat: of their middle, degrees, EPSG:4326.
        count: how many they are.
        colors: how many by the colour of their type, most first; "" where no type is named.
    """

    lon: float
    lat: float
    count: int
    colors: dict[str, int]


@dataclass(frozen=True)
class SiteTile:
    """What a tile shows.

    Attributes:
        sites: drawn each.
        clusters: the others, summed up.
        is_near: whether the outlines of the sites are worth drawing.
    """

    sites: tuple[Site, ...]
    clusters: tuple[Cluster, ...]
    is_near: bool


@dataclass(frozen=True)
class _Group:
    """Sites of one type around one place, and the first of them."""

    lon: float
    lat: float
    count: int
    color: str
    first: int


def read_site_tile(*, sites: SiteQuerySet, tile: TileAddress) -> SiteTile:
    """Read what a tile of the map of sites shows.

    Args:
        sites: those that fit the filter.
        tile: of a zoom up to ``MAX_ZOOM``.

    Returns:
        Up to ``MAX_SITES`` sites; where there are more, clusters, and the sites that are alone in their cell.
        Near the ground also sites of other tiles whose outline reaches into this one.
    """
    is_near = tile.z >= NEAR_ZOOM
    if is_near:
        found = tuple(sites.filter(in_box(Site, "footprint", tile.bounds())).shown()[: MAX_SITES + 1])
        if len(found) <= MAX_SITES:
            return SiteTile(found, (), is_near)
    inside = sites.filter(cell__range=range_of(tile))
    clusters, alone = _sum_up(inside, tile)
    if sum(cluster.count for cluster in clusters) + len(alone) <= MAX_SITES:
        return SiteTile(tuple(inside.shown()), (), is_near)
    return SiteTile(tuple(Site.objects.filter(pk__in=alone).shown()), tuple(clusters), is_near)


def _sum_up(inside: SiteQuerySet, tile: TileAddress) -> tuple[list[Cluster], list[int]]:
    """The clusters of a tile, and the numbers of the sites that are alone in their cell."""
    fine = min(tile.z + _CELLS + _FINE, CELL_ZOOM)
    groups = (
        inside.order_by()
        .annotate(part=F("cell").bitrightshift(2 * (CELL_ZOOM - fine)), kind=Coalesce(*(f"{axis}_id" for axis in Axis)))
        .values_list("part", "kind")
        .annotate(count=Count("pk"), first=Min("pk"))
    )
    rows = list(groups)
    colors = {None: ""} | dict(MineType.objects.values_list("pk", "color"))
    cells: dict[int, list[_Group]] = defaultdict(list)
    for (part, kind, count, first), lon, lat in zip(rows, *_middles([row[0] for row in rows], fine), strict=True):
        cells[part >> 2 * _FINE].append(_Group(lon, lat, count, colors[kind], first))
    clusters, alone = [], []
    for members in cells.values():
        if len(members) == 1 and members[0].count == 1:
            alone.append(members[0].first)
        else:
            clusters.append(_cluster(members))
    return clusters, alone


def _middles(parts: list[int], zoom: int) -> tuple[list[float], list[float]]:
    lon, lat = middles_of(parts, zoom)
    return lon.tolist(), lat.tolist()


def _cluster(members: list[_Group]) -> Cluster:
    said: Counter[str] = Counter()
    for group in members:
        said[group.color] += group.count
    total = said.total()
    lon = sum(group.lon * group.count for group in members) / total
    lat = sum(group.lat * group.count for group in members) / total
    return Cluster(lon, lat, total, dict(said.most_common()))
