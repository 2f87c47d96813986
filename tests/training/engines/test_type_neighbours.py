"""Neighbours whose number and distance can be worked out by hand."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="scipy belongs to the workers")

from training.engines.type_neighbours import neighbour_features

pytestmark = pytest.mark.worker


def test_neighbours_are_counted_and_a_site_is_not_its_own() -> None:
    step = 500 / 111_195
    points = np.array([[10.0, 0.0], [10.0, step], [10.0, 4 * step], [50.0, 50.0]])
    crowd, *_, lonely = neighbour_features(points, points)
    assert 10 ** crowd["log_nearest"] == pytest.approx(500, rel=0.01)
    assert (np.expm1(crowd["within_1km"]), np.expm1(crowd["within_5km"])) == (pytest.approx(1), pytest.approx(2))
    assert lonely == {"log_nearest": 5.0, "within_1km": 0.0, "within_5km": 0.0}
