"""Windows over a scene, at the pixel size that the model knows, wherever the scene lies."""

from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.windows import Window
from shapely.geometry.base import BaseGeometry

from labelling.core.globe import to_crs
from labelling.core.raster import Pixels, SceneRef, read_grid, read_window, transformer, utm_of

Floats = NDArray[np.float64]
SAME_PIXEL = 1e-3
"""Pixel sizes that differ by less than this share are the same."""
_EDGE_POINTS = 21


@dataclass(frozen=True)
class Grid:
    """The pixels that the model sees: square ones of its own size, in metres, over the whole scene.

    Attributes:
        ref: the scene.
        crs: CRS of the grid, in metres.
        transform: pixel of the grid to CRS.
        width, height: pixels.
        is_own: the scene's own pixels are these pixels, so that nothing is resampled.
    """

    ref: SceneRef
    crs: str
    transform: Affine
    width: int
    height: int
    is_own: bool

    def read(self, x0: int, y0: int, side: int, bands: tuple[str, ...]) -> Pixels:
        """Read a square window.

        Args:
            x0: first column.
            y0: first row.
            side: pixels; may reach beyond the scene, where nothing is.
            bands: names of the bands, in the order wanted.

        Returns:
            Pixels of shape (C, side, side).

        Raises:
            BadRaster: a band is missing, or the file cannot be read.
        """
        if self.is_own:
            return read_window(self.ref, Window(x0, y0, side, side), bands=bands)
        corner = self.transform @ Affine.translation(x0, y0)
        return read_grid(self.ref, crs=self.crs, transform=corner, width=side, height=side, bands=bands)

    def to_scene(self, boxes: Floats) -> Floats:
        """Turn boxes in pixels of the grid into boxes in pixels of the scene.

        The middles of a box's edges are carried over: where the two grids are turned against each other,
        the corners would blow the box up.

        Args:
            boxes: shape (n, 4 or more): x0, y0, x1, y1, and what else is kept as it is.

        Returns:
            float64 of the same shape.
        """
        moved = np.array(boxes, np.float64)
        if self.is_own or not len(moved):
            return moved
        x0, y0, x1, y1 = moved[:, :4].T
        middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
        left, right = self._points(x0, middle_y), self._points(x1, middle_y)
        top, bottom = self._points(middle_x, y0), self._points(middle_x, y1)
        ends_x, ends_y = np.sort([left[0], right[0]], axis=0), np.sort([top[1], bottom[1]], axis=0)
        moved[:, :4] = np.stack([ends_x[0], ends_y[0], ends_x[1], ends_y[1]], axis=1)
        return moved

    def _points(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        across, up = transformer(self.crs, self.ref.crs).transform(*_applied(self.transform, x, y))
        if CRS.from_user_input(self.ref.crs).is_geographic:
            middle, _ = self.ref.affine @ (self.ref.width / 2, self.ref.height / 2)
            across = across + 360 * np.round((middle - across) / 360)  # beyond the antimeridian, like the scene
        return _applied(~self.ref.affine, across, up)

    def touched(self, rectangles: Floats | NDArray[np.int64], area: BaseGeometry) -> NDArray[np.bool_]:
        """Say which rectangles in pixels of the grid touch an area.

        Args:
            rectangles: shape (n, 4 or more): x0, y0, x1, y1.
            area: EPSG:4326.

        Returns:
            bool of shape (n,).
        """
        on_grid = shapely.transform(
            to_crs(area, self.crs), lambda points: np.stack(_applied(~self.transform, *points.T), axis=1)
        )
        shapely.prepare(on_grid)
        return np.asarray(shapely.intersects(on_grid, shapely.box(*rectangles[:, :4].T)), np.bool_)


def _applied(affine: Affine, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    a, b, c, d, e, f = affine[:6]
    return a * x + b * y + c, d * x + e * y + f


def grid_over(ref: SceneRef, pixel_m: float) -> Grid:
    """Lay a model's grid over a scene.

    A scene in UTM keeps its zone and corner; any other gets the UTM zone of its middle.

    Args:
        ref: the scene.
        pixel_m: ground size of the model's pixel, metres.
    """
    a, b, x, d, e, y = ref.transform[:6]
    in_utm = CRS.from_user_input(ref.crs).utm_zone is not None and b == d == 0 and a > 0 > e
    if in_utm and max(abs(a / pixel_m - 1), abs(-e / pixel_m - 1)) < SAME_PIXEL:
        return Grid(ref, ref.crs, ref.affine, ref.width, ref.height, is_own=True)
    crs = ref.crs if in_utm else _zone_of(ref)
    west, south, east, north = (x, y + e * ref.height, x + a * ref.width, y) if in_utm else _bounds(ref, crs)
    width, height = (max(1, round((end - start) / pixel_m)) for start, end in ((west, east), (south, north)))
    return Grid(ref, crs, Affine(pixel_m, 0, west, 0, -pixel_m, north), width, height, is_own=False)


def _zone_of(ref: SceneRef) -> str:
    middle = ref.affine @ (ref.width / 2, ref.height / 2)
    return utm_of(*transformer(ref.crs, "EPSG:4326").transform(*middle))


def _bounds(ref: SceneRef, crs: str) -> tuple[float, float, float, float]:
    """West, south, east, north of the scene in another CRS: its edges may be curved there."""
    along = np.linspace(0, 1, _EDGE_POINTS)
    columns = np.concatenate([along, along, np.zeros_like(along), np.ones_like(along)]) * ref.width
    rows = np.concatenate([np.zeros_like(along), np.ones_like(along), along, along]) * ref.height
    x, y = transformer(ref.crs, crs).transform(*_applied(ref.affine, columns, rows))
    return float(np.min(x)), float(np.min(y)), float(np.max(x)), float(np.max(y))


def windows_over(width: int, height: int, *, side: int, overlap: float) -> NDArray[np.int64]:
    """Cover a grid with square windows, row by row; the last of a row ends at the edge.

    Args:
        width: columns of the grid.
        height: rows of the grid.
        side: pixels of a window; where the grid is smaller, its only window reaches beyond it.
        overlap: share of the side that neighbours have in common.

    Returns:
        int64 of shape (n, 4): x0, y0, x1, y1.
    """
    columns, rows = _starts(width, side, overlap), _starts(height, side, overlap)
    x0, y0 = (part.ravel() for part in np.meshgrid(columns, rows))
    return np.stack([x0, y0, x0 + side, y0 + side], axis=1)


def _starts(length: int, side: int, overlap: float) -> NDArray[np.int64]:
    last = max(0, length - side)
    step = max(1, round(side * (1 - overlap)))
    return np.append(np.arange(0, last, step, dtype=np.int64), np.int64(last))
