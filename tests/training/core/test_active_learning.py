"""The mix behind the order of the queue: each term alone, their properties, and the words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.core.active_learning import (
    FIRST_LOOK,
    NO_MINE,
    STEPS,
    TYPE_SPLIT,
    UNNAMED,
    WEIGHTS,
    Candidate,
    Term,
    Voice,
    Weights,
    age,
    coverage,
    disagreement,
    put_behind,
    rarity,
    uncertainty,
    weigh,
)

CODES = ("open_pit", "pond", "waste_rock_dump")
shares = st.floats(0, 1)
types = st.dictionaries(
    st.sampled_from(["feature", "commodity", "method"]),
    st.lists(st.tuples(st.sampled_from(CODES), st.none() | shares), max_size=3, unique_by=lambda offer: offer[0]),
)
voices = st.builds(
    Voice,
    source=st.integers(1, 4),
    is_model=st.booleans(),
    is_mine=st.booleans(),
    score=st.none() | shares,
    types=types,
)
candidates = st.builds(
    Candidate,
    voices=st.lists(voices, max_size=5),
    examples=st.none() | st.integers(0, 5000),
    rarest=st.just("pond"),
    decided=st.integers(0, 5000),
    region=st.sampled_from(["", "Cerrado"]),
    days=st.integers(0, 5000),
)


def said(code: str, share: float | None = None, *more: tuple[str, float], axis: str = "feature") -> dict[str, list]:  # type: ignore[type-arg]
    return {axis: [(code, share), *more]}


@given(candidates)
def test_every_term_is_a_share_and_the_priority_their_weighted_sum(candidate: Candidate) -> None:
    turn = weigh(candidate)
    assert set(turn.terms) == set(WEIGHTS.to_json())
    assert all(0 <= term.value <= 1 for term in turn.terms.values())
    expected = sum(weight * turn.terms[name].value for name, weight in WEIGHTS.to_json().items())
    assert turn.priority == pytest.approx(expected, abs=1e-4)
    assert 0 <= turn.priority <= sum(WEIGHTS.to_json().values())
    assert turn.why


@given(candidates, st.sampled_from(sorted(WEIGHTS.to_json())))
def test_a_term_without_weight_neither_counts_nor_is_told(candidate: Candidate, name: str) -> None:
    only = Weights(**{**dict.fromkeys(WEIGHTS.to_json(), 0.0), name: 2.0})
    turn = weigh(candidate, weights=only)
    assert turn.priority == pytest.approx(2 * turn.terms[name].value, abs=1e-4)
    assert set(turn.why.split("; ")) <= {turn.terms[name].words, NO_MINE, FIRST_LOOK}


@given(candidates)
def test_the_reasons_told_are_the_telling_ones_weightiest_first(candidate: Candidate) -> None:
    turn = weigh(candidate)
    told = [reason for reason in turn.why.split("; ") if reason not in {NO_MINE, FIRST_LOOK}]
    names = {term.words: name for name, term in turn.terms.items()}
    shares_told = [WEIGHTS.to_json()[names[reason]] * turn.terms[names[reason]].value for reason in told]
    assert shares_told == sorted(shares_told, reverse=True)
    assert all(turn.terms[names[reason]].value >= 0.5 for reason in told)


@given(st.lists(voices, max_size=4, unique_by=lambda voice: voice.source), st.randoms(use_true_random=False))
def test_who_speaks_first_does_not_matter(every: list[Voice], dice: object) -> None:
    mixed = list(every)
    dice.shuffle(mixed)  # type: ignore[attr-defined]
    assert disagreement(mixed).value == pytest.approx(disagreement(every).value)
    assert uncertainty(mixed).value == pytest.approx(uncertainty(every).value)


@given(st.lists(voices, max_size=4))
def test_nobody_disagrees_alone_or_with_an_echo(every: list[Voice]) -> None:
    alone = [Voice(1, voice.is_model, voice.is_mine, voice.score, voice.types) for voice in every]
    assert disagreement(alone) == Term()
    assert disagreement(every[:1] * 3) == Term()


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_more_examples_more_decided_sites_and_less_waiting_never_raise_a_term(one: int, other: int) -> None:
    fewer, more = sorted((one, other))
    assert rarity(fewer).value >= rarity(more).value > 0
    assert coverage(fewer).value >= coverage(more).value > 0
    assert age(fewer).value <= age(more).value < 1


@given(st.integers(0, 2000))
def test_figure_and_words_change_only_at_the_steps(count: int) -> None:
    if count and count not in STEPS:
        assert rarity(count, "pond") == rarity(count - 1, "pond")
        assert coverage(count, "Cerrado") == coverage(count - 1, "Cerrado")


@given(shares, shares)
def test_the_nearer_to_one_half_the_more_uncertain(one: float, other: float) -> None:
    near, far = sorted((one, other), key=lambda score: abs(score - 0.5))
    sure_type = said("pond", 1.0)
    doubts = [uncertainty([Voice(1, True, True, score, sure_type)]).value for score in (near, far)]
    assert doubts[0] >= doubts[1] - 1e-9


@pytest.mark.parametrize(
    ("offers", "value", "words"),
    [
        ([("pond", 1.0)], 0, ""),
        ([("pond", None)], 0, ""),
        ([("pond", 0.5), ("open_pit", 0.5)], 1, "it is unclear which type: pond 0.50 or open pit 0.50"),
        ([("pond", 0.6), ("open_pit", 0.2)], 0.6, "it is unclear which type: pond 0.60 or open pit 0.20"),
        ([("pond", 0.5)], 1, "it is unclear which type: pond 0.50 or another one 0.50"),
    ],
)
def test_two_types_that_are_nearly_as_likely_are_a_doubt(offers: list, value: float, words: str) -> None:  # type: ignore[type-arg]
    term = uncertainty([Voice(1, types={"feature": offers})])
    assert term.value == pytest.approx(value)
    assert value == 0 or term.words == words


def test_a_type_that_nobody_names_is_a_doubt_but_not_where_there_is_no_mine() -> None:
    assert uncertainty([Voice(1)]) == Term(UNNAMED, "no source names its type")
    assert uncertainty([Voice(1, is_mine=False)]) == Term()
    assert uncertainty([]) == Term()


def test_of_one_source_the_last_word_counts() -> None:
    before, after = Voice(1, True, True, 0.5, said("pond", 1.0)), Voice(1, True, True, 0.98, said("pond", 1.0))
    assert uncertainty([before, after]).value == pytest.approx(0.04)
    assert uncertainty([after, before]).value == pytest.approx(1)


def test_denial_is_the_strongest_disagreement_then_types_then_scores() -> None:
    yes, no = Voice(1, types=said("pond")), Voice(2, is_mine=False)
    pit = Voice(3, types=said("open_pit"))
    agree = Voice(4, types=said("pond"))
    assert disagreement([yes, no]) == Term(1, "sources disagree on whether this is a mine")
    two = disagreement([yes, pit])
    assert two == Term(TYPE_SPLIT, "two sources disagree on the type: open pit or pond")
    assert TYPE_SPLIT > disagreement([yes, agree, pit]).value > 0.5
    assert disagreement([yes, agree]) == Term()
    models = [Voice(1, True, True, 0.9, said("pond")), Voice(2, True, True, 0.35, said("pond"))]
    assert disagreement(models).value == pytest.approx(0.55)
    assert disagreement(models).words == "models disagree on how sure it is (0.35 to 0.90)"


def test_a_seed_without_a_score_does_not_disagree_with_a_model_on_how_sure_it_is() -> None:
    assert disagreement([Voice(1, False, True, 0.2), Voice(2, True, True, 0.9)]) == Term()


def test_each_axis_has_its_own_word() -> None:
    copper, cobalt = (Voice(n, types=said(code, axis="commodity")) for n, code in enumerate(("copper", "cobalt")))
    assert disagreement([copper, cobalt]).words == "two sources disagree on the commodity: cobalt or copper"


def test_rarity_falls_with_what_is_verified_with_what_comes_before_and_with_doubt_about_the_mine() -> None:
    rare = rarity(2, "pond", before=3)
    assert rarity(50, "pond", before=3).value < rare.value
    assert rarity(2, "pond", before=60).value < rare.value
    assert rarity(5, "pond").value == rare.value
    assert rarity(2, "pond", before=3, odds=0.5).value == pytest.approx(rare.value / 2)
    assert rarity(None) == Term()


def test_the_first_of_each_type_comes_before_the_next_of_any_and_all_before_what_a_source_denies() -> None:
    pond, pit, deny = Voice(1, types=said("pond")), Voice(1, types=said("open_pit")), Voice(2, is_mine=False)
    first = [Candidate([pond], rarest="pond", examples=0), Candidate([pit], rarest="open pit", examples=0)]
    second = put_behind(weigh(first[0]), first[0], before=1)
    denied = Candidate([pond, deny], rarest="pond", examples=0)
    assert weigh(first[0]).priority == weigh(first[1]).priority > second.priority
    assert weigh(first[0]).priority > weigh(denied).priority


@given(candidates, st.integers(0, 200))
def test_only_the_rarity_of_a_site_depends_on_those_before_it(candidate: Candidate, before: int) -> None:
    first = weigh(candidate)
    turn = put_behind(first, candidate, before=before)
    assert put_behind(first, candidate, before=0) == first
    assert {name for name in turn.terms if turn.terms[name] != first.terms[name]} <= {"rarity"}
    lost = WEIGHTS.rarity * (first.terms["rarity"].value - turn.terms["rarity"].value)
    assert lost >= 0
    assert first.priority - turn.priority == pytest.approx(lost, abs=2e-4)


def test_the_words_of_a_site_that_has_everything() -> None:
    turn = weigh(
        Candidate(
            voices=[Voice(1, True, True, 0.48, said("pond", 0.9)), Voice(2, types=said("open_pit"))],
            examples=3,
            rarest="pond",
            decided=0,
            region="Cerrado",
            days=40,
        )
    )
    assert turn.why == (
        "fewer than 5 verified examples of pond; the model is unsure (0.48); "
        "two sources disagree on the type: open pit or pond; no decided sites in Cerrado yet; it has waited for 35 days"
    )


def test_the_words_of_a_site_that_has_nothing_and_of_one_that_its_source_denies() -> None:
    known = Candidate([Voice(1, types=said("pond", 1.0))], examples=900, rarest="pond", decided=900, region="Cerrado")
    assert weigh(known).why == FIRST_LOOK
    denied = weigh(Candidate([Voice(1, is_mine=False)], decided=900))
    assert denied.why == NO_MINE
    assert denied.priority < weigh(known).priority + 0.1
