"""Models side by side on one test set: the only place where they are compared."""

from dataclasses import dataclass

from inference.models import ModelVersion
from labelling.models import Job, MineType
from training.models import Score, TestSet
from training.services.evaluation import TASK


@dataclass(frozen=True)
class Standing:
    """One model.

    Attributes:
        model: the model version.
        overall: its score on everything; None where it was not scored by this evaluator yet.
        by_type: AP50 in the order of the leaderboard's types; None where not scored, or without truth.
        by_region: the same for regions.
        job: the evaluation that is under way or that failed last, where there is no score after it.
        outdated: scored, but by an older evaluator.
    """

    model: ModelVersion
    overall: Score | None
    by_type: tuple[float | None, ...]
    by_region: tuple[float | None, ...]
    job: Job | None
    outdated: bool

    @property
    def is_underway(self) -> bool:
        """A worker is, or will be, at it."""
        return self.job is not None and self.job.state_shown in {Job.State.QUEUED, Job.State.RUNNING}


@dataclass(frozen=True)
class Leaderboard:
    """Models on a test set, best AP50 first, those without a score last, newest first.

    Attributes:
        testset: the test set.
        evaluator: who scored; empty where nobody did yet.
        types: types that the test set holds, in the order of the taxonomy.
        regions: names of the regions that it holds.
        standings: the models of its axis.
    """

    testset: TestSet
    evaluator: str
    types: tuple[MineType, ...]
    regions: tuple[str, ...]
    standings: tuple[Standing, ...]

    @property
    def is_live(self) -> bool:
        """Something is being scored, so that the page should look again."""
        return any(standing.is_underway for standing in self.standings)


def leaderboard_of(*, testset: TestSet) -> Leaderboard:
    """Put the models of a test set's axis in order. Figures of different evaluators are never mixed."""
    rows = list(Score.objects.filter(testset=testset, testset_checksum=testset.checksum).order_by("-created_at", "-id"))
    evaluator = rows[0].evaluator if rows else ""
    slices = {(row.model_id, row.slice_kind, row.slice_value): row for row in rows if row.evaluator == evaluator}
    types = tuple(MineType.objects.filter(code__in=testset.counts.get("types", {})).order_by("rank", "code"))
    regions = tuple(sorted({row.slice_value for row in rows if row.slice_kind == "region"}))
    jobs, scored = _last_jobs(testset), {row.model_id for row in rows}

    def ap50(model: ModelVersion, kind: str, value: str) -> float | None:
        found = slices.get((model.pk, kind, value))
        return found.ap50 if found else None

    standings = []
    for model in ModelVersion.objects.filter(axis=testset.axis).select_related("source").order_by("-created_at", "-id"):
        overall = slices.get((model.pk, "all", ""))
        standing = Standing(
            model=model,
            overall=overall,
            by_type=tuple(ap50(model, "type", mine_type.code) for mine_type in types),
            by_region=tuple(ap50(model, "region", name) for name in regions),
            job=_news(jobs.get(model.pk), overall),
            outdated=overall is None and model.pk in scored,
        )
        standings.append(standing)
    standings.sort(key=lambda standing: -1.0 if standing.overall is None else -2.0 - (standing.overall.ap50 or 0.0))
    return Leaderboard(testset, evaluator, types, regions, tuple(standings))


def _news(job: Job | None, overall: Score | None) -> Job | None:
    """The job, unless it ended before the score that stands."""
    is_old = job is not None and overall is not None and job.is_final and job.created_at < overall.created_at
    return None if is_old else job


def _last_jobs(testset: TestSet) -> dict[int, Job]:
    """The last evaluation of each model on a test set, but for those that ended well."""
    found: dict[int, Job] = {}
    for job in Job.objects.filter(kind=TASK, params__testset=testset.pk).order_by("created_at"):
        found[job.params["model"]] = job
    return {model: job for model, job in found.items() if job.state != Job.State.DONE}
