"""One image out of several of the same ground, pixel by pixel, from what the masks trust of each.

All scenes are brought to one scale first: number * 0.0001 - 0.1 is reflectance, 0 is no data. Two methods:

- median: of each band by itself, weighted: half of the weight lies on either side; where exactly half of it lies
  below a gap, the middle of the gap is taken. With equal weights it is the plain median;
- medoid: the scene whose spectrum has the smallest sum of distances to all the others, so that the bands of a
  pixel stay together as one sensor saw them on one day (Flood 2013, Seasonal Composite Landsat TM/ETM+ Images Using
  the Medoid (a Multi-Dimensional Median), Remote Sensing 5(12), 6481-6500, doi:10.3390/rs5126481). Each distance
  counts by the weight of the other scene. Where two are as good, the scene named first is taken.

A pixel of weight 0, which is one without data in a band, takes no part. A partial weight is a partial vote: of two
scenes the one that is trusted more gives the value, and a cloud shows only where no scene is clear.

Memory: the image is made block by block, and a block is so small that all arrays of a moment take ``BLOCK_BYTES``
(256 MB) at most, however large the image and however many the scenes: 4 bytes a pixel, scene and band (the numbers,
while those of the last block still stand), 32 a pixel and scene (weights, and the ranks of one band), 24 a pixel and
band (one scene as it is read, and the result) and 120 a pixel (masks and planes). Three scenes of 12 bands are read
in blocks of 512 x 512 pixels, which the bound puts at 170 MB (60 MB were measured). GDAL's own cache takes 128 MB more.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window
from shapely.geometry.base import BaseGeometry

from labelling.core.chips import ChipGrid, cut_grid
from labelling.core.errors import BadInput
from labelling.core.globe import to_crs
from labelling.core.masks import Weights, mask_bands, read_weights
from labelling.core.mosaic import shared_bands
from labelling.core.raster import Pixels, SceneRef, read_window, transformer

METHODS = ("median", "medoid")
SCALE, OFFSET, NODATA = 0.0001, -0.1, 0
"""Of every composite: those of Sentinel-2 from processing baseline 04.00 on."""
MOST = 65_535
"""What is brighter, or was saturated, keeps this number, which means "saturated"."""
BLOCK_BYTES = 256 << 20
SIDES = (512, 256, 128, 64)
"""Sides that a block may have, pixels."""
MAX_SCENES = 64
MAX_SIDE = 32_768
"""Three tiles of Sentinel-2 along a side."""
_COARSE_SCALE = 0.02
_LAST = MOST + 1
_SAME = 1e-6
_POINTS_PER_EDGE = 21
Stack = NDArray[np.uint16]
Plane = NDArray[np.uint16]


@dataclass(frozen=True)
class CompositePlan:
    """What a composite is made of.

    Attributes:
        refs: the scenes, 2 to 64; of two that are as good the first is taken.
        method: ``median`` or ``medoid``.
        grid: of the composite.
        bands: those that every scene has.
    """

    refs: tuple[SceneRef, ...]
    method: str
    grid: ChipGrid
    bands: tuple[str, ...]

    @property
    def side(self) -> int:
        """Side of a block, pixels."""
        return next((side for side in SIDES if self.pixel_bytes * side * side <= BLOCK_BYTES), SIDES[-1])

    @property
    def pixel_bytes(self) -> int:
        """Most memory that a pixel of a block takes."""
        scenes, bands = len(self.refs), len(self.bands)
        return scenes * (4 * bands + 32) + 24 * bands + 120

    @property
    def windows(self) -> list[Window]:
        """The blocks, row by row, in pixels of the grid."""
        grid, side = self.grid, self.side
        return [
            Window(column, row, min(side, grid.width - column), min(side, grid.height - row))
            for row in range(0, grid.height, side)
            for column in range(0, grid.width, side)
        ]


@dataclass(frozen=True, eq=False)
class Block:
    """A part of a composite.

    Attributes:
        window: in pixels of the composite.
        data: shape (C, H, W); 0 where no scene has data.
        masks: who was heard of clouds, one for each scene; empty where it shows nothing here.
    """

    window: Window
    data: Stack
    masks: tuple[str, ...]


def plan_composite(refs: Sequence[SceneRef], *, method: str, area: BaseGeometry | None = None) -> CompositePlan:
    """Lay the grid of a composite: that of the first scene, or of a finer one in its CRS, over the ground of all.

    Args:
        refs: the scenes.
        method: ``median`` or ``medoid``.
        area: EPSG:4326; the composite covers its bounding box in the grid, as far as there are scenes.

    Raises:
        BadInput: too few or too many scenes, no band in common, numbers that are no reflectance, scenes that lie far
            apart or not in the area.
    """
    if method not in METHODS:
        msg = f"there is no method {method!r}: choose from {', '.join(METHODS)}"
        raise BadInput(msg)
    if not 2 <= len(refs) <= MAX_SCENES:
        msg = f"a composite is made of 2 to {MAX_SCENES} scenes, not of {len(refs)}"
        raise BadInput(msg)
    bands = shared_bands(refs)
    if not bands:
        msg = "the scenes have no band in common"
        raise BadInput(msg)
    if any(np.dtype(ref.dtype).kind in "iu" and max(ref.scales) > _COARSE_SCALE for ref in refs):
        msg = "the numbers of a scene are no reflectance: import it again with its scale and offset (--mapping)"
        raise BadInput(msg)
    return CompositePlan(tuple(refs), method, _grid(refs, area), bands)


def _grid(refs: Sequence[SceneRef], area: BaseGeometry | None) -> ChipGrid:
    finest = min((ref for ref in refs if ref.crs == refs[0].crs), key=lambda ref: ref.affine.a)
    boxes = np.array([_bounds(ref, finest.crs) for ref in refs])
    west, south = (float(least) for least in boxes[:, :2].min(axis=0))
    east, north = (float(most) for most in boxes[:, 2:].max(axis=0))
    if area is not None:
        left, bottom, right, top = to_crs(area, finest.crs).bounds
        west, south, east, north = max(west, left), max(south, bottom), min(east, right), min(north, top)
    if not west < east or not south < north:  # also where one is not a number
        msg = "none of the scenes lies in the area"
        raise BadInput(msg)
    near = 1e-4  # a hair beyond an edge is no pixel more
    column, row = (math.floor(place + near) for place in ~finest.affine @ (west, north))
    width, height = (
        max(1, math.ceil(place - near) - start)
        for place, start in zip(~finest.affine @ (east, south), (column, row), strict=True)
    )
    if max(width, height) > MAX_SIDE:
        msg = f"the composite would have {width} x {height} pixels: choose scenes of the same ground, or a smaller area"
        raise BadInput(msg)
    return ChipGrid(finest.crs, finest.affine @ Affine.translation(column, row), width, height)


def _bounds(ref: SceneRef, crs: str) -> tuple[float, float, float, float]:
    (west, north), (east, south) = ref.affine @ (0, 0), ref.affine @ (ref.width, ref.height)
    if ref.crs == crs:
        return west, south, east, north
    moved = transformer(ref.crs, crs).transform_bounds(west, south, east, north, densify_pts=_POINTS_PER_EDGE)
    if not np.isfinite(moved).all():
        msg = "the scenes lie too far apart for one grid"
        raise BadInput(msg)
    return moved


def compose(plan: CompositePlan) -> Iterator[Block]:
    """Make a composite block by block.

    Raises:
        BadRaster: a file cannot be read.
    """
    for window in plan.windows:
        height, width = int(window.height), int(window.width)
        corner = plan.grid.transform @ Affine.translation(window.col_off, window.row_off)
        part = ChipGrid(plan.grid.crs, corner, width, height)
        stack = np.zeros((len(plan.refs), len(plan.bands), height, width), np.uint16)
        weights = np.zeros((len(plan.refs), height, width), np.float32)
        masks = []
        for place, ref in enumerate(plan.refs):
            stack[place], seen = _read(ref, part, plan.bands)
            weights[place] = seen.values
            masks.append(seen.by if seen.values.any() else "")
        yield Block(window, blend(stack, weights, plan.method), tuple(masks))


def _read(ref: SceneRef, grid: ChipGrid, bands: tuple[str, ...]) -> tuple[Stack, Weights]:
    wanted = tuple(dict.fromkeys((*bands, *mask_bands(ref))))
    offset = _offset_in(ref, grid)
    if offset is None:
        pixels = cut_grid(ref, grid, bands=wanted)
    else:
        pixels = read_window(ref, Window(*offset, grid.width, grid.height), bands=wanted)
    if not pixels.mask.any():
        nothing = np.zeros(pixels.mask.shape, np.float32)
        return np.zeros((len(bands), *pixels.mask.shape), np.uint16), Weights(nothing, nothing.astype(np.uint8), "")
    return harmonise(pixels, len(bands)), read_weights(ref, grid, pixels=pixels)


def _offset_in(ref: SceneRef, grid: ChipGrid) -> tuple[int, int] | None:
    """Column and row of a grid in a scene whose pixels lie on it; such a scene is copied, not resampled."""
    step = ~ref.affine @ grid.transform
    column, row = round(step.c), round(step.f)
    is_aligned = ref.crs == grid.crs and np.allclose(step[:6], (1, 0, column, 0, 1, row), rtol=0, atol=1e-3)
    return (column, row) if is_aligned else None


def harmonise(pixels: Pixels, count: int) -> Stack:
    """Bring the first bands of pixels to the scale of composites; 0 where there is no data."""
    result = np.zeros((count, *pixels.mask.shape), np.uint16)
    for band in range(count):
        reflectance = pixels.data[band] * np.float64(pixels.scales[band]) + pixels.offsets[band]
        numbers = np.clip(np.rint((reflectance - OFFSET) / SCALE), 1, MOST)
        result[band] = np.where(pixels.mask, numbers, NODATA)
    return result


def blend(stack: Stack, weights: NDArray[np.float32], method: str) -> Stack:
    """Make one image out of several.

    Args:
        stack: shape (N, C, H, W).
        weights: 0 to 1, shape (N, H, W).
        method: ``median`` or ``medoid``.

    Returns:
        Shape (C, H, W); 0 where all weights are 0.
    """
    if method == "median":
        result = np.stack([_median(stack[:, band], weights) for band in range(stack.shape[1])])
    else:
        result = np.take_along_axis(stack, _medoid(stack, weights)[None, None], axis=0)[0]
    result[:, ~weights.any(axis=0)] = NODATA
    return result


def _median(values: Stack, weights: NDArray[np.float32]) -> Plane:
    order = np.argsort(np.where(weights > 0, values.astype(np.int32), _LAST), axis=0, kind="stable")
    ranked = np.take_along_axis(values, order, axis=0)
    sums = np.cumsum(np.take_along_axis(weights, order, axis=0), axis=0, dtype=np.float64)
    half = sums[-1] / 2
    low = (sums >= half * (1 - _SAME)).argmax(axis=0)[None]
    is_half = np.take_along_axis(sums, low, axis=0) <= half * (1 + _SAME)
    high = np.minimum(low + is_half, len(values) - 1)
    both = (np.take_along_axis(ranked, place, axis=0)[0].astype(np.int32) for place in (low, high))
    return np.asarray(np.rint(sum(both) / 2), np.uint16)


def _medoid(stack: Stack, weights: NDArray[np.float32]) -> NDArray[np.intp]:
    costs = np.where(weights > 0, 0.0, np.inf)
    for first in range(len(stack)):
        for second in range(first + 1, len(stack)):
            distance = _distance(stack[first], stack[second])
            costs[first] += weights[second] * distance
            costs[second] += weights[first] * distance
    return np.asarray(costs.argmin(axis=0))


def _distance(first: Stack, second: Stack) -> NDArray[np.float64]:
    squares = np.zeros(first.shape[1:])
    for one, other in zip(first, second, strict=True):
        squares += np.square(one.astype(np.float64) - other)
    return np.sqrt(squares)
