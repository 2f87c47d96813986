import pytest
from shapely.geometry import Point, box

from labelling.core.oracle import Truth, iou, judge_outline

PIT = Truth(box(0, 0, 1, 1), "open_pit")
DUMP = Truth(box(2, 0, 3, 1), "waste_rock_dump")


@pytest.mark.parametrize(
    ("outline", "code", "verdict", "redraw"),
    [
        (box(0, 0, 1, 1), "open_pit", "accept", False),
        (box(0, 0, 1, 1), "pond", "fix", False),
        (box(0, 0, 1, 1), None, "fix", False),
        (box(0, 0, 1, 0.5), "open_pit", "fix", True),
        (Point(0.5, 0.5), "open_pit", "fix", True),
    ],
)
def test_a_site_on_a_mine_is_accepted_or_fixed(outline: object, code: str | None, verdict: str, redraw: bool) -> None:
    judgement = judge_outline(outline, code, [DUMP, PIT], taken=())  # type: ignore[arg-type]
    assert (judgement.verdict, judgement.redraw, judgement.truth) == (verdict, redraw, 1)


@pytest.mark.parametrize("outline", [box(5, 5, 6, 6), box(0.95, 0, 2, 1), Point(1.5, 0.5)])
def test_a_site_beside_every_mine_is_rejected(outline: object) -> None:
    judgement = judge_outline(outline, "open_pit", [PIT, DUMP], taken=())  # type: ignore[arg-type]
    assert (judgement.verdict, judgement.reason) == ("reject", "not_a_mine")


def test_a_second_site_on_one_mine_is_a_duplicate() -> None:
    judgement = judge_outline(box(0, 0, 1, 1), "open_pit", [PIT], taken={0})
    assert (judgement.verdict, judgement.reason) == ("reject", "duplicate")


def test_iou_of_points_is_zero() -> None:
    assert iou(Point(0, 0), Point(0, 0)) == 0
    assert iou(box(0, 0, 2, 1), box(1, 0, 3, 1)) == pytest.approx(1 / 3)
