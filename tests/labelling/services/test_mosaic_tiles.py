import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from labelling.core.errors import BadInput, NotFound
from labelling.core.grid import TileAddress
from labelling.core.quality import METHOD
from labelling.core.render import PLAIN_LIMITS, find_combination, render
from labelling.core.tiles import read_tile
from labelling.models import Scene
from labelling.services import mosaic_tiles
from labelling.services.mosaic_tiles import MosaicTile, draw_mosaic_tile, find_mosaic_tile, scenes_in_tile
from labelling.services.quality import measure_scene
from labelling.services.scenes import import_scenes
from tests.scenes import make_scene

pytestmark = pytest.mark.django_db

BANDS = ("B02", "B03", "B04", "B08", "B11")
CLOUD, FOREST, SAND = (6000, 5800, 5700, 6000, 3500), (300, 500, 300, 3500, 1500), (1500, 1900, 2300, 2800, 3300)
PLACE = (-5.9999, 43.3)
Add = Callable[..., Scene]


@pytest.fixture
def add(settings: Any, tmp_path: Path) -> Add:
    """Catalogues a scene of 128 by 128 pixels of one colour whose first columns are cloud; it is measured."""
    settings.SCENE_ROOTS, settings.TILE_ROOT = [tmp_path], tmp_path / "tiles"

    def add_scene(
        name: str, *, day: int = 1, of: tuple[int, ...] = FOREST, clouded: int = 0, empty: int = 0, **more: Any
    ) -> Scene:
        data = np.empty((5, 128, 128), np.uint16)
        data[:] = np.array(of, np.uint16)[:, None, None]
        data[:, :, :clouded] = np.array(CLOUD, np.uint16)[:, None, None]
        data[:, :, 128 - empty :] = 0
        said: dict[str, Any] = {"lon": PLACE[0] - 0.006, "lat": PLACE[1] + 0.006, "nodata": 0} | more
        tags = {"ACQUIRED_AT": f"2024-06-{day:02}T11:00:00Z"}
        path = make_scene(tmp_path / f"{name}.tif", bands=BANDS, data=data, tags=tags, **said)
        [scene] = import_scenes(paths=[path]).added
        measure_scene(scene=scene)
        scene.refresh_from_db()
        return scene

    return add_scene


def tile_at(z: int = 14, lon: float = PLACE[0], lat: float = PLACE[1]) -> TileAddress:
    count, phi = 1 << z, math.radians(lat)
    return TileAddress(z, int((lon + 180) / 360 * count), int((1 - math.asinh(math.tan(phi)) / math.pi) / 2 * count))


def names(order: str, *, tile: TileAddress | None = None, combination: str = "false-colour") -> list[str]:
    return [scene.name for scene in scenes_in_tile(order=order, tile=tile or tile_at(), combination=combination)]


def wanted(
    order: str = "latest", *, combination: str = "true-colour", fmt: str = "png", tile: TileAddress | None = None
) -> MosaicTile:
    return find_mosaic_tile(order=order, combination=combination, fmt=fmt, tile=tile or tile_at())


def decoded(image: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(image)).convert("RGBA"), int)


def by_hand(scenes: list[Scene], tile: TileAddress) -> np.ndarray[Any, Any]:
    """Each scene drawn alone, and the first that shows something taken pixel by pixel."""
    result = np.zeros((256, 256, 4), int)
    for scene in reversed(scenes):
        combination = find_combination("true-colour", scene.bands)
        pixels = read_tile(scene.ref(), tile=tile, bands=combination.bands)
        alone = decoded(render(pixels, combination, limits=[PLAIN_LIMITS], fmt="png"))
        result = np.where(pixels.mask[..., None], alone, result)
    return result


def test_the_latest_is_on_top_and_others_show_where_it_ends(add: Add) -> None:
    old = add("old", day=1)
    new = add("new", day=9, of=SAND, empty=50, lon=PLACE[0] - 0.008)
    image, is_whole = draw_mosaic_tile(wanted=wanted())
    assert is_whole
    assert names("latest") == ["new", "old"]
    assert (decoded(image) == by_hand([new, old], tile_at())).all()
    colours = {tuple(colour) for colour in decoded(image).reshape(-1, 4)}
    assert len(colours) > 2


def test_both_sides_of_the_edge_of_two_utm_zones_are_one_map(add: Add) -> None:
    west = add("west", crs="EPSG:32629", lon=-6.0155)
    east = add("east", crs="EPSG:32630", lon=-6.001, day=2, of=SAND)
    tile = tile_at(13, lon=-6.0001)
    image, _ = draw_mosaic_tile(wanted=wanted(tile=tile))
    assert (decoded(image) == by_hand([east, west], tile)).all()
    for one in (west, east):
        assert (decoded(image) != by_hand([one], tile)).any()


def test_the_cleanest_is_chosen_by_what_was_measured_in_the_tile(add: Add) -> None:
    add("new and hidden", day=9, clouded=128)
    add("older and clear", day=5)
    add("clear elsewhere", day=7, clouded=100)
    assert names("latest") == ["new and hidden", "clear elsewhere", "older and clear"]
    assert names("cleanest")[0] == "older and clear"


def test_of_scenes_as_clear_the_newest_counts_and_what_is_not_measured_comes_last(add: Add) -> None:
    for day in (3, 8, 5):
        add(f"day {day}", day=day)
    add("unmeasured", day=9)
    Scene.objects.filter(name="unmeasured").update(measured="", quality={}, clearness=b"", cell_px=0)
    assert names("cleanest") == ["day 8", "day 5", "day 3", "unmeasured"]
    assert names("latest")[0] == "unmeasured"
    assert Scene.objects.cleanest_first().last() == Scene.objects.get(name="unmeasured")
    assert Scene.objects.filter(measured=METHOD).count() == 3


def test_composites_and_undated_scenes_come_after_single_dates(add: Add) -> None:
    for name in ("single", "composite", "undated"):
        add(name)
    Scene.objects.filter(name="composite").update(kind="composite", acquired_at="2024-07-01T00:00:00Z")
    Scene.objects.filter(name="undated").update(acquired_at=None)
    assert names("latest") == ["single", "undated", "composite"]


def test_the_name_of_a_tile_follows_its_own_scenes_alone(add: Add) -> None:
    scene = add("one")
    first = wanted().etag
    add("far away", lon=10, lat=10)
    assert wanted().etag == first
    more = add("two", day=2)
    second = wanted().etag
    assert second != first
    Scene.objects.filter(pk=scene.pk).update(version="another")
    assert wanted().etag not in {first, second}
    more.delete()
    scene.delete()
    assert len({wanted().etag, first, second}) == 3
    assert len({wanted(order).etag for order in mosaic_tiles.ORDERS}) == 2


def test_a_second_look_reads_nothing_until_a_scene_changes(add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = add("one")
    first = draw_mosaic_tile(wanted=wanted())
    read: list[str] = []

    def noted(ref: Any, **more: Any) -> Any:
        read.append(ref.path)
        return read_tile(ref, **more)

    monkeypatch.setattr(mosaic_tiles, "read_tile", noted)
    assert draw_mosaic_tile(wanted=wanted()) == first
    assert read == []
    Scene.objects.filter(pk=scene.pk).update(version="another")
    draw_mosaic_tile(wanted=wanted())
    assert len(read) == 1


def copies(scene: Scene, count: int, **changes: Any) -> None:
    values = {field.attname: getattr(scene, field.attname) for field in Scene._meta.fields if field.name != "id"}
    rows = [
        Scene(**values | {"uri": f"{scene.uri}-{uuid4()}", "name": f"copy {number}"} | changes)
        for number in range(count)
    ]
    Scene.objects.bulk_create(rows)


def test_however_many_scenes_there_are_a_tile_looks_at_few_and_asks_little(add: Add) -> None:
    scene = add("one")
    elsewhere = Scene.objects.get(pk=add("aside", lon=PLACE[0] + 0.004).pk)
    Scene.objects.filter(pk=elsewhere.pk).update(acquired_at="2020-01-01T00:00:00Z")
    copies(scene, 150)
    for order in mosaic_tiles.ORDERS:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            found = scenes_in_tile(order=order, tile=tile_at(12), combination="ndvi")
        assert len(asked) == 2
        assert len(found) == mosaic_tiles.MOST_SCENES
        # ground that only one shows is not crowded out
        assert "aside" in [one.name for one in found]
    copies(scene, 3000, footprint=add("far away", lon=10, lat=10).footprint)
    assert len(scenes_in_tile(order="latest", tile=tile_at(12), combination="ndvi")) == mosaic_tiles.MOST_SCENES


def test_the_question_uses_the_spatial_index(add: Add) -> None:
    add("one")
    with CaptureQueriesContext(connection) as asked:
        scenes_in_tile(order="latest", tile=tile_at(), combination="swir")
    sql = asked[0]["sql"]
    assert ("idx_labelling_scene_footprint" if connection.vendor == "sqlite" else " && ") in sql


def test_a_scene_whose_file_is_gone_is_passed_over_and_the_tile_not_kept(
    add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, gone = add("there"), add("gone", day=9, of=SAND)
    Path(gone.uri).unlink()
    image, is_whole = draw_mosaic_tile(wanted=wanted())
    assert not is_whole
    assert (decoded(image) == by_hand([there], tile_at())).all()
    monkeypatch.setattr(mosaic_tiles, "keep_tile", lambda **_: pytest.fail("a part of a tile was kept"))
    draw_mosaic_tile(wanted=wanted())


def test_who_takes_too_long_is_not_waited_for(add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    add("one")
    monkeypatch.setattr(mosaic_tiles, "BUDGET_S", -1.0)
    image, is_whole = draw_mosaic_tile(wanted=wanted())
    assert not is_whole
    assert decoded(image)[..., 3].max() == 0


def test_a_large_scene_without_overviews_is_left_out_from_afar(add: Add) -> None:
    scene = add("large")
    Scene.objects.filter(pk=scene.pk).update(width=10_980, height=10_980)
    assert names("latest", tile=tile_at(10)) == []
    assert names("latest", tile=tile_at(14)) == ["large"]
    Scene.objects.filter(pk=scene.pk).update(has_overviews=True)
    assert names("latest", tile=tile_at(10)) == ["large"]


def test_scenes_without_the_bands_are_left_out(add: Add) -> None:
    add("one")
    assert names("latest", combination="swir") == []
    assert names("latest", combination="ndvi") == ["one"]


def test_where_there_is_no_scene_a_tile_is_empty(add: Add) -> None:
    add("far away", lon=10, lat=10)
    image, is_whole = draw_mosaic_tile(wanted=wanted())
    assert is_whole
    assert decoded(image)[..., 3].max() == 0


@pytest.mark.parametrize("z", range(mosaic_tiles.LEAST_ZOOM))
def test_from_afar_there_is_none_and_nothing_is_asked(add: Add, z: int) -> None:
    with CaptureQueriesContext(connection) as asked, pytest.raises(NotFound, match="come closer"):
        scenes_in_tile(order="latest", tile=tile_at(z), combination="swir")
    assert not asked.captured_queries


@pytest.mark.parametrize(
    "change", [{"order": "oldest"}, {"order": ""}, {"combination": "B04"}, {"combination": "weights"}, {"fmt": "gif"}]
)
def test_unknown_words_are_refused_with_those_that_are_known(db: None, change: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"there are (latest, cleanest|true-colour, .*png)"):
        wanted(**change)
