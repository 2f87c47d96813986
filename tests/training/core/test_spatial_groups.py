"""Places that are too near to be strangers stay together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from labelling.core.geometry import distances_m
from training.core.spatial_groups import spatial_groups

degrees = st.floats(-0.4, 0.4)


@given(arrays(np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=degrees))
def test_no_two_groups_come_nearer_than_the_buffer(points: np.ndarray) -> None:
    groups = spatial_groups(points, block_m=20_000, buffer_m=3_000)
    assert set(groups) == set(range(groups.max() + 1))
    left, right = np.triu_indices(len(points), 1)
    apart = groups[left] != groups[right]
    if apart.any():
        assert distances_m(points[left][apart], points[right][apart]).min() >= 3_000


def test_blocks_that_share_a_mine_are_one_group_and_far_ones_are_not() -> None:
    step = 20_000 / 111_320
    edge = np.floor(-44 / step) * step
    near = np.array([[-44.0, 0.01], [-44.0 + 0.01, 0.01], [-42.0, 0.01], [edge, -30.0]])
    groups = spatial_groups(near)
    assert groups[0] == groups[1]
    assert len({int(groups[0]), int(groups[2]), int(groups[3])}) == 3


def test_nothing_has_no_groups() -> None:
    assert len(spatial_groups(np.zeros((0, 2)))) == 0


def test_both_sides_of_the_antimeridian_are_neighbours() -> None:
    groups = spatial_groups(np.array([[179.9999, 0.0], [-179.9999, 0.0], [0.0, 0.0]]))
    assert groups[0] == groups[1] != groups[2]
