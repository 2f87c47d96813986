import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from training.core.blocks import Block, BlockGrid, buffered_box
from training.core.errors import TooFewLabels
from training.core.splits import Split, choose_val_blocks

labelled = st.dictionaries(
    st.builds(Block, st.integers(0, 200), st.integers(0, 200)), st.integers(1, 50), min_size=2, max_size=40
)


@given(labels=labelled, share=st.floats(0.01, 0.9), seed=st.integers(0, 1000))
def test_both_sides_hold_a_block_and_the_choice_is_the_seeds(labels: dict[Block, int], share: float, seed: int) -> None:
    chosen = choose_val_blocks(labels, val_share=share, seed=seed)
    assert 0 < len(chosen) < len(labels)
    assert chosen <= set(labels)
    backwards = dict(reversed(labels.items()))
    assert choose_val_blocks(backwards, val_share=share, seed=seed) == chosen


def test_about_the_wanted_share_validates() -> None:
    labels = {Block(row, column): 1 for row in range(20) for column in range(20)}
    for seed in range(5):
        assert len(choose_val_blocks(labels, val_share=0.2, seed=seed)) == 80
    assert choose_val_blocks(labels, val_share=0.2, seed=0) != choose_val_blocks(labels, val_share=0.2, seed=1)


def test_a_block_with_most_of_the_labels_trains() -> None:
    labels = {Block(0, 0): 100, Block(0, 1): 5, Block(0, 2): 5}
    for seed in range(10):
        assert Block(0, 0) not in choose_val_blocks(labels, val_share=0.1, seed=seed)


def test_labels_in_one_block_cannot_be_split() -> None:
    with pytest.raises(TooFewLabels, match="all 7 labels lie in one block"):
        choose_val_blocks({Block(1, 1): 7}, val_share=0.2, seed=0)


@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-75, 75),
    block_m=st.floats(500, 50_000),
    buffer_m=st.floats(0, 2_000),
    width=st.floats(0.001, 0.5),
)
def test_what_trains_keeps_away_from_what_validates(
    lon: float, lat: float, block_m: float, buffer_m: float, width: float
) -> None:
    grid = BlockGrid(block_m)
    block = grid.block_at(lon, lat)
    split = Split(frozenset({block}), block_m, buffer_m)
    west, south, east, north = grid.bounds(block)
    near = box(max(west - width, -180), south - width, min(east + width, 180), north + width)
    train, val = split.ground_of("train", near), split.ground_of("val", near)
    assert split.side_of(lon, lat) == "val"
    assert shapely.intersection(train, val).area < 1e-12
    assert shapely.intersection(train, buffered_box((west, south, east, north), buffer_m * 0.99)).area < 1e-12
    assert val.area == pytest.approx(grid.polygon(block).area)
    assert shapely.difference(val, shapely.union_all(split.forbidden_to("train"))).area < 1e-12


def test_validation_has_no_forbidden_ground_but_the_test_sets() -> None:
    assert Split(frozenset({Block(3, 3)}), 1000, 0).forbidden_to("val") == []
