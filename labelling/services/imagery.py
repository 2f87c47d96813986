"""The imagery of a site on its card: single dates, composites, and a mosaic where no scene shows it whole."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from labelling.core.geometry import search_boxes
from labelling.core.render import combinations_for
from labelling.core.spectra import RING_M
from labelling.models import Scene, Site
from labelling.models.spatial import to_shapely
from labelling.services.mosaics import SceneMosaic, mosaic_over

MAX_SCENES = 24
MAX_COMPOSITES = 4


Tell = Callable[[SceneMosaic], dict[str, Any]]


def imagery_of(*, site: Site, scenes: Sequence[Scene], tell: Tell) -> list[dict[str, Any]]:
    """Say what a site can be looked at in, ready for JSON: the newest dates, and some composites.

    Where the best scene does not show the site whole, a mosaic with that in front comes before all.

    Args:
        site: the site.
        scenes: that touch it, the best first.
        tell: ``tell_mosaic``, with a memory where many sites lie under the same scenes.
    """
    composites = [scene for scene in scenes if scene.kind == Scene.Kind.COMPOSITE][:MAX_COMPOSITES]
    dates = [scene for scene in scenes if scene.kind != Scene.Kind.COMPOSITE][: MAX_SCENES - len(composites)]
    offered = {scene.pk for scene in (*dates, *composites)}
    alone = [SceneMosaic((scene,)) for scene in scenes if scene.pk in offered]
    whole = mosaic_over(scenes=scenes, place=_with_ring(site))
    return [tell(mosaic) for mosaic in ([whole] if whole else []) + alone]


def _with_ring(site: Site) -> BaseGeometry:
    """The box of a site and of the ring that its spectrum is held against; nothing where that reaches around 180."""
    [bounds] = search_boxes(np.asarray([to_shapely(site.footprint).bounds]), RING_M[1]).tolist()
    west, south, east, north = bounds
    return shapely.box(west, south, east, north) if -180 <= west < east <= 180 else shapely.Point()


def tell_mosaic(mosaic: SceneMosaic) -> dict[str, Any]:
    """Say what a mosaic is, ready for JSON."""
    scene, is_alone = mosaic.front, len(mosaic.scenes) == 1
    made_of = scene.provenance.get("scenes", []) if is_alone else [_part(one) for one in mosaic.scenes]
    return {
        "id": scene.pk,
        "address": mosaic.key,
        "name": scene.name if is_alone else " + ".join(one.name for one in mosaic.scenes),
        "version": mosaic.version,
        "kind": scene.kind if is_alone else "mosaic",
        "acquired_at": iso(scene.acquired_at) if scene.acquired_at else None,
        "acquired_until": iso(scene.acquired_until) if scene.acquired_until else None,
        "method": scene.provenance.get("method", ""),
        "parts": [{"name": part["name"], "acquired_at": part["acquired_at"]} for part in made_of],
        "attribution": "; ".join(dict.fromkeys(one.attribution for one in mosaic.scenes if one.attribution)),
        "synthetic": any(one.synthetic for one in mosaic.scenes),
        "bounds": list(mosaic.bounds),
        "pixel_m": scene.pixel_m,
        "combinations": [{"id": one.id, "name": one.name} for one in combinations_for(mosaic.bands)],
    }


def _part(scene: Scene) -> dict[str, Any]:
    return {"name": scene.name, "acquired_at": iso(scene.acquired_at) if scene.acquired_at else None}


def iso(moment: Any) -> str:
    """A moment as JSON has it."""
    return str(moment.isoformat().replace("+00:00", "Z"))
