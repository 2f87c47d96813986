"""What seeds hold against a label, in words and figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelling.core.suspects import Doubt, Word, doubts_of, is_news, ranked, strength
from tests.mines import HERE, square

HERE_SQUARE = square()
doubts = st.builds(Doubt, st.sampled_from(["type", "outline"]), st.floats(0, 1), st.just("words"), st.text(max_size=3))


def word(source: str = "LAMES", *, code: str | None = None, kind: str = "labelled", **more: object) -> Word:
    return Word(source, kind, more.pop("geometry", HERE_SQUARE), {"feature": code} if code else {}, **more)  # type: ignore[arg-type]


def on_pond(*words: Word) -> list[Doubt]:
    return doubts_of(words, is_verified=True, types={"feature": "pond"})


def test_seeds_that_agree_leave_no_doubt() -> None:
    assert on_pond(word(code="pond"), word("Maus"), word("cobalt", kind="cobalt")) == []
    assert doubts_of([word()], is_verified=False, types={}) == []


def test_a_negative_seed_on_a_verified_mine() -> None:
    [doubt] = on_pond(word("Look-alikes", kind="negatives", is_mine=False), word(code="pond"))
    assert (doubt.kind, doubt.words) == ("negative", "Look-alikes says that there is no mine here")


def test_typed_seeds_against_the_label_and_each_other() -> None:
    [doubt] = on_pond(word("A", code="pond"), word("B", code="open_pit"))
    assert doubt.words == "typed seeds contradict the type: B says open pit, the label says pond, as A does"
    [alone] = on_pond(word("B", code="open_pit"))
    assert alone.words == "typed seeds contradict the type: B says open pit, the label says pond"
    [both] = on_pond(word("B", code="open_pit"), word("C", code="waste_rock_dump"))
    assert doubt.weight < alone.weight < both.weight
    assert doubt.token == alone.token != both.token


def test_a_label_without_a_type_is_not_contradicted() -> None:
    assert doubts_of([word(code="pond")], is_verified=True, types={}) == []


def test_outlines_that_speak_of_two_things() -> None:
    shifted = square(HERE[0] + 0.009)
    [doubt] = on_pond(word("Maus"), word("Tang", geometry=shifted))
    assert doubt.kind == "outline"
    assert doubt.words == "the outlines of Maus and Tang have only 5% in common"
    assert on_pond(word("Maus"), word("Tang", geometry=square(HERE[0] + 0.001))) == []
    assert on_pond(word("Maus"), word("USGS", geometry=HERE_SQUARE.centroid)) == []


def test_a_rejected_site_is_doubted_where_two_sources_insist() -> None:
    assert doubts_of([word("A"), word("A")], is_verified=False, types={}) == []
    [doubt] = doubts_of([word("A"), word("B"), word("N", is_mine=False)], is_verified=False, types={})
    assert doubt.words == "A and B say that there is a mine here"


@given(st.lists(doubts, max_size=5), doubts)
def test_one_more_doubt_never_weakens(some: list[Doubt], more: Doubt) -> None:
    assert 0 <= strength(some) <= strength([*some, more]) <= 1
    assert [doubt.weight for doubt in ranked(some)] == sorted((doubt.weight for doubt in some), reverse=True)


def test_what_was_answered_is_no_news() -> None:
    one, other = Doubt("type", 0.5, "", "a"), Doubt("type", 0.5, "", "b")
    assert not is_news([one], ["a"])
    assert is_news([one, other], ["a"])
    assert not is_news([], [])
    assert strength([one, other]) == pytest.approx(0.75)
