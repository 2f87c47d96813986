"""Which claims speak of the same place on the ground.

The rules, in the order in which they are tried:

1. Two points at most 50 m apart are one place.
2. A point inside a polygon belongs to it, unless the two name different features: a plant inside a pit's
   outline stays a place of its own. Among several polygons the smallest wins.
3. Two polygons are one place where half of their union is common, whatever they are called (their sources
   disagree on the type); where 30 % is common and they do not name different features; and where they name
   the same feature and one lies to 80 % inside the other, of which it is at least a tenth.
4. Touching is nothing: the pit, the dump and the pond of one mine are three places.

Commodity and method never separate: they are said of the mine, not of the thing on the ground.
A claim is compared with the outline of a place, not with every claim in it, so that places do not grow along
a chain of neighbours. Polygons are placed before points, both in the order given; the result is always the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from labelling.core.geometry import distances_m, search_boxes, wrapped_boxes

SAME_POINT_M = 50.0
SAME_IOU = 0.3
SAME_IOU_ACROSS_TYPES = 0.5
SAME_INSIDE = 0.8
SAME_PART = 0.1

Types = Mapping[str, tuple[tuple[str, float | None], ...]]


@dataclass(frozen=True)
class ClaimSpec:
    """What one source says of one place, before it is a row.

    Attributes:
        external_id: what makes the claim one and the same in its source; at most 120 characters.
        geometry: valid point, polygon or multipolygon, EPSG:4326.
        types: axis -> (code, score) best first; score is None where the source gives none.
        score: how sure the source is that this is a mine, 0 to 1; None for a seed.
        is_mine: False where the source says that there is no mine here.
        scene_id: the scene that it was seen on.
        name: what the source calls the place.
        properties: the row as the source gave it, fit for JSON.
        revision: how often the source has said it anew; each is a proposal of its own.
    """

    external_id: str
    geometry: BaseGeometry
    types: Types = field(default_factory=dict)
    score: float | None = None
    is_mine: bool = True
    scene_id: int | None = None
    name: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 0

    def codes(self, axis: str) -> frozenset[str]:
        """The codes that it names on an axis."""
        return frozenset(code for code, _ in self.types.get(axis, ()))


@dataclass(frozen=True)
class Place:
    """The outline of a place and the features that it is said to be.

    Attributes:
        geometry: valid point, polygon or multipolygon, EPSG:4326.
        features: codes on the axis ``feature``; empty where none is said.
    """

    geometry: BaseGeometry
    features: frozenset[str] = frozenset()


def group_places(known: Sequence[Place], claims: Sequence[Place]) -> list[int]:
    """Find the place of each claim.

    Args:
        known: places that are already there.
        claims: what is to be placed.

    Returns:
        One number for each claim: below ``len(known)`` it is the index of a known place, from there on the
        new places are counted in the order in which their first claim was placed.
    """
    order = sorted(range(len(claims)), key=lambda index: claims[index].geometry.geom_type == "Point")
    everything = [*known, *(claims[index] for index in order)]
    offers = _offers(everything, len(known))
    place_of = list(range(len(known)))
    anchors = [True] * len(known)
    count = len(known)
    for index in range(len(known), len(everything)):
        best = min((offer for offer in offers.get(index, ()) if anchors[offer[-1]]), default=None)
        if best is None:
            place_of.append(count)
            anchors.append(True)
            count += 1
            continue
        place_of.append(place_of[best[-1]])
        # An outline says more of the place than the point that it swallowed.
        anchors.append(not _is_point(everything[index]) and _is_point(everything[best[-1]]))
    found = [0] * len(claims)
    for step, index in enumerate(order):
        found[index] = place_of[len(known) + step]
    return found


def _is_point(place: Place) -> bool:
    return bool(place.geometry.geom_type == "Point")


Offer = tuple[float, float, int]
"""How unlike two places are (0 the same, below 1), the area of the earlier one, its index."""


def _offers(everything: Sequence[Place], first: int) -> dict[int, list[Offer]]:
    if first == len(everything):
        return {}
    geometries = np.array([place.geometry for place in everything], dtype=object)
    left, right = _candidate_pairs(geometries, first)
    unlike = _unlikeness(geometries, everything, left, right)
    areas = shapely.area(geometries)
    offers: dict[int, list[Offer]] = {}
    for index in np.flatnonzero(unlike < 1):
        earlier = int(right[index])
        offers.setdefault(int(left[index]), []).append((float(unlike[index]), float(areas[earlier]), earlier))
    return offers


def _candidate_pairs(geometries: Any, first: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    tree = shapely.STRtree(geometries)
    bounds = shapely.bounds(geometries[first:])
    points = shapely.get_type_id(geometries[first:]) == 0
    bounds[points] = search_boxes(bounds[points], SAME_POINT_M)
    indexes, boxes = wrapped_boxes(bounds)
    query, right = tree.query(boxes)
    left = indexes[query] + first
    earlier = right < left
    return left[earlier], right[earlier]


def _unlikeness(
    geometries: Any, everything: Sequence[Place], left: NDArray[np.intp], right: NDArray[np.intp]
) -> NDArray[np.float64]:
    kinds = shapely.get_type_id(geometries) == 0
    points = kinds[left].astype(int) + kinds[right].astype(int)
    clash, agree = _feature_relations(everything, left, right)
    unlike = np.ones(len(left))

    both = np.flatnonzero(points == 2)
    if len(both):
        ends = shapely.get_coordinates(geometries[left[both]]), shapely.get_coordinates(geometries[right[both]])
        metres = distances_m(*ends)
        unlike[both] = np.where(metres <= SAME_POINT_M, metres / SAME_POINT_M * 0.5, 1.0)

    mixed = np.flatnonzero((points == 1) & ~clash)
    unlike[mixed] = np.where(shapely.intersects(geometries[left[mixed]], geometries[right[mixed]]), 0.0, 1.0)

    areal = np.flatnonzero(points == 0)
    areal = areal[shapely.intersects(geometries[left[areal]], geometries[right[areal]])]
    unlike[areal] = _unlike_polygons(geometries[left[areal]], geometries[right[areal]], clash[areal], agree[areal])
    return unlike


def _unlike_polygons(one: Any, other: Any, clash: NDArray[np.bool_], agree: NDArray[np.bool_]) -> NDArray[np.float64]:
    # Shares, so degrees do: the stretch of a degree cancels out over the size of a mine.
    common = shapely.area(shapely.intersection(one, other))
    area_one, area_other = shapely.area(one), shapely.area(other)
    iou = common / (area_one + area_other - common)
    inside = common / np.minimum(area_one, area_other)
    part = agree & (inside >= SAME_INSIDE) & (iou >= SAME_PART)
    same = (iou >= SAME_IOU_ACROSS_TYPES) | (~clash & (iou >= SAME_IOU)) | part
    return np.where(same, np.minimum(1 - iou, 0.999), 1.0)


def _feature_relations(
    everything: Sequence[Place], left: NDArray[np.intp], right: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each pair: whether both name features and none is common; whether one is common."""
    clash, agree = np.zeros(len(left), np.bool_), np.zeros(len(left), np.bool_)
    for index, (one, other) in enumerate(zip(left, right, strict=True)):
        mine, theirs = everything[one].features, everything[other].features
        agree[index] = not mine.isdisjoint(theirs)
        clash[index] = bool(mine and theirs) and not agree[index]
    return clash, agree
