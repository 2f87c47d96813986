"""The server administration shows append-only rows and changes none."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labelling.models import Campaign, Decision, MineType
from labelling.services.campaigns import ensure_default_campaign
from tests.cast import Cast
from tests.mines import a_campaign, a_site, decide

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(cast: Cast) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("sue"))
    return client


def test_decisions_and_proposals_can_be_read_but_not_written(cast: Cast, office: Client) -> None:
    decision = decide(cast.ana, a_site()).decision
    for noun, pk in (("decision", decision.pk), ("proposal", decision.site.proposals.get().pk)):
        room = f"/admin/labelling/{noun}/"
        assert office.get(room).status_code == 200
        page = office.get(f"{room}{pk}/change/")
        assert page.status_code == 200
        assert b"POLYGON" not in page.content
        assert office.post(f"{room}{pk}/change/", {"comment": "never said"}).status_code == 403
        assert office.post(f"{room}{pk}/delete/", {"post": "yes"}).status_code == 403
        assert office.get(f"{room}add/").status_code == 403
    assert Decision.objects.get().comment == ""


def test_a_campaign_is_edited_but_its_conditions_stay_a_closed_set(office: Client) -> None:
    campaign = a_campaign()
    form = {
        "name": "Minas Gerais", "slug": "minas", "axis": "feature", "filter": '{"owner": 1}', "reviews_needed": 2,
        "lease_s": 300, "blind_share": 0.1, "gold_share": 0.05, "active": "on", "guideline": "",
    }  # fmt: skip
    refused = office.post(f"/admin/labelling/campaign/{campaign.pk}/change/", form)
    assert b"unknown condition" in refused.content
    done = office.post(f"/admin/labelling/campaign/{campaign.pk}/change/", {**form, "filter": '{"min_score": 0.5}'})
    assert done.status_code == 302
    campaign.refresh_from_db()
    assert (campaign.name, campaign.reviews_needed, campaign.filter) == ("Minas Gerais", 2, {"min_score": 0.5})


def test_code_and_axis_of_a_type_are_chosen_once(office: Client) -> None:
    pond = MineType.objects.get(code="pond")
    form = {"code": "pool", "axis": "method", "name": "Pond", "color": "#112233", "rank": 5, "guideline": "Water."}
    assert office.post(f"/admin/labelling/minetype/{pond.pk}/change/", form).status_code == 302
    pond.refresh_from_db()
    assert (pond.code, pond.axis, pond.guideline) == ("pond", "feature", "Water.")


def test_a_new_installation_has_a_campaign_over_everything(cast: Cast) -> None:
    first = ensure_default_campaign()
    assert (first.slug, first.filter, ensure_default_campaign()) == ("all-sites", {}, first)
    assert Campaign.objects.count() == 1
