import pytest
from shapely.geometry import Point, box
from shapely.geometry.base import BaseGeometry

from labelling.core.agreement import outline_iou


@pytest.mark.parametrize(
    ("second", "overlap"),
    [
        (box(0, 0, 2, 2), 1.0),
        (box(1, 0, 3, 2), 1 / 3),
        (box(0, 0, 1, 1), 1 / 4),
        (box(5, 5, 6, 6), 0.0),
        (Point(1, 1), None),
    ],
)
def test_the_overlap_of_outlines_is_the_shared_part_of_both(second: BaseGeometry, overlap: float | None) -> None:
    assert outline_iou(box(0, 0, 2, 2), second) == pytest.approx(overlap)
    assert outline_iou(second, box(0, 0, 2, 2)) == pytest.approx(overlap)


def test_latitude_does_not_matter() -> None:
    near, far = box(10, 60, 10.01, 60.01), box(10.005, 60, 10.015, 60.01)
    assert outline_iou(near, far) == pytest.approx(1 / 3)
