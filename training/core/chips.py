"""A chip that shows only ground whose truth is known, and the lines that say it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely.affinity import affine_transform
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from labelling.core.chips import ChipGrid, geometry_in_chip, yolo_line
from labelling.core.globe import to_crs
from labelling.core.mosaic import cut_filled
from labelling.core.raster import SceneRef
from training.core.recipe import Recipe

Mask = NDArray[np.bool_]
# A box narrower than this teaches nothing: what is left of the label is blacked out.
MIN_BOX_PX = 2.0


@dataclass(frozen=True)
class Truth:
    """What people settled about one site.

    Attributes:
        site: its id.
        type_index: place of its type among the classes; None where a mine may stand, but which is not settled:
            such ground is blacked out.
        geometry: its outline, EPSG:4326, polygonal.
    """

    site: int
    type_index: int | None
    geometry: BaseGeometry


@dataclass(frozen=True, eq=False)
class Chip:
    """A chip ready to be written.

    Attributes:
        image: uint8 of shape (H, W, C); black where nothing may be shown.
        lines: one line of YOLO per label.
        sites: their sites, in the same order.
        types: their classes, in the same order.
        shown: share of its pixels that are shown.
    """

    image: NDArray[np.uint8]
    lines: tuple[str, ...]
    sites: tuple[int, ...]
    types: tuple[int, ...]
    shown: float


def make_chip(
    *,
    ref: SceneRef,
    fill: Sequence[SceneRef] = (),
    grid: ChipGrid,
    ground: BaseGeometry,
    truths: Sequence[Truth],
    recipe: Recipe,
) -> Chip | None:
    """Cut a chip and say what is on it.

    Only the ground given is shown. A label counts where enough of it is shown; the rest of a label that does
    not, and ground whose truth is not settled, is blacked out: else the network would learn mines as background.

    Args:
        ref: the scene to cut from.
        fill: scenes that go on where that ends.
        grid: where the chip lies.
        ground: what may be shown around it: reviewed, on the right side of the split, outside every test block;
            EPSG:4326.
        truths: the sites that may lie on it.
        recipe: bands, stretch, least shares, boxes or polygons.

    Returns:
        The chip, or None where less than ``min_shown`` of it is left to show.

    Raises:
        BadRaster: the scene lacks a band, or cannot be read.
    """
    shown = geometry_in_chip(areal(ground), grid)
    placed = [(truth, geometry_in_chip(truth.geometry, grid)) for truth in truths]
    open_questions = [part for truth, part in placed if truth.type_index is None]
    shown = shapely.difference(shown, shapely.union_all(open_questions))
    if shown.area < recipe.min_shown * grid.width * grid.height:
        return None
    pixels = cut_filled(ref, grid, fill=fill, bands=recipe.bands)
    seen = pixels.mask & _inside(shown, grid)
    kept: list[tuple[Truth, BaseGeometry]] = []
    rests: list[BaseGeometry] = []
    for truth, part in placed:
        if truth.type_index is None or part.is_empty:
            continue
        visible = areal(shapely.intersection(part, shown))
        if _counts(truth, visible, seen, grid, recipe):
            kept.append((truth, visible))
        else:
            rests.append(part)
    if rests:
        rest = shapely.difference(shapely.union_all(rests), shapely.union_all([part for _, part in kept]))
        seen &= ~_touched(rest, grid)
    if seen.mean() < recipe.min_shown:
        return None
    return Chip(
        image=recipe.preparation().to_uint8(pixels) * seen[:, :, None],
        lines=tuple(yolo_line(truth.type_index or 0, part, grid.width, _kind(recipe)) for truth, part in kept),
        sites=tuple(truth.site for truth, _ in kept),
        types=tuple(truth.type_index or 0 for truth, _ in kept),
        shown=round(float(seen.mean()), 4),
    )


def areal(geometry: BaseGeometry) -> BaseGeometry:
    """Keep the polygons of a geometry; what is left of two that only touch is dropped."""
    parts = shapely.get_parts(geometry)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def _kind(recipe: Recipe) -> Literal["detect", "segment"]:
    return "segment" if recipe.geometry == "segment" else "detect"


def _counts(truth: Truth, visible: BaseGeometry, seen: Mask, grid: ChipGrid, recipe: Recipe) -> bool:
    if visible.is_empty:
        return False
    x0, y0, x1, y1 = visible.bounds
    if min(x1 - x0, y1 - y0) < MIN_BOX_PX:
        return False
    whole = affine_transform(to_crs(truth.geometry, grid.crs), (~grid.transform).to_shapely()).area
    wanted = recipe.min_visible * min(whole, grid.width * grid.height)
    on_data = float(seen[_touched(visible, grid)].mean())
    return bool(visible.area * on_data >= wanted)


def _inside(shown: BaseGeometry, grid: ChipGrid) -> Mask:
    """Pixels that lie wholly within a geometry in pixels."""
    hidden = shapely.difference(box(0, 0, grid.width, grid.height), shown)
    return ~_touched(hidden, grid)


def _touched(geometry: BaseGeometry, grid: ChipGrid) -> Mask:
    """Pixels that a geometry in pixels touches with some area."""
    parts = [part for part in shapely.get_parts(geometry) if part.area > 1e-6]
    if not parts:
        return np.zeros((grid.height, grid.width), np.bool_)
    return np.asarray(rasterize(parts, out_shape=(grid.height, grid.width), all_touched=True), np.bool_)
