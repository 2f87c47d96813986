import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from inference.models import DetectionRun, DispatchEntry, ModelVersion
from inference.services.runs import execute_run
from labelling.models import Job, Scene
from labelling.services.jobs import run_job
from tests.inference.catalogue import catalogued
from tests.inference.models import fake_model

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return catalogued(tmp_path / "a.tif", [(20, 20, 40, 50, "B04")])


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that takes each job as soon as somebody waits for it."""

    def wait(*, job: Job, tell: Callable[[str], None]) -> Job:
        run_job(job_id=job.pk, work=lambda row, handle: execute_run(job=row, handle=handle))
        job.refresh_from_db()
        tell("seen")
        return job

    monkeypatch.setattr("inference.management.commands.detect.wait_for_job", wait)


def said(command: str, *words: str) -> str:
    out = StringIO()
    call_command(command, *words, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.mark.usefixtures("worker")
def test_detect_waits_and_says_what_came_of_it(tmp_path: Path, scene: Scene) -> None:
    fake_model(tmp_path)
    line = said("detect", "--model", "blobs-1", "--scenes", scene.name, "--wait")
    assert "found 1, proposed 1 (new sites: 1), known 0, rejected before 0; scenes 1, failed 0, windows 16" in line


@pytest.mark.usefixtures("worker")
def test_detect_fails_with_the_reason_of_the_run(tmp_path: Path, scene: Scene) -> None:
    fake_model(tmp_path)
    Path(scene.uri).unlink()
    with pytest.raises(CommandError, match=r"failed, no scene could be read; the first: a\.tif: no such file"):
        said("detect", "--model", "blobs-1", "--wait")


def test_detect_without_waiting_names_the_job(tmp_path: Path, scene: Scene) -> None:
    fake_model(tmp_path)
    line = said("detect", "--model", "blobs-1", "--min-score", "0.4")
    run = DetectionRun.objects.get()
    assert str(run.job_id) in line
    assert run.settings["min_score"] == 0.4


def test_detect_takes_an_area(tmp_path: Path, scene: Scene) -> None:
    fake_model(tmp_path)
    area = tmp_path / "aoi.geojson"
    geometry = json.loads(scene.footprint.geojson)
    feature = {"type": "Feature", "properties": {}, "geometry": geometry}
    area.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    said("detect", "--model", "blobs-1", "--aoi", str(area))
    aoi = DetectionRun.objects.get().aoi
    assert aoi is not None
    assert aoi.equals_exact(scene.footprint, 1e-6) or aoi.sym_difference(scene.footprint).area < 1e-9


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--model", "nobody-1"], "no model is called nobody-1"),
        (["--scenes", "nowhere"], "no catalogued scene is called nowhere"),
        (["--min-score", "7"], "between 0 and 1, not 7"),
        (["--aoi", "/no/such/file.geojson"], "no such file"),
        ([], "no model serves yet"),
    ],
)
def test_detect_refuses_nonsense_in_one_line(scene: Scene, words: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason) as caught:
        said("detect", *words)
    assert "\n" not in str(caught.value)
    assert not DetectionRun.objects.exists()


def test_promote_says_what_serves_and_what_did(tmp_path: Path) -> None:
    for _ in range(2):
        model = fake_model(tmp_path, name="baseline")
        ModelVersion.objects.filter(pk=model.pk).update(engine="yolo")
    assert said("promote", "baseline-1") == "baseline-1 serves\n"
    assert said("promote", "baseline-2") == "baseline-2 serves; baseline-1 is kept for the way back\n"
    assert DispatchEntry.objects.get().model.name == "baseline-2"


def test_promote_refuses_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no model is called nobody-1"):
        said("promote", "nobody-1")
