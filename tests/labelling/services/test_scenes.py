import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from django.conf import settings as django_settings
from django.contrib.gis.geos import MultiPolygon, Polygon
from rio_cogeo.cogeo import cog_validate

from labelling.core.errors import Conflict
from labelling.core.raster import SceneRef, open_raster
from labelling.core.scene_mapping import SceneMapping
from labelling.core.survey import Survey, survey_scene
from labelling.models import Job, Region, Scene
from labelling.services.jobs import claim_job
from labelling.services.scenes import (
    SceneReport,
    conversion_of,
    convert_scene,
    import_scenes,
    order_conversion,
)
from labelling.tasks import convert as convert_task
from tests.cast import Cast
from tests.scenes import made_up_ground, make_scene

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
]
BRAZIL = django_settings.SHARED_DATA / "imagery" / "brazil_tailings" / "scenes"
T29 = django_settings.SHARED_DATA / "imagery" / "t29unu_l2a_11band"
BARBELLINO = django_settings.SHARED_DATA / "imagery" / "barbellino_two_dates"
real = [
    pytest.mark.real,
    pytest.mark.skipif(not BRAZIL.is_dir(), reason=f"no real imagery at {BRAZIL}: set MAD_SHARED_DATA"),
]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, settings: Any) -> None:
    settings.MAD_HOME = tmp_path / "home"
    settings.SCENE_ROOTS = [tmp_path, django_settings.SHARED_DATA]


def counts(report: SceneReport) -> tuple[int, int, int, int]:
    return len(report.added), len(report.updated), report.known, len(report.refused)


def reasons(report: SceneReport) -> dict[str, str]:
    return {Path(refusal.file).name: refusal.reason for refusal in report.refused}


def test_a_folder_is_searched_to_its_depths(tmp_path: Path) -> None:
    for name in ("a.tif", "deep/er/b.tiff", "deep/C.TIF", "deep/notes.txt"):
        make_scene(tmp_path / "in" / name) if "tif" in name.lower() else (tmp_path / "in" / name).write_text("x")
    report = import_scenes(paths=[tmp_path / "in"], kind="composite", sensor="sentinel-2", level="L1C", synthetic=True)
    assert counts(report) == (3, 0, 0, 0)
    scene = Scene.objects.get(name="b")
    assert (scene.kind, scene.sensor, scene.level, scene.synthetic) == ("composite", "sentinel-2", "L1C", True)
    assert scene.ref().path == str(tmp_path / "in" / "deep" / "er" / "b.tiff")
    assert scene.display.keys() == {"B02", "B03", "B04", "B08", "iron"}
    assert scene.quality == {"valid": 1.0, "saturated": 0.0}
    assert scene.footprint.srid == 4326
    assert scene.footprint.extent[0] == pytest.approx(-44.6, abs=1e-5)


def test_files_folders_and_patterns_that_overlap_count_once(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "in" / "a.tif")
    make_scene(tmp_path / "in" / "b.tif")
    report = import_scenes(paths=[str(path), tmp_path / "in", str(tmp_path / "*" / "a*.tif")])
    assert counts(report) == (2, 0, 0, 0)


def test_importing_again_adds_nothing_and_keeps_the_versions(tmp_path: Path) -> None:
    make_scene(tmp_path / "a.tif")
    first = import_scenes(paths=[tmp_path]).added[0]
    assert counts(import_scenes(paths=[tmp_path])) == (0, 0, 1, 0)
    assert Scene.objects.get().version == first.version


def test_a_changed_file_or_a_changed_word_about_it_updates_the_scene_in_its_place(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "a.tif")
    first = import_scenes(paths=[path]).added[0]
    make_scene(path, seed=5)
    os.utime(path, ns=(5, 5))
    second = import_scenes(paths=[path])
    assert counts(second) == (0, 1, 0, 0)
    third = import_scenes(paths=[path], mapping=SceneMapping(offset=-0.1))
    assert counts(third) == (0, 1, 0, 0)
    scene = Scene.objects.get()
    assert scene.pk == first.pk
    assert scene.offsets == [-0.1] * 4
    assert len({first.version, second.updated[0].version, scene.version}) == 3


def test_the_good_ones_stay_and_each_bad_one_is_named_with_its_reason(tmp_path: Path) -> None:
    good = make_scene(tmp_path / "good.tif")
    make_scene(tmp_path / "no-crs.tif", crs="")
    (tmp_path / "empty.tif").write_bytes(b"")
    (tmp_path / "text.tif").write_text("not a raster")
    (tmp_path / "vrt.tif").write_text("<VRTDataset/>")
    (tmp_path / "half.tif").write_bytes(good.read_bytes()[:-3000])
    make_scene(tmp_path / "nameless.tif", bands=(), data=made_up_ground(2, 8, 8))
    make_scene(tmp_path / "blank.tif", bands=("B04",), data=np.zeros((1, 8, 8), np.uint16), nodata=0)
    make_scene(tmp_path / "flat.tif", crs="EPSG:4326", transform=rasterio.Affine(9e-4, 0, -44, 0, -9e-5, -3))
    (tmp_path / "locked.tif").symlink_to("/etc/hostname")
    report = import_scenes(paths=[tmp_path, tmp_path / "gone.tif", tmp_path / "none*.tif"])
    assert [scene.name for scene in report.added] == ["good"]
    assert Scene.objects.count() == 1
    told = reasons(report)
    assert told.keys() == {
        "no-crs.tif", "empty.tif", "text.tif", "vrt.tif", "half.tif", "nameless.tif", "blank.tif", "flat.tif",
        "locked.tif", "gone.tif", "none*.tif",
    }  # fmt: skip
    assert told["no-crs.tif"].startswith("has no CRS")
    assert told["empty.tif"] == "the file is empty"
    assert "truncated" in told["half.tif"]
    assert told["flat.tif"].startswith("pixels of 100 m by 10 m")
    assert "MAD_SCENE_ROOTS" in told["locked.tif"]
    assert told["gone.tif"] == told["none*.tif"] == "no such file"


def test_a_wrong_number_of_bands_is_refused_not_cut(tmp_path: Path) -> None:
    make_scene(tmp_path / "a.tif")
    report = import_scenes(paths=[tmp_path], mapping=SceneMapping(bands=("B02", "B03")))
    assert reasons(report) == {"a.tif": "it has 4 bands, but 2 are named: B02, B03"}


def test_a_file_s_own_sidecar_speaks_and_the_mapping_speaks_louder(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "a.tif", bands=(), data=made_up_ground(2, 8, 8), scale=None)
    sidecar = tmp_path / "a.tif.json"
    sidecar.write_text(json.dumps({"bands": ["B4", "B8"], "scale": 0.0001, "offset": -0.1, "level": "L2A"}))
    import_scenes(paths=[path], mapping=SceneMapping(level="L1C"))
    scene = Scene.objects.get()
    assert (scene.bands, scene.offsets, scene.level) == (["B04", "B08"], [-0.1, -0.1], "L1C")
    sidecar.write_text("{")
    assert "the mapping is not a JSON file" in reasons(import_scenes(paths=[path]))["a.tif"]


def test_an_import_that_is_overtaken_by_another_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_scene(tmp_path / "a.tif")
    make_scene(tmp_path / "b.tif")

    def overtaken(ref: SceneRef, *, has_overviews: bool) -> Survey:
        if ref.path.endswith("a.tif"):
            monkeypatch.setattr("labelling.core.intake.survey_scene", survey_scene)
            import_scenes(paths=[ref.path])
        return survey_scene(ref, has_overviews=has_overviews)

    monkeypatch.setattr("labelling.core.intake.survey_scene", overtaken)
    report = import_scenes(paths=[tmp_path])
    assert [scene.name for scene in report.added] == ["b"]
    assert (report.known, report.refused) == (1, ())
    assert Scene.objects.count() == 2
    assert counts(import_scenes(paths=[tmp_path])) == (0, 0, 2, 0)


def test_progress_is_told_until_the_last_file(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        make_scene(tmp_path / f"{name}.tif", size=8)
    (tmp_path / "b.tif").write_text("x")
    told: list[tuple[int, int]] = []
    import_scenes(paths=[tmp_path], on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (3, 3)


def test_a_scene_over_the_antimeridian_has_two_parts(tmp_path: Path) -> None:
    make_scene(tmp_path / "a.tif", crs="EPSG:4326", lon=179.99, lat=0, size=256)
    scene = import_scenes(paths=[tmp_path]).added[0]
    assert scene.footprint.num_geom == 2
    west, _, east, _ = scene.focus
    assert east - west < 0.03


def test_large_files_without_overviews_are_told_and_converted(tmp_path: Path) -> None:
    source = make_scene(tmp_path / "in" / "big.tif", size=1100, compress="deflate", nodata=0)
    report = import_scenes(paths=[source])
    assert report.slow == 1
    converted = import_scenes(paths=[source], convert=True)
    assert counts(converted) == (0, 1, 0, 0)
    assert converted.slow == 0
    scene = Scene.objects.get()
    assert Path(scene.uri).is_relative_to(tmp_path / "home" / "scenes")
    assert cog_validate(scene.uri, quiet=True)[0]
    with open_raster(scene.uri) as copy, open_raster(source) as before:
        assert (copy.read() == before.read()).all()
    # Neither the same order nor a plain import of the source adds a second scene or loses the copy.
    assert counts(import_scenes(paths=[source], convert=True)) == (0, 0, 1, 0)
    assert counts(import_scenes(paths=[source])) == (0, 0, 1, 0)
    make_scene(source, size=1100, seed=3)
    assert counts(import_scenes(paths=[source])) == (0, 1, 0, 0)
    with open_raster(Scene.objects.get().uri) as copy, open_raster(source) as after:
        assert (copy.read(1) == after.read(1)).all()


def test_a_worker_converts_a_scene_that_an_admin_ordered(tmp_path: Path, cast: Cast) -> None:
    scene = import_scenes(paths=[make_scene(tmp_path / "big.tif", size=1100)]).added[0]
    job = order_conversion(scene=scene, user=cast.ada)
    assert order_conversion(scene=scene, user=cast.ada) == job
    assert conversion_of(scene=scene) == job
    convert_task(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.DONE, "")
    version = scene.version
    scene.refresh_from_db()
    assert scene.has_overviews
    assert scene.version == version
    assert cog_validate(scene.uri, quiet=True)[0]
    with pytest.raises(Conflict, match="needs no copy"):
        order_conversion(scene=scene, user=cast.ada)
    assert counts(import_scenes(paths=[tmp_path / "big.tif"])) == (0, 0, 1, 0)


def test_a_conversion_that_fails_leaves_the_scene_and_no_half_copy(tmp_path: Path, cast: Cast) -> None:
    path = make_scene(tmp_path / "big.tif", size=1100, compress="deflate")
    scene = import_scenes(paths=[path]).added[0]
    path.write_bytes(path.read_bytes()[:20_000])
    job = order_conversion(scene=scene, user=cast.ada)
    handle = claim_job(job_id=job.pk)
    assert handle is not None
    with pytest.raises(Exception, match=r"big\.tif: cannot be read"):
        convert_scene(scene=scene, handle=handle)
    scene.refresh_from_db()
    assert (scene.uri, scene.has_overviews) == (str(path), False)
    assert not list((tmp_path / "home" / "scenes").glob("*"))


def test_scenes_are_found_by_band_and_region(tmp_path: Path) -> None:
    make_scene(tmp_path / "a.tif", bands=("B04", "B8A"), lon=-44.6, lat=-21)
    make_scene(tmp_path / "b.tif", bands=("B04", "B08"), lon=27, lat=-11)
    import_scenes(paths=[tmp_path])
    brazil = MultiPolygon(Polygon.from_bbox((-50, -25, -40, -15)), srid=4326)
    names = {"name": "Bahia interior forests", "biome": "Moist Broadleaf Forests", "realm": "Neotropic"}
    Region.objects.create(eco_id=443, biome_id=1, geom=brazil, **names)
    assert [scene.name for scene in Scene.objects.with_band("B8A")] == ["a"]
    assert not Scene.objects.with_band("B0")
    for text in ("bahia", "broadleaf", "NEOTROPIC"):
        assert [scene.name for scene in Scene.objects.in_region(text)] == ["a"]
    assert not Scene.objects.in_region("tundra")


@pytest.mark.usefixtures("_home")
class TestRealFiles:
    pytestmark = real

    def test_86_brazil_chips_are_85_scenes_and_one_refusal(self) -> None:
        report = import_scenes(paths=[BRAZIL], kind="composite")
        assert counts(report) == (85, 0, 0, 1)
        (refusal,) = report.refused
        assert Path(refusal.file).name == "chip_023.tif"
        assert refusal.reason.startswith("pixels of 87 m by 10 m")
        assert counts(import_scenes(paths=[BRAZIL], kind="composite")) == (0, 0, 85, 1)
        assert Scene.objects.count() == 85
        for scene in Scene.objects.all():
            assert scene.bands == ["B02", "B03", "B04"]
            assert scene.scales == [0.0001] * 3
            assert 9.4 < scene.pixel_m < 10
            assert scene.attribution == "Contains modified Copernicus Sentinel data 2021"
        levels = Counter((scene.sensor, scene.level) for scene in report.added)
        assert levels == {("sentinel-2", "L1C"): 85}

    def test_the_crop_of_baseline_04_brings_its_own_offset(self) -> None:
        report = import_scenes(paths=[T29 / "T29UNU_20221005T115411_BOA_60m_crop600.tif"])
        (scene,) = report.added
        assert (scene.scales[0], scene.offsets[0], scene.nodata) == (0.0001, -0.1, 0)
        assert (scene.level, scene.sensor, scene.crs) == ("L2A", "sentinel-2", "EPSG:32629")
        assert f"{scene.acquired_at:%Y-%m-%dT%H:%M:%S}" == "2022-10-05T11:54:11"
        assert scene.pixel_m == pytest.approx(60, abs=0.1)

    def test_two_dates_of_a_lake_need_a_mapping(self) -> None:
        files = sorted(BARBELLINO.glob("*_BOA_*.tif"))
        assert all("no names" in reason for reason in reasons(import_scenes(paths=files)).values())
        bands = tuple(f"B{number:02}" for number in (*range(1, 10), 11, 12))
        report = import_scenes(paths=files, mapping=SceneMapping(bands=bands, scale=0.0001, offset=0))
        assert counts(report) == (2, 0, 0, 0)
        assert [f"{scene.acquired_at:%Y-%m-%d}" for scene in report.added] == ["2017-07-03", "2019-07-23"]
        assert {scene.nodata for scene in report.added} == {65535}
