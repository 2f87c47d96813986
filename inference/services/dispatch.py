"""Which model serves: promotion, the way back, and the choice for a scene."""

from collections.abc import Sequence

from django.db import transaction

from inference.core.dispatch import Ground, Line, lines_for
from inference.core.errors import InferenceError, ModelRefused
from inference.models import DispatchEntry, ModelVersion
from inference.services.registry import weights_of
from labelling.models import Scene
from labelling.models.spatial import to_shapely
from labelling.services.regions import regions_of

Status = ModelVersion.Status


def promote_model(*, model: ModelVersion) -> DispatchEntry:
    """Let a model serve every type everywhere; the one that served before is kept for the way back.

    Raises:
        ModelMissing: its weights are gone or changed.
        ModelRefused: it is of the engine that only tests use.
    """
    if model.engine == "fake":
        msg = f"{model.name} is a model for tests and cannot serve"
        raise ModelRefused(msg)
    weights_of(model)
    with transaction.atomic():
        entry = (
            DispatchEntry.objects.select_for_update(of=("self",))
            .filter(mine_type=None, level=DispatchEntry.Level.EVERYWHERE, place=0)
            .first()
        )
        if entry is None:
            entry = DispatchEntry.objects.create(model=model)
        elif entry.model_id != model.pk:
            _serve(entry, model)
        _settle_statuses([entry.model, entry.previous])
    return entry


def roll_back(*, entry: DispatchEntry) -> DispatchEntry:
    """Let the model that served before serve again; doing it twice changes nothing in the end.

    Raises:
        InferenceError: no other model served here before.
        ModelMissing: the weights of the other are gone or changed.
    """
    with transaction.atomic():
        entry = DispatchEntry.objects.select_for_update(of=("self",)).get(pk=entry.pk)
        if entry.previous is None:
            msg = "no model served here before, so there is no way back"
            raise InferenceError(msg)
        weights_of(entry.previous)
        _serve(entry, entry.previous)
        _settle_statuses([entry.model, entry.previous])
    return entry


def retire_model(*, model: ModelVersion) -> None:
    """Put a model aside; it can still be promoted again.

    Raises:
        InferenceError: it serves.
    """
    with transaction.atomic():
        if DispatchEntry.objects.select_for_update(of=("self",)).filter(model=model).exists():
            msg = f"{model.name} serves: promote another model first"
            raise InferenceError(msg)
        ModelVersion.objects.filter(pk=model.pk).update(status=Status.RETIRED)
    model.refresh_from_db()


def _serve(entry: DispatchEntry, model: ModelVersion) -> None:
    entry.model, entry.previous = model, entry.model
    entry.save(update_fields=["model", "previous", "updated_at"])


def _settle_statuses(models: Sequence[ModelVersion | None]) -> None:
    """A model serves where any line names it; one that a line has left is retired."""
    for model in models:
        if model is not None:
            serves = DispatchEntry.objects.filter(model=model).exists()
            model.status = Status.SERVING if serves else Status.RETIRED
            model.save(update_fields=["status"])


def routes_of(scenes: Sequence[Scene]) -> list[list[tuple[ModelVersion, str]]]:
    """Find the models that look at each scene, and by which line of the dispatch table.

    Raises:
        InferenceError: the table is empty.
    """
    lines = [
        Line(entry.model_id, entry.mine_type.code if entry.mine_type else None, entry.level, entry.place)
        for entry in DispatchEntry.objects.select_related("mine_type")
    ]
    if not lines:
        msg = "no model serves yet: promote one, or name the model of this run"
        raise InferenceError(msg)
    models = ModelVersion.objects.in_bulk({line.model for line in lines})
    regions = regions_of([to_shapely(scene.footprint).centroid for scene in scenes])
    return [
        [
            (models[number], line.name)
            for number, line in lines_for(
                lines, Ground() if region is None else Ground(region.eco_id, region.biome_id)
            ).items()
        ]
        for region in regions
    ]
