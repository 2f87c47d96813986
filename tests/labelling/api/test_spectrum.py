"""The spectrum of a site over HTTP: who may, what is told, and what a browser may keep."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from django.test import Client

from labelling.api import answers
from labelling.core.matching import ClaimSpec
from labelling.models import Scene, Site
from labelling.services.scenes import import_scenes
from labelling.services.sites import place_claims
from tests.api import matches
from tests.cast import Cast
from tests.mines import a_source, decide
from tests.scenes import make_scene

pytestmark = pytest.mark.django_db

BANDS = ("B02", "B03", "B04")
NOBODY = 10**12  # no sequence comes so far


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Dark ground of 640 m with a bright square in its middle."""
    data = np.full((3, 64, 64), 500, np.uint16)
    data[:, 24:40, 24:40] = 2000
    return import_scenes(paths=[make_scene(tmp_path / "a.tif", data=data, bands=BANDS)]).added[0]


def a_site_in(scene: Scene, *, left: float = 0.375, right: float = 0.625, name: str = "the bright one") -> Site:
    """A site over a part of a scene, as shares of its width; in the middle of its height."""
    west, south, east, north = scene.footprint.extent
    across, up = east - west, north - south
    inner = shapely.box(west + across * left, south + up * 0.375, west + across * right, south + up * 0.625)
    placed = place_claims(source=a_source(), claims=[ClaimSpec(name, inner, {})])
    return Site.objects.get(pk=placed.proposals[0].site_id)


@pytest.fixture
def gus(cast: Cast, client: Client) -> Client:
    """Gus only looks."""
    client.force_login(cast.gus)
    return client


def get(client: Client, site: int, scene: int | str, **headers: str) -> Any:
    return client.get(f"/api/v1/sites/{site}/spectrum/?scene={scene}", headers=headers)


def test_a_site_is_set_against_its_surroundings(gus: Client, scene: Scene) -> None:
    site = a_site_in(scene)
    response = get(gus, site.pk, scene.pk)
    assert response.status_code == 200
    told = response.json()
    assert matches(told, answers.SpectrumOut())
    assert (told["site"], told["scene"], told["ring_m"]) == (site.pk, scene.pk, [30, 150])
    assert [(band["band"], band["wavelength_nm"]) for band in told["bands"]] == [
        ("B02", 490),
        ("B03", 560),
        ("B04", 665),
    ]
    for band in told["bands"]:
        assert band["inside"]["median"] == pytest.approx(0.2, abs=0.001)
        assert band["ring"]["median"] == pytest.approx(0.05, abs=0.001)
        assert band["contrast"] == pytest.approx(0.6, abs=0.01)
    assert 0 < told["inside_px"] < told["ring_px"]


def test_a_browser_keeps_it_until_the_site_changes(gus: Client, cast: Cast, scene: Scene) -> None:
    site = a_site_in(scene)
    first = get(gus, site.pk, scene.pk)
    assert first["Cache-Control"] == "private, no-cache"
    kept = get(gus, site.pk, scene.pk, **{"if-none-match": first["ETag"]})
    assert (kept.status_code, kept.content) == (304, b"")
    assert (kept["ETag"], kept["Cache-Control"]) == (first["ETag"], "private, no-cache")

    decide(cast.ana, site)
    changed = get(gus, site.pk, scene.pk, **{"if-none-match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]
    assert changed.json()["version"] == 1

    Scene.objects.filter(pk=scene.pk).update(version="another")
    assert get(gus, site.pk, scene.pk, **{"if-none-match": changed["ETag"]}).status_code == 200


def test_a_neighbour_leaves_the_ring_and_comes_back_when_it_is_rejected(gus: Client, cast: Cast, scene: Scene) -> None:
    site = a_site_in(scene)
    alone = get(gus, site.pk, scene.pk)
    neighbour = a_site_in(scene, left=0.7, right=0.95, name="the neighbour")
    beside = get(gus, site.pk, scene.pk, **{"if-none-match": alone["ETag"]})
    assert beside.status_code == 200
    assert beside.json()["ring_px"] < alone.json()["ring_px"]
    decide(cast.ana, neighbour, "reject", reason="not_a_mine")
    assert get(gus, site.pk, scene.pk, **{"if-none-match": alone["ETag"]}).status_code == 304


def test_what_is_not_there_is_not_there_alike(gus: Client, scene: Scene, tmp_path: Path) -> None:
    site = a_site_in(scene)
    away = import_scenes(paths=[make_scene(tmp_path / "b.tif", lon=10, lat=10, bands=BANDS)]).added[0]
    answers_ = [get(gus, *ids) for ids in ((site.pk, NOBODY), (NOBODY, scene.pk), (site.pk, away.pk), (2**62, 2**62))]
    assert {answer.status_code for answer in answers_} == {404}
    assert len({answer.content for answer in answers_}) == 1
    assert {answer["Cache-Control"] for answer in answers_} == {"private, no-store"}


def test_a_scene_whose_file_is_gone_is_not_there(gus: Client, scene: Scene) -> None:
    site = a_site_in(scene)
    Path(scene.uri).unlink()
    response = get(gus, site.pk, scene.pk)
    assert response.status_code == 404
    assert response.json() == {"error": "a.tif: no such file"}


@pytest.mark.parametrize("scene_id", ["", "x", "-1", "0", "9" * 30, "1&more=2"])
def test_a_scene_must_be_named_rightly(gus: Client, scene_id: str) -> None:
    assert get(gus, 1, scene_id).status_code == 400


def test_only_who_may_see_sites(cast: Cast, client: Client, scene: Scene) -> None:
    site = a_site_in(scene)
    assert get(client, site.pk, scene.pk).status_code == 401
    client.force_login(cast.eve)
    refused = get(client, site.pk, scene.pk)
    assert (refused.status_code, refused["Cache-Control"]) == (403, "private, no-store")
