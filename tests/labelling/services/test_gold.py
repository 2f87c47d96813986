"""Gold sites: hidden in the queue, answered once a campaign, scored and never applied."""

from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labelling.core.errors import BadInput, Conflict, NotAllowed
from labelling.models import Campaign, Claim, Decision, Gold, GoldLook, Label, Site
from labelling.services.decisions import check_decisions, own_steps
from labelling.services.gold import gold_of, mark_gold, unmark_gold
from labelling.services.items import build_item
from labelling.services.queue import claim_sites, progress, progress_of, upcoming_sites
from tests.cast import Cast
from tests.crowd import at_once
from tests.labelling.services.test_crowd import reviewers
from tests.labelling.services.test_opinions import everything
from tests.mines import a_campaign, a_site, decide, drawn, some_sites

pytestmark = pytest.mark.django_db(transaction=True)

PIT: dict[str, Any] = {"types": {"feature": "open_pit"}}
POND = {"feature": (("pond", None),)}


def golden(campaign: Campaign, sites: list[Site], cast: Cast) -> set[int]:
    """Let Ada verify some sites and Lea mark them."""
    for site in sites:
        decide(cast.ada, site, "fix", geometry=drawn(site.point.x, site.point.y, side=0.02), **PIT)
        mark_gold(user=cast.lea, site=site)
    return {site.pk for site in sites}


def with_gold(count: int, gold: int, cast: Cast, *, share: float = 0.25) -> tuple[Campaign, list[Site], set[int]]:
    campaign, sites = a_campaign(gold_share=share), some_sites(count, types=POND)
    # Spread over the priorities, as in life.
    marked = golden(campaign, sites[:: max(1, count // gold)][:gold], cast)
    return campaign, sites, marked


def work_through(user: User, campaign: Campaign, *, most: int = 1000) -> list[int]:
    """Accept what is served, as the browser does: look at the item, decide on its version."""
    done: list[int] = []
    while len(done) < most and (claims := claim_sites(user=user, campaign=campaign)):
        item = build_item(user=user, site_id=claims[0].site_id, campaign=campaign)
        decide(user, claims[0].site_id, base_version=item["version"], campaign_id=campaign.pk)
        done.append(claims[0].site_id)
    return done


def test_only_a_lead_marks_and_only_what_is_settled_as_a_truth(cast: Cast) -> None:
    verified, empty, clouded, untouched = some_sites(4)
    decide(cast.ana, verified)
    decide(cast.ana, empty, "reject", reason="not_a_mine")
    decide(cast.ana, clouded, "reject", reason="cloud")
    with pytest.raises(NotAllowed):
        mark_gold(user=cast.ana, site=verified)
    for site in (clouded, untouched):
        with pytest.raises(BadInput, match="verified"):
            mark_gold(user=cast.lea, site=site)
    first = mark_gold(user=cast.lea, site=verified)
    assert mark_gold(user=cast.ada, site=verified) == first
    mark_gold(user=cast.lea, site=empty)
    with pytest.raises(NotAllowed):
        unmark_gold(user=cast.ana, site=verified)
    assert (unmark_gold(user=cast.lea, site=verified), unmark_gold(user=cast.lea, site=verified)) == (True, False)
    assert [gold.site_id for gold in Gold.objects.all()] == [empty.pk]


def test_the_share_is_kept_and_each_gold_site_comes_once(cast: Cast) -> None:
    campaign, sites, gold = with_gold(60, 20, cast, share=0.2)
    done = work_through(cast.ana, campaign)
    seen = [pk for pk in done if pk in gold]
    assert len(seen) == len(set(seen))
    assert len(seen) / len(done) == pytest.approx(0.2, abs=0.03)
    assert len(done) - len(seen) == len(sites) - len(gold)
    # In each third of the work there is some.
    third = len(done) // 3
    assert all(gold & set(done[start : start + third]) for start in (0, third, 2 * third))


def test_a_campaign_without_the_share_and_a_lead_get_none(cast: Cast) -> None:
    campaign, _, gold = with_gold(12, 4, cast, share=0.5)
    plain = a_campaign("Plain")
    assert not gold & set(work_through(cast.lea, campaign, most=4))
    assert not gold & set(work_through(cast.ben, plain))


def test_who_decided_on_a_site_or_is_no_longer_served_it_gets_no_gold(cast: Cast) -> None:
    campaign, sites = a_campaign(gold_share=0.5), some_sites(8, types=POND)
    for site in sites[:2]:
        decide(cast.ana, site)
        mark_gold(user=cast.lea, site=site)
    unmark_gold(user=cast.lea, site=sites[1])
    assert not {sites[0].pk, sites[1].pk} & set(work_through(cast.ana, campaign, most=3))
    assert set(work_through(cast.ben, campaign)) & {sites[0].pk, sites[1].pk} == {sites[0].pk}


def test_gold_of_a_campaign_meets_its_conditions_and_says_something_on_its_axis(cast: Cast) -> None:
    pit, plain, empty, far = some_sites(4)
    decide(cast.ada, pit, "fix", **PIT)
    decide(cast.ada, plain)
    decide(cast.ada, empty, "reject", reason="not_a_mine")
    decide(cast.ada, far, "fix", **PIT)
    for site in (pit, plain, empty, far):
        mark_gold(user=cast.lea, site=site)
    Site.objects.filter(pk=far.pk).update(score=0.1)
    Site.objects.exclude(pk=far.pk).update(score=0.9)
    campaign = a_campaign(conditions={"min_score": 0.5})
    assert set(gold_of(campaign=campaign)) == {pit, empty}


def test_the_item_is_that_of_a_site_that_nobody_has_judged(cast: Cast) -> None:
    site, campaign = a_site(types=POND), a_campaign(gold_share=0.5)
    before = build_item(user=cast.ana, site_id=site.pk, campaign=campaign)
    golden(campaign, [site], cast)
    Site.objects.filter(pk=site.pk).update(priority=3)
    GoldLook.objects.create(campaign=campaign, reviewer=cast.ana, site=site)
    item = build_item(user=cast.ana, site_id=site.pk, campaign=campaign)
    assert item == before
    assert not [
        part
        for part in everything(item)
        if part in {"open_pit", "verified", "gold", "ada", "lea"} and part not in everything(before)
    ]
    # Nobody else is shown anything but the truth.
    assert build_item(user=cast.ben, site_id=site.pk, campaign=campaign)["state"] == "verified"


def test_the_answer_is_stored_and_scored_but_changes_nothing(cast: Cast) -> None:
    campaign, _, gold = with_gold(10, 4, cast, share=0.5)
    before = list(Label.objects.order_by("pk").values_list("site", "state", "feature__code", "reviews", "decision"))
    versions = dict(Site.objects.values_list("pk", "version"))
    done = work_through(cast.ana, campaign, most=6)
    answers = Decision.objects.filter(gold=True)
    assert {answer.site_id for answer in answers} == gold & set(done) != set()
    for answer in answers:
        # She accepted what the sources say, not what the label says.
        assert (answer.types, answer.version, answer.is_kept) == ({"feature": "pond"}, None, False)
        assert answer.geometry is not None
        assert answer.geometry.area < Label.objects.get(site=answer.site_id).geometry.area
    after = Label.objects.filter(site__in=gold).order_by("pk")
    assert list(after.values_list("site", "state", "feature__code", "reviews", "decision")) == before
    assert all(Site.objects.get(pk=pk).version == versions[pk] for pk in gold)
    assert check_decisions().faults == ()


def api_steps(client: Client) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/decisions/?limit=20").json()
    return [{key: step[key] for key in step if key not in {"key", "site", "created_at"}} for step in answer]


def test_receipt_steps_undo_and_progress_are_those_of_any_other_site(cast: Cast, client: Client) -> None:
    """The same things done to a gold site and to a plain one look the same to the browser."""
    campaign, sites = a_campaign(gold_share=0.3), some_sites(4, types=POND)
    golden(campaign, sites[:1], cast)
    GoldLook.objects.create(campaign=campaign, reviewer=cast.ana, site=sites[0])
    client.force_login(cast.ana)
    told = []
    for site in (sites[0], sites[1]):
        seen = [progress_of(user=cast.ana, campaign=campaign).done]
        receipt = decide(cast.ana, site, base_version=0, campaign_id=campaign.pk)
        seen.append(progress_of(user=cast.ana, campaign=campaign).done - seen.pop(0))
        item = build_item(user=cast.ana, site_id=site.pk, campaign=campaign)
        undo = decide(
            cast.ana, site, "undo", undoes=receipt.decision.key, base_version=receipt.version, campaign_id=campaign.pk
        )
        back = build_item(user=cast.ana, site_id=site.pk, campaign=campaign)
        again = decide(
            cast.ana, site, "reject", reason="not_a_mine", base_version=undo.version, campaign_id=campaign.pk
        )
        told.append(
            [
                seen,
                *[(one.version, one.settlement.state, dict(one.types), one.created) for one in (receipt, undo, again)],
                *[(one["version"], one["state"], one["types"], len(one["history"])) for one in (item, back)],
                [past["applied"] for past in item["history"]],
                api_steps(client)[:2],
            ]
        )
    assert told[0] == told[1]
    assert Label.objects.get(site=sites[0]).state == "verified"
    assert [step.shown_version for step in own_steps(user=cast.ana, limit=9) if isinstance(step, Decision)] == [
        3,
        1,
    ] * 2


def test_progress_that_is_kept_for_a_while_does_not_move_with_gold_either(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EXACT_UP_TO", 0)
    monkeypatch.setattr(progress, "SITES_A_SECOND", 1e-6)
    campaign, sites = a_campaign(gold_share=0.3), some_sites(4, types=POND)
    golden(campaign, sites[:1], cast)
    GoldLook.objects.create(campaign=campaign, reviewer=cast.ana, site=sites[0])
    before = progress_of(user=cast.ana, campaign=campaign).done
    for site in sites[:2]:
        decide(cast.ana, site, base_version=0, campaign_id=campaign.pk)
        assert progress_of(user=cast.ana, campaign=campaign).done == before == 1


def test_a_second_answer_without_an_undo_is_a_conflict_like_any_other(cast: Cast) -> None:
    campaign, sites = a_campaign(gold_share=0.3), some_sites(2, types=POND)
    golden(campaign, sites[:1], cast)
    GoldLook.objects.create(campaign=campaign, reviewer=cast.ana, site=sites[0])
    for site in sites:
        decide(cast.ana, site, base_version=0, campaign_id=campaign.pk)
        with pytest.raises(Conflict) as caught:
            decide(cast.ana, site, "unsure", base_version=1, campaign_id=campaign.pk)
        current = caught.value.current
        assert (current["state"], current["version"], current["types"]) == ("verified", 1, {"feature": "pond"})
    assert Decision.objects.filter(gold=True).count() == 1


def test_a_skipped_gold_site_does_not_come_again(cast: Cast) -> None:
    campaign, _, gold = with_gold(12, 3, cast, share=0.5)
    skipped = []
    for _ in range(30):
        claims = claim_sites(user=cast.ana, campaign=campaign)
        if not claims:
            break
        site = claims[0].site_id
        skipped.append(site)
        decide(cast.ana, site, "skip" if site in gold else "accept", base_version=0, campaign_id=campaign.pk)
    assert sorted(set(skipped)) == sorted(skipped)
    assert gold <= set(skipped)


def test_gold_shown_ahead_stays_and_can_be_wanted_but_none_that_was_not_dealt(cast: Cast) -> None:
    campaign, _, gold = with_gold(16, 6, cast, share=0.4)
    first = [one.site for one in upcoming_sites(user=cast.ana, campaign=campaign, count=8)]
    assert first == [one.site for one in upcoming_sites(user=cast.ana, campaign=campaign, count=8)]
    dealt = [pk for pk in first if pk in gold]
    assert 2 <= len(dealt) <= 4
    assert {one.version for one in upcoming_sites(user=cast.ana, campaign=campaign, count=8)} == {0}
    others = gold - set(GoldLook.objects.values_list("site_id", flat=True))
    for pk in others:
        assert [claim.site_id for claim in claim_sites(user=cast.ana, campaign=campaign, want=[pk])] == [first[0]]
    assert [claim.site_id for claim in claim_sites(user=cast.ana, campaign=campaign, want=[dealt[0]])] == [dealt[0]]


def test_what_is_on_its_way_counts_as_had(cast: Cast) -> None:
    """The browser names what it has decided and not yet sent: the share is kept all the same."""
    campaign, _, gold = with_gold(40, 12, cast, share=0.25)
    had: list[int] = []
    for _ in range(24):
        [claim] = claim_sites(user=cast.ana, campaign=campaign, exclude=had)
        Claim.objects.all().delete()
        had.append(claim.site_id)
    assert len(had) == len(set(had))
    assert 3 <= len(gold & set(had)) <= 9


def test_a_crowd_answers_each_gold_site_once_each_and_every_other_site_once_in_all(open_house: Cast) -> None:
    campaign, sites, gold = with_gold(24, 5, open_house, share=0.3)
    people = reviewers(4)
    done = at_once([partial(work_through, person, campaign) for person in people])
    answers = Decision.objects.filter(gold=True).values_list("reviewer", "site")
    assert len(answers) == len(set(answers)) > 2  # how many of the 20 are dealt is chance
    others = [pk for part in done for pk in part if pk not in gold]
    assert sorted(others) == sorted({site.pk for site in sites} - gold)
    assert not Claim.objects.exists()
    assert set(Label.objects.filter(site__in=gold).values_list("reviews", "feature__code")) == {(1, "open_pit")}


def test_many_hold_one_gold_site_at_once(open_house: Cast) -> None:
    campaign, sites = a_campaign(gold_share=0.5), some_sites(1, types=POND)
    golden(campaign, sites, open_house)
    people = reviewers(8)
    for person in people:
        GoldLook.objects.create(campaign=campaign, reviewer=person, site=sites[0])
    want = [sites[0].pk]
    held = at_once([partial(claim_sites, user=person, campaign=campaign, want=want) for person in people])
    assert [[claim.site_id for claim in part] for part in held] == [want] * 8
    at_once([partial(decide, person, sites[0], base_version=0, campaign_id=campaign.pk) for person in people])
    assert Decision.objects.filter(gold=True).count() == 8
    assert not Claim.objects.exists()
