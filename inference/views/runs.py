"""Detection runs: the list with the form that starts one, and a live page for each."""

from collections import Counter
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inference.core.errors import InferenceError
from inference.forms import RunForm
from inference.models import DetectionRun, DispatchEntry, Shard
from inference.services.runs import resume_run
from labelling.models import Scene
from labelling.services.watching import watch_job

PER_PAGE = 25
SHARDS_SHOWN = 200


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("inference.view_detectionrun", raise_exception=True)
def runs(request: HttpRequest) -> HttpResponse:
    may_start = request.user.has_perm("inference.add_detectionrun")
    form = RunForm(
        request.POST if request.method == "POST" and may_start else None,
        request.FILES or None,
        initial={name: request.GET[name] for name in ("model", "scenes") if name in request.GET},
        label_suffix="",
    )
    if form.is_bound and form.is_valid():
        started = form.start(cast(User, request.user))
        if started is not None:
            return redirect("run", run_id=started.pk)
    found = (
        DetectionRun.objects.select_related("job", "model")
        .annotate(scenes=Count("shards"))
        .order_by("-created_at", "-id")
    )
    context = {
        "form": form if may_start else None,
        "page": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
        "can_detect": Scene.objects.exists() and (DispatchEntry.objects.exists() or form.has_models()),
    }
    return render(request, "inference/runs.html", context, status=400 if form.errors else 200)


@require_safe
@permission_required("inference.view_detectionrun", raise_exception=True)
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    found = get_object_or_404(DetectionRun.objects.select_related("job__created_by", "model"), pk=run_id)
    states = Counter(found.shards.values_list("state", flat=True))
    scenes, done = states.total(), states[Shard.State.DONE]
    context = {
        "run": found,
        "scenes": scenes,
        "done": done,
        "failed": states[Shard.State.FAILED],
        "unfinished": scenes - done if found.job.is_final else 0,
        "watch": watch_job(job=found.job, user=request.user),
        "shards": found.shards.select_related("scene", "model").order_by("-state", "-finished_at", "id")[:SHARDS_SHOWN],
        "shards_shown": SHARDS_SHOWN,
    }
    return render(request, "inference/run.html", context)


@require_POST
@permission_required("inference.add_detectionrun", raise_exception=True)
def resume(request: HttpRequest, run_id: int) -> HttpResponse:
    found = get_object_or_404(DetectionRun, pk=run_id)
    try:
        resume_run(run=found, user=cast(User, request.user))
    except InferenceError as error:
        messages.error(request, str(error))
    return redirect("run", run_id=run_id)
