"""What stands next to a place that has no type: the nearest typed one, and how often such a neighbour is right."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from labelling.core.geometry import distances_m, search_boxes

BANDS: tuple[tuple[str, float], ...] = (
    ("overlapping", 0.0),
    ("touching or within 50 m", 50.0),
    ("within 250 m", 250.0),
    ("within 1 km", 1_000.0),
    ("within 3 km", 3_000.0),
)
"""How near a neighbour is, by name, with the largest distance in metres; the first shares ground."""
REACH_M = BANDS[-1][1]


@dataclass(frozen=True)
class TypedPlace:
    """A place whose type somebody names.

    Attributes:
        site: number of its site: a site is no neighbour of its own.
        geometry: EPSG:4326.
        code: the type.
        source: who names it.
        claim: what makes the claim one and the same in its source; empty for a label.
    """

    site: int
    geometry: BaseGeometry
    code: str
    source: str
    claim: str = ""


@dataclass(frozen=True)
class Neighbour:
    """The nearest typed place of a site.

    Attributes:
        place: index of the typed place.
        distance_m: between the outlines, metres; 0 where they share ground.
        overlap: share of the site's ground that the place covers, 0 to 1.
    """

    place: int
    distance_m: float
    overlap: float

    @property
    def band(self) -> str:
        """Its band of ``BANDS``."""
        if self.overlap > 0:
            return BANDS[0][0]
        return next(name for name, reach in BANDS[1:] if self.distance_m <= reach)


@dataclass(frozen=True)
class Rate:
    """Of so many neighbours so many were right."""

    right: int = 0
    of: int = 0

    @property
    def share(self) -> float:
        """How likely the next one is right, by the rule of succession (Laplace): (right + 1) / (of + 2)."""
        return (self.right + 1) / (self.of + 2)


def nearest_typed(
    sites: Sequence[int], outlines: Sequence[BaseGeometry], places: Sequence[TypedPlace]
) -> list[Neighbour | None]:
    """Find the nearest typed place of each site; of those that share its ground, the one that covers most.

    Args:
        sites: number of each site.
        outlines: of each, EPSG:4326.
        places: the typed places.

    Returns:
        One for each site; None where there is none of another site within ``REACH_M``.
    """
    found: list[Neighbour | None] = [None] * len(sites)
    if not sites or not places:
        return found
    geometries = np.asarray(outlines, dtype=object)
    theirs = np.asarray([place.geometry for place in places], dtype=object)
    boxes = shapely.box(*search_boxes(shapely.bounds(geometries), REACH_M).T)
    left, right = shapely.STRtree(theirs).query(boxes)
    other = np.array([sites[row] != places[number].site for row, number in zip(left, right, strict=True)], np.bool_)
    left, right = left[other], right[other]
    distances, overlaps = _measure(geometries[left], theirs[right])
    for row, number, distance, overlap in zip(left, right, distances, overlaps, strict=True):
        if distance > REACH_M:
            continue
        one, best = Neighbour(int(number), float(distance), float(overlap)), found[row]
        if best is None or (-one.overlap, one.distance_m) < (-best.overlap, best.distance_m):
            found[row] = one
    return found


def _measure(mine: NDArray[np.object_], theirs: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance in metres and share of the first that the second covers, for each pair."""
    if not len(mine):
        return np.zeros(0), np.zeros(0)
    # In a plane stretched at its latitude the nearest places are found; the distance between them is geodesic.
    factor = np.maximum(np.cos(np.radians(shapely.bounds(mine)[:, [1, 3]].mean(axis=1))), 1e-6)
    one, other = (_squeezed(shapes, factor) for shapes in (mine, theirs))
    ends = shapely.get_coordinates(shapely.shortest_line(one, other)).reshape(-1, 2, 2)
    ends[:, :, 0] /= factor[:, None]
    area = shapely.area(one)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = shapely.area(shapely.intersection(one, other)) / area
    inside = shapely.intersects(one, other)
    share = np.where(area > 0, share, inside.astype(float))
    # A point in an outline covers nothing of it, but stands on its ground.
    share = np.where(inside & (shapely.area(other) == 0), 1e-9, share)
    return np.where(inside, 0.0, distances_m(ends[:, 0], ends[:, 1])), np.nan_to_num(share)


def _squeezed(shapes: NDArray[np.object_], factor: NDArray[np.float64]) -> NDArray[np.object_]:
    which = np.repeat(np.arange(len(shapes)), shapely.get_num_coordinates(shapes))
    xy = shapely.get_coordinates(shapes) * np.column_stack([factor[which], np.ones(len(which))])
    return np.asarray(shapely.set_coordinates(shapes.copy(), xy), dtype=object)


def measure_rates(places: Sequence[TypedPlace]) -> dict[str, Rate]:
    """Count how often the nearest typed place of another site names the type of a typed place, band by band.

    Args:
        places: typed places; of several on one site the first counts.

    Returns:
        Name of the band -> rate; bands without a pair are left out.
    """
    first = {place.site: place for place in reversed(places)}
    asked = list(first.values())
    near = nearest_typed([place.site for place in asked], [place.geometry for place in asked], places)
    pairs = [(place, one) for place, one in zip(asked, near, strict=True) if one is not None]
    of = Counter(one.band for _, one in pairs)
    right = Counter(one.band for place, one in pairs if places[one.place].code == place.code)
    return {name: Rate(right[name], of[name]) for name, _ in BANDS if of[name]}
