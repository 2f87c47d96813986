"""Imports of scenes in the browser: ordered by an admin, done by a worker, and every item's state is shown."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from labelling.models import ImportItem, Job, Scene, SceneImport
from labelling.services.jobs import claim_job
from labelling.services.scenes import IMPORT
from labelling.tasks import import_scenes as import_task
from tests.cast import Cast
from tests.scenes import make_scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client, cast: Cast) -> Client:
    client.force_login(cast.ada)
    return client


def order(client: Client, **wanted: object) -> SceneImport:
    answer = client.post(reverse("scene-imports"), {"most": 100, "kind": "single", **wanted})
    assert answer.status_code == 302, answer.context["form"].errors
    return SceneImport.objects.latest("pk")


def test_an_admin_orders_an_import_and_sees_what_became_of_each_file(ada: Client, tmp_path: Path) -> None:
    make_scene(tmp_path / "in" / "good.tif")
    (tmp_path / "in" / 'bad & "quoted".tif').write_text("x")
    found = order(ada, places=f"{tmp_path}/in\n/none/such")
    page = ada.get(reverse("scene-import", args=[found.pk]))
    assert "Not listed yet" in page.content.decode()
    job = found.job
    assert job is not None
    assert job.kind == IMPORT
    import_task(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.result) == ("done", {"found": 0, "reading": 0, "catalogued": 1, "refused": 2})
    shown = ada.get(reverse("scene-import", args=[found.pk])).content.decode()
    assert reverse("scene", args=[Scene.objects.get().pk]) in shown
    assert "first bytes" in shown
    assert "bad &amp; &quot;quoted&quot;.tif" in shown
    assert "no such file" in shown
    refused = ada.get(reverse("scene-import", args=[found.pk]), {"state": "refused"})
    assert len(refused.context["page"].object_list) == 2
    assert ada.get(reverse("scene-import", args=[found.pk]), {"state": "x"}).status_code == 200
    assert found.title in ada.get(reverse("scene-imports")).content.decode()


def test_a_cancelled_import_goes_on_where_it_stopped(ada: Client, tmp_path: Path) -> None:
    for name in "abc":
        make_scene(tmp_path / f"{name}.tif", size=16)
    found = order(ada, places=str(tmp_path))
    assert found.job is not None
    Job.objects.filter(pk=found.job.pk).update(state="cancelled")
    found.items.create(key=str(tmp_path / "a.tif"), state="catalogued")
    found.items.create(key=str(tmp_path / "b.tif"), state="reading", reader=uuid4(), tries=1)
    assert "Go on" in ada.get(reverse("scene-import", args=[found.pk])).content.decode()
    ada.post(reverse("scene-import-resume", args=[found.pk]))
    found.refresh_from_db()
    assert found.job is not None
    import_task(str(found.job.pk))
    assert set(Scene.objects.values_list("name", flat=True)) == {"b", "c"}  # of "a" it is said that it is settled
    assert found.items.count() == 3
    ada.post(reverse("scene-import-resume", args=[found.pk]))
    assert Job.objects.count() == 2


def test_an_import_that_runs_is_not_begun_twice(ada: Client, tmp_path: Path) -> None:
    found = order(ada, places=str(tmp_path))
    assert found.job is not None
    assert claim_job(job_id=found.job.pk)
    said = ada.post(reverse("scene-import-resume", args=[found.pk]), follow=True).content.decode()
    assert "still runs" in said
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({}, "Name places, or a catalogue."),
        ({"places": "relative/folder"}, "neither an absolute path nor an address"),
        ({"places": "\n".join(f"/{number}" for number in range(201))}, "At most 200 lines"),
        ({"stac": "https://not-allowed.example/v1"}, "MAD_REMOTE_HOSTS"),
        ({"stac": "file:///etc/passwd"}, "not a web address"),
        ({"stac": "/x/catalog.json", "area": "1,2,3"}, "not west,south,east,north"),
        ({"stac": "/x/catalog.json", "area": "1,nan,3,4"}, "not west,south,east,north"),
        ({"stac": "/x/catalog.json", "max_cloud": "120"}, "less than or equal to 100"),
        ({"places": "/x", "bands": "B02, <script>"}, "not a band name"),
    ],
)
def test_an_order_that_makes_no_sense_says_what_to_change(ada: Client, wanted: dict[str, str], said: str) -> None:
    answer = ada.post(reverse("scene-imports"), {"most": 100, "kind": "single", **wanted})
    assert answer.status_code == 400
    assert said in str(answer.context["form"].errors)
    assert not SceneImport.objects.exists()


def test_a_long_list_is_shown_in_pages_with_few_queries(
    ada: Client, django_assert_max_num_queries: object, tmp_path: Path
) -> None:
    found = SceneImport.objects.create(title="large", sources=[str(tmp_path)], order={"kind": "single"}, is_listed=True)
    ImportItem.objects.bulk_create(ImportItem(scene_import=found, key=f"/x/{number}.tif") for number in range(3000))
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        shown = ada.get(reverse("scene-import", args=[found.pk]), {"page": 3})
    assert shown.context["page"].start_index() == 201
    assert len(shown.content) < 200_000
