"""Campaigns are opened and changed by leads; what they ask for is checked, and counted before it is served."""

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.gis.geos import MultiPolygon

from labelling.core.campaigns import CampaignFilter
from labelling.core.errors import BadInput
from labelling.core.matching import ClaimSpec
from labelling.models import Campaign, Scene, Site
from labelling.models.spatial import to_shapely
from labelling.services.campaigns import (
    Terms,
    campaign_for,
    campaigns_of,
    change_campaign,
    count_matching,
    create_campaign,
)
from labelling.services.queue import claim_sites
from labelling.services.sites import place_claims
from tests.cast import Cast
from tests.mines import a_campaign, a_site, a_source, decide, some_sites

pytestmark = pytest.mark.django_db
TERMS = Terms("Minas")


def test_every_term_can_be_changed_and_the_address_stays(cast: Cast) -> None:
    a_source("Cobalt")
    campaign = a_campaign()
    conditions = {"sources": ["Cobalt"], "types": ["pond"], "min_score": 0.3}
    new = Terms(
        name="Ponds of Minas",
        axis="commodity",
        conditions=conditions,
        reviews_needed=2,
        reviewers=[cast.ben],
        guideline="Look twice.",
        lease_s=60,
        blind_share=0.2,
        gold_share=0.05,
    )
    change_campaign(campaign=campaign, terms=new, active=False)
    kept = Campaign.objects.get()
    assert kept.slug == "minas"
    assert list(kept.reviewers.all()) == [cast.ben]
    assert kept.filter == conditions
    same = ("name", "axis", "reviews_needed", "guideline", "lease_s", "blind_share", "gold_share")
    assert [getattr(kept, name) for name in same] == [getattr(new, name) for name in same]
    assert not campaigns_of(user=cast.ben).exists(), "it is closed"


def test_what_was_decided_and_claimed_stays(cast: Cast) -> None:
    campaign = a_campaign()
    first, second = some_sites(2)
    decide(cast.ana, first, campaign_id=campaign.pk)
    [claim] = claim_sites(user=cast.ben, campaign=campaign)
    change_campaign(campaign=campaign, terms=replace(TERMS, reviews_needed=2), active=True)
    claim.refresh_from_db()
    assert claim.site == second
    assert Site.objects.get(pk=first.pk).state == "verified"


def test_the_axis_of_decisions_made_cannot_be_changed(cast: Cast) -> None:
    campaign = a_campaign()
    decide(cast.ana, a_site(), campaign_id=campaign.pk)
    with pytest.raises(BadInput, match="open another campaign for method"):
        change_campaign(campaign=campaign, terms=replace(TERMS, axis="method"), active=True)
    assert Campaign.objects.get().axis == "feature"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": " "}, "name with letters"),
        ({"name": "Taken"}, "named like 'Taken'"),
        ({"axis": "colour"}, "unknown axis"),
        ({"reviews_needed": 0}, "1 to 9"),
        ({"lease_s": 5}, "30 to 86400"),
        ({"blind_share": 1.5}, "0 to 1"),
        ({"gold_share": 0.6}, "0 to 0.5"),
        ({"conditions": {"sources": ["nobody"]}}, "unknown source 'nobody'"),
        ({"conditions": {"types": ["castle"]}}, "unknown type 'castle'"),
        ({"conditions": {"regions": [999]}}, "unknown region 999"),
    ],
)
def test_terms_that_cannot_be_change_nothing(cast: Cast, wrong: dict[str, Any], told: str) -> None:
    create_campaign(terms=Terms("Taken"))
    campaign = a_campaign()
    with pytest.raises(BadInput, match=told):
        change_campaign(campaign=campaign, terms=replace(TERMS, guideline="new", **wrong), active=True)
    assert Campaign.objects.get(slug="minas").guideline == ""


@pytest.mark.parametrize("name", ["New", "Contested", "!!!"])
def test_a_name_whose_address_is_taken_by_a_page_is_refused(cast: Cast, name: str) -> None:
    with pytest.raises(BadInput, match="name"):
        create_campaign(terms=Terms(name))


def test_sites_are_counted_open_and_in_all(cast: Cast) -> None:
    first, *_ = some_sites(3, types={"feature": (("pond", None),)})
    decide(cast.ana, first, types={"feature": "pond"})
    assert count_matching(conditions=CampaignFilter()) == (2, 3)
    assert count_matching(conditions=CampaignFilter(types=("pond",))) == (2, 3)
    assert count_matching(conditions=CampaignFilter(types=("open_pit",))) == (0, 0)


def test_a_campaign_may_ask_for_evidence(cast: Cast) -> None:
    told_twice, pictured, both, _ = some_sites(4)
    others = a_source("Another set")
    for number, site in enumerate((told_twice, both)):
        outline = to_shapely(site.footprint)
        place_claims(
            source=others, claims=[ClaimSpec(f"again {number}", outline), ClaimSpec(f"more {number}", outline)]
        )
    place_claims(source=a_source(), claims=[ClaimSpec("said twice by one", to_shapely(pictured.footprint))])
    for number, site in enumerate((pictured, both)):
        a_scene(f"scene {number}", site)

    def asked(*evidence: str) -> set[int]:
        sites = Site.objects.matching(CampaignFilter(evidence=evidence))
        return set(sites.values_list("pk", flat=True))

    assert asked("several_sources") == {told_twice.pk, both.pk}
    assert asked("imagery") == {pictured.pk, both.pk}
    assert asked("several_sources", "imagery") == {both.pk}
    campaign = a_campaign(conditions={"evidence": ["several_sources", "imagery"]})
    assert [claim.site_id for claim in claim_sites(user=cast.ana, campaign=campaign, count=5)] == [both.pk]


def a_scene(name: str, site: Site) -> Scene:
    return Scene.objects.create(
        name=name, uri=f"/imagery/{name}.tif", version="1", crs="EPSG:4326", transform=[1, 0, 0, 0, -1, 0],
        width=10, height=10, dtype="uint16", bands=["B02"], scales=[1e-4], offsets=[0], pixel_m=10,
        footprint=MultiPolygon(site.footprint, srid=4326),
    )  # fmt: skip


def test_a_lead_decides_anew_where_the_site_was_decided_on_last(cast: Cast) -> None:
    first, second, site = a_campaign("A"), a_campaign("B"), a_site()
    assert campaign_for(user=cast.lea, site=site) == first, "nobody has decided: the first by name"
    decide(cast.ana, site, campaign_id=first.pk)
    decide(cast.lea, site, campaign_id=second.pk)
    assert campaign_for(user=cast.lea, site=site) == second
    change_campaign(campaign=second, terms=Terms("B"), active=False)
    assert campaign_for(user=cast.lea, site=site) == first
    change_campaign(campaign=first, terms=Terms("A"), active=False)
    assert campaign_for(user=cast.lea, site=site) is None
