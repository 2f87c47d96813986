"""Imports of scenes: the list with the form that starts one, and a page for each with every item's state."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labelling.core.errors import Conflict
from labelling.forms.scene_imports import ItemFilter, SceneImportForm
from labelling.models import SceneImport
from labelling.services.scenes import resume_import
from labelling.services.watching import watch_job

PER_PAGE = 25
ITEMS_PER_PAGE = 100


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("labelling.add_scene", raise_exception=True)
def scene_imports(request: HttpRequest) -> HttpResponse:
    form = SceneImportForm(request.POST if request.method == "POST" else None, label_suffix="")
    if form.is_bound and form.is_valid():
        return redirect("scene-import", import_id=form.start(cast(User, request.user)).pk)
    page = Paginator(SceneImport.objects.select_related("job", "created_by"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {"form": form, "page": page}
    return render(request, "labelling/scene_imports.html", context, status=400 if form.errors else 200)


@require_safe
@permission_required("labelling.add_scene", raise_exception=True)
def scene_import(request: HttpRequest, import_id: int) -> HttpResponse:
    found = get_object_or_404(SceneImport.objects.select_related("job__created_by"), pk=import_id)
    form = ItemFilter.of(request.GET)
    job = found.job
    context = {
        "scene_import": found,
        "watch": watch_job(job=job, user=request.user) if job else None,
        "counts": found.counts(),
        "form": form,
        "page": Paginator(form.items(found), ITEMS_PER_PAGE).get_page(request.GET.get("page")),
        "is_live": job is not None and not job.is_final,
        "may_resume": found.finished_at is None and (job is None or job.is_final),
    }
    return render(request, "labelling/scene_import.html", context)


@require_POST
@permission_required("labelling.add_scene", raise_exception=True)
def resume(request: HttpRequest, import_id: int) -> HttpResponse:
    found = get_object_or_404(SceneImport, pk=import_id)
    try:
        resume_import(scene_import=found, user=cast(User, request.user))
    except Conflict as error:
        messages.info(request, str(error))
    return redirect("scene-import", import_id=found.pk)
