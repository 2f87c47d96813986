"""Where an image lies on the ground: size of its pixels, footprint, map tiles."""

import math
from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Geod
from pyproj.exceptions import CRSError, ProjError
from shapely import MultiPolygon, Polygon, affinity, box

from labelling.core.errors import BadGeometry
from labelling.core.raster import Metres, transformer

GEOD = Geod(ellps="WGS84")
MAX_ZOOM = 24
POINTS_PER_EDGE = 21
"""Enough that the curve of a 110 km Sentinel-2 edge stays within a metre of the footprint."""
_MERCATOR_HALF = math.pi * 6378137.0


@dataclass(frozen=True)
class TileAddress:
    """A web map tile: zoom, column from the west, row from the north."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        """Refuse an address that no tile has.

        Raises:
            BadGeometry: a zoom beyond 24, or a column or row outside its zoom.
        """
        if not 0 <= self.z <= MAX_ZOOM:
            msg = f"zoom {self.z} is not between 0 and {MAX_ZOOM}"
            raise BadGeometry(msg)
        if not (0 <= self.x < 1 << self.z and 0 <= self.y < 1 << self.z):
            msg = f"there is no tile {self.x}, {self.y} at zoom {self.z}"
            raise BadGeometry(msg)

    def mercator_bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in metres of EPSG:3857."""
        side = 2 * _MERCATOR_HALF / (1 << self.z)
        west, north = self.x * side - _MERCATOR_HALF, _MERCATOR_HALF - self.y * side
        return west, north - side, west + side, north

    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees of EPSG:4326."""
        count = 1 << self.z
        rows = (self.y, self.y + 1)
        north, south = (math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / count)))) for row in rows)
        return self.x / count * 360 - 180, south, (self.x + 1) / count * 360 - 180, north


def ground_pixel(*, crs: str, transform: Affine, width: int, height: int) -> tuple[Metres, Metres]:
    """Measure the pixel at the centre of an image along the ellipsoid.

    Args:
        crs: ``EPSG:n`` or WKT.
        transform: affine transform from pixel (column, row) to CRS.
        width: columns of the image.
        height: rows of the image.

    Returns:
        Width and height of the pixel on the ground.

    Raises:
        BadGeometry: the CRS cannot be turned into longitude and latitude there.
    """
    column, row = width / 2, height / 2
    corners = [(column, row), (column + 1, row), (column, row + 1)]
    lon, lat = _to_degrees(crs, np.array([transform @ corner for corner in corners]))
    _, _, metres = GEOD.inv(lon[[0, 0]], lat[[0, 0]], lon[[1, 2]], lat[[1, 2]])
    return Metres(float(metres[0])), Metres(float(metres[1]))


def footprint_of(*, crs: str, transform: Affine, width: int, height: int) -> MultiPolygon:
    """Draw the outline of an image in EPSG:4326, its edges densified, split where it crosses the antimeridian.

    Args:
        crs: ``EPSG:n`` or WKT.
        transform: affine transform from pixel (column, row) to CRS.
        width: columns of the image.
        height: rows of the image.

    Returns:
        One polygon, or two where the image lies on both sides of 180 degrees. An image around a pole reaches to it.

    Raises:
        BadGeometry: the image lies where its CRS has no longitude and latitude, or covers no ground.
    """
    edge = np.linspace(0, 1, POINTS_PER_EDGE)[:-1]
    zero, one = np.zeros_like(edge), np.ones_like(edge)
    columns = np.concatenate([edge, one, 1 - edge, zero]) * width
    rows = np.concatenate([zero, edge, one, 1 - edge]) * height
    a, b, c, d, e, f = transform[:6]
    lon, lat = _to_degrees(crs, np.column_stack([a * columns + b * rows + c, d * columns + e * rows + f]))
    lon = np.degrees(np.unwrap(np.radians(np.append(lon, lon[0]))))
    ring = list(zip(lon, np.append(lat, lat[0]), strict=True))
    if abs(lon[-1] - lon[0]) > 180:  # once around the pole: close the ring along it
        pole = math.copysign(90, float(lat.mean()))
        ring += [(lon[-1], pole), (lon[0], pole)]
    return _on_the_map(Polygon(ring))


def _to_degrees(crs: str, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    try:
        lon, lat = transformer(crs, "EPSG:4326").transform(points[:, 0], points[:, 1])
    except (CRSError, ProjError) as error:
        msg = f"its CRS cannot be turned into longitude and latitude: {error}"
        raise BadGeometry(msg) from error
    if not (np.isfinite(lon).all() and np.isfinite(lat).all() and np.abs(lat).max() <= 90 and np.abs(lon).max() <= 540):
        msg = "it lies outside the world: check its CRS and its transform"
        raise BadGeometry(msg)
    return lon, lat


def _on_the_map(shape: Polygon) -> MultiPolygon:
    """Bring a polygon whose longitudes run on beyond 180 degrees back into -180..180, in pieces."""
    west, _, east, _ = shape.bounds
    pieces: list[Polygon] = []
    for turn in range(math.floor((west + 180) / 360), math.floor((east + 180) / 360) + 1):
        part = affinity.translate(shape.intersection(box(turn * 360 - 180, -90, turn * 360 + 180, 90)), -360 * turn)
        pieces += [piece for piece in getattr(part, "geoms", [part]) if isinstance(piece, Polygon) and piece.area > 0]
    if not pieces:
        msg = "it covers no ground: check its transform"
        raise BadGeometry(msg)
    return MultiPolygon(pieces)
