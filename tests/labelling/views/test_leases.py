"""A lead sees who holds which sites of a campaign, and lets one go."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from labelling.models import Campaign, Claim
from labelling.services.queue import beat_claim, claim_sites, leases_of
from tests.cast import Cast
from tests.mines import a_campaign, some_sites

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    some_sites(3)
    return a_campaign(lease_s=300)


def page(campaign: Campaign) -> str:
    return f"/review/{campaign.slug}/leases/"


def test_a_lead_sees_who_holds_what_and_releases_it(cast: Cast, client: Client, campaign: Campaign) -> None:
    (claim,) = claim_sites(user=cast.ana, campaign=campaign)
    client.force_login(cast.lea)
    shown = client.get(page(campaign)).content.decode()
    assert f'Release<span class="visually-hidden"> site {claim.site_id} of ana' in shown
    assert "5 min after that" in shown.replace("\u202f", " ").replace("\xa0", " ")

    answer = client.post(f"{page(campaign)}{claim.token}/release/", follow=True)
    assert "The site is free" in answer.content.decode()
    assert "Nobody holds a site" in answer.content.decode()
    assert beat_claim(user=cast.ana, token=claim.token) is None
    assert [one.site_id for one in claim_sites(user=cast.ben, campaign=campaign)] == [claim.site_id]


def test_what_was_released_before_is_told(cast: Cast, client: Client, campaign: Campaign) -> None:
    client.force_login(cast.lea)
    answer = client.post(f"{page(campaign)}{uuid4()}/release/", follow=True)
    assert "Nobody held that site any more" in answer.content.decode()


def test_a_reviewer_releases_nobody(cast: Cast, client: Client, campaign: Campaign) -> None:
    (claim,) = claim_sites(user=cast.ana, campaign=campaign)
    client.force_login(cast.ben)
    assert client.get(page(campaign)).status_code == 403
    assert client.post(f"{page(campaign)}{claim.token}/release/").status_code == 403
    assert Claim.objects.get() == claim


def test_only_what_holds_is_listed_the_longest_held_first(cast: Cast, campaign: Campaign) -> None:
    (first,) = claim_sites(user=cast.ana, campaign=campaign)
    (second,) = claim_sites(user=cast.ben, campaign=campaign)
    (third,) = claim_sites(user=cast.lea, campaign=campaign)
    Claim.objects.filter(pk=second.pk).update(created_at=timezone.now() - timedelta(hours=1))
    Claim.objects.filter(pk=third.pk).update(expires_at=timezone.now())
    listed = leases_of(campaign=campaign)
    assert [one.claim.pk for one in listed] == [second.pk, first.pk]
    assert listed[0].held >= timedelta(hours=1)
    assert timedelta(seconds=290) < listed[1].left <= timedelta(seconds=300)


def test_another_campaigns_claims_are_not_listed(cast: Cast, campaign: Campaign) -> None:
    claim_sites(user=cast.ana, campaign=campaign)
    assert leases_of(campaign=a_campaign("Other")) == ()
