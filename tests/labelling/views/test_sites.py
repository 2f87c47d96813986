import re
from typing import Any

import pytest
from django.contrib.gis.geos import Point as GeosPoint
from django.test import Client
from shapely.geometry import Point, box
from shapely.geometry.base import BaseGeometry

from labelling.core.matching import ClaimSpec
from labelling.models import MineType, SeedImport, Site, Source
from labelling.services.sites import place_claims
from labelling.views import sites as page
from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db

PIT = {"feature": (("open_pit", None),)}
COBALT = {"commodity": (("cobalt", None),)}
SQUARE = box(25.0, -11.0, 25.01, -10.99)
XSS = "<img src=x onerror=alert(1)>"


def claimed(name: str, geometry: BaseGeometry, *, by: str = "surveys", **more: Any) -> Site:
    source, _ = Source.objects.get_or_create(name=by, defaults={"kind": "labelled", "licence": "CC BY 4.0"})
    placed = place_claims(source=source, claims=[ClaimSpec(name, geometry, name=name, **more)])
    return placed.proposals[0].site


@pytest.fixture
def mines(cast: Cast) -> dict[str, Site]:
    return {
        "Mutanda": claimed("Mutanda", SQUARE, types=PIT),
        "Kamoto": claimed("Kamoto", Point(26, -11), types=COBALT, by="usgs", score=0.5),
        "nobody": claimed("nobody", Point(-70, -30), score=0.05),
    }


@pytest.fixture
def gus(client: Client, cast: Cast) -> Client:
    client.login(username="gus", password=PASSWORD)
    return client


def listed(client: Client, query: str = "") -> list[str]:
    return [site.name for site in client.get(f"/sites/?{query}").context["page"]]


def mapped(client: Client, query: str = "bbox=-180,-90,180,90") -> Any:
    return client.get(f"/sites/map/?{query}").json()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"Mutanda", "Kamoto", "nobody"}),
        ("q=muta", {"Mutanda"}),
        ("q=mu", {"Mutanda"}),
        ("q=nd", set()),  # too short for a part: the beginning of a word
        ("q=nda", {"Mutanda"}),
        ("state=open", {"Mutanda", "Kamoto", "nobody"}),
        ("state=verified", set()),
        ("feature=open_pit", {"Mutanda"}),
        ("feature=none", {"Kamoto", "nobody"}),
        ("commodity=cobalt", {"Kamoto"}),
        ("commodity=none&feature=none", {"nobody"}),
        ("method=none&source=usgs", {"Kamoto"}),
        ("source=surveys", {"Mutanda", "nobody"}),
        ("region=desert", set()),
        ("score_from=0", {"Kamoto", "nobody"}),
        ("score_from=0.5", {"Kamoto"}),
        ("score_from=0.5001", set()),
        ("score_to=0.5", {"Kamoto", "nobody"}),
        ("score_to=.4999", {"nobody"}),
        ("score_from=0.05&score_to=0.05", {"nobody"}),
        ("score_from=0.1&score_to=1&commodity=cobalt&source=usgs", {"Kamoto"}),
        ("score_from=&score_to=", {"Mutanda", "Kamoto", "nobody"}),
    ],
)
def test_each_filter_keeps_what_it_names(gus: Client, mines: dict[str, Site], query: str, names: set[str]) -> None:
    assert set(listed(gus, query)) == names
    drawn = mapped(gus, f"{query}&bbox=-180,-90,180,90")
    assert {feature["properties"]["name"] for feature in drawn["features"]} == names
    assert drawn["total"] == len(names)


def test_the_highest_score_stands_in_the_table(gus: Client, mines: dict[str, Site]) -> None:
    claimed("again", Point(26, -11), by="a model", types=COBALT, score=0.875)
    rows = re.findall(r'<tr data-site="(\d+)".*?<td class="num">(.*?)</td>', gus.get("/sites/").text, re.S)
    assert dict(rows) == {
        str(mines["Mutanda"].pk): "–", str(mines["Kamoto"].pk): "0.88", str(mines["nobody"].pk): "0.05",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("source=a+model", {"Kamoto", "nobody"}),
        ("source=a+model&score_from=0.85", {"Kamoto"}),
        ("source=a+model&score_to=0.29", {"nobody"}),
        ("source=a+model&score_from=0.3&score_to=0.85", {"Kamoto"}),
        ("source=a+model&score_from=0.9", set()),
        ("source=usgs&score_from=0.6", set()),
        ("source=usgs&score_to=0.6", {"Kamoto"}),
        ("source=surveys&score_to=1", {"nobody"}),
    ],
)
def test_with_a_source_the_score_is_one_that_it_gives(
    gus: Client, mines: dict[str, Site], query: str, names: set[str]
) -> None:
    """The model has seen Kamoto twice; of Mutanda the surveys give no score at all."""
    for name, place, score in (("a", (26, -11), 0.3), ("b", (26, -11), 0.875), ("c", (-70, -30), 0.25)):
        claimed(name, Point(*place), by="a model", score=score)
    assert set(listed(gus, query)) == names
    assert {one["properties"]["name"] for one in mapped(gus, f"{query}&bbox=-180,-90,180,90")["features"]} == names


def test_the_table_shows_the_score_of_the_source_that_is_asked_for(gus: Client, mines: dict[str, Site]) -> None:
    claimed("again", Point(26, -11), by="a model", score=0.875)
    answer = gus.get("/sites/?source=usgs").text
    assert re.findall(r'<tr data-site="\d+".*?<td class="num">(.*?)</td>', answer, re.S) == ["0.50"]
    assert "Score of the source" in answer


def test_a_site_is_found_by_its_number(gus: Client, mines: dict[str, Site]) -> None:
    assert listed(gus, f"q={mines['Kamoto'].pk}") == ["Kamoto"]
    assert listed(gus, f"q=%23{mines['Kamoto'].pk}") == ["Kamoto"]
    assert listed(gus, "q=" + "9" * 90) == []


@pytest.mark.parametrize(
    "query",
    [
        "label__decision__reviewer__password__regex=^x",
        "ordering=created_by__password",
        "_connector=OR+1%3D1",
        "name__icontains=a",
        "bbox__contained=1",
    ],
)
@pytest.mark.parametrize("path", ["/sites/", "/sites/map/", "/sites/frame/"])
def test_nothing_else_can_be_asked(gus: Client, mines: dict[str, Site], path: str, query: str) -> None:
    assert gus.get(f"{path}?{query}&bbox=-180,-90,180,90").status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        *("state=nonsense", "feature=gold", "source=nobody", "q=" + "x" * 101),
        *("score_from=-0.1", "score_to=1.1", "score_from=high", "score_to=nan", "score_from=0.6&score_to=0.5"),
    ],
)
def test_nonsense_is_marked_and_finds_nothing(gus: Client, mines: dict[str, Site], query: str) -> None:
    answer = gus.get(f"/sites/?{query}")
    assert answer.status_code == 200
    assert list(answer.context["page"]) == []
    assert "This filter cannot be understood" in answer.content.decode()
    assert gus.get(f"/sites/map/?{query}&bbox=0,0,1,1").status_code == 400


@pytest.mark.parametrize(
    "bbox",
    ["", "1,2,3", "a,b,c,d", "nan,0,1,1", "0,0,inf,1", "0,5,1,-5", "0,-91,1,0", "1e999,0,1,1", '{"driver":"GTiff"}',
     "/vsicurl/http://127.0.0.1/,0,1,1", "9999,0,10000,1"],
)  # fmt: skip
def test_a_bad_box_is_refused(gus: Client, mines: dict[str, Site], bbox: str) -> None:
    assert gus.get("/sites/map/", {"bbox": bbox}).status_code == 400


def test_the_map_shows_dots_from_afar_and_outlines_from_near(gus: Client, mines: dict[str, Site]) -> None:
    (far,) = mapped(gus, "bbox=20,-12,25.5,-10")["features"]
    (near,) = mapped(gus, "bbox=24.9,-11.1,25.1,-10.9")["features"]
    assert (far["geometry"]["type"], near["geometry"]["type"]) == ("Point", "Polygon")
    assert near["properties"] == {
        "name": "Mutanda", "type": "open pit", "color": MineType.objects.get(code="open_pit").color,
        "state": "to review", "href": f"/sites/{mines['Mutanda'].pk}/",
    }  # fmt: skip


def test_the_map_reaches_over_the_antimeridian(gus: Client, cast: Cast) -> None:
    claimed("Fiji", Point(179.9, -17))
    claimed("Samoa", Point(-172, -14))
    assert {one["properties"]["name"] for one in mapped(gus, "bbox=170,-30,-165,0")["features"]} == {"Fiji", "Samoa"}
    assert mapped(gus, "bbox=170,-30,195,0")["total"] == 2


def test_the_map_says_when_it_cannot_show_all(
    gus: Client, mines: dict[str, Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "MAP_SITES", 2)
    answer = mapped(gus)
    assert (len(answer["features"]), answer["total"]) == (2, 3)


def test_a_short_word_may_stand_in_the_middle_of_a_name(gus: Client, cast: Cast) -> None:
    claimed("West of Ox Creek", SQUARE)
    assert listed(gus, "q=ox") == listed(gus, "q=we") == ["West of Ox Creek"]
    assert listed(gus, "q=es") == []


def test_the_map_frames_what_fits(gus: Client, mines: dict[str, Site], monkeypatch: pytest.MonkeyPatch) -> None:
    around = [-70.0, -30.0, 26.0, pytest.approx(-11.0, abs=0.01)]
    shown = gus.get("/sites/").context["map"]
    assert (list(shown["bounds"]), shown["frame"]) == (around, "")
    assert gus.get("/sites/frame/").json()["bounds"] == around
    assert gus.get("/sites/frame/?q=nobody").json()["bounds"] == [-70.0, -30.0, -70.0, -30.0]
    assert gus.get("/sites/frame/?q=nowhere").json()["bounds"] is None
    monkeypatch.setattr(page, "FRAMED", 2)
    shown = gus.get("/sites/").context["map"]
    assert shown["frame"] == "/sites/frame/", "the page looks at some, and says where all are looked at"
    assert -70.0 <= shown["bounds"][0] <= shown["bounds"][2] <= 26.0


def test_pages_keep_the_filter(gus: Client, mines: dict[str, Site], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "PER_PAGE", 1)
    first, second = listed(gus, "source=surveys"), listed(gus, "source=surveys&page=2")
    assert len(first) == len(second) == 1
    assert first != second
    assert "source=surveys&amp;page=2" in gus.get("/sites/?source=surveys").content.decode()


def test_the_list_costs_the_same_for_one_site_and_for_fifty(
    gus: Client, mines: dict[str, Site], django_assert_max_num_queries: Any
) -> None:
    for number in range(50):
        claimed(f"more {number}", Point(number, 20), types=PIT)
    with django_assert_max_num_queries(12):
        gus.get("/sites/")
    with django_assert_max_num_queries(10):
        mapped(gus)


def test_empty_pages_say_what_to_do_first(client: Client, cast: Cast) -> None:
    client.login(username="ada", password=PASSWORD)
    assert "manage.py import_seeds" in client.get("/sites/").content.decode()
    assert "manage.py import_seeds" in client.get("/imports/").content.decode()


def test_the_life_of_a_site_is_told(gus: Client, mines: dict[str, Site]) -> None:
    claimed("again", SQUARE, by="usgs", types=COBALT)
    answer = gus.get(f"/sites/{mines['Mutanda'].pk}/")
    text = answer.content.decode()
    assert "surveys proposed this place" in text
    assert "usgs proposed this place" in text
    assert "licence CC BY 4.0" in text
    assert "No scene covers this site." in text
    assert answer.context["drawn"]["footprint"]["type"] == "Polygon"
    assert len(answer.context["drawn"]["events"]) == 2


def test_a_missing_site_is_not_found(gus: Client) -> None:
    assert gus.get("/sites/424242/").status_code == 404


def test_what_a_source_calls_a_place_is_only_text(gus: Client, cast: Cast) -> None:
    site = claimed(XSS, SQUARE, types=PIT, by=f"{XSS} source")
    for path in ("/sites/", f"/sites/{site.pk}/"):
        assert XSS not in gus.get(path).content.decode()
    assert mapped(gus)["features"][0]["properties"]["name"] == XSS


def test_imports_show_counts_and_refused_rows(client: Client, cast: Cast) -> None:
    source = Source.objects.create(name="anm", kind="labelled", licence="public")
    SeedImport.objects.create(
        source=source,
        file_name="dams.geojson",
        sha256="0" * 64,
        counts={"rows": 1204, "added": 765, "refused": 4},
        refused=[{"row": 11, "reason": "it has no geometry"}],
    )
    client.login(username="ada", password=PASSWORD)
    text = client.get("/imports/").content.decode()
    assert "dams.geojson" in text
    assert "1\N{NARROW NO-BREAK SPACE}204" in text
    assert "row 11: it has no geometry" in text
    client.login(username="ana", password=PASSWORD)
    assert client.get("/imports/").status_code == 403


def test_eve_sees_nothing(client: Client, mines: dict[str, Site]) -> None:
    client.login(username="eve", password=PASSWORD)
    for path in ("/sites/", "/sites/map/?bbox=0,0,1,1", f"/sites/{mines['Mutanda'].pk}/", "/sites/1/", "/imports/"):
        assert client.get(path).status_code == 403


@pytest.mark.parametrize("model", ["region", "site", "source", "seedimport"])
def test_the_administration_opens(client: Client, mines: dict[str, Site], cast: Cast, model: str) -> None:
    cast.ada.is_staff = cast.ada.is_superuser = True
    cast.ada.save()
    client.login(username="ada", password=PASSWORD)
    assert client.get(f"/admin/labelling/{model}/").status_code == 200
    place = GeosPoint(0, 0, srid=4326)
    site = Site.objects.create(footprint=place, point=place)
    assert client.get(f"/admin/labelling/site/{site.pk}/change/").status_code == 200
