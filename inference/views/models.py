"""One model: what it is, where it serves, and the buttons that change that."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from inference.core.errors import InferenceError
from inference.core.preparation import Preparation
from inference.models import DispatchEntry, ModelVersion
from inference.services.dispatch import promote_model, retire_model, roll_back
from inference.services.reception import reception_of
from labelling.models import Decision, MineType


@require_safe
@permission_required("inference.view_modelversion", raise_exception=True)
def model(request: HttpRequest, name: str) -> HttpResponse:
    found = get_object_or_404(ModelVersion.objects.select_related("source"), name=name)
    preparation = Preparation.from_json(found.preparation)
    reception = reception_of(model=found)
    known = MineType.objects.in_bulk(found.types, field_name="code")
    context = {
        "model": found,
        "preparation": preparation,
        "stretch": list(zip(preparation.bands, preparation.low, preparation.high, strict=True)),
        "types": [known[code] for code in found.types if code in known],
        "regions": found.regions.all(),
        "entries": found.dispatch_entries.select_related("mine_type"),
        "runs": found.runs.select_related("job")[:10],
        "reception": reception,
        "reasons": [(Decision.Reason(code).label, count) for code, count in reception.tally.rejected.items()],
    }
    return render(request, "inference/model.html", context)


@require_POST
@permission_required("inference.change_dispatchentry", raise_exception=True)
def promote(request: HttpRequest, name: str) -> HttpResponse:
    found = get_object_or_404(ModelVersion, name=name)
    with _told(request) as tell:
        promote_model(model=found)
        tell(f"{found.name} serves.")
    return redirect("model", name=name)


@require_POST
@permission_required("inference.change_dispatchentry", raise_exception=True)
def retire(request: HttpRequest, name: str) -> HttpResponse:
    found = get_object_or_404(ModelVersion, name=name)
    with _told(request) as tell:
        retire_model(model=found)
        tell(f"{found.name} is put aside; it can be promoted again.")
    return redirect("model", name=name)


@require_safe
@permission_required("inference.view_modelversion", raise_exception=True)
def dispatch(request: HttpRequest) -> HttpResponse:
    entries = DispatchEntry.objects.select_related("mine_type", "model", "previous").order_by("mine_type", "level")
    return render(request, "inference/dispatch.html", {"entries": entries})


@require_POST
@permission_required("inference.change_dispatchentry", raise_exception=True)
def rollback(request: HttpRequest, entry_id: int) -> HttpResponse:
    entry = get_object_or_404(DispatchEntry, pk=entry_id)
    with _told(request) as tell:
        tell(f"{roll_back(entry=entry).model} serves again.")
    return redirect("dispatch")


@contextmanager
def _told(request: HttpRequest) -> Iterator[Callable[[str], None]]:
    """Tell the person that it is done, or why it is not."""
    try:
        yield partial(messages.success, request)
    except InferenceError as error:
        messages.error(request, str(error))
