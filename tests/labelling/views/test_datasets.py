import io
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labelling.core.export import ExportSettings
from labelling.models import Job, Snapshot
from labelling.services import jobs
from labelling.services.snapshots import begin_snapshot, enqueue_snapshot, run_snapshot, write_snapshot
from tests.cast import Cast
from tests.truth import LAT, WEST, draw, mines_along, square

pytestmark = pytest.mark.django_db
FORM: dict[str, Any] = {
    "format": "geojson",
    "name": "",
    "axis": "feature",
    "states": ["verified"],
    "chip_px": 640,
    "pixel_m": 10,
    "bands": "B04,B03,B02",
}


def as_(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def whole(cast: Cast) -> Snapshot:
    draw(cast.ana, square(WEST, LAT))
    return write_snapshot(snapshot=begin_snapshot(settings=ExportSettings(format="geojson"), name="mines"))


def test_an_admin_starts_an_export_and_sees_it(cast: Cast) -> None:
    draw(cast.ana, square(WEST, LAT))
    client = as_(cast.ada)
    answer = client.post(reverse("datasets"), {**FORM, "name": "mines-2026", "types": ["open_pit", "pond"]})
    snapshot = Snapshot.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == reverse("dataset", args=[snapshot.key])
    assert snapshot.options["types"] == ["open_pit", "pond"]
    assert snapshot.created_by == cast.ada
    assert "waiting for a worker" in client.get(answer["Location"]).content.decode()
    assert "mines-2026" in client.get(reverse("datasets")).content.decode()
    assert snapshot.job is not None
    jobs.run_job(job_id=snapshot.job.pk, work=lambda job, handle: run_snapshot(job=job, handle=handle))
    assert "Download" in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": "../x"}, "is no name of a dataset"),
        ({"format": "yolo", "states": ["verified", "rejected"]}, "verified labels only"),
        ({"format": "shapefile"}, "Select a valid choice"),
        ({"types": ["nothing"]}, "Select a valid choice"),
        ({"chip_px": 5}, "greater than or equal to 32"),
        ({"bands": "B04,B04"}, "each once"),
    ],
)
def test_a_form_that_cannot_be_says_why(cast: Cast, wrong: dict[str, Any], told: str) -> None:
    answer = as_(cast.ada).post(reverse("datasets"), {**FORM, **wrong})
    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert not Snapshot.objects.exists()


def test_an_analyst_downloads_but_starts_nothing(cast: Cast, whole: Snapshot) -> None:
    client = as_(cast.gus)
    assert "Export a dataset" not in client.get(reverse("datasets")).content.decode()
    assert client.post(reverse("datasets"), FORM).status_code == 403
    assert Snapshot.objects.count() == 1
    assert not Job.objects.exists()
    answer = client.get(reverse("dataset-download", args=[whole.key]))
    assert answer["Content-Disposition"] == 'attachment; filename="mines.zip"'
    assert answer["Content-Type"] == "application/zip"
    assert answer["X-Content-Type-Options"] == "nosniff"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:  # type: ignore[attr-defined]
        assert "mines/labels.geojson" in archive.namelist()


def test_without_a_role_there_is_nothing_to_see(cast: Cast, whole: Snapshot) -> None:
    for name, values in [("datasets", []), ("dataset", [whole.key]), ("dataset-download", [whole.key])]:
        assert as_(cast.eve).get(reverse(name, args=values)).status_code == 403


def test_what_is_missing_and_what_is_not_whole_look_alike(cast: Cast, whole: Snapshot) -> None:
    waiting = enqueue_snapshot(settings=ExportSettings(format="geojson"))
    client = as_(cast.gus)
    pages = [client.get(reverse("dataset-download", args=[key])) for key in (uuid.uuid4(), waiting.key)]
    assert [page.status_code for page in pages] == [404, 404]
    whole.archive.unlink()
    assert client.get(reverse("dataset-download", args=[whole.key])).status_code == 404
    assert "gone from the disk" in client.get(reverse("dataset", args=[whole.key])).content.decode()


def test_the_page_names_licences_and_what_was_left_out(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=1)
    draw(cast.ana, square(WEST - 1, LAT))
    snapshot = write_snapshot(snapshot=begin_snapshot(settings=ExportSettings(format="coco", chip_px=64)))
    page = as_(cast.gus).get(reverse("dataset", args=[snapshot.key])).content.decode()
    assert "1 left out: outside every reviewed area" in page
    assert "drawn by reviewers" in page
    assert "pycocotools" in page


def test_an_empty_list_says_what_to_do(cast: Cast) -> None:
    assert "manage.py export_dataset" in as_(cast.gus).get(reverse("datasets")).content.decode()
