import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from inference.models import DetectionRun, ModelVersion, Shard
from inference.services.runs import create_run, execute_run
from labelling.models import Job, Scene
from labelling.services.jobs import claim_job, run_job
from tests.cast import Cast
from tests.inference.catalogue import catalogued
from tests.inference.models import fake_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(cast: Cast, tmp_path: Path) -> Scene:
    return catalogued(tmp_path / "a.tif", [(20, 20, 40, 50, "B04"), (120, 100, 150, 130, "B03")])


@pytest.fixture
def model(cast: Cast, tmp_path: Path) -> ModelVersion:
    """A model that the form offers; the tests' engine is behind it when it comes to the work."""
    model = fake_model(tmp_path, name="baseline")
    ModelVersion.objects.filter(pk=model.pk).update(engine="yolo")
    model.refresh_from_db()
    return model


@pytest.fixture
def admin(client: Client, cast: Cast) -> Client:
    client.force_login(cast.ada)
    return client


def start(client: Client, **fields: object) -> object:
    return client.post(reverse("runs"), {"min_score": "0.25", **fields})


def the_area(west: float, south: float, east: float, north: float) -> SimpleUploadedFile:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    return SimpleUploadedFile(
        "../../aoi.geojson", json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    )


def test_an_admin_starts_a_run_and_lands_on_its_page(
    client: Client, cast: Cast, model: ModelVersion, scene: Scene
) -> None:
    client.force_login(cast.ada)
    response = start(client, model=model.pk, scenes=scene.name, name="first look")
    run = DetectionRun.objects.get()
    assert response.headers["Location"] == reverse("run", args=[run.pk])  # type: ignore[attr-defined]
    assert (run.name, run.model, run.job.created_by, run.job.queue) == ("first look", model, cast.ada, "gpu")
    html = client.get(reverse("run", args=[run.pk])).content.decode()
    assert "first look" in html
    assert "cancel-job" in html
    assert 'hx-trigger="every 2s"' in html
    assert "first look" in client.get(reverse("runs")).content.decode()


def test_the_page_of_a_finished_run_says_what_came_of_it(
    client: Client, cast: Cast, tmp_path: Path, scene: Scene
) -> None:
    run = create_run(user=cast.ada, scenes=[scene], model=fake_model(tmp_path))
    run_job(job_id=run.job_id, work=lambda job, handle: execute_run(job=job, handle=handle))
    client.force_login(cast.ada)
    html = client.get(reverse("run", args=[run.pk])).content.decode()
    for figure, what in (("1 / 1", "scenes done"), ("16", "windows"), ("2", "boxes found"), ("2", "proposed")):
        assert f"<b>{figure}</b><span>{what}" in html
    assert "Review what was found" in html
    assert "hx-trigger" not in html
    assert "Go on with" not in html


def test_an_area_limits_the_run(client: Client, cast: Cast, model: ModelVersion, scene: Scene) -> None:
    client.force_login(cast.ada)
    west, south, east, north = scene.footprint.extent
    response = start(client, model=model.pk, aoi=the_area(west, south, east, north))
    assert response.status_code == 302  # type: ignore[attr-defined]
    run = DetectionRun.objects.get()
    assert run.aoi is not None
    assert run.aoi.area == pytest.approx((east - west) * (north - south), rel=1e-3)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"scenes": "nowhere"}, "no catalogued scene is called nowhere"),
        ({"min_score": "2"}, "less than or equal to 1"),
        ({"min_score": "nan"}, "Enter a number"),
        ({"model": "999999"}, "not one of the available choices"),
        ({"model": ""}, "no model serves yet"),
        ({"aoi": SimpleUploadedFile("a.geojson", b"{}")}, "area"),
        ({"aoi": SimpleUploadedFile("a.geojson", b"<OGRVRTDataSource/>")}, "area"),
        ({"aoi": the_area(100, 50, 101, 51)}, "no scene touches the area"),
    ],
)
def test_nonsense_is_refused_with_its_reason(
    admin: Client, model: ModelVersion, scene: Scene, fields: dict[str, object], reason: str
) -> None:
    response = start(admin, **{"model": str(model.pk), **fields})
    assert response.status_code == 400  # type: ignore[attr-defined]
    assert reason in response.content.decode()  # type: ignore[attr-defined]
    assert not DetectionRun.objects.exists()
    assert not Job.objects.exists()


def test_a_model_for_tests_is_never_offered(client: Client, cast: Cast, tmp_path: Path, scene: Scene) -> None:
    hidden = fake_model(tmp_path, name="hidden")
    client.force_login(cast.ada)
    assert hidden.name not in client.get(reverse("runs")).content.decode()
    assert start(client, model=hidden.pk).status_code == 400  # type: ignore[attr-defined]


def test_a_lead_who_may_not_start_runs_gets_no_form(
    client: Client, cast: Cast, model: ModelVersion, scene: Scene
) -> None:
    client.force_login(cast.ana)
    assert client.get(reverse("runs")).status_code == 403
    assert start(client, model=model.pk).status_code == 403  # type: ignore[attr-defined]
    assert not DetectionRun.objects.exists()


def test_a_stopped_run_goes_on_by_one_button(client: Client, cast: Cast, model: ModelVersion, scene: Scene) -> None:
    run = create_run(user=cast.ada, scenes=[scene], model=model)
    client.force_login(cast.ada)
    client.post(reverse("job-cancel", args=[run.job_id]))
    assert "Go on with the other 1 scene<" in client.get(reverse("run", args=[run.pk])).content.decode()
    client.post(reverse("run-resume", args=[run.pk]))
    run.refresh_from_db()
    assert run.job.state == Job.State.QUEUED
    assert Job.objects.count() == 2


def test_a_shard_that_failed_says_why(client: Client, cast: Cast, model: ModelVersion, scene: Scene) -> None:
    run = create_run(user=cast.ada, scenes=[scene], model=model)
    claim_job(job_id=run.job_id)
    run.shards.update(state=Shard.State.FAILED, error="a.tif: <b>truncated</b>")
    client.force_login(cast.ada)
    html = client.get(reverse("run", args=[run.pk])).content.decode()
    assert "a.tif: &lt;b&gt;truncated&lt;/b&gt;" in html
    assert "1 failed" in html


def test_without_scenes_or_models_the_page_says_what_to_do_first(client: Client, cast: Cast) -> None:
    client.force_login(cast.ada)
    assert "catalogued scenes and a trained model" in client.get(reverse("runs")).content.decode()
