"""Imports as rows: taken once, read by processes that may die, freed when their reader is dead, published whole."""

import os
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings

from labelling.core.intake import ImportOrder
from labelling.models import ImportItem, Job, Scene, SceneImport
from labelling.services.jobs import JobCancelled, JobHandle, LostJob, claim_job
from labelling.services.scenes import IMPORT, READ, import_scenes, order_import
from labelling.services.scenes.importing import free_items, list_items, open_import, read_items, take_items
from labelling.services.scenes.listing import Refusal, list_source
from labelling.services.scenes.publishing import Outcome, publish
from labelling.tasks import import_scenes as import_task
from labelling.tasks import read_scenes as read_task
from tests.cast import Cast
from tests.scenes import make_scene

pytestmark = pytest.mark.django_db


def opened(folder: Path, count: int = 0) -> SceneImport:
    for number in range(count):
        make_scene(folder / f"{number}.tif", size=16, seed=number)
    found = open_import(sources=[str(folder)], order=ImportOrder())
    list_items(scene_import=found, handle=None)
    return found


def running(found: SceneImport) -> JobHandle:
    assert found.job is not None
    handle = claim_job(job_id=found.job.pk)
    assert handle is not None
    return handle


def test_children_read_what_this_process_would_read(tmp_path: Path) -> None:
    for number in range(6):
        make_scene(tmp_path / "in" / f"{number}.tif", size=16, seed=number)
    (tmp_path / "in" / "x.tif").write_text("x")
    apart = import_scenes(paths=[tmp_path / "in"], processes=2)
    assert (len(apart.added), len(apart.refused)) == (6, 1)
    versions = set(Scene.objects.values_list("version", flat=True))
    Scene.objects.all().delete()
    here = import_scenes(paths=[tmp_path / "in"], processes=0)
    assert {scene.version for scene in here.added} == versions


def test_a_file_that_kills_its_reader_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "killer", "z"):
        make_scene(tmp_path / f"{name}.tif", size=16)
    module = tmp_path / "deadly" / "deadly_intake.py"
    module.parent.mkdir()
    module.write_text(
        "import os, signal\n"
        "from labelling.core import intake\n"
        "read = intake.read_candidate\n"
        "def deadly(candidate, *args, **more):\n"
        "    if 'killer' in candidate.key:\n"
        "        os.kill(os.getpid(), signal.SIGSEGV)\n"
        "    return read(candidate, *args, **more)\n"
        "intake.read_candidate = deadly\n"
        "intake.child_main(intake._work, expected=intake.BadInput)\n"
    )
    monkeypatch.setattr("labelling.services.scenes.reading._MODULE", "deadly_intake")
    monkeypatch.setattr("labelling.services.children._environment", lambda: {**os.environ, "PYTHONPATH": _path(module)})
    report = import_scenes(paths=[tmp_path], processes=1)
    assert [scene.name for scene in report.added] == ["a", "z"]
    (refusal,) = report.refused
    assert refusal.file.endswith("killer.tif")
    assert "ended the process" in refusal.reason


def _path(module: Path) -> str:
    return f"{module.parent}{os.pathsep}{settings.BASE_DIR}"


def test_an_item_is_taken_once_and_freed_when_its_reader_is_dead(tmp_path: Path) -> None:
    found = opened(tmp_path, 3)
    one, other = uuid4(), uuid4()
    first = take_items(scene_import=found, reader=one, count=2)
    second = take_items(scene_import=found, reader=other, count=9)
    assert len(first) + len(second) == 3
    assert not {item.pk for item in first} & {item.pk for item in second}
    Job.objects.create(pk=one, kind=READ, title="alive", state=Job.State.RUNNING)
    free_items(scene_import=found, reader=uuid4())
    assert set(found.items.waiting().values_list("pk", flat=True)) == {item.pk for item in second}
    free_items(scene_import=found, reader=one)  # itself in an earlier life
    assert found.items.waiting().count() == 3


def test_an_item_that_was_begun_three_times_is_refused(tmp_path: Path) -> None:
    found = opened(tmp_path, 1)
    for _ in range(3):
        assert take_items(scene_import=found, reader=uuid4(), count=1)
        free_items(scene_import=found, reader=uuid4())
    assert found.items.get().reason == "reading it has ended the process 3 times"


def test_nothing_is_published_for_a_job_that_was_lost_or_cancelled(tmp_path: Path, cast: Cast) -> None:
    make_scene(tmp_path / "a.tif", size=16)
    found = order_import(sources=[str(tmp_path)], order=ImportOrder(), user=cast.ada)
    handle = running(found)
    list_items(scene_import=found, handle=handle)
    (item,) = take_items(scene_import=found, reader=handle.id, count=1)
    lost = JobHandle(handle.id, handle.attempt + 1)
    outcome = Outcome(item, reason="no")
    with pytest.raises(LostJob):
        publish([outcome], handle=lost, progress=1, phase="")
    Job.objects.filter(pk=handle.id).update(cancel_requested=True)
    with pytest.raises(JobCancelled):
        publish([outcome], handle=handle, progress=1, phase="")
    assert found.items.get().state == "reading"
    assert not Scene.objects.exists()


def test_two_items_of_one_file_become_one_scene(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "a.tif", size=16)
    (tmp_path / "b.tif").symlink_to(path)
    report = import_scenes(paths=[tmp_path], processes=0)
    assert Scene.objects.count() == 1
    assert report.scene_import.counts()["catalogued"] == 2


def test_helpers_are_called_for_many_scenes_and_stop_with_the_import(
    tmp_path: Path, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelling.services.scenes.jobs.HELP_FROM", 2)
    for number in range(5):
        make_scene(tmp_path / f"{number}.tif", size=16)
    found = order_import(sources=[str(tmp_path)], order=ImportOrder(), user=cast.ada)
    assert found.job is not None
    import_task(str(found.job.pk))
    helpers = Job.objects.filter(kind=READ)
    assert helpers.count() == 2
    for helper in helpers:
        read_task(str(helper.pk))
    assert {job.state for job in Job.objects.all()} == {"done"}
    assert (Job.objects.get(kind=IMPORT).result["catalogued"], Scene.objects.count()) == (5, 5)
    found.refresh_from_db()
    assert found.finished_at


def test_a_helper_does_not_go_on_after_the_import_was_cancelled(tmp_path: Path, cast: Cast) -> None:
    for number in range(3):
        make_scene(tmp_path / f"{number}.tif", size=16)
    found = order_import(sources=[str(tmp_path)], order=ImportOrder(), user=cast.ada)
    handle = running(found)
    list_items(scene_import=found, handle=handle)
    Job.objects.filter(pk=handle.id).update(cancel_requested=True)
    with pytest.raises(JobCancelled, match="has ended"):
        read_items(scene_import=found, reader=uuid4(), handle=None, processes=0, is_helping=True)
    assert not Scene.objects.exists()


def test_a_prefix_of_items_is_found_in_a_folder_with_products_and_companions(tmp_path: Path) -> None:
    product = tmp_path / "S2A_MSIL2A_X.SAFE"
    make_scene(product / "GRANULE" / "inside.tif")
    make_scene(tmp_path / "deep" / "er" / "b.TIF")
    make_scene(tmp_path / "deep" / "b_SCL.tif")
    (tmp_path / "deep" / "broken.tif").symlink_to(tmp_path / "nowhere")
    found = [one.key for one in list_source(str(tmp_path)) if not isinstance(one, Refusal)]
    assert found == [str(product), str(tmp_path / "deep" / "er" / "b.TIF")]
    (tmp_path / "all.zip").write_bytes(b"PK\x03\x04")
    (packed,) = list_source(str(tmp_path / "all.zip"))
    assert isinstance(packed, Refusal)
    assert "unpack it" in packed.reason


def test_listing_again_adds_only_what_is_new(tmp_path: Path) -> None:
    found = opened(tmp_path, 2)
    make_scene(tmp_path / "new.tif")
    list_items(scene_import=found, handle=None)
    assert found.items.count() == 3


def test_many_items_are_listed_and_settled_in_few_statements(
    tmp_path: Path, django_assert_max_num_queries: object
) -> None:
    found = open_import(sources=[str(tmp_path)], order=ImportOrder())
    ImportItem.objects.bulk_create(ImportItem(scene_import=found, key=f"/x/{number}.tif") for number in range(400))
    items = take_items(scene_import=found, reader=uuid4(), count=400)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        publish([Outcome(item, reason="no") for item in items], handle=None, progress=0, phase="")
    assert found.counts()["refused"] == 400
