"""Studies of types: what a classifier learns from people's labels, judged honestly, and proposed to open sites."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import transaction

from inference.core.model_version import free_name
from inference.core.sweep import SweepTarget
from labelling.core.blobs import sha256_of
from labelling.models import Job, Source
from labelling.services.children import listen_to_child
from labelling.services.jobs import JobHandle, beat_job, enqueue_job, finish_job, log_of
from labelling.services.joins import join_types
from labelling.services.type_offers import TypeOffer, offer_types
from training.core.errors import BadRecipe, TooFewLabels, TrainingFailed
from training.core.type_study import MIN_EXAMPLES, StudySettings, hash_labels
from training.models import TypeOpinion, TypeStudy
from training.services.suspects import look_for_suspects
from training.services.type_examples import Material, all_points, count_examples, gather_material

TASK = "training.propose_types"
ENGINE = "training.engines.types"
WORTH_SAYING = 0.02
MAX_CODES = 5


def start_study(*, settings: StudySettings, user: User | None = None) -> TypeStudy:
    """Write a study and its job; a worker of the ``cpu`` queue takes it from there.

    Args:
        settings: what to learn from, and what to look at.
        user: who asked for it.

    Raises:
        TooFewLabels: fewer than two types have enough examples.
        BadRecipe: the file of weights is not among the weights.
    """
    weights_of(settings)
    counts = count_examples(axis=settings.axis, truth=settings.truth)
    if sum(count >= MIN_EXAMPLES for count in counts.values()) < 2:
        told = ", ".join(f"{code}: {count}" for code, count in counts.items()) or "there are none"
        msg = f"two types with {MIN_EXAMPLES} examples each are needed ({told}): verify more sites, or learn from seeds"
        raise TooFewLabels(msg)
    with transaction.atomic():
        name = free_name(f"types-{settings.axis}", set(TypeStudy.objects.values_list("name", flat=True)))
        job = enqueue_job(kind=TASK, title=f"Propose types: {name}", params={}, user=user)
        return TypeStudy.objects.create(name=name, axis=settings.axis, settings=settings.to_json(), job=job)


def weights_of(settings: StudySettings) -> Path | None:
    """The file of weights that a study names, among those that an admin put in place; None where it names none.

    Raises:
        BadRecipe: there is no such file.
    """
    if not settings.weights:
        return None
    root = Path(django_settings.WEIGHTS_ROOT).resolve()
    path = (root / settings.weights).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        msg = f"no weights {settings.weights} in {root}: put the file there, as .safetensors or as a plain checkpoint"
        raise BadRecipe(msg)
    return path


def run_study(*, job: Job, handle: JobHandle) -> dict[str, Any]:
    """The work of a study's job: measure, judge, propose, and look for labels that look wrong.

    Figures, proposals, suspects and the end of the job are published together.

    Args:
        job: its row.
        handle: the attempt that this worker holds.

    Returns:
        What stands in the job's result: accuracy, majority, calibration error, and the study's counts.

    Raises:
        TooFewLabels: all examples of the types lie too near to each other.
        ChildFailed: the child ended with an error, such as weights that it refused.
        JobCancelled: somebody asked to stop; the child is dead.
        LostJob: another worker has the job.
    """
    study = TypeStudy.objects.get(job=job)
    settings = StudySettings.from_json(study.settings)
    beat_job(handle=handle, phase="gathering sites", progress=0.0)
    material = gather_material(settings=settings)
    weights = weights_of(settings)
    heard = _ask_child(material, settings, weights, handle)
    if not heard["judged"]:
        msg = "the study ended without figures; see its log"
        raise TrainingFailed(msg)
    study.report = {key: value for key, value in heard["judged"][0].items() if key != "event"}
    study.report |= {"tested": material.tested, "weights_sha256": sha256_of(weights) if weights else ""}
    study.labels_hash = hash_labels(material.examples)
    return _publish(study, material, heard, handle)


def _ask_child(
    material: Material, settings: StudySettings, weights: Path | None, handle: JobHandle
) -> dict[str, list[Any]]:
    spec = {
        "settings": settings.to_json(),
        "subjects": [one.to_json() for one in (*material.examples, *material.others)],
        "scenes": [SweepTarget(str(scene.pk), scene.ref()).to_json() for scene in material.scenes],
        "everywhere": all_points(),
        "weights": str(weights) if weights else None,
    }
    heard: dict[str, list[Any]] = {"judged": [], "opinions": [], "offers": []}
    with closing(listen_to_child(handle=handle, module=ENGINE, spec=spec, log=log_of(handle))) as events:
        for event in events:
            heard[event["event"]] += event.get("rows", [event])
    return heard


@transaction.atomic
def _publish(study: TypeStudy, material: Material, heard: dict[str, list[Any]], handle: JobHandle) -> dict[str, Any]:
    codes, axis = study.report["codes"], study.axis
    study.source, _ = Source.objects.get_or_create(
        name=f"Type classifier: {axis}",
        defaults={"kind": Source.Kind.MODEL, "citation": "learned from the types that people verified here"},
    )
    _write_opinions(study, {one.key: one.given for one in material.examples}, heard["opinions"])
    offered = offer_types(source=study.source, axis=axis, offers=_offers(study, heard, codes))
    joined = join_types(axis=axis, site_ids=[one.key for one in material.others])
    study.report["rates"] = {band: [rate.right, rate.of] for band, rate in joined.rates.items()}
    study.counts = {
        "examples": len(heard["opinions"]),
        "looked_at": len(heard["offers"]),
        "classifier": offered.written,
        "neighbours": joined.offered.written,
        "unchanged": offered.known,
    }
    study.save()
    found = look_for_suspects()
    study.counts["suspects"] = found.suspects
    study.save(update_fields=["counts"])
    overall = study.report["overall"]
    result = {**study.counts, **{key: overall[key] for key in ("accuracy", "majority", "ece")}}
    finish_job(handle=handle, result=result)
    return result


def _write_opinions(study: TypeStudy, given: dict[int, str], rows: Sequence[Any]) -> None:
    codes = study.report["codes"]
    TypeOpinion.objects.bulk_create(
        (
            TypeOpinion(
                study=study,
                site_id=key,
                given=given[key],
                fold=fold,
                odds=_ranked(codes, odds),
                quality=quality,
                is_issue=is_issue,
            )
            for key, fold, odds, quality, is_issue in rows
        ),
        batch_size=1000,
    )


def _ranked(codes: Sequence[str], odds: Sequence[float]) -> list[tuple[str, float]]:
    return sorted(zip(codes, odds, strict=True), key=lambda one: (-one[1], one[0]))


def _offers(study: TypeStudy, heard: dict[str, list[Any]], codes: Sequence[str]) -> list[TypeOffer]:
    """What it thinks of the open sites, and of open ones that it learned from what it thought without them."""
    said = [*heard["offers"], *([key, odds] for key, _, odds, _, _ in heard["opinions"])]
    overall = study.report["overall"]
    note = f"version {study.name}: right in {overall['accuracy']:.0%} of {overall['count']} held-out sites"
    found = []
    for key, odds in said:
        ranked = [one for one in _ranked(codes, odds) if one[1] >= WORTH_SAYING][:MAX_CODES]
        found.append(TypeOffer(key, tuple(ranked), {"note": note, "version": study.name}))
    return found
