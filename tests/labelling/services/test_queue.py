"""Who gets which site next, and that two reviewers never hold one."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.gis.geos import MultiPolygon
from django.db import IntegrityError, transaction
from django.utils import timezone

from labelling.core.errors import BadInput
from labelling.models import Campaign, Claim, MineType, Region, Site
from labelling.models.spatial import to_geos
from labelling.services.items import build_item
from labelling.services.queue import (
    beat_claim,
    claim_sites,
    hold_ahead,
    leases,
    progress,
    progress_of,
    release_claim,
    upcoming_sites,
    waiting_for,
)
from tests.cast import Cast
from tests.mines import HERE, a_campaign, a_site, a_source, decide, drawn, some_sites, square

pytestmark = pytest.mark.django_db


def take(user: User, campaign: Campaign, **more: Any) -> list[int]:
    return [claim.site_id for claim in claim_sites(user=user, campaign=campaign, **more)]


def ahead(user: User, campaign: Campaign, count: int = 10, **more: Any) -> list[int]:
    return [one.site for one in upcoming_sites(user=user, campaign=campaign, count=count, **more)]


def run_out(*claims: Claim) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Claim.objects.filter(pk__in=[claim.pk for claim in claims]).update(expires_at=past)


def test_the_queue_serves_by_priority_and_never_one_site_to_two(cast: Cast) -> None:
    campaign = a_campaign()
    one, two, three = [site.pk for site in some_sites(3)]
    assert take(cast.ana, campaign) == [one]
    assert take(cast.ben, campaign) == [two]
    assert take(cast.lea, campaign, count=5) == [three]
    assert take(cast.ada, campaign) == []


def test_looking_ahead_leases_nothing_and_shows_what_comes(cast: Cast) -> None:
    campaign = a_campaign()
    one, two, three, four = [site.pk for site in some_sites(4)]
    take(cast.ben, campaign)
    assert ahead(cast.ana, campaign, exclude=[two]) == [three, four]
    assert Claim.objects.count() == 1
    assert ahead(cast.ana, campaign, 0) == []
    assert one not in ahead(cast.ana, campaign)


def test_wanted_sites_come_first_as_far_as_they_are_free(cast: Cast) -> None:
    campaign = a_campaign()
    one, two, three, four = [site.pk for site in some_sites(4)]
    take(cast.ben, campaign, want=[three])
    assert take(cast.ana, campaign, want=[three, four]) == [four]
    assert take(cast.ana, campaign, want=[three], count=3, exclude=[four]) == [one, two]


def test_a_reviewer_who_comes_back_gets_the_same_site_and_the_same_token(cast: Cast) -> None:
    campaign = a_campaign()
    some_sites(3)
    [before] = claim_sites(user=cast.ana, campaign=campaign)
    [after] = claim_sites(user=cast.ana, campaign=campaign)
    assert (after.pk, after.token) == (before.pk, before.token)
    assert after.expires_at > before.expires_at


def test_what_is_on_its_way_is_left_out(cast: Cast) -> None:
    campaign = a_campaign()
    one, two = [site.pk for site in some_sites(2)]
    assert take(cast.ana, campaign) == [one]
    assert take(cast.ana, campaign, exclude=[one]) == [two]


def hold(user: User, campaign: Campaign, count: int, leased: int, **more: Any) -> tuple[list[int], list[int]]:
    found = hold_ahead(user=user, campaign=campaign, count=count, hold=leased, **more)
    return [one.site for one in found.sites], [claim.site_id for claim in found.claims]


def test_what_is_held_ahead_goes_to_nobody_else_and_is_held_on(cast: Cast) -> None:
    campaign = a_campaign()
    ids = [site.pk for site in some_sites(9)]
    assert hold(cast.ana, campaign, 5, 2) == (ids[:5], ids[:2])
    assert hold(cast.ben, campaign, 4, 1) == (ids[2:6], ids[2:3])
    run_out(*Claim.objects.filter(reviewer=cast.ana))
    # The first is on screen by now; what is held is held on, and one more with it.
    assert hold(cast.ana, campaign, 5, 2, exclude=ids[:1]) == ([ids[1], *ids[3:7]], [ids[1], ids[3]])
    assert Claim.objects.filter(expires_at__gt=timezone.now(), reviewer=cast.ana).count() == 2


def test_at_the_end_of_a_queue_nothing_is_held_ahead(cast: Cast) -> None:
    campaign = a_campaign()
    ids = [site.pk for site in some_sites(5)]
    assert hold(cast.ana, campaign, 6, 3) == (ids, [])
    assert hold(cast.ana, campaign, 4, 2) == (ids[:4], ids[:2])
    assert hold(cast.ana, campaign, 6, 3) == (ids, ids[:3])
    assert hold(cast.ben, campaign, 6, 2) == (ids[3:], [])
    assert take(cast.ben, campaign) == [ids[3]]


def test_of_a_crowded_queue_only_what_is_held_is_shown(cast: Cast) -> None:
    campaign = a_campaign()
    ids = [site.pk for site in some_sites(14)]
    assert hold(cast.ben, campaign, 8, 4) == (ids[:8], ids[:4])
    assert hold(cast.ana, campaign, 5, 2) == (ids[4:9], ids[4:6])
    assert hold(cast.ana, campaign, 4, 2) == (ids[4:6], ids[4:6])
    run_out(*Claim.objects.filter(reviewer=cast.ben))
    assert hold(cast.ana, campaign, 4, 2) == ([*ids[4:6], *ids[:2]], ids[4:6])


def test_what_is_held_comes_again_in_the_order_of_the_queue(cast: Cast) -> None:
    """As after a reload: not in the order of the sites' numbers, nor in that in which the database found them."""
    campaign = a_campaign()
    ids = [site.pk for site in some_sites(6)]
    for priority, site in enumerate(ids):
        Site.objects.filter(pk=site).update(priority=priority)
    for _ in range(2):
        found = hold_ahead(user=cast.ana, campaign=campaign, count=6, hold=3)
        assert [one.site for one in found.sites] == ids[::-1]
        assert [claim.site_id for claim in found.claims] == ids[:2:-1]
    assert take(cast.ana, campaign, count=6) == ids[::-1]


def test_what_is_held_ahead_says_nothing_of_others_where_opinions_are_blind(cast: Cast) -> None:
    campaign = a_campaign(reviews_needed=2)
    sites = some_sites(4)
    decide(cast.ben, sites[0], campaign_id=campaign.pk)
    for _ in range(2):  # the second time the first is held already
        found = hold_ahead(user=cast.ana, campaign=campaign, count=4, hold=2)
        assert [(one.site, one.version) for one in found.sites[:2]] == [(site.pk, 0) for site in sites[:2]]


def test_a_lease_that_ran_out_is_free_for_the_next_without_anything_running(cast: Cast) -> None:
    campaign = a_campaign(lease_s=30)
    site = a_site()
    [anas] = claim_sites(user=cast.ana, campaign=campaign)
    assert take(cast.ben, campaign) == []
    run_out(anas)
    assert take(cast.ben, campaign) == [site.pk]
    assert beat_claim(user=cast.ana, token=anas.token) is None
    # Ana decides all the same: nobody has changed the site, so her work counts, and Ben is told by his heartbeat.
    decide(cast.ana, site)
    assert not Claim.objects.exists()


def test_a_heartbeat_keeps_a_lease_and_revives_one_that_nobody_took(cast: Cast) -> None:
    campaign = a_campaign(lease_s=600)
    a_site()
    [claim] = claim_sites(user=cast.ana, campaign=campaign)
    run_out(claim)
    until = beat_claim(user=cast.ana, token=claim.token)
    assert until is not None
    assert timedelta(seconds=590) < until - timezone.now() <= timedelta(seconds=600)
    assert take(cast.ben, campaign) == []
    assert beat_claim(user=cast.ben, token=claim.token) is None


def test_a_claim_is_given_back_by_its_holder_or_released_by_a_lead(cast: Cast) -> None:
    campaign = a_campaign()
    site = a_site()
    for releases in (cast.ana, cast.lea):
        [claim] = claim_sites(user=cast.ana, campaign=campaign)
        assert not release_claim(user=cast.ben, token=claim.token)
        assert release_claim(user=releases, token=claim.token)
        assert not release_claim(user=releases, token=claim.token)
    assert take(cast.ben, campaign) == [site.pk]


def test_decided_sites_do_not_come_again_and_skipped_ones_come_last(cast: Cast) -> None:
    campaign = a_campaign()
    one, two, three = some_sites(3)
    decide(cast.ana, one, "skip")
    decide(cast.ana, two, "skip")
    assert ahead(cast.ana, campaign) == [three.pk, one.pk, two.pk]
    decide(cast.ana, one, "skip")
    assert take(cast.ana, campaign, count=3) == [three.pk, two.pk, one.pk]
    decide(cast.ana, three)
    assert ahead(cast.ben, campaign) == []
    for claim in Claim.objects.all():
        release_claim(user=cast.ana, token=claim.token)
    assert ahead(cast.ben, campaign) == [one.pk, two.pk]


def test_an_undone_skip_brings_the_site_back_to_its_place(cast: Cast) -> None:
    campaign = a_campaign()
    one, two = some_sites(2)
    skip = decide(cast.ana, one, "skip")
    assert ahead(cast.ana, campaign) == [two.pk, one.pk]
    decide(cast.ana, one, "undo", undoes=skip.decision.key)
    assert ahead(cast.ana, campaign) == [one.pk, two.pk]


def test_two_blind_reviews_go_to_two_people_and_no_third(cast: Cast) -> None:
    campaign = a_campaign(reviews_needed=2)
    site = a_site()
    assert take(cast.ana, campaign) == [site.pk]
    assert take(cast.ben, campaign) == [site.pk]
    assert take(cast.lea, campaign) == []
    assert set(Claim.objects.values_list("slot", flat=True)) == {0, 1}
    decide(cast.ana, site, campaign_id=campaign.pk)
    assert take(cast.ana, campaign) == []
    assert take(cast.lea, campaign) == []
    release_claim(user=cast.ben, token=Claim.objects.get().token)
    assert take(cast.lea, campaign) == [site.pk]


def test_the_constraints_are_the_truth_about_who_holds_a_site(cast: Cast) -> None:
    campaign = a_campaign()
    a_site()
    [claim] = claim_sites(user=cast.ana, campaign=campaign)
    soon = timezone.now() + timedelta(hours=1)
    for reviewer, slot in ((cast.ben, 0), (cast.ana, 1)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Claim.objects.create(site=claim.site, slot=slot, reviewer=reviewer, campaign=campaign, expires_at=soon)


def test_a_reviewer_holds_a_bounded_number_of_sites(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "MAX_HELD", 3)
    campaign = a_campaign()
    sites = [site.pk for site in some_sites(5)]
    for _ in sites:
        take(cast.ana, campaign, exclude=list(Claim.objects.values_list("site", flat=True)))
    assert Claim.objects.count() == 3


def test_a_lead_may_want_a_contested_site_and_a_reviewer_may_not(cast: Cast) -> None:
    campaign = a_campaign()
    site = a_site()
    decide(cast.ana, site, "unsure")
    assert take(cast.ben, campaign, want=[site.pk]) == []
    assert take(cast.lea, campaign, want=[site.pk]) == [site.pk]
    assert take(cast.lea, campaign, want=[site.pk]) == [site.pk]


def test_contested_sites_come_first_to_a_lead_and_to_nobody_else(cast: Cast) -> None:
    campaign = a_campaign()
    one, two, three = some_sites(3)
    decide(cast.ana, three, "unsure", comment="pit or pond?")
    decide(cast.ana, two, "unsure")
    assert ahead(cast.ben, campaign) == [one.pk]
    assert ahead(cast.lea, campaign) == [three.pk, two.pk, one.pk]
    assert take(cast.lea, campaign) == [three.pk]
    assert take(cast.ada, campaign) == [two.pk], "never one site to two leads"
    decide(cast.lea, three, "fix", types={"feature": "pond"})
    assert ahead(cast.lea, campaign) == [one.pk]


def test_a_lead_settles_no_dispute_of_their_own_and_may_skip_one(cast: Cast) -> None:
    campaign = a_campaign()
    mine, theirs = some_sites(2)
    decide(cast.lea, mine, "unsure")
    decide(cast.ana, theirs, "unsure")
    assert ahead(cast.lea, campaign) == [theirs.pk]
    decide(cast.lea, theirs, "skip")
    assert ahead(cast.lea, campaign) == []
    assert ahead(cast.ada, campaign) == [mine.pk, theirs.pk]


def test_a_lead_gets_the_contested_sites_of_the_campaign_alone_with_what_was_said(cast: Cast) -> None:
    ponds = a_campaign("Ponds", conditions={"types": ["pond"]})
    pond, pit = some_sites(2)
    for site in (pond, pit):
        decide(cast.ana, site, "unsure", comment="too dark")
    Site.objects.filter(pk=pond.pk).update(feature=MineType.objects.get(code="pond"))
    assert take(cast.lea, ponds, count=5) == [pond.pk]
    item = build_item(user=cast.lea, site_id=pond.pk, campaign=ponds)
    assert item["claim"]
    assert [(past["reviewer"], past["verdict"], past["comment"]) for past in item["history"]] == [
        ("ana", "unsure", "too dark")
    ]


def test_a_campaign_serves_only_what_meets_all_its_conditions(cast: Cast) -> None:
    region = Region.objects.create(
        eco_id=9,
        name="Cerrado",
        biome_id=7,
        biome="Savannas",
        realm="Neotropic",
        geom=MultiPolygon(drawn(-60, -30, side=1), srid=4326),
    )
    scores = (0.9, 0.9, 0.9, 0.9, None, 0.95, 0.9)
    good, elsewhere, other_type, other_region, unsure, sure, another = some_sites(7, scores=scores)
    west = square(HERE[0] - 0.01, HERE[1] - 0.01, side=0.03)
    for site in (good, other_type, other_region, unsure, sure, another):
        Site.objects.filter(pk=site.pk).update(footprint=to_geos(square()))
    Site.objects.update(region=region, feature=MineType.objects.get(code="pond"))
    Site.objects.filter(pk=other_type.pk).update(feature=MineType.objects.get(code="open_pit"))
    Site.objects.filter(pk=other_region.pk).update(region=None)
    campaign = a_campaign(
        conditions={
            "area": {"type": "Polygon", "coordinates": [[list(xy) for xy in west.exterior.coords]]},
            "sources": [a_source().name],
            "types": ["pond", "gold"],
            "regions": [9],
            "min_score": 0.5,
            "max_score": 0.9,
        }
    )
    assert set(ahead(cast.ana, campaign)) == {good.pk, another.pk}
    assert elsewhere.pk not in ahead(cast.ana, campaign)
    a_source("Another set")
    assert ahead(cast.ana, a_campaign("Others", conditions={"sources": ["Another set"]})) == []


def test_progress_counts_the_campaign_and_the_reviewer(cast: Cast) -> None:
    campaign = a_campaign()
    one, two, three = some_sites(3)
    decide(cast.ana, one)
    undone = decide(cast.ana, two)
    decide(cast.ana, two, "undo", undoes=undone.decision.key)
    decide(cast.ana, three, "skip")
    mine, bens = progress_of(user=cast.ana, campaign=campaign), progress_of(user=cast.ben, campaign=campaign)
    assert (mine.done, mine.total, mine.mine_today, mine.per_minute) == (1, 3, 1, 1.0)
    assert (bens.done, bens.mine_today, bens.per_minute) == (1, 0, 0.0)


def test_a_count_of_many_sites_is_kept_for_a_while(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EXACT_UP_TO", 0)
    monkeypatch.setattr(progress, "SITES_A_SECOND", 1e-6)
    campaign = a_campaign()
    site = a_site()
    assert progress_of(user=cast.ana, campaign=campaign).done == 0
    decide(cast.ana, site)
    assert progress_of(user=cast.ana, campaign=campaign).done == 0


def test_who_waits_is_told_how_long(cast: Cast) -> None:
    campaign = a_campaign(lease_s=540)
    some_sites(2)
    assert waiting_for(user=cast.ana, campaign=campaign) is None
    take(cast.ben, campaign, count=2)
    waiting = waiting_for(user=cast.ana, campaign=campaign)
    assert waiting is not None
    assert waiting.leased == 2
    assert 530 <= waiting.free_in_s <= 540


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"axis": "colour"}, "axis"),
        ({"reviews_needed": 0}, "reviews_needed"),
        ({"lease_s": 1}, "lease_s"),
        ({"name": "!!!"}, "letters or digits"),
        ({"conditions": {"owner": 1}}, "unknown condition 'owner'"),
        ({"conditions": {"sources": ["Nobody's"]}}, "unknown source"),
        ({"conditions": {"types": ["lava"]}}, "unknown type"),
        ({"conditions": {"regions": [1]}}, "unknown region"),
    ],
)
def test_a_campaign_that_cannot_be_is_refused(cast: Cast, values: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        a_campaign(**values)
    assert not Campaign.objects.exists()


def test_two_campaigns_of_one_name_are_refused(cast: Cast) -> None:
    a_campaign("Minas")
    with pytest.raises(BadInput, match="another name"):
        a_campaign("minas")


def test_what_was_free_a_moment_ago_is_not_leased_twice(cast: Cast) -> None:
    """On PostGIS a look that began before another lease was written still finds the site free."""
    campaign, site = a_campaign(), a_site()
    [first] = leases.lease_sites(user=cast.ana, campaign=campaign, site_ids=[site.pk])
    assert not leases.lease_sites(user=cast.ben, campaign=campaign, site_ids=[site.pk])
    assert not leases.lease_sites(user=cast.lea, campaign=campaign, site_ids=[site.pk])
    [again] = leases.lease_sites(user=cast.ana, campaign=campaign, site_ids=[site.pk])
    assert (again.pk, again.token) == (first.pk, first.token)
    run_out(first)
    assert leases.lease_sites(user=cast.ben, campaign=campaign, site_ids=[site.pk])


def test_as_many_hold_a_site_as_opinions_are_missing(cast: Cast) -> None:
    campaign, site = a_campaign(reviews_needed=2), a_site()
    decide(cast.ada, site, campaign_id=campaign.pk)
    assert leases.lease_sites(user=cast.ana, campaign=campaign, site_ids=[site.pk], wanted="2")
    assert not leases.lease_sites(user=cast.ben, campaign=campaign, site_ids=[site.pk], wanted="2")
