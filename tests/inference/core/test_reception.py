import pytest

from inference.core.reception import Band, Outcome, Reception, Tally, sum_up


def test_each_outcome_has_its_place() -> None:
    whats = ("waiting", "contested", "accepted", "amended", "retyped", "cloud", "duplicate", "not_a_mine")
    tally = Tally.of(Outcome(0, what, 2**number) for number, what in enumerate(whats))
    assert tally == Tally(1, 2, 4, 8, 16, {"not_a_mine": 128, "duplicate": 64, "cloud": 32})
    assert list(tally.rejected) == ["not_a_mine", "duplicate", "cloud"], "the most frequent reason first"
    assert (tally.verified, tally.refused, tally.total) == (28, 224, 255)


def test_what_the_imagery_cannot_show_speaks_neither_for_nor_against() -> None:
    tally = Tally(accepted=2, retyped=1, rejected={"not_a_mine": 1, "cloud": 5, "offset": 6, "bad_imagery": 7})
    assert (tally.unseen, tally.decided) == (18, 4)
    assert (tally.precision, tally.accepted_share) == (0.75, 0.5)


@pytest.mark.parametrize("reason", ["not_a_mine", "duplicate", "wrong_type", "inactive"])
def test_every_other_reason_speaks_against(reason: str) -> None:
    assert Tally(accepted=1, rejected={reason: 1}).precision == 0.5


@pytest.mark.parametrize("tally", [Tally(), Tally(waiting=3, contested=2), Tally(rejected={"cloud": 4})])
def test_a_share_of_nothing_is_none(tally: Tally) -> None:
    assert (tally.decided, tally.precision, tally.accepted_share) == (0, None, None)


def test_bands_come_surest_first_and_without_the_empty_ones() -> None:
    outcomes = [
        Outcome(2, "waiting", 3),
        Outcome(9, "accepted", 1),
        Outcome(None, "accepted", 5),
        Outcome(2, "cloud", 1),
        Outcome(2, "waiting", 1),
    ]
    assert sum_up(outcomes, proposals=12) == Reception(
        12,
        Tally(waiting=4, accepted=6, rejected={"cloud": 1}),
        (Band(0.9, 1.0, Tally(accepted=1)), Band(0.2, 0.3, Tally(waiting=4, rejected={"cloud": 1}))),
    )
    assert sum_up([], proposals=0) == Reception(0, Tally(), ())
