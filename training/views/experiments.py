"""Trainings: the list, the form that shows the cost first, and the live page of one."""

import json
from collections.abc import Sequence
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from labelling.core.errors import LabellingError
from labelling.core.tables import csv_text
from labelling.services.jobs import log_of
from labelling.services.watching import watch_job
from training.core.errors import TrainingError
from training.core.plan import PRESETS, Plan
from training.forms.experiments import PlanForm
from training.models import Dataset, EpochLog, Experiment
from training.services.costs import Cost, estimate_cost
from training.services.experiments import plan_of, start_experiment
from training.services.side_by_side import compare_imagery

PER_PAGE = 30


@require_safe
@permission_required("training.view_experiment", raise_exception=True)
def experiments(request: HttpRequest) -> HttpResponse:
    rows = Experiment.objects.select_related("dataset", "model_version__source", "job__created_by")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "training/experiments.html", {"page": page, "presets": PRESETS})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("training.add_experiment", raise_exception=True)
def new_experiment(request: HttpRequest) -> HttpResponse:
    sent = request.POST if request.method == "POST" else request.GET
    form = (
        PlanForm(sent, label_suffix="") if "recipe" in sent else PlanForm(initial=_start_from(request), label_suffix="")
    )
    plan = form.plan() if form.is_bound else Plan.from_json(form.initial_plan())
    cost, problem = _cost(plan) if plan is not None else (None, "")
    if request.method == "POST" and plan is not None and not problem:
        name = form.cleaned_data["name"]
        experiment = start_experiment(plan=plan, name=name, user=cast(User, request.user))
        messages.success(request, f"{experiment.name} waits for a worker.")
        return redirect("experiment", pk=experiment.pk)
    beside = compare_imagery(recipe=plan.recipe) if plan is not None else None
    context = {"form": form, "cost": cost, "problem": problem, "presets": PRESETS, "beside": beside}
    return render(request, "training/new.html", context, status=400 if request.method == "POST" else 200)


def _start_from(request: HttpRequest) -> dict[str, Any]:
    """What the form begins with: an earlier experiment, a preset, or the baseline."""
    earlier = request.GET.get("from", "")
    if earlier.isdecimal() and len(earlier) < 10:
        experiment = get_object_or_404(Experiment, pk=int(earlier))
        return PlanForm.values_of(plan_of(experiment), name=experiment.name.rpartition("-")[0])
    name = request.GET.get("preset", "")
    name = name if name in PRESETS else next(iter(PRESETS))
    return PlanForm.values_of(PRESETS[name], name=name)


def _cost(plan: Plan) -> tuple[Cost | None, str]:
    try:
        return estimate_cost(plan=plan), ""
    except (TrainingError, LabellingError) as error:
        return None, str(error)


@require_safe
@permission_required("training.view_experiment", raise_exception=True)
def experiment(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(pk)
    epochs = _epochs(found)
    context = {
        "experiment": found,
        "watch": watch_job(job=found.job, user=request.user),
        "dataset": found.dataset,
        "sides": _sides(found.dataset),
        "last": epochs[-1] if epochs else None,
        "curves": curves_of(epochs),
    }
    if not request.headers.get("HX-Request"):  # the page follows the job every two seconds; these do not change with it
        context["beside"] = compare_imagery(recipe=plan_of(found).recipe)
    return render(request, "training/experiment.html", context)


@require_safe
@permission_required("training.view_experiment", raise_exception=True)
def epochs_csv(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(pk)
    epochs = _epochs(found)
    names = sorted({name for log in epochs for name in log.metrics})
    rows = ([log.epoch, *(log.metrics.get(name, "") for name in names)] for log in epochs)
    response = _download("text/csv; charset=utf-8", f"{found.name}-epochs.csv")
    response.write(csv_text(["epoch", *names], rows))
    return response


@require_safe
@permission_required("training.view_experiment", raise_exception=True)
def recipe_json(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(pk)
    response = _download("application/json", f"{found.name}.json")
    response.write(json.dumps(plan_of(found).to_json(), indent=1) + "\n")
    return response


@require_safe
@permission_required("training.view_experiment", raise_exception=True)
def training_log(request: HttpRequest, pk: int) -> HttpResponse | FileResponse:
    found = _found(pk)
    path = log_of(found.job)
    if not path.is_file():
        return _download("text/plain", f"{found.name}.log")
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"{found.name}.log", content_type="text/plain")


def _sides(dataset: Dataset | None) -> list[tuple[str, dict[str, Any]]]:
    words = {"train": "training", "val": "validation"}
    return [(words[side], dataset.counts[side]) for side in words] if dataset else []


def _found(pk: int) -> Experiment:
    rows = Experiment.objects.select_related("job__created_by", "dataset__testset", "model_version__source")
    return get_object_or_404(rows, pk=pk)


def _epochs(found: Experiment) -> list[EpochLog]:
    """The epochs of the attempt that counts: an earlier one that was broken off is not mixed in."""
    return list(found.epochs.filter(attempt=found.job.attempt))


def curves_of(epochs: Sequence[EpochLog]) -> dict[str, Any]:
    """Losses and validation figures by epoch, as the plots take them."""
    names = sorted({name for log in epochs for name in log.metrics})
    lines = {name: [log.metrics.get(name) for log in epochs] for name in names}
    return {"x": [log.epoch for log in epochs], "lines": lines}


def _download(content_type: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content_type=f"{content_type}; charset=utf-8", headers=headers)
