import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from PIL import Image

from labelling.core.render import combinations_for
from labelling.models import Scene
from labelling.services import tiles
from labelling.services.scenes import import_scenes
from tests.cast import Cast
from tests.scenes import made_up_ground, make_scene

pytestmark = pytest.mark.django_db
BRAZIL = django_settings.SHARED_DATA / "imagery" / "brazil_tailings" / "scenes"


@pytest.fixture(autouse=True)
def _tiles(tmp_path: Path, settings: Any) -> None:
    settings.TILE_ROOT = tmp_path / "tiles"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    data = made_up_ground(4, 128, 128)
    data[:, :, :30] = 0
    return import_scenes(paths=[make_scene(tmp_path / "a.tif", data=data, nodata=0)]).added[0]


@pytest.fixture
def gus(cast: Cast, client: Client) -> Iterator[Client]:
    """Gus only looks: whoever may see scenes may see their tiles."""
    client.force_login(cast.gus)
    yield client


def middle(scene: Scene, z: int = 14) -> dict[str, Any]:
    west, south, east, north = scene.footprint.extent
    count, lat = 1 << z, math.radians((south + north) / 2)
    y = (1 - math.asinh(math.tan(lat)) / math.pi) / 2 * count
    return {"z": z, "x": int(((west + east) / 2 + 180) / 360 * count), "y": int(y)}


def address(scene: Scene, **changes: Any) -> str:
    words = {"scenes": scene.pk, "version": scene.version, "combination": "true-colour", "fmt": "png"}
    return reverse("scene-tile", kwargs={**words, **middle(scene), **changes})


def thumb(scene: Scene, query: str = "", **changes: Any) -> str:
    words = {"scenes": scene.pk, "version": scene.version, "combination": "true-colour", "fmt": "png"}
    return reverse("scene-thumb", kwargs={**words, **changes}) + query


def decoded(response: Any) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(response.content)))


@pytest.mark.parametrize(("fmt", "kind"), [("png", "image/png"), ("webp", "image/webp"), ("jpg", "image/jpeg")])
def test_a_tile_is_an_image_that_the_browser_keeps_for_good(gus: Client, scene: Scene, fmt: str, kind: str) -> None:
    response = gus.get(address(scene, fmt=fmt))
    assert (response.status_code, response["Content-Type"]) == (200, kind)
    assert response["Cache-Control"] == "private, max-age=31536000, immutable"
    image = Image.open(io.BytesIO(response.content))
    assert image.size == (256, 256)
    again = gus.get(address(scene, fmt=fmt), headers={"if-none-match": response["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", response["ETag"])
    assert again["Cache-Control"] == response["Cache-Control"]


def test_no_data_and_what_lies_outside_are_transparent(gus: Client, scene: Scene) -> None:
    shown = decoded(gus.get(address(scene, **middle(scene, 13))))
    alpha = shown[..., 3]
    assert set(np.unique(alpha)) == {0, 255}
    ground_px = 1280 / (2 * math.pi * 6378137 / 2**13 / 256 * math.cos(math.radians(21.07)))
    assert (alpha > 0).sum() == pytest.approx(ground_px**2 * 98 / 128, rel=0.06)


def test_a_tile_within_the_footprint_without_data_is_wholly_transparent(gus: Client, tmp_path: Path) -> None:
    data = made_up_ground(3, 200, 200)
    data[:, 20:, 20:] = 0
    path = make_scene(tmp_path / "hole.tif", data=data, bands=("B02", "B03", "B04"), nodata=0)
    hole = import_scenes(paths=[path]).added[0]
    response = gus.get(address(hole, **middle(hole, 16)))
    assert response.status_code == 200
    assert decoded(response)[..., 3].max() == 0


def test_a_second_look_is_not_drawn_again(gus: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    first = gus.get(address(scene))

    def no_reading(*_: Any, **__: Any) -> None:
        raise AssertionError("the tile was read again")

    monkeypatch.setattr(tiles, "read_tile", no_reading)
    assert gus.get(address(scene)).content == first.content
    with pytest.raises(AssertionError, match="read again"):
        gus.get(address(scene, combination="iron"))


def test_each_combination_stretch_and_format_is_an_image_of_its_own(gus: Client, scene: Scene) -> None:
    ways = [
        {},
        {"combination": "iron"},
        {"combination": "ndvi"},
        {"combination": "B08,B04,B03"},
        {"combination": "B04"},
    ]
    replies: list[Any] = [gus.get(address(scene, **way)) for way in ways]
    replies.append(gus.get(address(scene) + "?stretch=0,0.9"))
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.content for reply in replies}) == len({reply["ETag"] for reply in replies}) == 6


def test_a_stretch_makes_the_image_as_bright_as_it_says(gus: Client, scene: Scene) -> None:
    bright, dark = (decoded(gus.get(address(scene) + f"?stretch={text}")) for text in ("0,0.05", "0.8,0.9"))
    assert np.median(bright[bright[..., 3] > 0][:, :3]) == 255
    assert dark[..., :3].max() == 0


@pytest.mark.parametrize(
    ("changes", "query"),
    [
        ({"z": 25}, ""), ({"z": "a"}, ""), ({"z": "-1"}, ""), ({"z": "1e1"}, ""), ({"z": "９"}, ""),
        ({"z": "9" * 5000}, ""),
        ({"x": 1 << 14}, ""), ({"y": 1 << 14}, ""), ({"x": "1.5"}, ""),
        ({"combination": "nonsense"}, ""), ({"combination": "swir"}, ""), ({"combination": "B99"}, ""),
        ({"combination": "B04,B03"}, ""), ({"combination": "1,2,3"}, ""),
        ({"fmt": "gif"}, ""), ({"fmt": "svg"}, ""), ({"fmt": "PNG"}, ""),
        ({}, "?stretch=1"), ({}, "?stretch=nan,1"), ({}, "?stretch=2,1"), ({}, "?stretch=a,b"),
        ({}, "?stretch=0,1e999"),
    ],
)  # fmt: skip
def test_nonsense_is_a_bad_request_that_says_why(
    gus: Client, scene: Scene, changes: dict[str, Any], query: str
) -> None:
    response = gus.get(address(scene, **changes) + query)
    assert response.status_code == 400
    assert response["Content-Type"] == "text/plain"
    assert response["Cache-Control"] == "no-store"
    assert len(response.content) > 15


def test_outside_the_footprint_there_is_nothing(gus: Client, scene: Scene) -> None:
    for place in ({"x": 0, "y": 0}, {"x": middle(scene)["x"] + 3}):
        response = gus.get(address(scene, **place))
        assert (response.status_code, response["Cache-Control"]) == (404, "no-store")


def test_an_unknown_scene_is_not_found(gus: Client, scene: Scene) -> None:
    for number in (scene.pk + 1, 10**30):
        assert gus.get(address(scene, scenes=number)).status_code == 404


def test_an_old_version_leads_to_the_one_that_is_now(gus: Client, scene: Scene) -> None:
    response = gus.get(address(scene, version="0123456789abcdef") + "?stretch=0,0.3")
    assert (response.status_code, response["Cache-Control"]) == (302, "no-store")
    assert response["Location"] == address(scene) + "?stretch=0,0.3"
    response = gus.get(thumb(scene, "?size=32", version="old"))
    assert response["Location"] == thumb(scene, "?size=32")


def test_a_file_that_is_gone_is_told_without_its_path(gus: Client, scene: Scene, tmp_path: Path) -> None:
    Path(scene.uri).unlink()
    response = gus.get(address(scene))
    assert (response.status_code, response.content) == (404, b"a.tif: no such file")


def test_only_looking_is_allowed(gus: Client, scene: Scene) -> None:
    assert gus.head(address(scene)).status_code == 200
    for method in (gus.post, gus.put, gus.delete, gus.patch):
        assert method(address(scene)).status_code == 405


def test_eve_and_strangers_see_no_tiles(cast: Cast, client: Client, scene: Scene) -> None:
    assert client.get(address(scene)).status_code == 302
    client.force_login(cast.eve)
    assert client.get(address(scene)).status_code == 403
    assert client.get(address(scene, scenes=scene.pk + 1)).status_code == 403


def test_a_thumbnail_shows_the_whole_scene_or_a_part(gus: Client, scene: Scene) -> None:
    whole = gus.get(thumb(scene, "?size=100"))
    assert (whole.status_code, whole["Cache-Control"]) == (200, "private, max-age=31536000, immutable")
    height, width, _ = decoded(whole).shape
    assert max(height, width) == 100
    assert min(height, width) > 90
    west, south, east, north = scene.footprint.extent
    box = f"?size=64&bbox={west},{south},{(west + east) / 2},{north}"
    part = decoded(gus.get(thumb(scene, box, fmt="webp")))
    assert part.shape[0] == 64
    assert 30 <= part.shape[1] <= 33
    assert gus.get(thumb(scene, box), headers={"if-none-match": gus.get(thumb(scene, box))["ETag"]}).status_code == 304


def sheet(scene: Scene, query: str = "", **changes: Any) -> str:
    words = {"scenes": scene.pk, "version": scene.version, "fmt": "png"}
    return reverse("scene-sheet", kwargs={**words, **changes}) + query


def test_a_sheet_shows_every_combination_side_by_side(gus: Client, scene: Scene) -> None:
    names = [one.id for one in combinations_for(scene.bands)]
    assert len(names) > 1
    west, south, east, north = scene.footprint.extent
    box = f"?size=64&bbox={west},{south},{(west + east) / 2},{north}"
    answer = gus.get(sheet(scene, box))
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    whole = decoded(answer)
    alone = [decoded(gus.get(thumb(scene, box, combination=name))) for name in names]
    assert whole.shape == (64, len(names) * alone[0].shape[1], 4)
    # GDAL weighs pixels beside the gap a little differently when it reads more bands at once.
    cells = np.hsplit(whole.astype(int), len(names))
    assert all(np.abs(cell - one).mean() < 2 for cell, one in zip(cells, alone, strict=True))
    assert np.abs(cells[0] - alone[1]).mean() > 10
    assert gus.get(sheet(scene, box), headers={"if-none-match": answer["ETag"]}).status_code == 304


def test_a_sheet_of_an_old_version_or_of_nonsense_is_answered_like_a_tile(gus: Client, scene: Scene) -> None:
    assert gus.get(sheet(scene, "?size=32", version="old"))["Location"] == sheet(scene, "?size=32")
    assert gus.get(sheet(scene, scenes=scene.pk + 1)).status_code == 404
    assert gus.get(sheet(scene, fmt="gif")).status_code == 400
    assert gus.get(sheet(scene, "?size=0")).status_code == 400


@pytest.mark.parametrize(
    "query",
    ["?size=0", "?size=15", "?size=1025", "?size=-5", "?size=1e2", "?size=abc", "?bbox=1", "?bbox=1,2,3",
     "?bbox=5,0,1,1", "?bbox=0,5,1,1", "?bbox=nan,0,1,1", "?bbox=0,0,1,89", "?bbox=-181,0,1,1",
     '?bbox={"driver":"GTiff"}', "?bbox=0,0,0,0"],
)  # fmt: skip
def test_a_thumbnail_of_nonsense_is_a_bad_request(gus: Client, scene: Scene, query: str) -> None:
    assert gus.get(thumb(scene, query)).status_code == 400


@pytest.mark.real
@pytest.mark.skipif(not BRAZIL.is_dir(), reason=f"no real imagery at {BRAZIL}: set MAD_SHARED_DATA")
def test_tiles_of_real_scenes_have_the_colours_of_the_ground(gus: Client) -> None:
    names = ("chip_001.tif", "chip_060.tif", "chip_071.tif")
    for real in import_scenes(paths=[BRAZIL / name for name in names]).added:
        shown = decoded(gus.get(address(real, **middle(real, 13)))).astype(float)
        ground = shown[shown[..., 3] > 0][:, :3] if shown.shape[2] == 4 else shown.reshape(-1, 3)
        dark, mean, bright = np.percentile(ground, 2), ground.mean(), np.percentile(ground, 98)
        assert dark < 40 < mean < 150 < bright
        assert np.abs(ground.mean(axis=0) - mean).max() < 40


def test_weights_are_drawn_bright_where_a_scene_is_clear_and_dark_where_clouds_hide_it(
    gus: Client, tmp_path: Path
) -> None:
    data = np.full((4, 128, 128), 800, np.uint16)
    data[:, :, 100:] = 0
    make_scene(tmp_path / "b_SCL.tif", bands=("SCL",), data=_halves(9, 4), scale=None)
    scene = import_scenes(paths=[make_scene(tmp_path / "b.tif", data=data, nodata=0)]).added[0]
    shown = decoded(gus.get(thumb(scene, "?size=128", combination="weights")))
    cloud, clear, nothing = (shown[64, column].astype(int) for column in (20, 80, 120))
    assert cloud[:3].sum() + 200 < clear[:3].sum()
    assert (cloud[3], clear[3], nothing[3]) == (255, 255, 0)
    tile = decoded(gus.get(address(scene, combination="weights")))
    assert len(np.unique(tile[tile[..., 3] > 0][:, :3], axis=0)) >= 2


def _halves(left: int, right: int) -> np.ndarray[Any, Any]:
    classes = np.full((1, 128, 128), right, np.uint8)
    classes[:, :, :64] = left
    return classes
