from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from labelling.core.matching import ClaimSpec
from labelling.core.quality import METHOD
from labelling.core.scene_mapping import SceneMapping
from labelling.models import Job, Scene
from labelling.models.spatial import to_shapely
from labelling.services import quality
from labelling.services.items import scenes_under
from labelling.services.jobs import JobCancelled, claim_job, request_cancel
from labelling.services.quality import (
    clearness_of,
    clearness_over,
    measure_scene,
    measure_scenes,
    order_measuring,
    put_hidden_last,
)
from labelling.services.scenes import import_scenes
from labelling.services.sites import place_claims
from labelling.tasks import measure, tick
from tests.cast import Cast
from tests.crowd import at_once
from tests.mines import a_source
from tests.scenes import make_scene

BANDS = ("B02", "B03", "B04", "B08", "B11")
CLOUD, FOREST = (6000, 5800, 5700, 6000, 3500), (300, 500, 300, 3500, 1500)
IMAGERY = django_settings.SHARED_DATA / "imagery"
T29 = IMAGERY / "t29unu_l2a_11band"
BARBELLINO = IMAGERY / "barbellino_two_dates"

pytestmark = pytest.mark.django_db


@pytest.fixture
def add(settings: Any, tmp_path: Path) -> Callable[..., Scene]:
    """Catalogues a scene of 64 by 64 pixels; its first columns are cloud, all else is forest."""
    settings.SCENE_ROOTS = [tmp_path]

    def add_scene(name: str = "a", *, clouded: int = 16, at: str = "2022-06-01T13:30:00Z", **more: Any) -> Scene:
        data = np.empty((5, 64, 64), np.uint16)
        data[:] = np.array(FOREST, np.uint16)[:, None, None]
        data[:, :, :clouded] = np.array(CLOUD, np.uint16)[:, None, None]
        make_scene(tmp_path / f"{name}.tif", bands=BANDS, data=data, tags={"ACQUIRED_AT": at}, **more)
        import_scenes(paths=[tmp_path / f"{name}.tif"])
        return Scene.objects.get(name=name)

    return add_scene


def over(scene: Scene, *columns: tuple[int, int]) -> list[tuple[float, float, float, float]]:
    """Boxes of whole columns of a scene, in degrees."""
    west, south, east, north = scene.footprint.extent
    step = (east - west) / scene.width
    return [(west + first * step, south, west + last * step, north) for first, last in columns]


def test_a_new_scene_is_measured_by_the_job_that_the_tick_orders(add: Callable[..., Scene]) -> None:
    scene = add()
    assert (scene.measured, clearness_of(scene)) == ("", None)
    tick()
    job = Job.objects.get()
    assert (job.kind, job.state) == ("labelling.measure_quality", Job.State.QUEUED)
    tick()
    assert Job.objects.count() == 1
    measure(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.result) == (Job.State.DONE, {"scenes": 1, "faults": {}})
    scene.refresh_from_db()
    assert scene.measured == METHOD
    assert (scene.quality["valid"], scene.quality["cloud"], scene.quality["by"]) == (1, 0.25, "spectrum")
    tick()
    assert Job.objects.count() == 1


def test_nothing_is_ordered_where_all_is_measured(add: Callable[..., Scene]) -> None:
    assert order_measuring() is None
    add()
    measure_scenes()
    assert order_measuring() is None


@pytest.mark.django_db(transaction=True)
def test_many_who_order_at_once_get_one_job(open_house: Cast, add: Callable[..., Scene]) -> None:
    add()
    jobs = at_once([order_measuring] * 8)
    assert {job.pk for job in jobs if job} == {Job.objects.get().pk}


def test_the_tick_leaves_a_job_alone_that_somebody_cancelled_and_a_person_may_ask_again(
    add: Callable[..., Scene], cast: Cast
) -> None:
    add()
    first = order_measuring()
    assert first is not None
    request_cancel(job=first, user=cast.ada)
    assert order_measuring() is None or order_measuring() == first
    assert Job.objects.count() == 1
    Job.objects.update(finished_at=timezone.now() - quality.REST - timedelta(minutes=1))
    again = order_measuring()
    assert again is not None
    assert again != first
    request_cancel(job=again, user=cast.ada)
    asked = order_measuring(user=cast.ada)
    assert asked is not None
    assert (asked.state, asked.created_by) == (Job.State.QUEUED, cast.ada)


def test_a_job_that_is_cancelled_keeps_what_was_measured(
    add: Callable[..., Scene], cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("a"), add("b")
    monkeypatch.setattr(quality, "_BEAT_S", 0.0)
    job = order_measuring()
    assert job is not None
    handle = claim_job(job_id=job.pk)
    with pytest.raises(JobCancelled):
        measure_scenes(handle=handle, on_progress=lambda done, _: request_cancel(job=job, user=cast.ada))
    assert list(Scene.objects.order_by("name").values_list("measured", flat=True)) == [METHOD, ""]
    job.refresh_from_db()
    assert (job.phase, job.progress) == ("scene 2 of 2", 1.0)


def test_a_scene_that_was_imported_anew_meanwhile_stays_unmeasured(add: Callable[..., Scene]) -> None:
    scene = add()
    Scene.objects.update(version="newer")
    measure_scene(scene=scene)
    scene.refresh_from_db()
    assert (scene.measured, "cloud" in scene.quality) == ("", False)


def test_an_import_of_a_changed_file_has_it_measured_again(add: Callable[..., Scene]) -> None:
    add(clouded=16)
    measure_scenes()
    scene = add(clouded=32)
    assert (scene.measured, scene.cell_px) == ("", 0)
    measure_scenes()
    scene.refresh_from_db()
    assert scene.quality["cloud"] == 0.5


def test_a_file_that_is_gone_is_noted_and_not_tried_again(add: Callable[..., Scene], tmp_path: Path) -> None:
    add("a"), add("b")
    (tmp_path / "a.tif").unlink()
    report = measure_scenes()
    assert (report.scenes, list(report.faults)) == (2, ["a"])
    assert "no such file" in Scene.objects.get(name="a").quality["fault"]
    assert measure_scenes().scenes == 0
    assert measure_scenes(anew=True).scenes == 2


def test_the_command_measures_and_says_what_cannot_be_read(
    add: Callable[..., Scene], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add("a")
    call_command("measure_quality")
    assert capsys.readouterr().out == "1 scene measured, 0 cannot be read\n"
    (tmp_path / "a.tif").unlink()
    with pytest.raises(CommandError, match="import again"):
        call_command("measure_quality", "--anew")
    told = capsys.readouterr()
    assert told.out == "0 scenes measured, 1 cannot be read\n"
    assert told.err.startswith("a: a.tif: no such file")


def test_the_sun_is_computed_where_the_time_of_day_is_known(add: Callable[..., Scene]) -> None:
    add("noon", at="2022-03-20T15:00:00Z"), add("day", at="2022-03-20")
    composite = add("both", at="2022-03-20T15:00:00Z")
    Scene.objects.filter(pk=composite.pk).update(kind="composite")
    stated = add("stated")
    Scene.objects.filter(pk=stated.pk).update(quality={"sun": 12.5, "valid": 1})
    measure_scenes()
    suns = {scene.name: scene.quality["sun"] for scene in Scene.objects.all()}
    assert suns.pop("noon") == pytest.approx(69, abs=1)
    assert suns == {"day": None, "both": None, "stated": 12.5}


def test_a_place_is_as_clear_as_the_cells_that_it_touches(add: Callable[..., Scene]) -> None:
    scene = add(clouded=32)
    assert clearness_over(scene=scene, boxes=over(scene, (0, 8))) == [None]
    measure_scenes()
    scene.refresh_from_db()
    hidden, clear, both, beside = clearness_over(scene=scene, boxes=over(scene, (2, 14), (50, 62), (18, 46), (90, 99)))
    assert hidden == pytest.approx(0.05, abs=0.01)
    assert clear == 1
    assert both == pytest.approx(0.52, abs=0.02)
    assert beside == 0
    assert clearness_over(scene=scene, boxes=[]) == []
    assert clearness_over(scene=scene, boxes=[(-180, -90, 180, 90)])[0] is not None


def test_scenes_that_clouds_hide_come_last_and_the_others_stay_newest_first(add: Callable[..., Scene]) -> None:
    old = add("old", clouded=0, at="2020-06-01")
    middle = add("middle", clouded=64, at="2021-06-01")
    new = add("new", clouded=0, at="2022-06-01")
    unknown = add("unknown", clouded=64, at="2019-06-01")
    measure_scenes()
    Scene.objects.filter(pk=unknown.pk).update(cell_px=0)
    place = to_shapely(old.footprint).buffer(-0.001)
    (proposal,) = place_claims(source=a_source(), claims=[ClaimSpec("1", place, {})]).proposals
    site = proposal.site
    assert [scene.name for scene in scenes_under([site])[site.pk]] == ["new", "old", "unknown", "middle"]
    assert put_hidden_last(scenes={}, boxes={}) == {}
    assert {old.pk, middle.pk, new.pk} < {scene.pk for scene in scenes_under([site])[site.pk]}


@pytest.mark.real
@pytest.mark.skipif(not T29.is_dir() or not BARBELLINO.is_dir(), reason=f"no real scenes below {IMAGERY}")
class TestRealFiles:
    @pytest.fixture(autouse=True)
    def _roots(self, settings: Any) -> None:
        settings.SCENE_ROOTS = [IMAGERY]

    def test_the_crop_of_baseline_04_is_reported_as_the_bad_scene_that_it_is(self) -> None:
        report = import_scenes(paths=[T29])
        assert [refusal.reason for refusal in report.refused] == []
        measure_scenes()
        (scene,) = Scene.objects.all()
        assert (scene.baseline, scene.radiometry) == ("04.00", "MTD_MSIL2A.xml (baseline 04.00)")
        assert (set(scene.scales), set(scene.offsets), scene.nodata) == ({0.0001}, {-0.1}, 0)
        assert Path(scene.scl).name == "T29UNU_20221005T115411_SCL_60m_crop600.tif"
        assert Path(scene.cloud_probability).name == "T29UNU_20221005T115411_CLDPRB_60m_crop600.tif"
        # What ESA states of the whole product, and what the pixels of the crop show.
        assert (scene.quality["product_cloud"], scene.quality["product_empty"]) == (0.5977, 0.4042)
        assert scene.quality["cloud"] == pytest.approx(0.706, abs=0.001)
        assert scene.quality["valid"] == pytest.approx(0.966, abs=0.001)
        assert scene.quality["haze"] == pytest.approx(0.141, abs=0.001)
        assert scene.quality["sun"] == pytest.approx(32.18, abs=0.01)
        assert scene.quality["by"] == "scl + probability + spectrum"

    def test_the_lake_of_two_dates_has_no_offset_and_its_levels_stay_apart(self) -> None:
        bands = [f"B{number:02}" for number in (*range(1, 10), 11, 12)]
        ends = {"BOA": bands, "TOA": [*bands[:9], "B10", *bands[9:]]}
        for end, names in ends.items():
            mapping = SceneMapping(bands=tuple(names), baseline="02.05")
            report = import_scenes(paths=sorted(BARBELLINO.glob(f"*_{end}_*.tif")), mapping=mapping)
            assert len(report.added) == 2
        measure_scenes()
        for scene in Scene.objects.all():
            assert (set(scene.offsets), scene.nodata, scene.baseline) == ({0.0}, 65535, "02.05")
            assert scene.level == ("L2A" if "BOA" in scene.name else "L1C")
            assert bool(scene.scl) == ("BOA" in scene.name)
            assert scene.quality["valid"] == 1
        clouds = {f"{scene.acquired_at:%Y}": scene.quality["cloud"] for scene in Scene.objects.filter(level="L2A")}
        assert clouds == {"2017": pytest.approx(0.131, abs=0.001), "2019": 0}
