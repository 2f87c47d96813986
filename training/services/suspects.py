"""What models hold against labels, handed down to where suspects are kept."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from inference.models import Sighting
from labelling.core.suspects import Doubt
from labelling.core.taxonomy import in_words
from labelling.models import Decision, Job, Label, Proposal, Retirement
from labelling.models.taxonomy import Axis
from labelling.services.jobs import JobHandle, beat_job, enqueue_if_new
from labelling.services.suspects import Found, find_suspects
from training.models import TypeOpinion, TypeStudy

TASK = "training.find_suspects"
SURE = 0.6
"""A detection of at least this score on a rejected site is worth a second look."""
ANSWERED = ("duplicate", "wrong_type")
"""Rejections that do not deny that something is there: a model that finds it contradicts nothing."""


def suspects_if_due() -> Job | None:
    """Ask for a look at every label where claims, decisions, sightings or a study have come in since the last.

    Returns:
        The job, or None where there is nothing to do or it is being done.
    """
    mark = _mark()
    return enqueue_if_new(kind=TASK, title="look for suspect labels", mark=mark) if mark["labels"] else None


def run_suspects(*, handle: JobHandle) -> dict[str, Any]:
    """Do the work of a job, and drop the rows of earlier ones that were done: they come every few minutes."""
    mark = _mark()
    beat_job(handle=handle, phase="looking at labels", progress=0.1)
    found = look_for_suspects()
    Job.objects.filter(kind=TASK, state=Job.State.DONE).delete()
    return {**vars(found), "mark": mark}


def _mark() -> dict[str, int]:
    rows = (Proposal, Retirement, Decision, Sighting, TypeOpinion)
    return {"labels": Label.objects.count(), **{row.__name__: row.objects.count() for row in rows}}


def look_for_suspects() -> Found:
    """Look at every label with what the latest study of each axis, detectors and seeds say of it."""
    doubts: dict[int, list[Doubt]] = defaultdict(list)
    for site, doubt in (*_of_classifiers(), *_of_detectors()):
        doubts[site].append(doubt)
    return find_suspects(doubts=doubts)


def _of_classifiers() -> Iterator[tuple[int, Doubt]]:
    for axis in Axis.values:
        study = TypeStudy.objects.filter(axis=axis).exclude(report={}).first()
        if study is None:
            continue
        types = dict(
            Label.objects.filter(state=Label.State.VERIFIED)
            .exclude(**{axis: None})
            .values_list("site_id", f"{axis}__code")
        )
        for one in TypeOpinion.objects.filter(study=study, is_issue=True).iterator():
            # A label that has changed since is not the one that was doubted.
            if types.get(one.site_id) == one.given:
                yield one.site_id, _doubt(study, one)


def _doubt(study: TypeStudy, one: TypeOpinion) -> Doubt:
    odds = dict(one.odds)
    code, share = one.odds[0]
    learned = study.counts.get("examples", 0)
    words = (
        f"a classifier that has not seen this site or its neighbours calls it {in_words(code)} ({share:.2f}), "
        f"not {in_words(one.given)} ({odds.get(one.given, 0.0):.2f}); {study.name}, {learned} examples"
    )
    return Doubt("classifier", 1 - one.quality, words, f"classifier {study.axis} {code}")


def _of_detectors() -> Iterator[tuple[int, Doubt]]:
    seen = Sighting.objects.filter(score__gte=SURE, site__label__state=Label.State.REJECTED)
    best: dict[tuple[int, str], Sighting] = {}
    for one in seen.exclude(site__label__reason__in=ANSWERED).select_related("shard__model"):
        key = one.site_id, one.shard.model.name
        if key not in best or one.score > best[key].score:
            best[key] = one
    for (site, model), one in sorted(best.items()):
        words = f"{model} finds {in_words(one.type_code)} here ({one.score:.2f}), where people rejected the site"
        yield site, Doubt("sighting", one.score, words, f"sighting {model}")
