"""Ground on which each site needs several people's opinions, whatever the campaigns there ask for."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import shapely
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import transaction
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadInput
from labelling.models import OpinionGround, Site
from labelling.models.spatial import in_box, to_geos, to_shapely

MAX_OPINIONS = 9
SETTLED = (Site.State.VERIFIED, Site.State.REJECTED)


@transaction.atomic
def ask_opinions(*, areas: Sequence[BaseGeometry], at_least: int, why: str) -> int:
    """Ask that every site on some ground, now and later, is judged by several people, blind to each other.

    What is settled there by fewer stays settled, and is served once more: a further opinion that agrees changes
    nothing, another one makes the site contested. What a lead has settled is not asked again.

    Args:
        areas: polygons or multipolygons, EPSG:4326; a site that touches one is on that ground.
        at_least: how many opinions, 2 to 9.
        why: who asks, for those who look at the rows.

    Returns:
        How many sites are asked more of than before.

    Raises:
        BadInput: ``at_least`` out of range.
    """
    if not 2 <= at_least <= MAX_OPINIONS:
        raise BadInput(f"at_least is 2 to {MAX_OPINIONS}")
    grounds = [OpinionGround(area=_multi(area), least_opinions=at_least, why=why) for area in areas]
    OpinionGround.objects.bulk_create(grounds)
    return sum(_ask_of_sites(ground) for ground in grounds)


def _multi(area: BaseGeometry) -> MultiPolygon:
    shape = to_geos(area)
    return MultiPolygon(shape, srid=4326) if isinstance(shape, Polygon) else cast(MultiPolygon, shape)


def _ask_of_sites(ground: OpinionGround) -> int:
    near = Site.objects.filter(in_box(Site, "footprint", ground.area.extent), footprint__intersects=ground.area)
    ids = list(near.filter(least_opinions__lt=ground.least_opinions).values_list("pk", flat=True))
    sites = Site.objects.filter(pk__in=ids)
    sites.update(least_opinions=ground.least_opinions)
    by_few = sites.filter(state__in=SETTLED, label__reviews__lt=ground.least_opinions, label__decision__as_lead=False)
    Site.objects.filter(pk__in=list(by_few.values_list("pk", flat=True))).update(due_again=True)
    return len(ids)


def opinions_asked(*, footprints: Sequence[BaseGeometry]) -> list[int]:
    """Tell how many opinions the ground asks for on each of some outlines (EPSG:4326); 1 where nothing is asked."""
    if not footprints or not OpinionGround.objects.exists():
        return [1] * len(footprints)
    asked = np.ones(len(footprints), dtype=int)
    west, south, east, north = shapely.total_bounds(np.array(footprints, dtype=object)).tolist()
    grounds = list(OpinionGround.objects.filter(in_box(OpinionGround, "area", (west, south, east, north))))
    tree = shapely.STRtree(list(footprints))
    for ground in grounds:
        touched = tree.query(to_shapely(ground.area), predicate="intersects")
        asked[touched] = np.maximum(asked[touched], ground.least_opinions)
    return [int(least) for least in asked]
