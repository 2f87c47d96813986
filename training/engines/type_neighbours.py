"""How crowded the ground around a site is."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

NEAR_M = (1_000.0, 5_000.0)
_EARTH_M = 6_371_007.181


def neighbour_features(points: NDArray[np.float64], everywhere: NDArray[np.float64]) -> list[dict[str, float]]:
    """Measure how crowded the ground around places is: a mine is many sites, and each kind has its company.

    Their types are not looked at, so that no label leaks from one site into the figures of another.

    Args:
        points: longitude and latitude in degrees, shape (N, 2).
        everywhere: the same for all sites, these among them, shape (M, 2).

    Returns:
        For each point ``log_nearest`` (decadic, metres, at most 100 km), ``within_1km`` and ``within_5km`` (log1p of
        how many others).
    """
    tree = cKDTree(_on_sphere(everywhere))
    here = _on_sphere(points)
    nearest = tree.query(here, k=min(2, len(everywhere)))[0].reshape(len(points), -1)[:, -1]
    counts = {metres: tree.query_ball_point(here, metres, return_length=True) - 1 for metres in NEAR_M}
    return [
        {
            "log_nearest": float(np.log10(np.clip(nearest[row], 1.0, 1e5))),
            **{f"within_{metres / 1000:g}km": float(np.log1p(count[row])) for metres, count in counts.items()},
        }
        for row in range(len(points))
    ]


def _on_sphere(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres from the centre of the Earth; over a few kilometres a chord is as long as its arc."""
    lon, lat = np.radians(points).T
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]) * _EARTH_M
