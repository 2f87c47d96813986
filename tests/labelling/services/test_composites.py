import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from rio_cogeo.cogeo import cog_validate
from shapely import box

from labelling.core.composite_file import TAG
from labelling.core.errors import BadInput, Conflict, NotFound
from labelling.core.raster import open_raster
from labelling.core.scene_mapping import SceneMapping
from labelling.models import Job, Scene
from labelling.models.spatial import to_shapely
from labelling.services import composites
from labelling.services.children import ChildFailed
from labelling.services.composites import CompositeOrder, choose_scenes, make_composite, order_composite, plan_order
from labelling.services.jobs import JobCancelled, claim_job, request_cancel
from labelling.services.quality import measure_scenes
from labelling.services.scenes import import_scenes
from labelling.tasks import make_composite as make_task
from tests.cast import Cast
from tests.scenes import make_scene

BANDS = ("B02", "B03", "B04", "B08", "B11")
BARBELLINO = django_settings.SHARED_DATA / "imagery" / "barbellino_two_dates"

pytestmark = pytest.mark.django_db
Add = Callable[..., Scene]


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Path:
    settings.MAD_HOME = tmp_path / "home"
    settings.SCENE_ROOTS = [tmp_path / "in", BARBELLINO]
    return tmp_path


@pytest.fixture
def add(home: Path) -> Add:
    """Catalogues a scene of 40 by 40 pixels that shows one number, clear or behind clouds."""

    def add_scene(name: str, number: int = 1000, *, scl: int = 4, day: str = "2022-06-01", **more: Any) -> Scene:
        data = np.full((5, 40, 40), number, np.uint16)
        said: dict[str, Any] = {"level": "L2A", "sensor": "sentinel-2", "synthetic": False, "kind": "single"}
        said |= {key: more.pop(key) for key in [*said] if key in more}
        tags = {"ACQUIRED_AT": f"{day}T13:30:00Z", "ATTRIBUTION": "Copernicus"}
        path = make_scene(home / "in" / f"{name}.tif", bands=BANDS, data=data, nodata=0, tags=tags, **more)
        make_scene(home / "in" / f"{name}_SCL.tif", bands=("S",), data=np.full((1, 40, 40), scl, np.uint8), scale=None)
        import_scenes(paths=[path], **said)
        return Scene.objects.get(name=name)

    return add_scene


def order_of(*scenes: Scene, method: str = "median", name: str = "both", **more: Any) -> CompositeOrder:
    return plan_order(scenes=scenes, method=method, target=composites.place_of(name), **more)


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_worker_makes_a_composite_that_is_a_scene_and_says_what_it_is_made_of(
    add: Add, home: Path, cast: Cast, client: Any
) -> None:
    cloudy, clear = add("a", 7000, scl=9, day="2022-05-01"), add("b", 900, day="2022-06-01", synthetic=True)
    job = order_composite(order=order_of(clear, cloudy), user=cast.ada)
    assert (job.kind, job.queue, job.title) == ("labelling.make_composite", "cpu", "Composite both")
    make_task(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.DONE, "")
    scene = Scene.objects.get(pk=job.result["scene"])
    assert (scene.name, scene.kind, scene.level, scene.sensor) == ("both", "composite", "L2A", "sentinel-2")
    assert (scene.synthetic, scene.attribution, scene.has_overviews) == (True, "Copernicus", False)
    assert [f"{at:%F}" for at in (scene.acquired_at, scene.acquired_until) if at] == ["2022-05-01", "2022-06-01"]
    assert (scene.bands, set(scene.scales), set(scene.offsets), scene.nodata) == ([*BANDS], {0.0001}, {-0.1}, 0)
    assert scene.quality["valid"] == 1
    said = scene.provenance
    assert (said["method"], said["software"], said["masks_method"]) == ("median", "mad-web 0.1.0", 1)
    assert [(one["id"], one["version"]) for one in said["scenes"]] == [(s.pk, s.version) for s in (clear, cloudy)]
    assert {one["masks"] for one in said["scenes"]} == {"scl + spectrum"}
    assert cog_validate(scene.uri, quiet=True)[0]
    with open_raster(scene.uri) as file:
        assert (file.read() == 1900).all()
        assert json.loads(file.tags()[TAG]) == said
    assert left_in(home / "home" / "composites") == ["both.tif"]
    assert measure_scenes().faults == {}
    # Its page names them, and notices what has changed or gone since.
    Scene.objects.filter(pk=clear.pk).update(version="other")
    Scene.objects.filter(pk=cloudy.pk).delete()
    client.force_login(cast.ana)
    page = client.get(f"/scenes/{scene.pk}/").content.decode()
    assert f'<a href="/scenes/{clear.pk}/">b</a> <span class="small dim">has changed since' in page
    assert 'a <span class="small dim">no longer catalogued' in page
    assert "mad-web 0.1.0" in page


def test_made_anew_after_a_crash_it_takes_its_own_place(add: Add, home: Path) -> None:
    order = order_of(add("a"), add("b"))
    first = make_composite(order=order)
    again = make_composite(order=order)
    assert first.pk == again.pk
    assert again.provenance["scenes"] == first.provenance["scenes"]
    assert Scene.objects.filter(kind="composite").count() == 1


def test_progress_is_told_and_a_cancelled_job_leaves_nothing(add: Add, home: Path, cast: Cast) -> None:
    order = order_of(add("a"), add("b"))
    job = order_composite(order=order, user=cast.ada)
    handle = claim_job(job_id=job.pk)
    assert handle is not None
    request_cancel(job=job, user=cast.ada)
    with pytest.raises(JobCancelled):
        make_composite(order=order, handle=handle)
    folder = home / "home" / "composites"
    assert not folder.exists() or left_in(folder) == []
    assert not Scene.objects.filter(kind="composite").exists()
    told: list[float] = []
    make_composite(order=order, on_progress=told.append)
    assert told == sorted(told)
    assert (len(told) > 1, told[-1]) == (True, 1)


def test_a_file_that_is_damaged_or_shows_nothing_leaves_no_scene(add: Add, home: Path) -> None:
    first, second = add("a"), add("b")
    order = order_of(first, second)
    Path(second.uri).write_bytes(Path(second.uri).read_bytes()[:9000])
    with pytest.raises(ChildFailed, match=r"^b\.tif: cannot be read"):
        make_composite(order=order)
    for scene in (first, second):
        Path(scene.uri).unlink()
        make_scene(Path(scene.uri), bands=BANDS, data=np.zeros((5, 40, 40), np.uint16), nodata=0)
    with pytest.raises(BadInput, match="holds no data at all"):
        make_composite(order=order)
    assert left_in(home / "home" / "composites") == []
    second.delete()
    with pytest.raises(NotFound, match="no longer catalogued"):
        make_composite(order=order)
    assert not Scene.objects.filter(kind="composite").exists()


def test_levels_and_sensors_are_never_mixed(add: Add) -> None:
    a, other, unsaid = add("a"), add("b", level="L1C"), add("c", level="")
    with pytest.raises(BadInput, match=r"differ in their level \(L1C, L2A\), which is never mixed"):
        order_of(a, other)
    with pytest.raises(BadInput, match=r"level \(L2A, not said\)"):
        order_of(a, unsaid)
    with pytest.raises(BadInput, match=r"sensor \(landsat, sentinel-2\)"):
        order_of(a, add("d", sensor="landsat"))
    order = order_of(a, add("e"))
    Scene.objects.filter(name="e").update(level="L1C")  # by an import that came between
    with pytest.raises(BadInput, match="never mixed"):
        make_composite(order=order)


def test_what_cannot_be_made_is_refused_before_anybody_waits(add: Add, home: Path, tmp_path: Path) -> None:
    a, b = add("a"), add("b")
    with pytest.raises(BadInput, match="not of 1"):
        order_of(a)
    with pytest.raises(BadInput, match="leave out scenes that are composites"):
        order_of(a, add("c", kind="composite"))
    for name in ("../b", "", "x" * 101, ".hidden", "a/b"):
        with pytest.raises(BadInput, match="is no name for a composite"):
            order_of(a, b, name=name)
    for place, reason in (
        (tmp_path / "elsewhere" / "x.tif", "outside the folders"),
        (home / "in" / "x.jp2", "is no name for a scene"),
        (home / "in" / "x_SCL.tif", "is no name for a scene"),
    ):
        with pytest.raises(BadInput, match=reason):
            plan_order(scenes=[a, b], method="median", target=place)
    with pytest.raises(Conflict, match="is there already"):
        plan_order(scenes=[a, b], method="median", target=Path(a.uri))


def test_scenes_are_chosen_by_name_area_dates_and_level_newest_first(add: Add) -> None:
    days = {"a": "2022-05-01", "b": "2022-07-01", "c": "2022-06-01"}
    scenes = {name: add(name, day=day) for name, day in days.items()}
    far = add("far", lon=-50.0)
    add("old", kind="composite")
    l1c = add("l1c", level="L1C", day="2022-06-15")

    def names(**asked: Any) -> list[str]:
        return [scene.name for scene in choose_scenes(**asked)]

    area = to_shapely(scenes["a"].footprint).buffer(-0.0005)
    assert names(area=area) == ["b", "l1c", "c", "a"]
    assert names(area=area, level="L2A") == ["b", "c", "a"]
    limits = {"since": scenes["c"].acquired_at, "until": l1c.acquired_at}
    assert names(area=area, **limits) == ["l1c", "c"]
    assert names(wanted=["a", str(far.pk), "b"]) == ["b", "far", "a"]
    assert names(wanted=["old"]) == ["old"]
    assert names(area=box(0, 0, 1, 1)) == []
    with pytest.raises(NotFound, match="no catalogued scene is called x, y"):
        choose_scenes(wanted=["a", "x", "y"])


def run(*args: Any) -> tuple[str, str]:
    """What the command says, and what it ends with."""
    out, end = io.StringIO(), ""
    try:
        call_command("make_composite", *map(str, args), stdout=out)
    except CommandError as error:
        end = str(error)
    return out.getvalue(), end


def test_the_command_makes_one_of_names_or_of_an_area(add: Add, home: Path) -> None:
    scenes = [
        add(name, number, day=f"2022-0{number // 100}-28") for name, number in (("a", 100), ("b", 300), ("c", 500))
    ]
    out, end = run("--scenes", "a", "c", "--method", "medoid", "--name", "first")
    made = Scene.objects.get(name="first")
    assert (out, end) == (f"first: medoid of 2 scenes, scene {made.pk}, {made.uri}\n", "")
    with open_raster(made.uri) as file:
        assert (file.read() == 1500).all()  # of equals the newer one
    area = to_shapely(scenes[0].footprint).buffer(-0.001)
    (home / "area.geojson").write_text(
        json.dumps({"type": "Feature", "properties": {}, "geometry": area.__geo_interface__})
    )
    target = home / "in" / "made.tif"
    out, end = run("--area", home / "area.geojson", "--since", "2022-01-01", "--until", "2022-03-28", "--out", target)
    assert end == ""
    with open_raster(target) as file:
        assert (file.read() == 1200).all()
        assert file.width < 25
    out, end = run("--scenes", "a", "b", "--name", "later", "--later")
    assert out == f"a worker will make later.tif of 2 scenes: job {Job.objects.get().pk}\n"
    assert run("--scenes", "a", "b", "--name", "later")[1].startswith("later.tif is there already, or being made")


def test_the_command_says_what_to_change(add: Add, home: Path) -> None:
    add("a"), add("b", level="L1C")
    assert run("--name", "x")[1].startswith("name the scenes with --scenes")
    assert "choose one level" in run("--scenes", "a", "b", "--name", "x")[1]
    assert "not of 1" in run("--scenes", "a", "--name", "x")[1]
    assert run("--scenes", "z", "--name", "x")[1] == "no catalogued scene is called z"
    assert run("--area", home / "none.json", "--name", "x")[1].startswith("none.json: cannot be read as GeoJSON")
    assert not Job.objects.exists()


@pytest.mark.real
@pytest.mark.skipif(not BARBELLINO.is_dir(), reason=f"no real imagery at {BARBELLINO}: set MAD_SHARED_DATA")
def test_the_two_real_dates_of_a_lake_become_one_scene(home: Path) -> None:
    bands = tuple(f"B{number:02}" for number in (*range(1, 10), 11, 12))
    files = sorted(BARBELLINO.glob("*_BOA_*.tif"))
    import_scenes(paths=files, mapping=SceneMapping(bands=bands, scale=0.0001, offset=0))
    scenes = choose_scenes(level="L2A")
    assert [f"{scene.acquired_at:%Y}" for scene in scenes] == ["2019", "2017"]
    made = make_composite(order=order_of(*scenes, name="Barbellino"))
    assert (made.level, made.sensor, made.kind) == ("L2A", "sentinel-2", "composite")
    assert made.quality["valid"] == 1
    measure_scenes()
    made.refresh_from_db()
    assert made.measured
    with_cloud = scenes[1]
    with_cloud.refresh_from_db()
    assert made.quality["cloud"] < with_cloud.quality["cloud"]
