"""The state machine of a site, against a model that is written the other way round."""

import random
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from labelling.core.review import Opinion, Settlement, is_blind_to, refusal, settle, standing

ANA, BEN, LEA = 1, 2, 3


def said(verdict: str, *, id: int = 1, reviewer: int = ANA, **more: object) -> Opinion:
    return Opinion(id=id, reviewer=reviewer, verdict=verdict, **more)  # type: ignore[arg-type]


def test_nothing_said_is_open() -> None:
    assert settle([]) == Settlement(state="open")


@pytest.mark.parametrize("verdict", ["accept", "fix", "add"])
def test_one_yes_verifies(verdict: str) -> None:
    found = settle([said(verdict, types={"feature": "pond"})])
    assert found == Settlement("verified", {"feature": "pond"}, outline=1, settled_by=1, reviews=1)


def test_one_no_rejects_with_its_reason_and_without_types() -> None:
    found = settle([said("reject", reason="offset", types={"feature": "pond"})])
    assert (found.state, found.reason, found.types) == ("rejected", "offset", {})


def test_unsure_contests() -> None:
    assert settle([said("unsure")]).state == "contested"


@pytest.mark.parametrize("verdict", ["skip", "undo"])
def test_skips_and_undos_are_no_opinions(verdict: str) -> None:
    assert settle([said(verdict)]).state == "open"


def test_what_came_too_late_does_not_count() -> None:
    assert settle([said("accept", applied=False)]).state == "open"


def test_an_undo_takes_away_what_it_names_and_nothing_else() -> None:
    both = [said("accept"), said("reject", id=2, reviewer=LEA, reason="cloud", as_lead=True)]
    assert settle([*both, said("undo", id=3, undoes=1)]).state == "rejected"
    assert settle([*both, said("undo", id=3, undoes=2)]).state == "verified"


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        (said("accept"), said("accept"), "verified"),
        (said("accept", types={"feature": "pond"}), said("fix", types={"commodity": "gold"}), "verified"),
        (said("accept", types={"feature": "pond"}), said("fix", types={"feature": "open_pit"}), "contested"),
        (said("accept"), said("reject", reason="cloud"), "contested"),
        (said("accept"), said("unsure"), "contested"),
        (said("reject", reason="cloud"), said("reject", reason="offset"), "rejected"),
        # One says that there is no mine, the other that it cannot be seen.
        (said("reject", reason="not_a_mine"), said("reject", reason="cloud"), "contested"),
    ],
)
def test_two_opinions_settle_where_they_agree(first: Opinion, second: Opinion, state: str) -> None:
    two = [replace(first, reviews_needed=2), replace(second, id=2, reviewer=BEN, reviews_needed=2)]
    assert settle(two[:1]).state == "open"
    assert settle(two).state == state


def test_the_drawn_outline_beats_the_accepted_one_and_contested_types_are_left_out() -> None:
    drawn = said("fix", types={"feature": "pond", "method": "surface"}, reviews_needed=2)
    accepted = said("accept", id=2, reviewer=BEN, types={"feature": "open_pit", "method": "surface"}, reviews_needed=2)
    found = settle([drawn, accepted])
    assert (found.outline, found.settled_by, found.types) == (1, 2, {"method": "surface"})


def test_a_lead_settles_and_may_think_again() -> None:
    ruled = [said("unsure"), said("accept", id=2, reviewer=LEA, as_lead=True)]
    assert settle(ruled).state == "verified"
    assert settle([*ruled, said("unsure", id=3, reviewer=LEA, as_lead=True)]).state == "contested"


@pytest.mark.parametrize(
    ("state", "is_lead", "has_decided", "refused"),
    [
        ("open", False, False, False),
        ("open", True, True, True),
        ("contested", False, False, True),
        ("verified", False, True, True),
        ("rejected", False, False, True),
        ("contested", True, True, False),
        ("verified", True, False, False),
    ],
)
def test_who_may_decide_on_a_site_as_it_stands(state: str, is_lead: bool, has_decided: bool, refused: bool) -> None:
    assert (refusal(state=state, is_lead=is_lead, has_decided=has_decided) is not None) == refused


def test_only_other_peoples_blind_opinions_on_an_open_site_leave_it_as_it_was() -> None:
    assert is_blind_to(reviews_needed=2, state="open", others_since=True)
    assert not is_blind_to(reviews_needed=1, state="open", others_since=True)
    assert not is_blind_to(reviews_needed=2, state="verified", others_since=True)
    assert not is_blind_to(reviews_needed=2, state="open", others_since=False)


class ReviewOfOneSite(RuleBasedStateMachine):
    """People decide and undo in any order; a model keeps one vote a person and counts."""

    opinions = Bundle("opinions")

    @initialize(needed=st.integers(1, 3))
    def begin(self, needed: int) -> None:
        self.needed = needed
        self.log: list[Opinion] = []
        self.votes: dict[int, Opinion] = {}  # by id, in order

    @property
    def state(self) -> str:
        return settle(self.log).state

    @rule(
        target=opinions,
        reviewer=st.sampled_from([ANA, BEN, LEA, 4, 5]),
        verdict=st.sampled_from(["accept", "fix", "reject", "unsure", "skip"]),
        code=st.sampled_from(["pond", "open_pit"]),
        reason=st.sampled_from(["not_a_mine", "cloud", "wrong_type"]),
    )
    def decide(self, reviewer: int, verdict: str, code: str, reason: str) -> object:
        before, opinion = self.state, self._opinion(reviewer, verdict, code, reason)
        has_decided = any(vote.reviewer == reviewer for vote in self.votes.values())
        if verdict != "skip" and refusal(state=before, is_lead=opinion.as_lead, has_decided=has_decided):
            self.log.append(replace(opinion, applied=False))
            assert self.state == before
            return multiple()
        self.log.append(opinion)
        if verdict != "skip":
            self.votes[opinion.id] = opinion
        return opinion

    def _opinion(self, reviewer: int, verdict: str, code: str, reason: str) -> Opinion:
        return Opinion(
            id=len(self.log) + 1,
            reviewer=reviewer,
            verdict=verdict,
            reason=reason if verdict == "reject" else "",
            types={"feature": code},
            reviews_needed=self.needed,
            as_lead=reviewer == LEA and self.state != "open",
        )

    @rule(opinion=consumes(opinions))
    def undo(self, opinion: Opinion) -> None:
        self.log.append(Opinion(id=len(self.log) + 1, reviewer=opinion.reviewer, verdict="undo", undoes=opinion.id))
        self.votes.pop(opinion.id, None)

    @rule(seed=st.integers(0, 9))
    def order_of_reading_does_not_matter(self, seed: int) -> None:
        shuffled = random.Random(seed).sample(self.log, len(self.log))
        assert settle(shuffled) == settle(self.log)

    @invariant()
    def as_the_model_says(self) -> None:
        if not hasattr(self, "log"):
            return
        assert self.state == self._expected()
        assert [one.id for one in standing(self.log)] == list(self.votes)

    def _expected(self) -> str:
        votes = list(self.votes.values())
        last_word = [vote for vote in votes if vote.as_lead][-1:]
        if not last_word and len(votes) < self.needed:
            return "open"
        heard = last_word or votes
        answers = {self._answer(vote) for vote in heard}
        if len(answers) > 1 or answers == {"?"}:
            return "contested"
        return "verified" if answers.pop().startswith("yes") else "rejected"

    @staticmethod
    def _answer(vote: Opinion) -> str:
        if vote.verdict == "unsure":
            return "?"
        if vote.verdict == "reject":
            return "no, empty" if vote.reason == "not_a_mine" else "no, unusable"
        return f"yes, {vote.types['feature']}"

    @invariant()
    def a_settlement_stands_on_opinions_that_stand(self) -> None:
        found = settle(getattr(self, "log", []))
        if found.state == "open":
            assert (found.settled_by, found.outline) == (None, None)
        else:
            assert {found.settled_by, found.outline} <= set(self.votes)
        assert found.state == "rejected" or not found.reason
        assert found.state != "rejected" or not found.types


TestReviewOfOneSite = ReviewOfOneSite.TestCase
TestReviewOfOneSite.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
