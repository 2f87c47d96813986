"""Detection runs, from the rows to the proposals, by the same functions that the worker calls."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from inference.core.errors import InferenceError, NothingToDetect
from inference.core.polygons import polygons_of
from inference.core.sweep import Box, SweepResult, SweepSettings
from inference.models import Detection, DetectionRun, ModelVersion, Shard, Sighting
from inference.services import runs
from inference.services.dispatch import promote_model
from inference.services.runs import create_run, execute_run, resume_run
from inference.services.shards import publish_shard
from inference.services.sweeps import sweep
from labelling.models import Job, MineType, Proposal, Scene, Site
from labelling.models.spatial import to_geos
from labelling.services.children import ChildFailed
from labelling.services.jobs import JobCancelled, JobHandle, LostJob, claim_job, request_cancel, run_job
from tests.cast import Cast
from tests.inference.catalogue import catalogued
from tests.inference.models import fake_model
from tests.inference.scenes import Blob

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]

PIT: Blob = (20, 20, 40, 50, "B04")
POND: Blob = (120, 100, 150, 130, "B03")


@pytest.fixture
def model(tmp_path: Path) -> ModelVersion:
    return fake_model(tmp_path)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return catalogued(tmp_path / "a.tif", [PIT, POND])


def work(run: DetectionRun) -> Job:
    """What the Celery task does."""
    run_job(job_id=run.job_id, work=lambda job, handle: execute_run(job=job, handle=handle))
    run.refresh_from_db()
    run.job.refresh_from_db()
    return run.job


def ran(model: ModelVersion, *scenes: Scene, **more: Any) -> DetectionRun:
    run = create_run(user=None, scenes=scenes, model=model, **more)
    job = work(run)
    assert (job.state, job.error) == (Job.State.DONE, "")
    return run


def place(scene: Scene, blob: Blob, *, grow: float = 0) -> BaseGeometry:
    x0, y0, x1, y1, _ = blob
    (polygon,) = polygons_of([Box(x0 - grow, y0 - grow, x1 + grow, y1 + grow, 1, "")], scene.ref())
    return polygon


def settled_site(geometry: BaseGeometry, state: str, code: str | None = None) -> Site:
    feature = MineType.objects.get(code=code) if code else None
    footprint = to_geos(geometry)
    return Site.objects.create(footprint=footprint, point=footprint.point_on_surface, state=state, feature=feature)


def test_what_is_found_becomes_proposals_on_new_sites(model: ModelVersion, scene: Scene) -> None:
    run = ran(model, scene)
    assert run.counts == {
        "left_out": 0, "windows": 16, "found": 2, "proposed": 2, "sites": 2, "known": 0, "rejected_before": 0,
    }  # fmt: skip
    proposals = {proposal.types["feature"][0][0]: proposal for proposal in Proposal.objects.all()}
    for code, blob in (("open_pit", PIT), ("pond", POND)):
        proposal = proposals[code]
        assert (proposal.source, proposal.scene) == (model.source, scene)
        assert proposal.score == pytest.approx(1, abs=0.05)
        assert proposal.geometry.equals_exact(GEOSGeometry(place(scene, blob).wkt), 1e-6)
        assert proposal.detection.run == run
        assert proposal.detection.shard.route == runs.BY_HAND
        assert proposal.detection.box == list(blob[:4])
        assert proposal.site.state == Site.State.OPEN


def test_a_second_run_of_the_same_model_adds_nothing(model: ModelVersion, scene: Scene) -> None:
    ran(model, scene)
    second = ran(model, scene)
    assert (second.counts["found"], second.counts["proposed"], second.counts["known"]) == (2, 0, 2)
    assert (Proposal.objects.count(), Site.objects.count(), Detection.objects.count()) == (2, 2, 2)


def test_another_model_speaks_of_the_same_sites(tmp_path: Path, model: ModelVersion, scene: Scene) -> None:
    ran(model, scene)
    second = ran(fake_model(tmp_path), scene)
    assert (second.counts["proposed"], second.counts["sites"]) == (2, 0)
    assert (Proposal.objects.count(), Site.objects.count()) == (4, 2)


@pytest.mark.parametrize(("state", "counted"), [("verified", "known"), ("rejected", "rejected_before")])
def test_nothing_is_proposed_where_people_have_judged(
    model: ModelVersion, scene: Scene, state: str, counted: str
) -> None:
    site = settled_site(place(scene, PIT, grow=1), state, "open_pit")
    run = ran(model, scene)
    assert (run.counts["found"], run.counts["proposed"], run.counts[counted]) == (2, 1, 1)
    assert Proposal.objects.get().types["feature"][0][0] == "pond"
    sightings = Sighting.objects.filter(site=site)
    if state == "rejected":
        assert sightings.get().type_code == "open_pit"
        assert sightings.get().score == pytest.approx(1, abs=0.05)
    else:
        assert not sightings.exists()
    assert not site.proposals.exists()
    site.refresh_from_db()
    assert (site.state, site.version) == (state, 0)


@pytest.mark.parametrize("state", ["open", "contested"])
def test_what_people_have_not_settled_is_spoken_of(model: ModelVersion, scene: Scene, state: str) -> None:
    site = settled_site(place(scene, PIT, grow=1), state, "open_pit")
    run = ran(model, scene)
    assert (run.counts["proposed"], run.counts["sites"]) == (2, 1)
    assert site.proposals.count() == 1


def test_only_what_touches_the_area_is_proposed(model: ModelVersion, scene: Scene) -> None:
    west, south, east, north = place(scene, POND).bounds
    aoi = MultiPolygon(Polygon.from_bbox((west, south, (west + east) / 2, (south + north) / 2)), srid=4326)
    run = ran(model, scene, aoi=aoi)
    assert run.counts["found"] == 1
    assert run.counts["windows"] < 16
    assert Proposal.objects.get().types["feature"][0][0] == "pond"


def test_scenes_without_the_bands_are_left_out_and_counted(tmp_path: Path, model: ModelVersion, scene: Scene) -> None:
    blind = catalogued(tmp_path / "blind.tif", [])
    Scene.objects.filter(pk=blind.pk).update(bands=["B02", "B03", "B05"])
    blind.refresh_from_db()
    run = ran(model, scene, blind)
    assert (run.shards.count(), run.counts["left_out"]) == (1, 1)
    with pytest.raises(NothingToDetect, match="none of 1 scenes has the bands B04, B03"):
        create_run(user=None, scenes=[blind], model=model)


def test_without_a_model_the_dispatch_table_chooses(model: ModelVersion, scene: Scene) -> None:
    with pytest.raises(InferenceError, match="no model serves yet"):
        create_run(user=None, scenes=[scene])
    ModelVersion.objects.filter(pk=model.pk).update(engine="yolo")
    promote_model(model=ModelVersion.objects.get(pk=model.pk))
    ModelVersion.objects.filter(pk=model.pk).update(engine="fake")
    run = create_run(user=None, scenes=[scene])
    assert work(run).state == Job.State.DONE
    assert Detection.objects.first().shard.route == "every type, everywhere"  # type: ignore[union-attr]
    assert Proposal.objects.filter(source=model.source).count() == 2


def test_a_scene_that_cannot_be_read_fails_alone(tmp_path: Path, model: ModelVersion, scene: Scene) -> None:
    gone = catalogued(tmp_path / "gone.tif", [PIT], lon=27.3, lat=-10.7)
    Path(gone.uri).unlink()
    run = ran(model, gone, scene)
    states = dict(run.shards.values_list("scene", "state"))
    assert states == {gone.pk: Shard.State.FAILED, scene.pk: Shard.State.DONE}
    assert run.job.result["failed"] == 1
    assert "gone.tif: no such file" in run.shards.get(scene=gone).error
    assert run.counts["proposed"] == 2


def test_a_run_of_which_nothing_could_be_read_failed(tmp_path: Path, model: ModelVersion) -> None:
    gone = catalogued(tmp_path / "gone.tif", [PIT])
    Path(gone.uri).unlink()
    run = create_run(user=None, scenes=[gone], model=model)
    assert work(run).state == Job.State.FAILED
    assert "gone.tif: no such file" in run.job.error


def test_a_failed_run_is_taken_up_where_it_stopped(tmp_path: Path, model: ModelVersion, scene: Scene) -> None:
    gone = catalogued(tmp_path / "gone.tif", [PIT], lon=27.3, lat=-10.7)
    path = Path(gone.uri)
    kept = path.rename(tmp_path / "kept")
    run = ran(model, gone, scene)
    done_at = run.shards.get(scene=scene).finished_at
    kept.rename(path)
    job = resume_run(run=run, user=None)
    assert job != run.job
    run.refresh_from_db()
    assert work(run).state == Job.State.DONE
    assert run.shards.get(scene=scene).finished_at == done_at
    assert run.counts["proposed"] == 3
    with pytest.raises(InferenceError, match="is done"):
        resume_run(run=run, user=None)


def test_a_run_that_goes_on_is_not_taken_up_twice(model: ModelVersion, scene: Scene) -> None:
    run = create_run(user=None, scenes=[scene], model=model)
    with pytest.raises(InferenceError, match="still runs"):
        resume_run(run=run, user=None)


def test_a_child_that_dies_leaves_what_was_published_and_the_rest_for_later(
    tmp_path: Path, model: ModelVersion, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = catalogued(tmp_path / "b.tif", [PIT], lon=27.3, lat=-10.7)

    def dies(**more: Any) -> Generator[SweepResult, None, None]:
        yield next(sweep(**more))
        raise ChildFailed("killed by the system")

    run = create_run(user=None, scenes=[scene, other], model=model)
    monkeypatch.setattr(runs, "sweep", dies)
    assert work(run).state == Job.State.FAILED
    assert list(run.shards.values_list("state", flat=True)) == [Shard.State.DONE, Shard.State.QUEUED]
    assert Proposal.objects.count() == 2
    monkeypatch.undo()
    resume_run(run=run, user=None)
    run.refresh_from_db()
    work(run)
    assert list(run.shards.values_list("state", flat=True)) == [Shard.State.DONE] * 2
    assert Proposal.objects.count() == 3


def test_a_cancelled_run_stops_and_keeps_what_it_published(
    tmp_path: Path, model: ModelVersion, scene: Scene, monkeypatch: pytest.MonkeyPatch, cast: Cast
) -> None:
    other = catalogued(tmp_path / "b.tif", [PIT], lon=27.3, lat=-10.7)

    def cancelled(**more: Any) -> Generator[SweepResult, None, None]:
        yield next(sweep(**more))
        request_cancel(job=run.job, user=cast.ada)
        raise JobCancelled("cancelled while it ran")

    run = create_run(user=cast.ada, scenes=[scene, other], model=model)
    monkeypatch.setattr(runs, "sweep", cancelled)
    assert work(run).state == Job.State.CANCELLED
    assert list(run.shards.values_list("state", flat=True)) == [Shard.State.DONE, Shard.State.QUEUED]


def test_a_worker_that_lost_the_job_publishes_nothing(model: ModelVersion, scene: Scene) -> None:
    run = create_run(user=None, scenes=[scene], model=model)
    handle = claim_job(job_id=run.job_id)
    assert handle is not None
    zombie = JobHandle(handle.id, handle.attempt - 1)
    shard = run.shards.get()
    result = SweepResult(str(shard.pk), [Box(*PIT[:4], 0.9, "open_pit")], 1)
    with pytest.raises(LostJob):
        publish_shard(shard=shard, result=result, handle=zombie)
    assert not Proposal.objects.exists()
    publish_shard(shard=shard, result=result, handle=handle)
    assert Proposal.objects.count() == 1


def test_a_fault_while_publishing_leaves_nothing_half_done(
    model: ModelVersion, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_run(user=None, scenes=[scene], model=model)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("inference.services.shards.sum_up", broken)
    assert work(run).state == Job.State.FAILED
    assert not Proposal.objects.exists()
    assert not Site.objects.exists()
    assert run.shards.get().state == Shard.State.QUEUED


def test_a_run_without_scenes_says_what_to_do(model: ModelVersion) -> None:
    with pytest.raises(NothingToDetect, match="import some"):
        create_run(user=None, scenes=[], model=model)


def test_the_least_score_is_kept_to(model: ModelVersion, tmp_path: Path) -> None:
    scene = catalogued(tmp_path / "a.tif", [PIT])
    run = ran(model, scene, settings=SweepSettings(min_score=1.0))
    assert run.settings["min_score"] == 1.0
    assert run.counts["found"] == 1


def test_losing_the_job_ends_the_child_and_leaves_the_shards_to_the_other_worker(
    model: ModelVersion, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_run(user=None, scenes=[scene], model=model)
    closed = []

    def watched(**more: Any) -> Generator[SweepResult, None, None]:
        try:
            yield from sweep(**more)
        finally:
            closed.append(True)

    def taken_over(*, shard: Shard, **_: object) -> None:
        Job.objects.filter(pk=run.job_id).update(attempt=7)
        raise LostJob("held by attempt 7")

    monkeypatch.setattr(runs, "sweep", watched)
    monkeypatch.setattr(runs, "publish_shard", taken_over)
    job = work(run)
    assert closed == [True]
    assert (job.state, job.attempt) == (Job.State.RUNNING, 7)
    assert run.shards.get().state == Shard.State.RUNNING
