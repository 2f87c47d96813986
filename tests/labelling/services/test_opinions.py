"""Ground on which nobody judges a site alone, such as that of a test set."""

from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User

from labelling.core.errors import BadInput, Conflict
from labelling.core.matching import ClaimSpec
from labelling.models import Campaign, Claim, Decision, Label, OpinionGround, Site
from labelling.services.decisions import check_decisions, rebuild_labels
from labelling.services.items import build_item
from labelling.services.opinions import ask_opinions, opinions_asked
from labelling.services.queue import claim_sites, upcoming_sites
from labelling.services.sites import place_claims
from tests.cast import Cast
from tests.crowd import at_once
from tests.labelling.services.test_crowd import reviewers
from tests.mines import HERE, a_campaign, a_site, a_source, decide, drawn, some_sites, square

pytestmark = pytest.mark.django_db(transaction=True)

PIT: dict[str, Any] = {"types": {"feature": "open_pit"}}


def ask_twice(*, side: float = 1.0) -> int:
    """Two opinions for everything in a large square."""
    return ask_opinions(areas=[square(HERE[0] - 0.1, HERE[1] - 0.1, side=side)], at_least=2, why="test set one")


def served(user: User, campaign: Campaign) -> list[int]:
    return [one.site for one in upcoming_sites(user=user, campaign=campaign, count=50)]


def everything(value: object) -> list[object]:
    """Every key and value of a JSON document, however deep."""
    if isinstance(value, dict):
        return [part for key, inner in value.items() for part in [key, *everything(inner)]]
    if isinstance(value, list):
        return [part for inner in value for part in everything(inner)]
    return [value]


def test_open_sites_there_need_two_blind_opinions_and_others_one(cast: Cast) -> None:
    inside, campaign = a_site(), a_campaign()
    place_claims(source=a_source(), claims=[ClaimSpec("far", square(20, 20))])
    assert ask_twice() == 1
    first = decide(cast.ana, inside, campaign_id=campaign.pk)
    assert (first.settlement.state, first.decision.reviews_needed) == ("open", 2)
    assert served(cast.ana, campaign) == [Site.objects.exclude(pk=inside.pk).get().pk]
    second = decide(cast.ben, inside, base_version=0, campaign_id=campaign.pk)
    assert (second.settlement.state, Label.objects.get().reviews) == ("verified", 2)
    assert inside.pk not in served(cast.lea, campaign)


def test_what_is_found_there_later_needs_two_as_well(cast: Cast) -> None:
    ask_twice()
    later, campaign = a_site(), a_campaign()
    assert later.least_opinions == 2
    missed = decide(cast.ana, None, "add", geometry=drawn(HERE[0] + 0.4), **PIT, campaign_id=campaign.pk)
    assert (missed.site.least_opinions, missed.settlement.state) == (2, "open")


def test_what_one_person_verified_stays_verified_and_is_served_once_more(cast: Cast) -> None:
    site, campaign = a_site(), a_campaign()
    decide(cast.ana, site, "fix", geometry=drawn(side=0.02), **PIT, campaign_id=campaign.pk, comment="surely")
    ask_twice()
    site.refresh_from_db()
    assert (site.state, site.due_again) == ("verified", True)
    assert (served(cast.ana, campaign), served(cast.ben, campaign)) == ([], [site.pk])
    [claim] = claim_sites(user=cast.ben, campaign=campaign)
    assert (claim.site_id, Claim.objects.get().again) == (site.pk, True)
    assert [held.pk for held in claim_sites(user=cast.ben, campaign=campaign)] == [claim.pk]
    assert claim_sites(user=cast.lea, campaign=campaign) == []
    receipt = decide(cast.ben, site, base_version=0, campaign_id=campaign.pk)
    # Ben accepted what the source says: a place without a type. That is not what Ana said.
    assert (receipt.decision.types, receipt.decision.as_lead) == ({}, False)
    assert receipt.decision.geometry is not None
    assert receipt.decision.geometry.equals_exact(drawn(), 1e-9)
    site.refresh_from_db()
    assert (site.state, site.due_again, Claim.objects.count()) == ("verified", False, 0)
    assert Label.objects.get().reviews == 2


def test_a_second_opinion_that_differs_makes_it_contested(cast: Cast) -> None:
    site, campaign = a_site(), a_campaign()
    decide(cast.ana, site, **PIT)
    ask_twice()
    receipt = decide(cast.ben, site, "reject", reason="not_a_mine", base_version=0, campaign_id=campaign.pk)
    assert receipt.settlement.state == "contested"
    undone = decide(cast.ben, site, "undo", undoes=receipt.decision.key, campaign_id=campaign.pk)
    site.refresh_from_db()
    assert (undone.settlement.state, site.state, site.due_again) == ("verified", "verified", True)
    assert check_decisions().faults == ()


def test_a_third_opinion_and_a_second_of_ones_own_are_not_applied(cast: Cast) -> None:
    site, campaign = a_site(), a_campaign()
    decide(cast.ana, site, **PIT)
    ask_twice()
    with pytest.raises(Conflict, match="already"):
        decide(cast.ana, site, campaign_id=campaign.pk)
    decide(cast.ben, site, campaign_id=campaign.pk)
    third = reviewers(1)[0]
    with pytest.raises(Conflict):
        decide(third, site, campaign_id=campaign.pk)
    assert Decision.objects.filter(version__isnull=False).count() == 2


def test_a_leads_ruling_is_not_asked_again(cast: Cast) -> None:
    sites, campaign = some_sites(2), a_campaign()
    decide(cast.ana, sites[0])
    decide(cast.lea, sites[0], **PIT)
    decide(cast.ana, sites[1])
    ask_twice()
    assert served(cast.ben, campaign) == [sites[1].pk]
    # Without a lease on it, what a lead says of a settled site is a ruling; with one it is an opinion.
    assert decide(cast.lea, sites[1], **PIT).decision.as_lead
    decide(cast.ana, fresh := a_new_site(), campaign_id=campaign.pk)
    Site.objects.filter(pk=fresh).update(least_opinions=2)
    rebuild_labels(sites=[fresh])
    Site.objects.filter(pk=fresh).update(due_again=True, state="verified")
    assert [claim.site_id for claim in claim_sites(user=cast.lea, campaign=campaign)] == [fresh]
    assert not decide(cast.lea, fresh, base_version=0, campaign_id=campaign.pk).decision.as_lead


def a_new_site() -> int:
    placed = place_claims(source=a_source(), claims=[ClaimSpec("new", square(30, 30))])
    return placed.proposals[0].site_id


@pytest.mark.parametrize("is_settled", [False, True])
def test_the_second_reviewers_item_says_nothing_of_the_first(cast: Cast, is_settled: bool) -> None:
    offers = {"feature": (("pond", 0.6), ("open_pit", 0.4))}
    site, campaign = a_site(types=offers), a_campaign()
    before = build_item(user=cast.ben, site_id=site.pk, campaign=campaign)
    if not is_settled:
        ask_twice()
    words = "a secret remark of hers"
    decide(cast.ana, site, "fix", geometry=drawn(side=0.03), **PIT, comment=words, campaign_id=campaign.pk)
    if is_settled:
        ask_twice()
    after = build_item(user=cast.ben, site_id=site.pk, campaign=campaign)
    assert after == before
    assert not {"ana", words, "verified"} & {part for part in everything(after) if isinstance(part, str)}
    # Others, who are not asked, see what is settled; so does she herself.
    own = build_item(user=cast.ana, site_id=site.pk, campaign=campaign)
    assert own["history"][0]["comment"] == words


def test_what_the_first_drew_is_shown_without_name_and_type_where_nothing_else_is_known(cast: Cast) -> None:
    ask_twice()
    campaign = a_campaign()
    drawing = decide(cast.ana, None, "add", geometry=drawn(), **PIT, campaign_id=campaign.pk)
    item = build_item(user=cast.ben, site_id=drawing.site.pk, campaign=campaign)
    assert (item["types"], item["proposals"][0]["types"]) == ({}, {})
    assert item["proposals"][0]["source"] == "drawn by a reviewer"
    assert not [part for part in everything(item) if isinstance(part, str) and "drawn by ana" in part]
    assert build_item(user=cast.ana, site_id=drawing.site.pk, campaign=campaign)["types"] == PIT["types"]


def test_what_the_first_drew_on_a_known_place_is_not_shown_at_all(cast: Cast) -> None:
    site, campaign = a_site(types={"feature": (("pond", None),)}), a_campaign()
    ask_twice()
    before = build_item(user=cast.ben, site_id=site.pk, campaign=campaign)
    decide(cast.ana, None, "add", geometry=drawn(side=0.011), **PIT, campaign_id=campaign.pk)
    assert site.proposals.count() == 2
    assert build_item(user=cast.ben, site_id=site.pk, campaign=campaign) == before
    receipt = decide(cast.ben, site, base_version=0, campaign_id=campaign.pk)
    assert receipt.decision.types == {"feature": "pond"}


def test_a_crowd_gives_each_site_two_opinions_and_no_more(open_house: Cast) -> None:
    campaign, sites = a_campaign(), some_sites(12)
    for site in sites[:4]:
        decide(open_house.lea, site)
    ask_twice(side=0.42)  # the first seven or so
    asked = set(Site.objects.filter(least_opinions=2).values_list("pk", flat=True))
    assert 4 < len(asked) < len(sites)
    people = reviewers(6)

    def work(user: User) -> None:
        while claims := claim_sites(user=user, campaign=campaign):
            seen = build_item(user=user, site_id=claims[0].site_id, campaign=campaign)
            decide(user, claims[0].site_id, base_version=seen["version"], campaign_id=campaign.pk)

    at_once([partial(work, person) for person in people])
    opinions = {site.pk: Decision.objects.filter(site=site, version__isnull=False).count() for site in sites}
    assert opinions == {site.pk: 2 if site.pk in asked else 1 for site in sites}
    assert Decision.objects.count() == sum(opinions.values())
    assert not Claim.objects.exists()


def test_the_ground_is_told_for_many_outlines_at_once(cast: Cast) -> None:
    assert opinions_asked(footprints=[square()]) == [1]
    ask_opinions(areas=[square(1, 1, side=2), square(2, 2, side=2)], at_least=2, why="a")
    ask_opinions(areas=[square(2, 2, side=0.5)], at_least=3, why="b")
    outlines = [square(1.5, 1.5), square(2.1, 2.1), square(0, 0), square(2.999, 2.999, side=2)]
    assert opinions_asked(footprints=outlines) == [2, 3, 1, 2]
    assert opinions_asked(footprints=[]) == []
    assert OpinionGround.objects.count() == 3


@pytest.mark.parametrize("number", [1, 10])
def test_a_number_that_makes_no_sense_is_refused(cast: Cast, number: int) -> None:
    with pytest.raises(BadInput, match="2 to 9"):
        ask_opinions(areas=[square()], at_least=number, why="no")
