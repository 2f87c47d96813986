"""The whole loop without a browser, on synthetic ground: the same services and jobs as everywhere else."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.contrib.auth.models import Group, User

from inference.models import ModelVersion
from inference.services.runs import create_run, execute_run
from labelling.core.export import ExportSettings
from labelling.core.oracle import Truth
from labelling.core.synthetic import Place
from labelling.models import Campaign, Job, Label, Proposal, Scene, Site
from labelling.services.demo import LOOP_PLACES, demo_places, load_demo, scene_paths
from labelling.services.jobs import run_job
from labelling.services.oracle import review_as_oracle
from labelling.services.snapshots import begin_snapshot, write_snapshot
from labelling.services.waiting import wait_for_job
from training.core.errors import TrainingFailed
from training.core.plan import Plan
from training.models import Score, TestSet
from training.services.evaluation import enqueue_evaluation, run_evaluation
from training.services.experiments import run_experiment, start_experiment
from training.services.testsets import freeze_testset
from training.services.untrained import register_untrained

TITLE = "Synthetic loop"
TESTSET = "synthetic"
UNSEEN = 4
"""So many places are left to the detector."""
Say = Callable[[str], None]
Figures = dict[str, Any]


class _Clock:
    """Runs the steps one after another and notes what each gave and how long it took."""

    def __init__(self, say: Say) -> None:
        self.say, self.outcome = say, dict[str, Figures]()

    def step(self, name: str, work: Callable[[], Figures]) -> None:
        self.say(f"{name} ...")
        started = time.monotonic()
        figures = work()
        self.outcome[name] = {**figures, "seconds": round(time.monotonic() - started, 1)}
        self.say(f"{name}: {self.outcome[name]}")


def run_loop(*, places: Sequence[Place] | None = None, epochs: int | None = None, say: Say) -> dict[str, Figures]:
    """Import, review, freeze, train, judge, detect, export; what is there from an earlier loop is used again.

    Args:
        places: invented ground, of which the last four are left to the detector; None for ``LOOP_PLACES``.
        epochs: of the training; None for those of the preset ``quick``.
        say: told what happens, a line at a time.

    Returns:
        The figures of each step, in order, with its seconds; ``judge`` holds the scores of the untrained and of
        the trained model on the frozen synthetic test set.

    Raises:
        TrainingFailed: a step's job did not end well; says why.
    """
    places = places or demo_places(LOOP_PLACES)
    seen, unseen = places[:-UNSEEN], places[-UNSEEN:]
    oracle, clock = _oracle(), _Clock(say)
    clock.step("import", lambda: _bring_in(seen, unseen, say))
    clock.step("review", lambda: _review(seen, oracle))
    clock.step("freeze", _freeze)
    clock.step("train", lambda: _train(oracle, epochs))
    clock.step("judge", lambda: _judge(oracle, clock.outcome["train"]["model"]))
    clock.step("detect", lambda: _detect(oracle, unseen, clock.outcome["train"]["model"]))
    for kind in ("yolo", "coco", "geojson"):
        clock.step(f"export {kind}", partial(_export, oracle, kind))
    return clock.outcome


def _oracle() -> User:
    """A lead with no password: nobody can log in as the oracle."""
    user, is_new = User.objects.get_or_create(username="oracle")
    if is_new:
        user.set_unusable_password()
        user.save()
        user.groups.add(Group.objects.get(name="lead"))
    return user


def _bring_in(seen: Sequence[Place], unseen: Sequence[Place], say: Say) -> Figures:
    load_demo(places=seen, title=TITLE, say=say)
    load_demo(places=unseen, title=f"{TITLE} unseen", say=say)
    return {
        "scenes": Scene.objects.filter(synthetic=True).count(),
        "sites": Site.objects.filter(synthetic=True).count(),
    }


def _review(places: Sequence[Place], oracle: User) -> Figures:
    campaign = Campaign.objects.get(name=TITLE)
    if campaign.reviewed_areas.exists():
        return {"windows": campaign.reviewed_areas.count(), "verified": _verified()}
    truths = [Truth(mine.lonlat, mine.kind) for place in places for mine in place.mines]
    made = review_as_oracle(
        user=oracle, campaign=campaign, truths=truths, windows=[place.lonlat_bounds for place in places]
    )
    return {**made, "verified": _verified()}


def _verified() -> int:
    return Label.objects.filter(state=Label.State.VERIFIED, site__synthetic=True).count()


def _freeze() -> Figures:
    testset = TestSet.objects.filter(name=TESTSET).first() or freeze_testset(
        name=TESTSET, block_m=10_000, buffer_m=1_000, share=0.25
    )
    return {"blocks": testset.blocks.count(), "labels": testset.labels.count(), "checksum": testset.checksum[:12]}


def _train(oracle: User, epochs: int | None) -> Figures:
    plan = Plan.from_json({"preset": "quick", **({"epochs": epochs} if epochs else {})})
    experiment = start_experiment(plan=plan, name="synthetic", user=oracle)
    result = _do(experiment.job, run_experiment)
    return {key: result[key] for key in ("model", "epochs", "chips", "device")}


def _judge(oracle: User, model_name: str) -> Figures:
    trained = ModelVersion.objects.get(name=model_name)
    testset = TestSet.objects.get(name=TESTSET)
    scores = {}
    for key, model in (("untrained", register_untrained(like=trained)), ("trained", trained)):
        _do(enqueue_evaluation(model=model, testset=testset, user=oracle), run_evaluation)
        scores[key] = Score.objects.filter(model=model, testset=testset, slice_kind="all").latest("created_at")
    return {
        key: {"ap50": score.ap50, "ap50_95": score.ap50_95, "f1": score.f1, "truths": score.truths}
        for key, score in scores.items()
    }


def _detect(oracle: User, places: Sequence[Place], model_name: str) -> Figures:
    paths = [str(path) for place in places for path in scene_paths(place)]
    model = ModelVersion.objects.get(name=model_name)
    run = create_run(user=oracle, scenes=list(Scene.objects.filter(uri__in=paths)), model=model)
    result = _do(run.job, execute_run)
    queued = Proposal.objects.filter(detection__run=run, site__state=Site.State.OPEN).count()
    return {**result, "proposals in the queue": queued}


def _export(oracle: User, kind: str) -> Figures:
    wanted = ExportSettings(format=kind, campaign=Campaign.objects.get(name=TITLE).slug, bands=("B04", "B03", "B02"))
    snapshot = write_snapshot(snapshot=begin_snapshot(settings=wanted, user=oracle))
    return {"labels": snapshot.counts["labels"], "folder": str(snapshot.folder)}


def _do(job: Job, work: Callable[..., Figures]) -> Figures:
    """Do a job in this process, or wait for the worker that was faster."""
    run_job(job_id=job.pk, work=lambda row, handle: work(job=row, handle=handle))
    done = wait_for_job(job=job, tell=lambda _line: None)
    if done.state != Job.State.DONE:
        msg = f"{done.title} ended as {done.state_shown}: {done.error}"
        raise TrainingFailed(msg)
    result: Figures = done.result
    return result
