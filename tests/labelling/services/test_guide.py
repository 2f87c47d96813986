from uuid import uuid4

import pytest
from shapely.geometry import Point

from labelling.core.errors import BadInput, Conflict
from labelling.core.matching import ClaimSpec
from labelling.models import Decision, Label, MineType
from labelling.services.decisions import Submission, submit_decision
from labelling.services.guide import (
    MAX_EXAMPLES,
    MAX_GUIDELINE,
    accepted_examples,
    digest,
    list_guide,
    rejected_examples,
    write_guideline,
)
from labelling.services.sites import place_claims
from tests.cast import Cast
from tests.mines import HERE, a_campaign, a_site, a_source, decide, some_sites

pytestmark = pytest.mark.django_db(transaction=True)
PIT = {"feature": (("open_pit", None),)}


def pit() -> MineType:
    return MineType.objects.get(code="open_pit")


def test_verified_sites_are_accepted_examples_of_their_type_alone(cast: Cast) -> None:
    first, second = some_sites(2, types=PIT)
    decide(cast.ana, first, comment="clear benches")
    decide(cast.ana, second, "fix", types={"feature": "pond"})
    (example,) = accepted_examples(mine_type=pit())
    assert (example.label.site, example.label.decision.comment) == (first, "clear benches")
    assert example.picture.mosaic is None
    assert len(example.picture.paths) == 1
    assert [one.label.site for one in accepted_examples(mine_type=MineType.objects.get(code="pond"))] == [second]


@pytest.mark.parametrize(
    ("reason", "tells"),
    [(reason, reason in {"not_a_mine", "wrong_type", "inactive"}) for reason in Decision.Reason.values],
)
def test_only_reasons_that_say_something_of_the_type_make_an_example(cast: Cast, reason: str, tells: bool) -> None:
    site = a_site(types=PIT)
    decide(cast.ana, site, "reject", reason=reason)
    assert [one.label.site for one in rejected_examples(mine_type=pit())] == [site] * tells
    assert accepted_examples(mine_type=pit()) == []


def test_what_was_taken_back_is_no_example(cast: Cast) -> None:
    site = a_site(types=PIT)
    made = decide(cast.ana, site)
    assert len(accepted_examples(mine_type=pit())) == 1
    decide(cast.ana, site, "undo", undoes=made.decision.key)
    assert accepted_examples(mine_type=pit()) == []


def test_what_is_contested_or_under_blind_review_is_no_example(cast: Cast) -> None:
    contested, open_still = some_sites(2, types=PIT)
    decide(cast.ana, contested, "unsure")
    decide(cast.ana, open_still, campaign_id=a_campaign(reviews_needed=2).pk)
    assert Label.objects.get().state == "contested"
    assert accepted_examples(mine_type=pit()) == rejected_examples(mine_type=pit()) == []


def test_a_point_shows_no_outline_to_learn_from(cast: Cast) -> None:
    claim = ClaimSpec("dot", Point(*HERE), types=PIT)
    decide(cast.ana, place_claims(source=a_source(), claims=[claim]).proposals[0].site)
    assert Label.objects.get().state == "verified"
    assert accepted_examples(mine_type=pit()) == []


def test_the_newest_few_are_shown(cast: Cast) -> None:
    sites = some_sites(MAX_EXAMPLES + 1, types=PIT)
    for site in sites:
        decide(cast.ana, site)
    assert [one.label.site for one in accepted_examples(mine_type=pit())] == sites[:0:-1]


def test_the_guide_lists_every_type_with_what_is_verified(cast: Cast) -> None:
    site, lost = some_sites(2, types=PIT)
    decide(cast.ana, site, types={"commodity": "gold"})
    submit_decision(
        user=cast.ana, submission=Submission(uuid4(), "reject", lost.pk, base_version=0, reason="not_a_mine")
    )
    found = {entry.mine_type.code: entry.verified for entries in list_guide().values() for entry in entries}
    assert set(found) == set(MineType.objects.values_list("code", flat=True))
    assert {code for code, verified in found.items() if verified} == {"open_pit", "gold"}
    assert list(list_guide()) == ["feature", "commodity", "method"]


def test_a_guideline_is_written_on_what_was_read(cast: Cast) -> None:
    write_guideline(mine_type=pit(), text="Benches.", seen=digest(""))
    assert pit().guideline == "Benches."
    with pytest.raises(Conflict, match="somebody else") as caught:
        write_guideline(mine_type=pit(), text="Holes.", seen=digest(""))
    assert caught.value.current == {"text": "Benches."}
    assert pit().guideline == "Benches."
    write_guideline(mine_type=pit(), text="Benches.", seen=digest(""))  # the same text twice is no quarrel
    write_guideline(mine_type=pit(), text="Holes.", seen=digest("Benches."))
    assert pit().guideline == "Holes."


def test_a_guideline_has_a_longest_length(cast: Cast) -> None:
    with pytest.raises(BadInput, match="longer than"):
        write_guideline(mine_type=pit(), text="x" * (MAX_GUIDELINE + 1), seen=digest(""))
