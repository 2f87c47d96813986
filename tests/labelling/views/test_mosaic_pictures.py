"""Tiles and pictures of several scenes under one address."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from labelling.core.raster import transformer
from labelling.models import Scene
from labelling.services.mosaics import SceneMosaic
from labelling.services.scenes import import_scenes
from tests.cast import Cast
from tests.halves import CORNER, CRS, SIDE, Halves, cut_in_halves

pytestmark = pytest.mark.django_db
STRETCH = "?stretch=0,0.6"


@pytest.fixture
def halves(tmp_path: Path, settings: Any) -> Halves:
    settings.TILE_ROOT = tmp_path / "tiles"
    return cut_in_halves(tmp_path / "scenes")


@pytest.fixture
def gus(cast: Cast, client: Client) -> Client:
    client.force_login(cast.gus)
    return client


def both(halves: Halves) -> SceneMosaic:
    return SceneMosaic((halves.west, halves.east))


def address(mosaic: SceneMosaic, name: str = "scene-thumb", **changes: Any) -> str:
    words = {"scenes": mosaic.key, "version": mosaic.version, "fmt": "png"}
    words |= {} if name == "scene-sheet" else {"combination": "true-colour"}
    return reverse(name, kwargs={**words, **changes})


def inner_box() -> str:
    """A box well inside of the ground, over the seam."""
    (left, top), (right, low) = CORNER @ (20, 20), CORNER @ (SIDE - 20, SIDE - 20)
    west, south = transformer(CRS, "EPSG:4326").transform(left, low)
    east, north = transformer(CRS, "EPSG:4326").transform(right, top)
    return f"bbox={west:.6f},{south:.6f},{east:.6f},{north:.6f}&size=128"


def decoded(response: Any) -> np.ndarray[Any, Any]:
    assert response.status_code == 200, response.content
    return np.asarray(Image.open(io.BytesIO(response.content)).convert("RGBA"), int)


def test_a_picture_over_the_seam_is_that_of_the_whole_ground(gus: Client, halves: Halves) -> None:
    [whole] = import_scenes(paths=[Path(halves.whole.path)]).added
    query = f"{STRETCH}&{inner_box()}"
    across = decoded(gus.get(address(both(halves)) + query))
    alone = decoded(gus.get(address(SceneMosaic((halves.west,))) + query))
    truth = decoded(gus.get(address(SceneMosaic((whole,))) + query))
    assert (across[..., 3] == 255).all()
    assert 0.4 < (alone[..., 3] == 255).mean() < 0.7
    off = np.abs(across - truth)[..., :3].max(axis=2)
    assert np.percentile(off, 99) <= 1


def test_tiles_of_a_mosaic_show_what_either_scene_shows(gus: Client, halves: Halves) -> None:
    west, south, east, north = both(halves).bounds
    count, lat = 1 << 11, np.radians((south + north) / 2)
    x, y = ((west + east) / 2 + 180) / 360, (1 - np.arcsinh(np.tan(lat)) / np.pi) / 2
    place = {"z": 11, "x": int(x * count), "y": int(y * count)}
    across = gus.get(address(both(halves), "scene-tile", **place) + STRETCH)
    assert across["Cache-Control"] == "private, max-age=31536000, immutable"
    shown = decoded(across)[..., 3] > 0
    parts = [
        decoded(gus.get(address(SceneMosaic((scene,)), "scene-tile", **place) + STRETCH))[..., 3] > 0
        for scene in both(halves).scenes
    ]
    assert (shown == (parts[0] | parts[1])).all()
    assert shown.sum() > max(part.sum() for part in parts)


def test_a_sheet_holds_every_combination_of_the_mosaic(gus: Client, halves: Halves) -> None:
    sheet = decoded(gus.get(f"{address(both(halves), 'scene-sheet')}?{inner_box()}"))
    assert sheet.shape[1] == 4 * decoded(gus.get(f"{address(both(halves))}?{inner_box()}")).shape[1]
    assert (sheet[..., 3] == 255).all()


def test_weights_are_drawn_over_the_seam(gus: Client, halves: Halves) -> None:
    drawn = decoded(gus.get(f"{address(both(halves), combination='weights')}?{inner_box()}"))
    assert (drawn[..., 3] == 255).all()


def test_the_address_of_an_old_version_leads_to_the_new_one(gus: Client, halves: Halves) -> None:
    old = address(both(halves))
    Scene.objects.filter(pk=halves.east.pk).update(version="another")
    response = gus.get(old + STRETCH)
    assert response.status_code == 302
    halves.east.refresh_from_db()
    assert response["Location"] == address(both(halves)) + STRETCH


def test_a_part_whose_file_is_gone_is_said_not_left_out(gus: Client, halves: Halves) -> None:
    Path(halves.east.uri).unlink()
    assert gus.get(f"{address(both(halves))}?{inner_box()}").status_code == 404


@pytest.mark.parametrize("key", ["999", "{west}-999", "{west}-{west}", "x", "-", "9" * 30, "1-" * 200 + "1"])
def test_scenes_that_are_not_there_are_not_there_alike(gus: Client, halves: Halves, key: str) -> None:
    named = key.format(west=halves.west.pk)
    answer = gus.get(address(both(halves), scenes=named))
    assert (answer.status_code, answer.content) == (404, b"no such scene")


def place_of(halves: Halves, z: int = 13) -> dict[str, int]:
    """The tile over the seam."""
    lon, lat = transformer(CRS, "EPSG:4326").transform(*(CORNER @ (64, 64)))
    count, phi = 1 << z, np.radians(lat)
    return {"z": z, "x": int((lon + 180) / 360 * count), "y": int((1 - np.arcsinh(np.tan(phi)) / np.pi) / 2 * count)}


def layer(place: dict[str, Any], name: str = "mosaic-tile", **changes: Any) -> str:
    words = {"order": "latest", "combination": "true-colour"} | ({"fmt": "webp"} if name == "mosaic-tile" else {})
    return reverse(name, kwargs={**words, **place, **changes})


def test_the_layers_of_all_imagery_are_kept_a_minute_and_follow_the_catalogue(gus: Client, halves: Halves) -> None:
    place = place_of(halves)
    answer = gus.get(layer(place))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert answer["Cache-Control"] == "private, max-age=60"
    assert decoded(answer)[..., 3].max() == 255
    asked = {"if-none-match": answer["ETag"]}
    again = gus.get(layer(place), headers=asked)
    assert (again.status_code, again.content, again["Cache-Control"]) == (304, b"", "private, max-age=60")
    Scene.objects.filter(pk=halves.east.pk).update(version="another")
    assert gus.get(layer(place), headers=asked).status_code == 200


def test_who_asks_learns_which_scenes_a_tile_shows(gus: Client, halves: Halves) -> None:
    told = gus.get(layer(place_of(halves), "mosaic-scenes")).json()["scenes"]
    assert [one["name"] for one in told] == ["west", "east"]
    assert told[0] == {
        "id": halves.west.pk,
        "name": "west",
        "acquired_at": "2024-07-18T13:30:00Z",
        "attribution": halves.west.attribution,
    }


def test_a_tile_that_passed_a_scene_over_is_not_kept(gus: Client, halves: Halves) -> None:
    Path(halves.west.uri).unlink()
    answer = gus.get(layer(place_of(halves)))
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert not answer.has_header("ETag")
    assert decoded(answer)[..., 3].max() == 255


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"order": "oldest"}, 400), ({"combination": "B04"}, 400),
        ({"combination": "true-colour' OR 1=1--"}, 400), ({"fmt": "svg"}, 400), ({"z": "99"}, 400), ({"z": "-1"}, 400),
        ({"z": 7, "x": 1, "y": 1}, 404), ({"x": "9" * 400}, 400), ({"x": 1 << 13}, 400), ({"y": "1.5"}, 400),
        ({"z": "１３"}, 400),
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_words(gus: Client, halves: Halves, change: dict[str, Any], status: int) -> None:
    place = {**place_of(halves), **{key: value for key, value in change.items() if key in "zxy"}}
    words = {key: value for key, value in change.items() if key not in "zxy"}
    answer = gus.get(layer(place, **words))
    assert (answer.status_code, answer["Cache-Control"]) == (status, "no-store")
    assert len(answer.content) > 15


def test_who_may_not_see_scenes_sees_no_mosaic(client: Client, cast: Cast, halves: Halves) -> None:
    addresses = [layer(place_of(halves)), layer(place_of(halves), "mosaic-scenes"), address(both(halves))]
    assert {client.get(path).status_code for path in addresses} == {302}
    client.force_login(cast.eve)
    assert {client.get(path).status_code for path in addresses} == {403}
    assert {client.post(path).status_code for path in addresses} == {405}
