"""Measure sites for the classifier of types, in its child process."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from inference.core.embedder import Embedder
from inference.engines import embedder_named
from labelling.core.chips import cut_chip
from labelling.core.errors import LabellingError
from labelling.core.features import band_features, haze_of, shape_features, texture_features
from labelling.core.geometry import search_boxes
from labelling.core.raster import SceneRef
from labelling.core.spectra import RING_M, Look, look_at
from training.core.type_study import CHIP_M, CHIP_PX, PICTURE, StudySettings, Subject
from training.engines.type_neighbours import neighbour_features

MAX_LOOKS = 3
MAX_SIDE = 160
_EMBEDDED_AT_ONCE = 16
Told = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Table:
    """What was measured.

    Attributes:
        names: of the columns.
        values: shape (N, F), NaN where a site could not be measured.
        seen: whether imagery showed the site, shape (N,).
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    seen: NDArray[np.bool_]


def measure_sites(
    subjects: Sequence[Subject],
    *,
    scenes: Sequence[SceneRef],
    everywhere: NDArray[np.float64],
    settings: StudySettings,
    weights: Path | None,
    told: Told,
) -> Table:
    """Measure every family of features that the settings ask for.

    Of the newest three scenes that show a site the least hazy is taken; a scene that cannot be read is passed over.

    Args:
        subjects: the sites.
        scenes: by the numbers that the sites name.
        everywhere: longitude and latitude of all sites, shape (M, 2).
        settings: of the study.
        weights: of the network, where embeddings are asked for.
        told: hears after each site how many of how many are done.

    Raises:
        ModelRefused: the weights are not those of the network.
    """
    wanted = set(settings.families)
    embedder = embedder_named("timm")(weights, architecture=settings.architecture) if weights else None
    outlines = [shapely.from_wkb(bytes.fromhex(one.outline)) for one in subjects]
    rows: list[dict[str, float]] = [shape_features(outline) if "shape" in wanted else {} for outline in outlines]
    if "neighbours" in wanted and subjects:
        points = np.array([one.point for one in subjects])
        for row, crowd in zip(rows, neighbour_features(points, everywhere), strict=True):
            row.update(crowd)
    around = _neighbours(outlines)
    pictures: dict[int, NDArray[np.uint8]] = {}
    seen = np.zeros(len(subjects), np.bool_)
    for index, (one, outline) in enumerate(zip(subjects, outlines, strict=True)):
        if wanted & {"bands", "texture", "embedding"}:
            best = _clearest(outline, [scenes[number] for number in one.scenes[:MAX_LOOKS]], around(index))
            seen[index] = best is not None
            if best is not None:
                rows[index] |= _pixels(best[0], wanted)
                if embedder is not None and set(PICTURE.bands) <= set(best[1].bands):
                    pictures[index] = _picture(best[1], one)
        told(index + 1, len(subjects))
    if embedder is not None:
        _embed(embedder, pictures, rows)
    return _table(rows, seen)


def _neighbours(outlines: Sequence[BaseGeometry]) -> Callable[[int], list[BaseGeometry]]:
    """What stands so near to a site that its ring must leave it out."""
    tree = shapely.STRtree(outlines)
    bounds = shapely.bounds(np.asarray(outlines, dtype=object)).reshape(-1, 4)
    boxes = search_boxes(bounds, RING_M[1])

    def around(index: int) -> list[BaseGeometry]:
        hits = tree.query(shapely.box(*boxes[index]))
        return [outlines[other] for other in hits.tolist() if other != index]

    return around


def _clearest(
    outline: BaseGeometry, scenes: Sequence[SceneRef], others: Sequence[BaseGeometry]
) -> tuple[Look, SceneRef] | None:
    looks: list[tuple[float, int, Look, SceneRef]] = []
    for scene in scenes:
        try:
            look = look_at(scene, outline, others=others, max_side=MAX_SIDE)
        except LabellingError:
            continue
        looks.append((haze_of(look), len(looks), look, scene))
    best = min(looks, default=None, key=lambda one: one[:2])
    return None if best is None or not best[2].inside.any() else (best[2], best[3])


def _pixels(look: Look, wanted: set[str]) -> Mapping[str, float]:
    found: dict[str, float] = {}
    if "bands" in wanted:
        found |= band_features(look)
    if "texture" in wanted:
        found |= texture_features(look)
    return found


def _picture(scene: SceneRef, one: Subject) -> NDArray[np.uint8]:
    lon, lat = one.point
    return PICTURE.to_uint8(cut_chip(scene, lon=lon, lat=lat, side_px=CHIP_PX, pixel_m=CHIP_M, bands=PICTURE.bands))


def _embed(embedder: Embedder, pictures: dict[int, NDArray[np.uint8]], rows: Sequence[dict[str, float]]) -> None:
    order = sorted(pictures)
    for start in range(0, len(order), _EMBEDDED_AT_ONCE):
        part = order[start : start + _EMBEDDED_AT_ONCE]
        for index, vector in zip(part, embedder.embed(np.stack([pictures[one] for one in part])), strict=True):
            rows[index].update({f"embedding_{place:04d}": float(value) for place, value in enumerate(vector)})


def _table(rows: Sequence[dict[str, Any]], seen: NDArray[np.bool_]) -> Table:
    names = sorted({name for row in rows for name in row})
    values = np.array([[row.get(name, np.nan) for name in names] for row in rows]).reshape(len(rows), len(names))
    telling = np.array([np.unique(column[np.isfinite(column)]).size > 1 for column in values.T], np.bool_)
    return Table(tuple(np.array(names)[telling].tolist()) if names else (), values[:, telling], seen)
