"""The form of a campaign: a lead opens and changes queues, and sees how many sites they would serve."""

import html
import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labelling.models import Campaign, Region, Site
from labelling.models.spatial import to_geos
from labelling.services.queue import upcoming_sites
from tests.cast import Cast
from tests.mines import HERE, a_campaign, a_source, decide, some_sites, square

pytestmark = pytest.mark.django_db
NEW = "/review/new/"
SENT: dict[str, Any] = {
    "name": "Ponds of Minas",
    "axis": "feature",
    "reviews_needed": 2,
    "lease_s": 300,
    "blind_share": 0.25,
    "gold_share": 0.05,
    "guideline": "Look twice.",
}


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def area(west: float, *, side: float) -> str:
    return json.dumps(square(west, HERE[1] - side / 2, side=side).__geo_interface__)


def test_a_lead_opens_a_campaign_that_serves_what_was_asked_for(cast: Cast) -> None:
    first, second, _far = some_sites(3, types={"feature": (("pond", None),)})
    sent = SENT | {
        "area": area(HERE[0] - 0.01, side=0.08),
        "sources": ["Tailings of Minas"],
        "types": ["pond"],
        "reviewers": [cast.ana.pk],
    }
    answer = as_(cast.lea).post(NEW, sent)
    assert (answer.status_code, answer["Location"]) == (302, "/review/")
    campaign = Campaign.objects.get()
    assert (campaign.slug, campaign.reviews_needed, campaign.lease_s) == ("ponds-of-minas", 2, 300)
    assert (campaign.blind_share, campaign.gold_share) == (0.25, 0.05)
    assert list(campaign.reviewers.all()) == [cast.ana]
    served = upcoming_sites(user=cast.ana, campaign=campaign, count=10)
    assert [one.site for one in served] == [first.pk, second.pk]


def test_the_count_follows_the_form_and_saves_nothing(cast: Cast) -> None:
    some_sites(3)
    client = as_(cast.lea)
    for part, told in (({}, "<b>3</b>"), ({"area": area(HERE[0] - 0.01, side=0.08)}, "<b>2</b>")):
        # While the name is not written yet, too.
        answer = client.post(NEW, {"count": "1", **part})
        assert answer.status_code == 200
        assert told in answer.text
        assert "<html" not in answer.text
    assert "No site meets every condition" in client.post(NEW, {"count": "1", "types": ["pond"]}).text
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "New"}, "are taken"),
        ({"name": "Taken"}, "named like"),
        ({"sources": ["nobody"]}, "Select a valid choice"),
        ({"types": ["castle"]}, "Select a valid choice"),
        ({"regions": ["999"]}, "Select a valid choice"),
        ({"min_score": "2"}, "less than or equal to 1"),
        ({"min_score": "0.5", "max_score": "0.4"}, "max_score is no less than min_score"),
        ({"area": "POLYGON((0 0))"}, "not JSON"),
        ({"area": '{"type": "Point", "coordinates": [0, 0]}'}, "polygon"),
        ({"reviews_needed": "10"}, "less than or equal to 9"),
        ({"lease_s": "1"}, "greater than or equal to 30"),
    ],
)
def test_what_cannot_be_is_said_beside_the_field(cast: Cast, wrong: dict[str, Any], told: str) -> None:
    a_campaign("Taken")
    answer = as_(cast.lea).post(NEW, SENT | wrong)
    assert answer.status_code == 400
    assert told in answer.text
    assert Campaign.objects.count() == 1


def test_a_fault_in_the_area_is_told_by_the_count_too(cast: Cast) -> None:
    told = as_(cast.lea).post(NEW, {"count": "1", "area": "{"}).text
    assert "Area: the area is not JSON" in told
    assert "open sites" not in told


def test_more_values_than_a_filter_holds_are_refused(cast: Cast) -> None:
    names = [a_source(f"source {number}").name for number in range(201)]
    for more in ({}, {"count": "1"}):
        answer = as_(cast.lea).post(NEW, SENT | {"sources": names} | more)
        assert "at most 200" in answer.text
    assert not Campaign.objects.exists()


def test_the_settings_show_what_is_and_keep_what_is_sent(cast: Cast) -> None:
    some_sites(2)
    region = Region.objects.create(
        eco_id=7, name="Cerrado", biome_id=1, biome="Savannas", realm="Neotropic", geom=_everywhere()
    )
    conditions = {"regions": [7], "min_score": 0.25, "area": json.loads(area(HERE[0], side=1))}
    a_campaign(conditions=conditions, reviewers=[cast.ben], guideline="Look.")
    client = as_(cast.lea)
    page = client.get("/review/minas/settings/")
    shown = page.context["form"].initial
    assert (shown["regions"], shown["min_score"], shown["reviewers"]) == ([7], 0.25, [cast.ben.pk])
    assert f'value="{region.eco_id}"' in page.text, "offered although no site lies there any more"
    sent = {**SENT, "regions": ["7"], "area": shown["area"], "min_score": "0.5", "reviewers": [cast.ana.pk]}
    assert client.post("/review/minas/settings/", sent).status_code == 302
    changed = Campaign.objects.get()
    assert (changed.name, changed.slug, changed.active) == ("Ponds of Minas", "minas", False)
    assert changed.filter == {**conditions, "min_score": 0.5}
    assert list(changed.reviewers.all()) == [cast.ana]


def _everywhere() -> Any:
    from django.contrib.gis.geos import MultiPolygon

    return MultiPolygon(to_geos(square(0, 0, side=5)), srid=4326)


def test_a_closed_campaign_can_be_opened_again_from_the_list(cast: Cast) -> None:
    Campaign.objects.filter(pk=a_campaign().pk).update(active=False)
    client = as_(cast.lea)
    assert "/review/minas/settings/" in client.get("/review/").text
    assert client.post("/review/minas/settings/", SENT | {"active": "on"}).status_code == 302
    assert Campaign.objects.get().active


def test_only_leads_find_the_way_and_only_reviewers_can_be_named(cast: Cast) -> None:
    a_campaign()
    assert NEW in as_(cast.lea).get("/review/").text
    listed = as_(cast.ana).get("/review/").text
    assert NEW not in listed
    assert "settings" not in listed
    assert as_(cast.ana).get("/review/minas/settings/").status_code == 403
    offered = {label for _, label in as_(cast.lea).get(NEW).context["form"].fields["reviewers"].choices}
    assert {"ana", "ben", "lea", "ada"} == {str(name) for name in offered}


def test_hostile_names_stay_text(cast: Cast) -> None:
    source = a_source("<img src=x onerror=alert(1)>")
    page = as_(cast.lea).get(NEW).text
    assert source.name not in page
    assert "&lt;img src=x" in page
    assert not Site.objects.exists()


def test_the_sites_page_leads_to_a_form_of_its_filter(cast: Cast) -> None:
    *_, last = some_sites(3, types={"feature": (("pond", None),)})
    some_sites(1, source=a_source("usgs"))
    decide(cast.ana, last)
    client = as_(cast.lea)
    listed = client.get("/sites/?feature=pond&source=Tailings+of+Minas&state=&q=&page=1").text
    way = re.search(r'href="(/review/new/[^"]*)">([^<]*)<', listed)
    assert way
    assert html.unescape(way[1]) == NEW + "?feature=pond&source=Tailings+of+Minas"
    assert way[2] == "Open a campaign of these 3"
    page = client.get(html.unescape(way[1]))
    assert page.context["form"]["types"].value() == ["pond"]
    assert page.context["form"]["sources"].value() == ["Tailings of Minas"]
    assert page.context["counts"] == (2, 3)
    assert "<b>Feature: pond; Source: Tailings of Minas</b>" in page.text
    assert "Not taken over" not in page.text
    assert "Taken over" not in client.get(NEW).text
    west, _south, east, _north = page.context["outlook"]["bounds"]
    assert HERE[0] < west < east < HERE[0] + 0.12, "the map shows the sites of the filter"
    assert client.post(html.unescape(way[1]), SENT | {"types": ["pond"]}).status_code == 302
    assert Campaign.objects.get().filter == {"types": ["pond"]}, "as sent: what was taken over can be changed"


def test_what_is_not_taken_over_is_said_until_the_campaign_is_open(cast: Cast) -> None:
    some_sites(2)
    client = as_(cast.lea)
    path = f"{NEW}?q=%3Cb%3Emutanda&source=Tailings+of+Minas"
    for page in (client.get(path), client.post(path, SENT | {"name": ""})):
        assert "finds 0 sites: <b>Source: Tailings of Minas</b>." in page.text
        assert "<b>Name or number: &lt;b&gt;mutanda</b>: a campaign does not ask for names" in page.text
        assert 'href="/sites/?q=%3Cb%3Emutanda&amp;source=Tailings+of+Minas"' in page.text
    assert page.status_code == 400


@pytest.mark.parametrize("query", ["state=castle", "source=nobody", "ordering=name", "q=" + "x" * 101])
def test_a_filter_of_nonsense_opens_no_form(cast: Cast, query: str) -> None:
    assert as_(cast.lea).get(f"{NEW}?{query}").status_code == 400


def test_only_who_may_open_a_campaign_is_led_to_one(cast: Cast) -> None:
    some_sites(1)
    for user in (cast.gus, cast.ana):
        assert "Open a campaign" not in as_(user).get("/sites/").text
        assert as_(user).get(f"{NEW}?state=open").status_code == 403
    for user in (cast.lea, cast.ada):
        assert f'href="{NEW}">Open a campaign of this one<' in as_(user).get("/sites/").text
        assert "Open a campaign" not in as_(user).get("/sites/?q=nowhere").text, "there is none to review"
