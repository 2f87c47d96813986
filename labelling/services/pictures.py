"""Small pictures of sites: the ground from a scene, and outlines over it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.gis.geos import GEOSGeometry
from shapely import box

from labelling.core.pictures import Frame
from labelling.core.render import combinations_for
from labelling.models import Scene, Site
from labelling.models.spatial import to_shapely
from labelling.services.items import scenes_under
from labelling.services.mosaics import SceneMosaic, mosaic_over


@dataclass(frozen=True)
class Picture:
    """A square of ground.

    Attributes:
        mosaic: what it is cut from; None where no scene covers the site.
        combination: the bands that are shown.
        bbox: west,south,east,north in degrees, for the address of a thumbnail.
        paths: SVG paths in a view box of 100 by 100, one for each outline.
    """

    mosaic: SceneMosaic | None
    combination: str
    bbox: str
    paths: tuple[str, ...]


def take_pictures(*, of: Sequence[tuple[Site, Sequence[GEOSGeometry]]]) -> list[Picture]:
    """Cut a picture for each site from the newest scene over it, in one query for all of them.

    Where that ends within the picture, others go on.

    Args:
        of: each site with the outlines (EPSG:4326) to draw, at least one.
    """
    scenes = scenes_under([site for site, _ in of])
    return [picture_of(scenes=scenes.get(site.pk, ()), outlines=outlines) for site, outlines in of]


def picture_of(*, scenes: Sequence[Scene], outlines: Sequence[GEOSGeometry]) -> Picture:
    """Cut a picture from the first of some scenes, and where that ends from others of its kind.

    Args:
        scenes: that touch the site, the best first.
        outlines: to draw, EPSG:4326, at least one.
    """
    shapes = [to_shapely(outline) for outline in outlines]
    frame = Frame.around(shapes)
    alone = SceneMosaic((scenes[0],)) if scenes else None
    mosaic = mosaic_over(scenes=scenes, place=box(*frame.bounds())) or alone
    return Picture(
        mosaic=mosaic,
        combination=combinations_for(mosaic.bands)[0].id if mosaic else "",
        bbox=",".join(f"{edge:.6f}" for edge in frame.bounds()),
        paths=tuple(frame.path(shape) for shape in shapes),
    )
