"""What people have judged is not proposed again, and what they have not judged is."""

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from inference.core.settled import Settled, settled_by

BOX = shapely.box(0, 0, 0.01, 0.01)


def part(share: float) -> shapely.Polygon:
    """The left part of the box."""
    return shapely.box(0, 0, 0.01 * share, 0.01)


def repeats(site: Settled, *, code: str = "pond", box: shapely.Polygon = BOX) -> bool:
    return settled_by([box], [code], [site]) == [site]


@pytest.mark.parametrize("rejected", [False, True])
@pytest.mark.parametrize(
    ("site", "code", "is_repeat"),
    [
        (BOX, "pond", True),
        (BOX, "open_pit", True),  # the type is settled too
        (BOX, "", True),
        (part(0.4), "open_pit", False),  # IoU 0.4 under another type
        (part(0.4), "", True),
        (part(0.4), "pond", True),
        (part(0.2), "", False),
        (part(0.2), "pond", True),  # lies inside the box
        (shapely.Point(0.005, 0.005), "", True),
        (shapely.Point(0.02, 0.005), "pond", False),
        (shapely.box(0.01, 0, 0.02, 0.01), "pond", False),  # beside it
        (shapely.box(5, 5, 6, 6), "pond", False),
    ],
)
def test_the_rule(site: BaseGeometry, code: str, is_repeat: bool, rejected: bool) -> None:
    assert repeats(Settled(site, code, rejected)) is is_repeat


def test_a_pond_inside_a_verified_pit_is_proposed_and_inside_a_rejected_one_is_not() -> None:
    pit = shapely.box(-0.1, -0.1, 0.1, 0.1)
    assert not repeats(Settled(pit, "open_pit"))
    assert not repeats(Settled(pit, ""))
    assert repeats(Settled(pit, "pond"))
    assert repeats(Settled(pit, "open_pit", is_rejected=True))


def test_a_slanting_outline_is_compared_by_the_box_around_it() -> None:
    sliver = shapely.Polygon([(0, 0), (0.001, 0), (0.01, 0.01), (0.009, 0.01)])
    assert repeats(Settled(sliver, "open_pit"))


def test_a_rejection_is_named_before_a_verification() -> None:
    verified, rejected = Settled(BOX, "pond"), Settled(BOX, "pond", is_rejected=True)
    assert settled_by([BOX], ["pond"], [verified, rejected]) == [rejected]
    assert settled_by([BOX], ["pond"], [rejected, verified]) == [rejected]


def test_nothing_among_nothing() -> None:
    assert settled_by([], [], [Settled(BOX)]) == []
    assert settled_by([BOX], ["pond"], []) == [None]


corner = st.floats(0, 0.05, allow_nan=False)
side = st.floats(0.001, 0.05)


@given(st.lists(st.tuples(corner, corner, side, side, st.sampled_from(["pond", "open_pit"])), max_size=12))
def test_a_box_is_always_settled_by_itself(rows: list[tuple[float, float, float, float, str]]) -> None:
    boxes = [shapely.box(x, y, x + width, y + height) for x, y, width, height, _ in rows]
    codes = [row[4] for row in rows]
    sites = [Settled(box, code) for box, code in zip(boxes, codes, strict=True)]
    assert all(found is not None for found in settled_by(boxes, codes, sites))
