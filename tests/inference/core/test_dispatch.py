import pytest

from inference.core.dispatch import BIOME, ECOREGION, Ground, Line, line_for, lines_for

HERE = Ground(ecoregion=42, biome=7)
# From the most special to the generalist: the fallback of DESIGN.md.
LADDER = (
    Line(1, "open_pit", ECOREGION, 42),
    Line(2, "open_pit", BIOME, 7),
    Line(3, "open_pit"),
    Line(4, None, ECOREGION, 42),
    Line(5, None, BIOME, 7),
    Line(6),
)


@pytest.mark.parametrize("best", range(len(LADDER)))
def test_the_most_special_line_that_is_left_is_taken(best: int) -> None:
    left = LADDER[best:]
    assert line_for(tuple(reversed(left)), "open_pit", HERE) == LADDER[best]


@pytest.mark.parametrize(
    "elsewhere",
    [
        Line(1, "pond", ECOREGION, 42),
        Line(1, "open_pit", ECOREGION, 43),
        Line(1, "open_pit", BIOME, 8),
        Line(1, None, ECOREGION, 7),
    ],
)
def test_a_line_of_another_type_or_place_is_never_taken(elsewhere: Line) -> None:
    assert line_for([elsewhere], "open_pit", HERE) is None
    assert line_for([elsewhere, Line(6)], "open_pit", HERE) == Line(6)


def test_ground_that_is_in_no_region_gets_what_serves_everywhere() -> None:
    assert line_for(LADDER, "open_pit", Ground()) == LADDER[2]
    assert line_for(LADDER, None, Ground()) == LADDER[5]


def test_each_specialist_and_one_generalist_look_at_a_scene_and_none_twice() -> None:
    lines = [Line(1, "open_pit"), Line(2, "pond", BIOME, 7), Line(3, "pond"), Line(4), Line(1, None, ECOREGION, 42)]
    assert lines_for(lines, HERE) == {1: lines[4], 2: lines[1]}
    assert lines_for(lines, Ground()) == {4: lines[3], 1: lines[0], 3: lines[2]}
    assert lines_for([], HERE) == {}


def test_a_line_says_what_it_is() -> None:
    assert LADDER[0].name == "open_pit, ecoregion 42"
    assert LADDER[5].name == "every type, everywhere"
