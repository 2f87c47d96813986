"""Acting on many sites in the browser: what the page offers, and what it does with what it gets."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from labelling.models import BulkAction, BulkItem, Decision, Site
from labelling.services.bulk import work
from labelling.views import bulk as page
from tests.cast import PASSWORD, Cast
from tests.mines import decide, some_sites

pytestmark = pytest.mark.django_db

REJECT = {"kind": "reject", "reason": "cloud", "comment": "a cloud", "scope": "filter"}


@pytest.fixture
def lea(client: Client, cast: Cast) -> Client:
    client.login(username="lea", password=PASSWORD)
    return client


def drawn_up(client: Client, **more: Any) -> str:
    answer = client.post("/sites/bulk/", REJECT | more)
    assert answer.status_code == 302
    return str(answer["Location"])


def told(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_leads_are_offered_it_and_others_are_not(lea: Client, cast: Cast) -> None:
    some_sites(2)
    offered = lea.get("/sites/?state=open&page=1").content.decode()
    assert 'name="asked" value="state=open"' in offered
    assert offered.count('name="site"') == 2
    assert '<optgroup label="commodity">' in offered
    lea.login(username="ana", password=PASSWORD)
    assert "bulk" not in lea.get("/sites/").content.decode()


def test_from_the_filter_to_the_end_and_back(lea: Client, cast: Cast) -> None:
    sites = some_sites(3)
    decide(cast.ana, sites[0])
    place = drawn_up(lea, asked="state=open")
    seen = lea.get(place).content.decode()
    assert "Preview: nothing is done yet" in seen
    assert "Reject: cloud · 2 sites" in seen
    assert 'href="/sites/?state=open"' in seen, "the way back keeps the filter"
    assert not Decision.objects.filter(reviewer=cast.lea).exists()
    assert lea.post(f"{place}start/")["Location"] == place
    seen = lea.get(place).content.decode()
    assert "<h2>Done</h2>" in seen
    assert "Take all 2 back" in seen
    assert set(Site.objects.filter(pk__in=[site.pk for site in sites[1:]]).values_list("state", flat=True)) == {
        "rejected"
    }
    lea.post(f"{place}undo/")
    seen = lea.get(place).content.decode()
    assert "<h2>Taken back</h2>" in seen
    assert "Take all" not in seen
    listed = lea.get("/sites/bulk/").content.decode()
    assert "Reject: cloud" in listed
    assert place in listed


def test_a_range_of_scores_bounds_what_is_acted_on(lea: Client, cast: Cast) -> None:
    sites = some_sites(3)
    for site, score in zip(sites, (0.2, 0.5, 0.8), strict=True):
        Site.objects.filter(pk=site.pk).update(score=score)
    assert 'name="asked" value="score_from=0.3&amp;score_to=0.6"' in lea.get("/sites/?score_from=0.3&score_to=0.6").text
    lea.post(f"{drawn_up(lea, asked='score_from=0.3&score_to=0.6')}start/")
    assert Decision.objects.get().site == sites[1]


def test_outlines_are_shown_where_they_would_lie_before_they_move(lea: Client, cast: Cast) -> None:
    site, _open = some_sites(2)
    decide(cast.ana, site)
    assert 'name="east" value="0" min="-1000.0" max="1000.0"' in lea.get("/sites/").text
    place = drawn_up(lea, kind="shift", east="30", north="-12.5", asked="")
    seen = lea.get(place)
    assert "Move 30 m east and 12.5 m south · 1 site" in seen.text
    assert "Each of these sites is verified" in seen.text
    [move] = seen.context["drawn"]["moves"]
    assert move["before"]["coordinates"][0][0][0] < move["after"]["coordinates"][0][0][0]
    before = Site.objects.get(pk=site.pk).footprint
    lea.post(f"{place}start/")
    seen = lea.get(place)
    assert ("<h2>Done</h2>" in seen.text, seen.context["moves"]) == (True, [])
    assert Site.objects.get(pk=site.pk).footprint.extent[0] > before.extent[0]
    lea.post(f"{place}undo/")
    assert Site.objects.get(pk=site.pk).footprint == before


def test_sites_are_picked_by_hand(lea: Client) -> None:
    sites = some_sites(3)
    place = drawn_up(lea, scope="picked", site=[sites[0].pk, sites[2].pk], asked="state=open")
    assert set(BulkItem.objects.values_list("site_id", flat=True)) == {sites[0].pk, sites[2].pk}
    assert "picked by hand" in lea.get(place).content.decode()


def test_a_large_action_shows_its_job(lea: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "AT_ONCE", 0)
    some_sites(1)
    place = drawn_up(lea)
    lea.post(f"{place}start/")
    seen = lea.get(place).content.decode()
    assert "<h2>At work</h2>" in seen
    assert f'hx-get="{place}"' in seen
    assert 'id="cancel-job"' in seen
    assert "Take all" not in seen
    again = lea.post(f"{place}start/")
    assert told(again) == ["Nothing was done: it is at work: wait for its end, or cancel it."]


def test_what_is_left_out_is_listed_a_page_at_a_time(lea: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "PER_PAGE", 1)
    for site in some_sites(2):
        decide(cast.ana, site, "reject", reason="cloud")
    place = drawn_up(lea)
    first, second = (lea.get(f"{place}?page={number}").content.decode() for number in (1, 2))
    assert "There is nothing to do" in first
    assert "start/" not in first, "no button where nothing is to be done"
    assert first.count("rejected for this reason already</td>") == second.count("rejected for this reason already</td>")
    assert first != second


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"reason": ""}, "give a reason"),
        ({"kind": "type"}, "as which type"),
        ({"kind": "shift", "east": "0", "north": ""}, "how many metres"),
        ({"asked": "q=nowhere"}, "no site fits"),
        ({"scope": "picked"}, "no site fits"),
    ],
)
def test_what_is_missing_is_told_beside_the_filter(lea: Client, sent: dict[str, str], words: str) -> None:
    some_sites(1)
    answer = lea.post("/sites/bulk/", REJECT | {"asked": "state=open"} | sent)
    assert answer["Location"] == f"/sites/?{sent.get('asked', 'state=open')}"
    assert words in told(answer)[0]
    assert not BulkAction.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        {"kind": "paint"},
        {"kind": "shift", "east": "1001"},
        {"kind": "shift", "north": "nan"},
        {"scope": "everything"},
        {"asked": "decisions__reviewer__password=x"},
        {"asked": "state=castle"},
        {"scope": "picked", "site": ["1; DROP"]},
        {"scope": "picked", "site": ["9" * 30]},
    ],
)
def test_what_no_page_of_ours_sends_is_refused(lea: Client, sent: dict[str, Any]) -> None:
    some_sites(1)
    assert lea.post("/sites/bulk/", REJECT | sent).status_code == 400
    assert not BulkAction.objects.exists()


def test_only_its_author_has_the_button_and_any_lead_may_take_it_back(lea: Client, cast: Cast) -> None:
    some_sites(2)
    place = drawn_up(lea)
    lea.login(username="ada", password=PASSWORD)
    assert "start/" not in lea.get(place).content.decode()
    assert told(lea.post(f"{place}start/")) == [
        "Nothing was done: only the lead who drew this up can start it: it is done in that name."
    ]
    lea.login(username="lea", password=PASSWORD)
    lea.post(f"{place}start/")
    lea.login(username="ada", password=PASSWORD)
    lea.post(f"{place}undo/")
    assert set(BulkItem.objects.values_list("outcome", flat=True)) == {"undone"}


def test_the_list_is_empty_at_first_and_shows_no_drafts(lea: Client) -> None:
    some_sites(1)
    drawn_up(lea)
    assert "Nothing was done in bulk yet" in lea.get("/sites/bulk/").content.decode()


def test_reviewers_and_what_is_missing(lea: Client, cast: Cast) -> None:
    missing = f"/sites/bulk/{uuid4()}/"
    assert lea.get(missing).status_code == lea.post(f"{missing}start/").status_code == 404
    some_sites(1)
    place = drawn_up(lea)
    lea.login(username="ana", password=PASSWORD)
    for path, send in ((place, lea.get), ("/sites/bulk/", lea.post), (f"{place}start/", lea.post)):
        assert send(path).status_code == 403
    assert not Decision.objects.exists()


def test_setting_back_is_told_in_whose_name_and_at_what_cost(lea: Client, cast: Cast) -> None:
    sites = some_sites(2)
    decide(cast.ana, sites[0])
    decide(cast.ben, sites[1], "unsure")
    place = drawn_up(lea, kind="reset")
    seen = " ".join(lea.get(place).content.decode().split())
    assert "In the name of lea <b>2 opinions of 2 people</b> are taken back and no longer count in agreement" in seen
    assert "(1 contested: as unsure); the opinions stay taken back" in seen
    assert "taken back and no longer" not in lea.get(drawn_up(lea)).content.decode()
