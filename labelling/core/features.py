"""What tells one kind of site from another, as numbers with names: shape, bands and texture."""

from collections.abc import Mapping

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from labelling.core.geometry import inner_point
from labelling.core.globe import to_crs
from labelling.core.raster import Reflectance, utm_of
from labelling.core.spectra import Look

Features = Mapping[str, float]
"""Name -> figure; what cannot be measured is left out, never guessed."""

INDICES: Mapping[str, tuple[str, str]] = {
    "ndvi": ("B08", "B04"),
    "ndwi": ("B03", "B08"),
    "ndbi": ("B11", "B08"),
    "iron": ("B04", "B02"),
    "clay": ("B11", "B12"),
}
"""Normalised differences (a - b) / (a + b): vegetation, water, bare ground, iron oxide and clay; the last two carry
the ratios B04/B02 and B11/B12 of the review screen, (r - 1) / (r + 1)."""
TEXTURE_BANDS = ("B04", "B08", "B11")
_FLOOR = 1e-4


def shape_features(footprint: BaseGeometry) -> dict[str, float]:
    """Measure an outline in metres of its UTM zone.

    Args:
        footprint: EPSG:4326.

    Returns:
        ``log_area`` (decadic, square metres), ``elongation`` (long over short side of the narrowest rectangle around
        it), ``compactness`` (4 pi area / perimeter squared, 1 for a disc; Polsby and Popper 1991), ``solidity`` (share
        of its convex hull), ``rectangularity``, ``holes``, ``parts``, ``corners_per_km``; nothing for a point.
    """
    middle = inner_point(footprint)
    flat = to_crs(footprint, utm_of(middle.x, middle.y))
    if flat.is_empty or flat.area <= 0:
        return {}
    turned = shapely.oriented_envelope(flat)
    sides = np.hypot(*np.diff(shapely.get_coordinates(turned)[:3], axis=0).T)
    polygons = shapely.get_parts(flat)
    corners = shapely.get_num_coordinates(flat) - len(polygons)
    return {
        "log_area": float(np.log10(flat.area)),
        "elongation": float(sides.max() / max(sides.min(), _FLOOR)),
        "compactness": float(4 * np.pi * flat.area / flat.length**2),
        "solidity": float(flat.area / max(flat.convex_hull.area, _FLOOR)),
        "rectangularity": float(flat.area / max(turned.area, _FLOOR)),
        "holes": float(shapely.get_num_interior_rings(polygons).sum()),
        "parts": float(len(polygons)),
        "corners_per_km": float(corners / flat.length * 1000),
    }


def band_features(look: Look) -> dict[str, float]:
    """Sum up the spectrum of a site and how it differs from the ring around it.

    Args:
        look: its pixels in one scene.

    Returns:
        Per band the median reflectance inside (``B04``) and its contrast to the ring (``B04_ring``, within -1 and 1);
        per index of ``INDICES`` the median (``ndvi``) and the spread of the middle four fifths (``ndvi_spread``).
    """
    values = _by_band(look, look.pixels.reflectance())
    around = {band: float(np.median(plane[look.ring])) for band, plane in values.items() if look.ring.any()}
    if not look.inside.any():
        return {}
    found: dict[str, float] = {}
    for band, plane in values.items():
        found[band] = float(np.median(plane[look.inside]))
        if band in around:
            found[f"{band}_ring"] = (found[band] - around[band]) / (found[band] + around[band])
    for name, (first, second) in INDICES.items():
        if first in values and second in values:
            one, other = values[first][look.inside], values[second][look.inside]
            low, middle, high = np.percentile((one - other) / (one + other), [10, 50, 90])
            found |= {name: float(middle), f"{name}_spread": float(high - low)}
    return found


def texture_features(look: Look) -> dict[str, float]:
    """Measure how rough a site is in red, near and shortwave infrared.

    Args:
        look: its pixels in one scene.

    Returns:
        Per band ``B04_roughness`` (standard deviation over mean), ``B04_edges`` (mean step from pixel to pixel over
        the mean) and ``B04_grain`` (edges over roughness: fine-grained, or one slow ramp); nothing below four pixels.
    """
    found: dict[str, float] = {}
    values = _by_band(look, look.pixels.reflectance())
    if look.inside.sum() < 4:
        return found
    for band in TEXTURE_BANDS:
        if band in values:
            plane = values[band]
            mean = float(plane[look.inside].mean())
            roughness, edges = float(plane[look.inside].std()) / mean, _step(plane, look.inside) / mean
            found |= {f"{band}_roughness": roughness, f"{band}_edges": edges}
            found[f"{band}_grain"] = edges / max(roughness, _FLOOR)
    return found


def _by_band(look: Look, reflectance: Reflectance) -> dict[str, NDArray[np.float64]]:
    planes = np.maximum(reflectance.astype(np.float64), _FLOOR)  # a black pixel is dark, and divides
    return dict(zip(look.pixels.bands, planes, strict=True))


def _step(plane: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
    """Mean difference between pixels side by side, both inside."""
    across = np.abs(np.diff(plane, axis=1))[inside[:, 1:] & inside[:, :-1]]
    down = np.abs(np.diff(plane, axis=0))[inside[1:] & inside[:-1]]
    steps = np.concatenate([across, down])
    return float(steps.mean()) if len(steps) else 0.0


def haze_of(look: Look) -> float:
    """How bright the ring is in blue, reflectance: clouds and haze are, so that of several looks the lowest is taken.

    Infinite where nothing of the ring or of the site can be seen, 0 for a scene without blue.
    """
    if not look.inside.any() or not look.ring.any():
        return float("inf")
    blue = _by_band(look, look.pixels.reflectance()).get("B02")
    return 0.0 if blue is None else float(np.median(blue[look.ring]))
