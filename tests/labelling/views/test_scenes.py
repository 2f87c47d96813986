import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labelling.models import Job, Scene
from labelling.services.quality import measure_scenes
from labelling.services.scenes import import_scenes
from labelling.views import scenes as views
from tests.cast import Cast
from tests.scenes import make_scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(cast: Cast, client: Client) -> Client:
    client.force_login(cast.ana)
    return client


@pytest.fixture
def ada(cast: Cast) -> Client:
    admin = Client()
    admin.force_login(cast.ada)
    return admin


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    make_scene(tmp_path / "plain.tif", bands=("B02", "B03", "B04"))
    make_scene(tmp_path / "infrared.tif", lon=-44.5)
    make_scene(tmp_path / "made-up.tif", lon=-44.4)
    import_scenes(paths=[tmp_path / "plain.tif", tmp_path / "infrared.tif"])
    import_scenes(paths=[tmp_path / "made-up.tif"], synthetic=True, kind="composite")
    # As if they were measured; of what is made up nothing is known yet.
    Scene.objects.filter(name="plain").update(level="L2A", quality={"valid": 1.0, "cloud": 0.2, "clear": 0.9})
    Scene.objects.filter(name="infrared").update(quality={"valid": 0.75, "cloud": 0.6, "clear": 0.4})
    return tmp_path


def page(client: Client, query: str = "") -> str:
    response = client.get(reverse("scenes") + query)
    assert response.status_code == 200
    return response.content.decode()


def names(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/scenes/\d+/">([^<]+)</a>', text)


def within(text: str, name: str) -> Any:
    found = re.search(rf'<script id="{name}" type="application/json">(.+?)</script>', text)
    assert found is not None
    return json.loads(found[1])


def test_an_empty_catalogue_says_what_to_do_first(ana: Client) -> None:
    text = page(ana)
    assert "No imagery yet" in text
    assert "manage.py import_scenes FOLDER" in text


@pytest.mark.usefixtures("catalogue")
def test_the_list_and_its_map_show_every_scene(ana: Client) -> None:
    text = page(ana)
    assert names(text) == ["infrared", "made-up", "plain"]
    assert text.count("pill-synthetic") == 1
    shapes = within(text, "shapes")
    assert [shape["name"] for shape in shapes] == names(text)
    for shape, picture in zip(shapes, re.findall(r'<img class="thumb" src="([^"]+)"', text), strict=True):
        assert shape["geometry"]["type"] == "MultiPolygon"
        assert ana.get(shape["href"]).status_code == 200
        assert ana.get(picture.replace("&amp;", "&"))["Content-Type"] == "image/webp"


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=LAIN", ["plain"]),
        ("?kind=composite", ["made-up"]),
        ("?band=B08", ["infrared", "made-up"]),
        ("?band=B08&kind=single", ["infrared"]),
        ("?region=tundra", []),
        ("?q=%25", []),
        ("?q=made-up&page=99", ["made-up"]),
        ("?cloud=20", ["plain"]),
        ("?cloud=60", ["infrared", "plain"]),
        ("?valid=80&cloud=100", ["plain"]),
        ("?order=clear", ["plain", "infrared", "made-up"]),
        ("?level=L2A", ["plain"]),
        ("?level=unknown", ["infrared", "made-up"]),
    ],
)
def test_a_filter_lives_in_the_address(ana: Client, query: str, found: list[str]) -> None:
    text = page(ana, query)
    assert names(text) == found
    assert found or "No scene like that" in text


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    "query",
    [
        "?cloud=-1",
        "?valid=clear",
        "?order=uri",
        "?level=L3",
        "?kind=other",
        "?band=%27;--",
        "?band=<b>",
        "?q=" + "a" * 101,
        "?region=" + "a" * 101,
    ],
)
def test_a_filter_of_nonsense_finds_nothing_and_says_so(ana: Client, query: str) -> None:
    text = page(ana, query)
    assert names(text) == []
    assert "This filter cannot be understood" in text


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    "query", ["?created_at__year=2020", "?uri__contains=x", "?_connector=OR", "?page=x", "?page=-1"]
)
def test_unknown_words_in_the_address_reach_no_query(ana: Client, query: str) -> None:
    assert len(names(page(ana, query))) == 3


@pytest.mark.usefixtures("catalogue")
def test_long_lists_come_in_pages(ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "PER_PAGE", 2)
    assert names(page(ana)) == ["infrared", "made-up"]
    assert names(page(ana, "?page=2")) == ["plain"]
    assert "page=2" in page(ana, "?q=")


@pytest.mark.usefixtures("catalogue")
def test_a_page_costs_the_same_however_many_scenes_it_lists(ana: Client, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(9):
        page(ana)


def test_a_scene_has_a_page_with_its_facts_and_combinations(ana: Client, ada: Client, catalogue: Path) -> None:
    scene = Scene.objects.get(name="infrared")
    text = ana.get(reverse("scene", args=[scene.pk])).content.decode()
    shown = re.findall(r'name="combination" value="([^"]+)"', text)
    assert shown == ["true-colour", "false-colour", "ndvi", "iron", "weights"]
    assert "number × 0.0001 +0" in text
    assert within(text, "scene")["version"] == scene.version
    assert str(catalogue) not in text
    assert str(catalogue) in ada.get(reverse("scene", args=[scene.pk])).content.decode()
    assert "Write a cloud-optimised copy" not in text


def test_a_name_is_text_and_never_markup(ana: Client, catalogue: Path) -> None:
    evil = "<img src=x onerror=alert(1)></script>"
    Scene.objects.filter(name="plain").update(name=evil, attribution=evil)
    scene = Scene.objects.get(name=evil)
    for text in (page(ana), ana.get(reverse("scene", args=[scene.pk])).content.decode()):
        assert "<img src=x" not in text


def test_a_large_scene_without_overviews_offers_a_copy_to_who_may_order_it(
    ana: Client, ada: Client, tmp_path: Path
) -> None:
    scene = import_scenes(paths=[make_scene(tmp_path / "big.tif", size=1100)]).added[0]
    here, order = reverse("scene", args=[scene.pk]), reverse("scene-convert", args=[scene.pk])
    assert "no overviews" in page(ana)
    assert "This file has no overviews" in ana.get(here).content.decode()
    assert "Write a cloud-optimised copy" not in ana.get(here).content.decode()
    assert ana.post(order).status_code == 403
    assert "Write a cloud-optimised copy" in ada.get(here).content.decode()
    assert ada.post(order)["Location"] == here
    assert ada.post(order)["Location"] == here
    job = Job.objects.get()
    assert (job.kind, job.params) == ("labelling.convert_scene", {"scene": scene.pk})
    waiting = ada.get(here).content.decode()
    assert 'data-state="queued"' in waiting
    assert "Write a cloud-optimised copy" not in waiting


def test_a_scene_that_needs_no_copy_gets_none(ada: Client, catalogue: Path) -> None:
    scene = Scene.objects.get(name="plain")
    response = ada.post(reverse("scene-convert", args=[scene.pk]), follow=True)
    assert "this scene needs no copy" in response.content.decode()
    assert not Job.objects.exists()


def test_the_server_administration_lists_scenes_and_invents_none(cast: Cast, catalogue: Path) -> None:
    cast.ada.is_staff = True
    cast.ada.save()
    admin = Client()
    admin.force_login(cast.ada)
    assert "infrared" in admin.get("/admin/labelling/scene/?q=infra").content.decode()
    scene = Scene.objects.get(name="plain")
    assert admin.get(f"/admin/labelling/scene/{scene.pk}/change/").status_code == 200
    assert admin.get("/admin/labelling/scene/add/").status_code == 403
    outside = admin.get('/admin/labelling/scene/?footprint__intersects={"driver":"GTiff","name":"x.tif"}')
    assert outside.status_code in {302, 400}


@pytest.mark.usefixtures("catalogue")
def test_the_list_shows_how_clear_scenes_are_and_a_dash_where_that_is_not_known(ana: Client) -> None:
    rows = re.findall(r"<tr data-scene.+?</tr>", page(ana, "?order=clear"), re.DOTALL)
    cells = [
        [re.sub(r"\s", "", cell) for cell in re.findall(r'<td class="num nowrap">(.+?)</td>', row)] for row in rows
    ]
    assert [row[1:] for row in cells] == [["100%", "20%", "90%"], ["75%", "60%", "40%"], ["100%", "–", "–"]]


@pytest.mark.usefixtures("catalogue")
def test_the_page_of_a_scene_says_how_good_it_is(ana: Client) -> None:
    scene = Scene.objects.get(name="plain")
    address = reverse("scene", args=[scene.pk])
    assert "Not measured yet" in ana.get(address).content.decode()
    measure_scenes(anew=True)
    text = ana.get(address).content.decode()
    assert "Not measured yet" not in text
    assert "mean weight of its pixels" in text
    assert "<dt>Clouds by</dt><dd>spectrum</dd>" in text
    assert "its time of day is not known" in text
    assert "<dt>Classification</dt><dd>none</dd>" in text
    assert "said by the file" in text
    Path(scene.uri).unlink()
    measure_scenes(anew=True)
    assert "Could not be measured: plain.tif: no such file" in ana.get(address).content.decode()


@pytest.mark.usefixtures("catalogue")
def test_what_metadata_state_of_the_whole_product_is_told_apart(ana: Client) -> None:
    scene = Scene.objects.get(name="plain")
    Scene.objects.update(quality={"valid": 0.9659, "product_cloud": 0.5977, "product_empty": 0.4042, "sun": 32.18})
    text = re.sub(r"\s+", " ", ana.get(reverse("scene", args=[scene.pk])).content.decode())
    assert "59.8 % cloud, 40.4 % without data <span" in text
    assert "32.2° above the horizon" in text
