from typing import Any

import pytest
from django.contrib.gis.geos import Point
from django.test import Client

from labelling.models import MineType, Site
from labelling.services import site_tiles
from labelling.views import sites as page
from tests.cast import PASSWORD, Cast
from tests.mines import HERE, a_site, some_sites

pytestmark = pytest.mark.django_db

WORLD = "/tiles/sites/0/0/0.json"


@pytest.fixture
def gus(client: Client, cast: Cast) -> Client:
    client.login(username="gus", password=PASSWORD)
    return client


@pytest.fixture
def crowd(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> list[Site]:
    monkeypatch.setattr(site_tiles, "MAX_SITES", 2)
    return some_sites(4, types={"feature": (("open_pit", None),)})


def test_a_site_says_what_it_is_and_where_its_page_is(gus: Client) -> None:
    site = a_site(types={"feature": (("open_pit", None),)})
    (drawn,) = gus.get(WORLD).json()["sites"]
    assert drawn["geometry"] == {"type": "Point", "coordinates": [pytest.approx(part) for part in site.point.coords]}
    assert drawn["properties"] == {
        "name": f"Site {site.pk}", "type": "open pit", "color": MineType.objects.get(code="open_pit").color,
        "state": "to review", "href": f"/sites/{site.pk}/",
    }  # fmt: skip


def test_a_cluster_has_a_place_a_count_and_colours(gus: Client, crowd: list[Site]) -> None:
    answer = gus.get(WORLD).json()
    (cluster,) = answer["clusters"]
    assert answer["sites"] == []
    assert (cluster["count"], cluster["colors"]) == (4, [[MineType.objects.get(code="open_pit").color, 4]])
    assert cluster["point"] == [pytest.approx(HERE[0], abs=6), pytest.approx(HERE[1], abs=6)]


def test_sites_without_a_type_have_the_neutral_colour(gus: Client, crowd: list[Site]) -> None:
    Site.objects.update(feature=None)
    assert gus.get(WORLD).json()["clusters"][0]["colors"] == [["#93a1af", 4]]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("feature=open_pit", 4),
        ("state=verified", 0),
        ("source=Tailings+of+Minas", 4),
        ("q=no", 0),
        ("score_to=0.5", 4),
        ("score_from=0.5", 0),
    ],
)
def test_the_filter_of_the_table_is_the_filter_of_the_map(
    gus: Client, crowd: list[Site], query: str, count: int
) -> None:
    Site.objects.update(score=0.25)
    assert sum(one["count"] for one in gus.get(f"{WORLD}?{query}").json()["clusters"]) == count


def test_a_tile_that_has_not_changed_is_not_sent_again(gus: Client, crowd: list[Site]) -> None:
    first = gus.get(WORLD)
    assert first["Cache-Control"] == "private, max-age=20"
    again = gus.get(WORLD, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    Site.objects.filter(pk=crowd[0].pk).update(feature=None)
    changed = gus.get(WORLD, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


@pytest.mark.parametrize("place", ["0/1/0", "3/8/0", "3/0/8", "19/0/0", "25/0/0", "99999999999/0/0"])
def test_a_tile_that_is_none_is_not_found(gus: Client, place: str) -> None:
    assert gus.get(f"/tiles/sites/{place}.json").status_code == 404


@pytest.mark.parametrize(
    "query", ["state=nonsense", "feature=gold", "cell__gte=0", "ordering=password", "_connector=OR", "q=" + "x" * 101]
)
def test_nothing_else_can_be_asked(gus: Client, crowd: list[Site], query: str) -> None:
    assert gus.get(f"{WORLD}?{query}").status_code == 400


def test_a_tile_costs_the_same_for_few_and_for_many(
    gus: Client, crowd: list[Site], django_assert_max_num_queries: Any
) -> None:
    places = [Point(lon, lat, srid=4326) for lon in range(-180, 180, 10) for lat in range(-60, 60, 10)]
    Site.objects.bulk_create(Site(footprint=place, point=place) for place in places)
    with django_assert_max_num_queries(9):
        assert len(gus.get(WORLD).json()["clusters"]) > 20


def test_who_may_not_see_sites_sees_no_tile(client: Client, crowd: list[Site]) -> None:
    client.login(username="eve", password=PASSWORD)
    assert client.get(WORLD).status_code == 403


def test_a_long_table_ends_and_says_so(gus: Client, crowd: list[Site], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LISTED", 3)
    monkeypatch.setattr(page, "PER_PAGE", 2)
    answer = gus.get("/sites/")
    assert "more than 3" in answer.content.decode()
    assert "The table ends there" in answer.content.decode()
    assert answer.context["map"]["bounds"]
    last = gus.get("/sites/?page=99").context["page"]
    assert (last.number, [site.pk for site in last]) == (2, [crowd[2].pk])


def test_a_short_table_says_its_number_and_frames_its_sites(gus: Client, crowd: list[Site]) -> None:
    answer = gus.get("/sites/")
    assert "more than" not in answer.content.decode()
    assert answer.context["page"].paginator.count == 4
    west, _, east, _ = answer.context["map"]["bounds"]
    assert west < crowd[1].point.x < east


def test_a_rare_find_is_listed_by_urgency_too(gus: Client, crowd: list[Site], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LISTED", 3)
    verified = [crowd[3].pk, crowd[1].pk]
    Site.objects.filter(pk__in=verified).update(state="verified")
    answer = gus.get("/sites/?state=verified").context["page"]
    assert [site.pk for site in answer] == [crowd[1].pk, crowd[3].pk]
    assert (answer.paginator.count, answer.paginator.is_cut) == (2, False)
