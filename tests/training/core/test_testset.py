from collections import Counter

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point, box
from shapely.geometry.base import BaseGeometry

from training.core.blocks import Block
from training.core.testset import (
    Settled,
    Stratum,
    checksum_of,
    choose_blocks,
    choose_empty_blocks,
    make_windows,
    share_out,
)

PIT, DUMP, POND = "open_pit", "waste_rock_dump", "pond"


def strata(*blocks: dict[str, int]) -> dict[Block, Counter[Stratum]]:
    """One block after the other, each with its count of labels by type."""
    return {
        Block(0, column): Counter({(code, "Cerrado"): count for code, count in counts.items()})
        for column, counts in enumerate(blocks)
    }


def settled(site: int, geometry: BaseGeometry, code: str = PIT) -> Settled:
    return Settled(site, geometry, code)


many = st.lists(
    st.dictionaries(st.sampled_from([PIT, DUMP, POND]), st.integers(1, 9), min_size=1), min_size=1, max_size=12
)


@given(blocks=many, share=st.floats(0.05, 0.5), seed=st.integers(0, 5))
def test_every_type_that_is_tested_also_trains_and_at_most_half_is_taken(
    blocks: list[dict[str, int]], share: float, seed: int
) -> None:
    given_ = strata(*blocks)
    chosen = choose_blocks(given_, share=share, seed=seed)
    tested = sum((given_[block] for block in chosen), Counter())
    left = sum((counts for block, counts in given_.items() if block not in chosen), Counter())
    assert {code for code, _ in tested} <= {code for code, _ in left}
    assert tested.total() <= 0.5 * (tested.total() + left.total())
    assert choose_blocks(given_, share=share, seed=seed) == chosen == sorted(chosen)


def test_a_rare_type_is_tested_although_the_share_is_full_without_it() -> None:
    chosen = choose_blocks(strata({PIT: 9}, {PIT: 9}, {PIT: 9}, {POND: 1}, {POND: 1, PIT: 1}), share=0.3, seed=0)
    assert {Block(0, 3), Block(0, 4)} & set(chosen)
    assert not {Block(0, 3), Block(0, 4)} <= set(chosen)


def test_a_type_in_one_block_only_trains() -> None:
    chosen = choose_blocks(strata({POND: 1, PIT: 1}, {PIT: 3}, {PIT: 3}, {PIT: 3}), share=0.2, seed=0)
    assert len(chosen) == 1
    assert Block(0, 0) not in chosen


def test_regions_are_covered_where_the_share_allows_it() -> None:
    here = {Block(0, n): Counter({(PIT, f"region {n % 2}"): 2}) for n in range(10)}
    chosen = choose_blocks(here, share=0.2, seed=3)
    assert {stratum for block in chosen for stratum in here[block]} == {(PIT, "region 0"), (PIT, "region 1")}
    assert sum(here[block].total() for block in chosen) == 4


def test_the_seed_decides_between_equals() -> None:
    blocks = strata(*[{PIT: 2}] * 20)
    assert len({tuple(choose_blocks(blocks, share=0.2, seed=seed)) for seed in range(5)}) > 1


def test_nothing_is_chosen_where_all_lies_in_one_block() -> None:
    assert choose_blocks(strata({PIT: 50}), share=0.2, seed=0) == []
    assert choose_blocks({}, share=0.2, seed=0) == []


def test_empty_blocks_are_tested_in_the_same_share() -> None:
    blocks = [Block(1, column) for column in range(10)]
    picked = choose_empty_blocks(blocks, share=0.3, seed=1)
    assert len(picked) == 3
    assert picked == choose_empty_blocks(blocks, share=0.3, seed=1)
    assert choose_empty_blocks([], share=0.3, seed=1) == []


def test_ground_goes_to_the_first_scene_that_shows_it() -> None:
    pieces = share_out(box(0, 0, 10, 10), [(7, box(0, 0, 6, 10)), (3, box(4, 0, 20, 10)), (5, box(1, 1, 2, 2))])
    assert [scene for scene, _ in pieces] == [7, 3]
    assert [area.area for _, area in pieces] == pytest.approx([60, 40])


def test_a_label_is_tested_where_its_middle_lies_and_only_there() -> None:
    west, east = MultiPolygon([box(0, 0, 5, 10)]), MultiPolygon([box(5, 0, 10, 10)])
    across = settled(1, box(3, 4, 6, 6))
    windows = make_windows([(1, west), (2, east)], [across, settled(2, box(8, 8, 9, 9), DUMP)], {1, 2})
    assert [[truth.site for truth in window.truths] for window in windows] == [[1], [2]]
    # In the other window its rest is neither truth nor background.
    assert windows[0].area.area == pytest.approx(50)
    assert windows[1].area.area == pytest.approx(50 - 2)
    assert not windows[1].area.contains(Point(5.5, 5))


def test_a_label_with_its_middle_on_an_edge_is_tested_once() -> None:
    west, east = MultiPolygon([box(0, 0, 5, 10)]), MultiPolygon([box(5, 0, 10, 10)])
    windows = make_windows([(1, west), (2, east)], [settled(1, box(4, 4, 6, 6))], {1})
    assert [len(window.truths) for window in windows] == [1, 0]
    assert make_windows([(1, west)], [settled(1, box(4, 4, 6, 6))], set())[0].truths == ()


def test_ground_whose_truth_is_not_known_is_not_scored() -> None:
    ground = MultiPolygon([box(0, 0, 10, 10)])
    contested = settled(1, box(2, 2, 4, 4), "")
    beneath = settled(2, box(2.5, 2.5, 3.5, 3.5))
    window = make_windows([(1, ground)], [contested, beneath, settled(3, box(7, 7, 8, 8))], {1, 2, 3})[0]
    assert [truth.site for truth in window.truths] == [3]
    assert window.area.area == pytest.approx(96)


def test_ground_of_which_nothing_is_left_makes_no_window() -> None:
    assert make_windows([(1, MultiPolygon([box(0, 0, 1, 1)]))], [settled(1, box(-1, -1, 2, 2), "")], {1}) == []


def test_the_middle_of_a_label_over_the_antimeridian_lies_in_it() -> None:
    fiji = shapely.union_all([box(179.9, -17, 180, -16.9), box(-180, -17, -179.95, -16.9)])
    assert fiji.covers(settled(1, fiji).centre)


def test_the_checksum_knows_the_ground_and_not_the_order_of_its_corners() -> None:
    one = {"area": box(0, 0, 1, 1), "a": 1}
    same = {"a": 1, "area": shapely.Polygon([(1, 1), (0, 1), (0, 0), (1, 0)])}
    other = {"area": box(0, 0, 1, 1.0000001), "a": 1}
    assert checksum_of(one) == checksum_of(same)
    assert checksum_of(one) != checksum_of(other)
    assert len(checksum_of(one)) == 64


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        checksum_of({"a": object()})
    with pytest.raises(ValueError, match="Out of range float"):
        checksum_of({"a": float("nan")})
