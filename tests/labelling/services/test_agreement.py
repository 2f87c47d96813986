"""Figures of agreement against cases worked out by hand, and the rows behind them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from labelling.core.agreement import EMPTY, UNTYPED, Figure
from labelling.models import Campaign, Decision, GoldLook, Label, OpinionPair, Site
from labelling.services.agreement import (
    Question,
    decision_rows,
    figures_of,
    gold_rows,
    missed_gold,
    overall_agreement,
    pair_rows,
    survey_agreement,
)
from labelling.services.decisions import rebuild_labels
from labelling.services.gold import mark_gold
from tests.cast import Cast
from tests.mines import a_campaign, decide, drawn, some_sites

pytestmark = pytest.mark.django_db(transaction=True)

CODES = {"a": "open_pit", "b": "pond", "c": "tailings_storage_facility", "d": "heap_leach_pad", "e": "processing_plant"}
# K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section B: alpha is 0.692.
BEN, GERRY = "aabbdcccedda", "babbbccceddd"


def told(one: Figure) -> tuple[Any, int]:
    return one.value, one.n


def say(user: User, site: Site, letter: str, campaign: Campaign, **more: Any) -> Decision:
    """A decision in one letter: a type, ``x`` for no mine, ``-`` for a mine without a type."""
    if letter == "x":
        return decide(user, site, "reject", reason="not_a_mine", base_version=0, campaign_id=campaign.pk).decision
    types = {"feature": CODES.get(letter)}
    return decide(user, site, "fix", types=types, base_version=0, campaign_id=campaign.pk, **more).decision


def both_say(cast: Cast, first: str, second: str, campaign: Campaign | None = None) -> tuple[Campaign, list[Site]]:
    campaign = campaign or a_campaign(reviews_needed=2)
    sites = some_sites(len(first))
    for site, one, other in zip(sites, first, second, strict=True):
        say(cast.ana, site, one, campaign)
        say(cast.ben, site, other, campaign)
    return campaign, sites


def test_alpha_of_two_reviewers_is_that_of_the_textbook(cast: Cast) -> None:
    both_say(cast, BEN, GERRY)
    survey = survey_agreement(question=Question())
    assert survey.alpha.value == pytest.approx(0.692, abs=0.0005)
    assert survey.alpha.n == 12
    assert told(survey.agreeing) == (pytest.approx(9 / 12), 12)
    [duo] = survey.duos
    assert (duo.first, duo.second) == (cast.ana, cast.ben)
    assert duo.alpha == survey.alpha
    assert [one.alpha for one in survey.reviewers] == [survey.alpha] * 2
    assert overall_agreement(question=Question()) == survey.alpha


def test_one_type_by_hand_and_too_few_said_so(cast: Cast) -> None:
    """14 sites: both say a on 8, both b on 4, they differ on 2. Of 28 values 18 are a and 10 are not.

    For type a: observed 4/28, expected 2 * 18 * 10 / (28 * 27), alpha = 1 - 27 * 4 / 360 = 0.7.
    """
    both_say(cast, "aaaaaaaabbbbaa", "aaaaaaaabbbbbb")
    survey = survey_agreement(question=Question())
    pit, pond = survey.types
    assert (pit.code, pond.code) == ("open_pit", "pond")
    assert told(pit.alpha) == (pytest.approx(0.7), 10)
    assert (pond.alpha.value, pond.alpha.n, pond.alpha.note) == (None, 6, "too few: 10 are needed")
    ana = next(one for one in survey.reviewers if one.reviewer == cast.ana)
    assert ana.disagreement == ("open_pit", "pond", 2)
    assert figures_of(reviewer=cast.ben, question=Question()).disagreement == ("pond", "open_pit", 2)


def test_nobody_and_unanimous_reviewers_have_no_alpha(cast: Cast) -> None:
    nothing = survey_agreement(question=Question())
    assert (nothing.alpha.value, nothing.alpha.n, nothing.reviewers, nothing.types) == (None, 0, (), ())
    both_say(cast, "a" * 11, "a" * 11)
    same = survey_agreement(question=Question())
    assert (same.alpha.value, same.alpha.note) == (None, "everybody always says the same")
    assert same.agreeing.value == 1.0


def test_a_lead_who_rules_an_undone_and_a_single_opinion_are_no_pairs(cast: Cast) -> None:
    campaign, sites = both_say(cast, "ab", "ba")
    decide(cast.lea, sites[0], "fix", types={"feature": "open_pit"}, campaign_id=campaign.pk)
    taken_back = Decision.objects.get(site=sites[1], reviewer=cast.ben)
    decide(cast.ben, sites[1], "undo", undoes=taken_back.key, campaign_id=campaign.pk)
    [pair] = OpinionPair.objects.all()
    assert (pair.site, pair.earlier_by, pair.later_by) == (sites[0], cast.ana, cast.ben)
    assert (pair.earlier_said, pair.later_said, pair.pattern) == ("open_pit", "pond", "open_pit|pond")


def test_three_opinions_are_three_pairs_of_one_site(cast: Cast) -> None:
    campaign = a_campaign(reviews_needed=3)
    [site] = some_sites(1)
    for user, letter in ((cast.ana, "a"), (cast.ben, "x"), (cast.ada, "-")):
        say(user, site, letter, campaign)
    pairs = [(pair.earlier_said, pair.later_said) for pair in OpinionPair.objects.order_by("id")]
    assert pairs == [("open_pit", EMPTY), ("open_pit", UNTYPED), (EMPTY, UNTYPED)]
    assert set(OpinionPair.objects.values_list("pattern", flat=True)) == {f"{UNTYPED}|{EMPTY}|open_pit"}
    assert survey_agreement(question=Question()).alpha.n == 1


def test_pairs_are_derived_and_can_be_rebuilt(cast: Cast) -> None:
    both_say(cast, "ab", "aa")
    before = list(OpinionPair.objects.order_by("site").values_list("site", "earlier", "later", "pattern", "overlap"))
    OpinionPair.objects.all().delete()
    assert rebuild_labels(sites=Site.objects.values_list("pk", flat=True)) == 0
    assert (
        list(OpinionPair.objects.order_by("site").values_list("site", "earlier", "later", "pattern", "overlap"))
        == before
    )


def test_outlines_are_compared_where_one_was_drawn(cast: Cast) -> None:
    campaign = a_campaign(reviews_needed=2)
    sites = some_sites(3, types={"feature": (("open_pit", None),)})
    for site in sites[1:]:
        wide = drawn(site.footprint.extent[0], site.footprint.extent[1], side=0.02)
        say(cast.ana, site, "a", campaign, geometry=wide)
        decide(cast.ben, site, base_version=0, campaign_id=campaign.pk)
    for user in (cast.ana, cast.ben):
        decide(user, sites[0], base_version=0, campaign_id=campaign.pk)
    overlaps = list(OpinionPair.objects.order_by("site").values_list("overlap", flat=True))
    assert overlaps == [None, pytest.approx(0.25), pytest.approx(0.25)]
    survey = survey_agreement(question=Question())
    assert (survey.overlap.value, survey.overlap.n) == (None, 2)
    assert pair_rows(question=Question(), drawn=True).count() == 2


def test_campaign_period_and_axis_choose_what_counts(cast: Cast) -> None:
    campaign, sites = both_say(cast, "ab" * 6, "ab" * 6)
    other = a_campaign("Other", reviews_needed=2, axis="commodity")
    now = datetime.now(UTC)
    for asked, n in (
        (Question(), 12),
        (Question(campaign=campaign), 12),
        (Question(campaign=other), 0),
        (Question(axis="commodity"), 0),
        (Question(since=now.date(), until=now.date()), 12),
        (Question(until=now.date() - timedelta(days=1)), 0),
        (Question(since=now.date() + timedelta(days=1)), 0),
    ):
        assert overall_agreement(question=asked).n == n
        assert sum(one.decisions for one in survey_agreement(question=asked).reviewers) in {0, 24}
    OpinionPair.objects.filter(site=sites[0]).update(decided_at=datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    assert overall_agreement(question=Question(since=date(2026, 1, 31), until=date(2026, 1, 31))).n == 1


def test_work_is_counted_by_verdict_and_by_minutes_in_which_something_was_decided(cast: Cast) -> None:
    campaign, sites = a_campaign(), some_sites(5)
    for site, verdict, more in zip(
        sites, ("accept", "reject", "skip", "unsure", "accept"), ("", "cloud", "", "", ""), strict=True
    ):
        decide(cast.ana, site, verdict, campaign_id=campaign.pk, reason=more)
    last = Decision.objects.latest("id")
    decide(cast.ana, sites[4], "undo", undoes=last.key)
    found = figures_of(reviewer=cast.ana, question=Question())
    assert found.verdicts == {"accept": 1, "reject": 1, "skip": 1, "unsure": 1}
    assert found.decisions == 3
    # All within one minute, or two where it turned just then.
    assert found.an_hour in {180.0, 90.0}
    assert figures_of(reviewer=cast.ben, question=Question()).an_hour == 0


def with_answers(cast: Cast, truths: str, answers: str) -> tuple[Campaign, list[Site]]:
    """Gold sites that Ada judged, and what Ana answered."""
    campaign, sites = a_campaign(gold_share=0.5), some_sites(len(truths))
    for site, truth, answer in zip(sites, truths, answers, strict=True):
        say(cast.ada, site, truth, campaign)
        mark_gold(user=cast.lea, site=site)
        GoldLook.objects.create(campaign=campaign, reviewer=cast.ana, site=site)
        say(cast.ana, site, answer, campaign)
    return campaign, sites


def test_gold_answers_are_held_against_the_label(cast: Cast) -> None:
    campaign, sites = with_answers(cast, "aaaaaabbbbxx", "aaaabxbbbbxa")
    found = figures_of(reviewer=cast.ana, question=Question())
    assert told(found.gold.accuracy) == (pytest.approx(9 / 12), 12)
    assert found.gold.confusion == {
        ("open_pit", "open_pit"): 4,
        ("open_pit", "pond"): 1,
        ("open_pit", EMPTY): 1,
        ("pond", "pond"): 4,
        (EMPTY, EMPTY): 1,
        (EMPTY, "open_pit"): 1,
    }
    assert (found.alpha.n, found.decisions) == (0, 12)
    everybody = survey_agreement(question=Question(campaign=campaign))
    assert everybody.gold == found.gold
    # Where a lead corrects the label, the score follows; where there is none any more, the answer is not scored.
    decide(cast.lea, sites[4], "fix", types={"feature": "pond"})
    assert figures_of(reviewer=cast.ana, question=Question()).gold.accuracy.value == pytest.approx(10 / 12)
    decide(cast.lea, sites[0], "undo", undoes=Decision.objects.get(site=sites[0], gold=False).key)
    assert told(figures_of(reviewer=cast.ana, question=Question()).gold.accuracy) == (pytest.approx(9 / 11), 11)


def test_gold_sites_that_many_miss_are_found(cast: Cast) -> None:
    campaign, sites = with_answers(cast, "aaaab", "abbba")
    for person, answers in ((cast.ben, "abba"), (cast.gus, "abaa")):
        person.groups.set(cast.ana.groups.all())
        for site, answer in zip(sites, answers, strict=False):
            GoldLook.objects.create(campaign=campaign, reviewer=person, site=site)
            say(person, site, answer, campaign)
    found = [(one.site, one.missed, one.answers) for one in missed_gold(question=Question())]
    assert found == [(sites[1], 3, 3), (sites[2], 2, 3)], "neither one of three, nor the only answer"
    assert found[0][0].name == sites[1].name
    assert missed_gold(question=Question(axis="commodity")) == []
    decide(cast.lea, sites[1], "fix", types={"feature": "pond"})
    assert [one.site for one in missed_gold(question=Question())] == [sites[2]], "the label was wrong"


def test_todays_gold_answers_can_be_left_out(cast: Cast) -> None:
    with_answers(cast, "a" * 10, "a" * 10)
    today = datetime.now(UTC).date()
    assert figures_of(reviewer=cast.ana, question=Question(), gold_until=today).gold.accuracy.n == 0
    tomorrow = today + timedelta(days=1)
    assert figures_of(reviewer=cast.ana, question=Question(), gold_until=tomorrow).gold.accuracy.value == 1.0


def test_every_figure_leads_to_as_many_rows_as_it_counts(cast: Cast) -> None:
    both_say(cast, BEN, GERRY)
    question = Question()
    survey = survey_agreement(question=question)
    rows = pair_rows(question=question)
    assert rows.count() == survey.alpha.n
    assert pair_rows(question=question, apart=True).count() == 3
    for one in survey.types:
        assert pair_rows(question=question, names=one.code).count() == one.sites
    for person in survey.reviewers:
        assert decision_rows(question=question, reviewer=person.reviewer).count() == person.decisions
        assert pair_rows(question=question, reviewer=person.reviewer).count() == person.agreeing.n
        assert person.disagreement is not None
        said, heard, count = person.disagreement
        assert pair_rows(question=question, reviewer=person.reviewer, said=said, heard=heard).count() == count
    assert pair_rows(question=question, reviewer=cast.ana, other=cast.lea).count() == 0
    assert pair_rows(question=question, reviewer=cast.ana, other=cast.ben).count() == 12


def test_gold_figures_lead_to_their_rows(cast: Cast) -> None:
    with_answers(cast, "aaabbx", "abxb-x")
    found = figures_of(reviewer=cast.ana, question=Question())
    assert found.gold.accuracy.n == 6
    for (truth, answer), count in found.gold.confusion.items():
        assert gold_rows(question=Question(), reviewer=cast.ana, truth=truth, answer=answer).count() == count
    assert gold_rows(question=Question(), reviewer=cast.ben).count() == 0
    assert Label.objects.count() == 6
