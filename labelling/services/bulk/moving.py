"""Outlines that lie beside what the imagery shows, moved by some metres, and a look at that before it is done."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.gis.geos import GEOSGeometry

from labelling.core.globe import shift_on_ground, unwrap
from labelling.core.outlines import to_geojson
from labelling.models import BulkAction, Site
from labelling.models.spatial import to_geos, to_shapely


@dataclass(frozen=True)
class Move:
    """An outline as it stands and as it would lie.

    Attributes:
        site: whose outline.
        before: GeoJSON, degrees; over the antimeridian the longitudes go on beyond 180.
        after: likewise.
    """

    site: Site
    before: dict[str, Any]
    after: dict[str, Any]


def move_outline(*, outline: GEOSGeometry, east: float, north: float) -> GEOSGeometry:
    """Move an outline (EPSG:4326) by metres; below zero is west and south."""
    return to_geos(shift_on_ground(to_shapely(outline), east_m=east, north_m=north))


def preview_moves(*, bulk: BulkAction, sites: Iterable[Site]) -> list[Move]:
    """Show where an action would move the outlines of some of its sites; none where it moves nothing."""
    if bulk.kind != BulkAction.Kind.SHIFT:
        return []
    moves = []
    for site in sites:
        before = unwrap(to_shapely(site.footprint))
        after = unwrap(to_shapely(move_outline(outline=site.footprint, **bulk.params)), near=before.bounds[0])
        moves.append(Move(site, to_geojson(before), to_geojson(after)))
    return moves
