"""What reviewers said of a model, from decisions as they are made."""

from pathlib import Path
from typing import Any

import pytest

from inference.core.reception import Band, Reception, Tally
from inference.models import ModelVersion
from inference.services.reception import reception_of
from labelling.core.matching import ClaimSpec
from labelling.models import Decision, GoldLook, Label, Proposal, Retirement, Site
from labelling.services.gold import mark_gold
from labelling.services.sites import place_claims
from tests.cast import Cast
from tests.inference.models import fake_model, proposed
from tests.mines import HERE, a_campaign, a_source, decide, drawn, square

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(cast: Cast, tmp_path: Path) -> ModelVersion:
    return fake_model(tmp_path)


def tally(model: ModelVersion) -> Tally:
    return reception_of(model=model).tally


def test_every_decision_is_told_by_what_it_amounts_to(cast: Cast, model: ModelVersion) -> None:
    accepted, amended, retyped, both, empty, clouded, unsure, _ = proposed(
        model, 0.95, 0.91, 0.55, 0.52, 0.5, 0.31, 0.3, 0.3
    )
    decide(cast.ana, accepted)
    decide(cast.ana, amended, "fix", geometry=drawn(amended.point.x, amended.point.y, side=0.02))
    decide(cast.ana, retyped, "fix", types={"feature": "pond"})
    decide(cast.ana, both, "fix", types={"feature": None}, geometry=drawn(both.point.x, both.point.y, side=0.02))
    decide(cast.ana, empty, "reject", reason="not_a_mine")
    decide(cast.ana, clouded, "reject", reason="cloud")
    decide(cast.ana, unsure, "unsure")
    assert reception_of(model=model) == Reception(
        8,
        Tally(1, 1, 1, 1, 2, {"cloud": 1, "not_a_mine": 1}),
        (
            Band(0.9, 1.0, Tally(accepted=1, amended=1)),
            Band(0.5, 0.6, Tally(retyped=2, rejected={"not_a_mine": 1})),
            Band(0.3, 0.4, Tally(waiting=1, contested=1, rejected={"cloud": 1})),
        ),
    )
    assert tally(model).precision == 0.8


@pytest.mark.parametrize(
    ("score", "band"),
    [(0.0, (0.0, 0.1)), (0.3, (0.3, 0.4)), (0.6999, (0.6, 0.7)), (0.7, (0.7, 0.8)), (1.0, (0.9, 1.0))],
)
def test_a_band_holds_its_lower_end_and_the_last_one_both(
    model: ModelVersion, score: float, band: tuple[float, float]
) -> None:
    proposed(model, score)
    assert [(one.low, one.high) for one in reception_of(model=model).bands] == [band]


def test_a_site_counts_once_by_the_surest_of_its_proposals(cast: Cast, model: ModelVersion) -> None:
    (site,) = proposed(model, 0.45)
    for score in (0.85, 0.35, 0.85):
        claim = ClaimSpec(f"another date {score}", square(), {"feature": (("open_pit", score),)}, score=score)
        place_claims(source=model.source, claims=[claim])
    decide(cast.ana, site)
    assert reception_of(model=model) == Reception(3, Tally(accepted=1), (Band(0.8, 0.9, Tally(accepted=1)),))


def test_what_was_undone_or_taken_back_counts_nowhere(cast: Cast, model: ModelVersion) -> None:
    undone, again, _ = proposed(model, 0.9, 0.9, 0.9)
    wrong = decide(cast.ana, undone, "reject", reason="not_a_mine").decision
    decide(cast.ana, undone, "undo", undoes=wrong.key)
    first = decide(cast.ana, again).decision
    decide(cast.ana, again, "undo", undoes=first.key)
    decide(cast.ana, again, "reject", reason="duplicate")
    Retirement.objects.create(proposal=Proposal.objects.latest("pk"))
    assert reception_of(model=model).proposals == 2
    assert tally(model) == Tally(waiting=1, rejected={"duplicate": 1})


def test_an_opinion_that_settles_nothing_leaves_the_site_waiting(cast: Cast, model: ModelVersion) -> None:
    (site,) = proposed(model, 0.9)
    blind = a_campaign(reviews_needed=2)
    decide(cast.ana, site, campaign_id=blind.pk)
    decide(cast.ben, site, "skip", campaign_id=blind.pk)
    assert tally(model) == Tally(waiting=1)
    decide(cast.ben, site, campaign_id=blind.pk)
    assert tally(model) == Tally(accepted=1)


def test_the_word_of_a_lead_is_what_counts(cast: Cast, model: ModelVersion) -> None:
    (site,) = proposed(model, 0.9)
    decide(cast.ana, site, "unsure")
    assert tally(model) == Tally(contested=1)
    decide(cast.lea, site, "reject", reason="inactive")
    assert tally(model) == Tally(rejected={"inactive": 1})


def test_the_answer_to_a_gold_site_is_no_word_on_the_model(cast: Cast, model: ModelVersion) -> None:
    (site,) = proposed(model, 0.9)
    campaign = a_campaign(gold_share=0.5)
    decide(cast.ada, site)
    mark_gold(user=cast.lea, site=site)
    GoldLook.objects.create(campaign=campaign, reviewer=cast.ana, site=site)
    answer = decide(cast.ana, site, "reject", reason="not_a_mine", base_version=0, campaign_id=campaign.pk).decision
    assert answer.gold
    assert tally(model) == Tally(accepted=1)


def test_who_accepts_the_type_of_another_source_has_not_accepted_that_of_the_model(
    cast: Cast, model: ModelVersion
) -> None:
    claim = ClaimSpec("a tailings pond", square(), {"feature": (("pond", None),)})
    (seed,) = place_claims(source=a_source(), claims=[claim]).proposals
    (site,) = proposed(model, 0.4)
    assert (site.pk, Site.objects.get().types()) == (seed.site_id, {"feature": "pond"})
    assert decide(cast.ana, site).decision.verdict == Decision.Verdict.ACCEPT
    assert tally(model) == Tally(retyped=1)


def test_a_mine_that_somebody_drew_where_the_model_waits_is_found_but_not_as_proposed(
    cast: Cast, model: ModelVersion
) -> None:
    (site,) = proposed(model, 0.9)
    decide(cast.ana, None, "add", geometry=drawn(side=0.0101), types={"feature": "open_pit"})
    assert Label.objects.get().site_id == site.pk
    assert tally(model) == Tally(amended=1)


def test_a_proposal_without_a_score_is_in_no_band(model: ModelVersion) -> None:
    proposed(model, None, 0.25)
    assert reception_of(model=model) == Reception(2, Tally(waiting=2), (Band(0.2, 0.3, Tally(waiting=1)),))


def test_types_are_compared_on_the_axis_of_the_model(cast: Cast, model: ModelVersion) -> None:
    (site,) = proposed(model, 0.9)
    decide(cast.ana, site, "fix", types={"commodity": "gold"})
    assert tally(model) == Tally(amended=1), "its type stood; something else was added"
    ModelVersion.objects.filter(pk=model.pk).update(axis="commodity")
    model.refresh_from_db()
    assert tally(model) == Tally(retyped=1)


def test_other_models_and_the_number_of_sites_change_nothing(
    cast: Cast, model: ModelVersion, tmp_path: Path, django_assert_num_queries: Any
) -> None:
    other = fake_model(tmp_path)
    assert reception_of(model=other) == Reception(0, Tally(), ())
    mine, *_ = proposed(model, 0.9, 0.8)
    proposed(other, 0.7, lat=HERE[1] + 1)
    proposed(other, 0.2)
    decide(cast.ana, mine)
    for one, found in ((model, Tally(waiting=1, accepted=1)), (other, Tally(waiting=1, accepted=1))):
        with django_assert_num_queries(1):
            assert tally(one) == found
