"""A second, blind opinion for a share of the sites of a campaign that asks for one."""

import pytest

from labelling.core.review import SHARE_STEPS, share_place
from labelling.models import Campaign, Label, Site
from labelling.services.items import build_item
from labelling.services.queue import claim_sites, upcoming_sites
from tests.cast import Cast
from tests.mines import a_campaign, decide, some_sites, states

pytestmark = pytest.mark.django_db(transaction=True)


def shared(share: float, name: str = "Shared") -> Campaign:
    campaign = a_campaign(name)
    campaign.blind_share = share
    campaign.save()
    return campaign


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5, 1.0])
def test_the_share_is_met_and_the_same_each_time(share: float) -> None:
    campaign = Campaign(pk=7, blind_share=share)
    chosen = [campaign.opinions_wanted(site) == 2 for site in range(1, 2001)]
    assert sum(chosen) / 2000 == pytest.approx(share, abs=0.005)
    assert chosen == [campaign.opinions_wanted(site) == 2 for site in range(1, 2001)]


def test_a_larger_share_holds_the_smaller_and_campaigns_choose_differently() -> None:
    def chosen(pk: int, share: float) -> set[int]:
        return {site for site in range(500) if Campaign(pk=pk, blind_share=share).opinions_wanted(site) == 2}

    assert chosen(1, 0.1) < chosen(1, 0.3)
    assert chosen(1, 0.1) != chosen(2, 0.1)


def test_more_opinions_for_all_are_not_lessened_by_a_share() -> None:
    assert Campaign(pk=1, reviews_needed=3, blind_share=1.0).opinions_wanted(5) == 3


def test_database_and_program_choose_the_same_sites(cast: Cast) -> None:
    """Each site is served once more exactly where the program says that two are wanted."""
    sites, campaign = some_sites(12), shared(0.5)
    wanted = {site.pk for site in sites if campaign.opinions_wanted(site.pk) == 2}
    assert 0 < len(wanted) < len(sites)
    for site in sites:
        decide(cast.ana, site, campaign_id=campaign.pk)
    assert {one.site for one in upcoming_sites(user=cast.ben, campaign=campaign, count=20)} == wanted
    assert set(Site.objects.filter(state="open").values_list("pk", flat=True)) == wanted
    assert upcoming_sites(user=cast.ana, campaign=campaign, count=20) == []


def test_a_site_in_the_share_is_settled_by_two_independent_opinions(cast: Cast) -> None:
    (site,), campaign = some_sites(1), shared(1.0)
    first = decide(cast.ana, site, campaign_id=campaign.pk)
    assert (first.settlement.state, first.decision.reviews_needed) == ("open", 2)
    assert not Label.objects.exists()
    seen = build_item(user=cast.ben, site_id=site.pk, campaign=campaign)
    assert (seen["history"], seen["comments"], seen["types"]) == ([], [], {})
    # Ben had the site on screen before Ana decided: his opinion is his own all the same.
    second = decide(cast.ben, site, base_version=0, campaign_id=campaign.pk)
    assert (second.settlement.state, Label.objects.get().reviews) == ("verified", 2)


def test_two_who_disagree_leave_it_to_a_lead(cast: Cast) -> None:
    sites, campaign = some_sites(1), shared(1.0)
    decide(cast.ana, sites[0], campaign_id=campaign.pk)
    decide(cast.ben, sites[0], "reject", reason="not_a_mine", campaign_id=campaign.pk)
    assert states(sites) == ["contested"]


def test_both_hold_a_site_of_the_share_at_once_and_none_of_the_rest(cast: Cast) -> None:
    sites, campaign = some_sites(6), shared(0.5)
    wanted = {site.pk for site in sites if campaign.opinions_wanted(site.pk) == 2}
    hers = {claim.site_id for claim in claim_sites(user=cast.ana, campaign=campaign, count=6)}
    his = {claim.site_id for claim in claim_sites(user=cast.ben, campaign=campaign, count=6)}
    assert hers == {site.pk for site in sites}
    assert his == wanted
    assert claim_sites(user=cast.lea, campaign=campaign, count=6) == []


def test_places_are_spread_over_all_steps() -> None:
    places = [share_place(site, campaign=3) for site in range(10_000)]
    assert len(set(places)) == len(places)
    assert 0 <= min(places) < max(places) < SHARE_STEPS
