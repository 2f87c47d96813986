from pathlib import Path
from typing import Any

import pytest
import shapely

from labelling.core.chips import chip_grid, cut_grid
from labelling.core.errors import NotFound
from labelling.core.mosaic import read_mosaic
from labelling.core.spectra import measure_spectrum
from labelling.models import Scene, Site
from labelling.models.spatial import to_shapely
from labelling.services.evidence import find_evidence, measure_evidence
from labelling.services.items import build_item
from labelling.services.mosaics import MAX_SCENES, SceneMosaic, find_mosaic, mosaic_over
from labelling.services.pictures import take_pictures
from tests.cast import Cast
from tests.halves import Halves, cut_in_halves

pytestmark = pytest.mark.django_db


@pytest.fixture
def halves(tmp_path: Path, settings: Any, taxonomy: None) -> Halves:
    settings.SCENE_ROOTS = [tmp_path]
    return cut_in_halves(tmp_path)


def place_of(site: Site) -> Any:
    return to_shapely(site.footprint)


def copy(scene: Scene, **changes: Any) -> Scene:
    """The same image once more in the catalogue."""
    values = {field.attname: getattr(scene, field.attname) for field in Scene._meta.fields if field.name != "id"}
    number = Scene.objects.count()
    return Scene.objects.create(**values | {"uri": f"{scene.uri}-{number}", "name": f"copy {number}"} | changes)


def test_a_site_over_an_edge_is_read_as_one_window(halves: Halves) -> None:
    site = halves.site()
    mosaic = mosaic_over(scenes=[halves.west, halves.east], place=place_of(site))
    assert mosaic is not None
    assert mosaic.scenes == (halves.west, halves.east)
    grid = chip_grid(lon=site.point.x, lat=site.point.y, side_px=40, pixel_m=10)
    refs = [scene.ref() for scene in mosaic.scenes]
    assert not any(cut_grid(ref, grid).mask.all() for ref in refs)
    assert read_mosaic(refs, grid).reflectance() == pytest.approx(cut_grid(halves.whole, grid).reflectance(), abs=1e-6)


def test_a_scene_that_shows_the_place_needs_no_other(halves: Halves) -> None:
    inside = place_of(halves.site(columns=(4, 30), name="inside"))
    assert mosaic_over(scenes=[halves.west, halves.east], place=inside) is None
    assert mosaic_over(scenes=[], place=inside) is None
    assert mosaic_over(scenes=[halves.west], place=place_of(halves.site())) is None
    assert mosaic_over(scenes=[halves.west, halves.east], place=shapely.Point(0, 0)) is None


def test_the_nearest_in_time_fills_and_none_that_adds_nothing(halves: Halves) -> None:
    later = copy(halves.east, acquired_at=halves.west.acquired_at)
    again = copy(halves.west)
    found = mosaic_over(scenes=[halves.west, again, halves.east, later], place=place_of(halves.site()))
    assert found is not None
    assert found.scenes == (halves.west, later)


@pytest.mark.parametrize("change", [{"level": "L1C"}, {"sensor": "landsat-8"}, {"kind": "composite"}, {"bands": ["R"]}])
def test_what_is_of_another_kind_is_never_mixed_in(halves: Halves, change: dict[str, Any]) -> None:
    Scene.objects.filter(pk=halves.east.pk).update(**change)
    halves.east.refresh_from_db()
    assert mosaic_over(scenes=[halves.west, halves.east], place=place_of(halves.site())) is None


def test_an_address_names_its_scenes_and_its_version_follows_each(halves: Halves) -> None:
    west, east = halves.west, halves.east
    mosaic = find_mosaic(key=f"{west.pk}-{east.pk}")
    assert (mosaic.scenes, mosaic.key) == ((west, east), f"{west.pk}-{east.pk}")
    turned = find_mosaic(key=f"{east.pk}-{west.pk}")
    alone = find_mosaic(key=f"{west.pk}")
    assert (alone.key, alone.version) == (str(west.pk), west.version)
    assert len({mosaic.version, turned.version, alone.version}) == 3
    Scene.objects.filter(pk=east.pk).update(version="another")
    assert find_mosaic(key=mosaic.key).version != mosaic.version
    assert find_mosaic(key=alone.key).version == alone.version


@pytest.mark.parametrize(
    "key",
    ["", "-", "1-", "-1", "0", "1--2", "1-x", "１", "1 ", "1\n", "9" * 12, "{west}-" + "9" * 12, "{west}-{west}",
     "9" * 19, "9" * 4000, "{west}-" * MAX_SCENES + "{east}", "../1", "1;2"],
)  # fmt: skip
def test_any_other_address_is_none(halves: Halves, key: str) -> None:
    with pytest.raises(NotFound, match="no such scene"):
        find_mosaic(key=key.format(west=halves.west.pk, east=halves.east.pk))


def test_scenes_without_a_band_in_common_are_no_mosaic(halves: Halves) -> None:
    Scene.objects.filter(pk=halves.east.pk).update(bands=["R", "G", "B", "N"])
    with pytest.raises(NotFound):
        find_mosaic(key=f"{halves.west.pk}-{halves.east.pk}")


def test_the_card_offers_the_mosaic_first_and_each_date_alone(halves: Halves, cast: Cast) -> None:
    offered = build_item(user=cast.ana, site_id=halves.site().pk, campaign=None)["scenes"]
    assert [one["kind"] for one in offered] == ["mosaic", "single", "single"]
    mosaic, west, east = offered
    assert (mosaic["id"], mosaic["address"]) == (halves.west.pk, f"{halves.west.pk}-{halves.east.pk}")
    assert mosaic["version"] == find_mosaic(key=mosaic["address"]).version
    assert [part["name"] for part in mosaic["parts"]] == ["west", "east"]
    assert [part["acquired_at"][:10] for part in mosaic["parts"]] == ["2024-07-18", "2024-07-13"]
    assert mosaic["bounds"] == pytest.approx(
        [west["bounds"][0], min(west["bounds"][1], east["bounds"][1]), east["bounds"][2],
         max(west["bounds"][3], east["bounds"][3])]
    )  # fmt: skip
    assert (west["address"], west["parts"]) == (str(halves.west.pk), [])
    within = build_item(user=cast.ana, site_id=halves.site(columns=(4, 30), name="in").pk, campaign=None)["scenes"]
    assert [one["kind"] for one in within] == ["single"]


def test_a_site_that_clouds_hide_in_front_is_filled_from_the_clear_one(halves: Halves, cast: Cast) -> None:
    cells = -(-halves.west.height // 16), -(-halves.west.width // 16)
    Scene.objects.filter(pk=halves.west.pk).update(cell_px=16, clearness=bytes([20]) * (cells[0] * cells[1]))
    mosaic = build_item(user=cast.ana, site_id=halves.site().pk, campaign=None)["scenes"][0]
    assert [part["name"] for part in mosaic["parts"]] == ["east", "west"]


def test_composites_are_offered_however_many_dates_there_are(halves: Halves, cast: Cast) -> None:
    for _ in range(30):
        copy(halves.west)
    made = {
        "method": "medoid",
        "scenes": [{"name": "west", "version": "1", "acquired_at": "2024-07-18T13:30:00+00:00"}],
    }
    composite = copy(halves.west, kind="composite", provenance=made, acquired_until="2024-08-01T00:00:00Z")
    inside = halves.site(columns=(4, 30), name="inside")
    offered = build_item(user=cast.ana, site_id=inside.pk, campaign=None)["scenes"]
    assert len(offered) == 24
    last = offered[-1]
    assert (last["id"], last["kind"], last["method"]) == (composite.pk, "composite", "medoid")
    assert last["parts"] == [{"name": "west", "acquired_at": "2024-07-18T13:30:00+00:00"}]
    assert last["acquired_until"] == "2024-08-01T00:00:00Z"


def test_its_spectrum_is_that_of_the_whole_ground(halves: Halves, cast: Cast) -> None:
    site = halves.site()
    truth = measure_spectrum(halves.whole, place_of(site))

    def measured(scenes: str) -> dict[str, Any]:
        return measure_evidence(evidence=find_evidence(user=cast.ana, site_id=site.pk, scenes=scenes))

    whole, half = measured(f"{halves.west.pk}-{halves.east.pk}"), measured(f"{halves.west.pk}")
    assert (whole["inside_px"], whole["ring_px"]) == (truth.inside_px, truth.ring_px)
    assert half["inside_px"] < truth.inside_px
    for band, pair in zip(whole["bands"], truth.bands, strict=True):
        assert pair.inside is not None
        assert pair.ring is not None
        assert band["inside"]["median"] == pytest.approx(pair.inside.median, abs=1e-4)
        assert band["ring"]["mean"] == pytest.approx(pair.ring.mean, abs=1e-4)
    assert whole["scenes"] == [halves.west.pk, halves.east.pk]


def test_a_spectrum_reads_no_scene_that_does_not_touch_its_site(halves: Halves, cast: Cast) -> None:
    inside = halves.site(columns=(4, 30), name="inside")
    with pytest.raises(NotFound):
        find_evidence(user=cast.ana, site_id=inside.pk, scenes=f"{halves.west.pk}-{halves.east.pk}")


def test_the_name_of_a_spectrum_follows_every_scene(halves: Halves, cast: Cast) -> None:
    site, key = halves.site(), f"{halves.west.pk}-{halves.east.pk}"
    before = find_evidence(user=cast.ana, site_id=site.pk, scenes=key).etag
    Scene.objects.filter(pk=halves.east.pk).update(version="another")
    assert find_evidence(user=cast.ana, site_id=site.pk, scenes=key).etag != before


def test_small_pictures_go_on_where_the_first_scene_ends(halves: Halves) -> None:
    across, inside = halves.site(), halves.site(columns=(10, 30), name="inside")
    pictures = take_pictures(of=[(site, [site.footprint]) for site in (across, inside)])
    assert [picture.mosaic for picture in pictures] == [
        SceneMosaic((halves.west, halves.east)),
        SceneMosaic((halves.west,)),
    ]
