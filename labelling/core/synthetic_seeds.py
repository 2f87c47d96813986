"""Seeds for the invented places, with the faults of real ones: incomplete, coarse, shifted, and now and then wrong."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from shapely import affinity
from shapely.geometry import Polygon, mapping

from labelling.core.synthetic import MINES, Place, Thing, to_lonlat

Collection = dict[str, Any]
LABELLED_SHARE, WRONG_TYPE_SHARE, FALSE_MINE_SHARE = 0.55, 0.08, 0.12
POLYGON_SHARE, COBALT_SHARE, NEGATIVE_SHARE = 0.6, 0.3, 0.5


def make_seeds(places: Iterable[Place], *, seed: int = 0) -> dict[str, Collection]:
    """Make one GeoJSON collection (EPSG:4326) for each kind of source.

    Args:
        places: the invented ground.
        seed: the same seed gives the same seeds.

    Returns:
        ``labelled`` (outlines with a column ``mine_type``), ``polygons`` (coarse outlines without a type), ``cobalt``
        (points) and ``negatives`` (points on look-alikes).
    """
    rng = np.random.default_rng((seed, 5))
    found: dict[str, list[dict[str, Any]]] = {"labelled": [], "polygons": [], "cobalt": [], "negatives": []}
    for place in places:
        for number, thing in enumerate(place.things):
            name = f"{place.name}-{number}"
            for kind, feature in _claims(thing, name, rng):
                found[kind].append(feature)
    return {kind: {"type": "FeatureCollection", "name": f"synthetic {kind}", "features": features}
            for kind, features in found.items()}  # fmt: skip


def _claims(thing: Thing, name: str, rng: np.random.Generator) -> Iterable[tuple[str, dict[str, Any]]]:
    chance = rng.random(4)
    if thing.is_mine and chance[0] < LABELLED_SHARE:
        yield "labelled", _feature(_drawn(thing.outline, rng, 12), id=name, mine_type=_told_type(thing, rng))
    if not thing.is_mine and chance[0] < FALSE_MINE_SHARE:
        yield "labelled", _feature(_drawn(thing.outline, rng, 12), id=name, mine_type=str(rng.choice(MINES)))
    if chance[1] < (POLYGON_SHARE if thing.is_mine else FALSE_MINE_SHARE):
        yield "polygons", _feature(_drawn(thing.outline.buffer(25), rng, 30), id=name)
    if thing.kind in {"open_pit", "tailings_storage_facility"} and chance[2] < COBALT_SHARE:
        yield "cobalt", _feature(thing.outline.representative_point(), id=name, name=f"Synthetic cobalt {name}")
    if not thing.is_mine and chance[3] < NEGATIVE_SHARE:
        yield "negatives", _feature(thing.outline.representative_point(), id=name, look_alike=thing.kind)


def _told_type(thing: Thing, rng: np.random.Generator) -> str:
    return str(rng.choice(MINES)) if rng.random() < WRONG_TYPE_SHARE else thing.kind


def _drawn(outline: Polygon, rng: np.random.Generator, coarse_m: float) -> Polygon:
    """The outline as a hurried person draws it: a few corners, a little off."""
    drawn = affinity.translate(outline.simplify(coarse_m), *rng.normal(0, 8, 2))
    assert isinstance(drawn, Polygon)
    return drawn


def _feature(geometry: Any, **properties: str) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": mapping(to_lonlat(geometry))}
