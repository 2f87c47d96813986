"""Datasets: the list with the form that starts an export, a page for each, and the download."""

from typing import cast
from uuid import UUID

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from labelling.core.data_card import LOAD
from labelling.core.errors import NotFound
from labelling.forms.datasets import DatasetForm
from labelling.models import Snapshot
from labelling.services.snapshots import whole_snapshot
from labelling.services.watching import watch_job

PER_PAGE = 25


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("labelling.view_snapshot", raise_exception=True)
def datasets(request: HttpRequest) -> HttpResponse:
    may_start = request.user.has_perm("labelling.add_snapshot")
    if request.method == "POST" and not may_start:
        raise PermissionDenied
    form = DatasetForm(request.POST if request.method == "POST" else None, label_suffix="")
    if form.is_bound and form.is_valid():
        started = form.start(cast(User, request.user))
        if started is not None:
            return redirect("dataset", key=started.key)
    page = Paginator(Snapshot.objects.select_related("job"), PER_PAGE).get_page(request.GET.get("page"))
    context = {"form": form if may_start else None, "page": page}
    return render(request, "labelling/datasets.html", context, status=400 if form.errors else 200)


@require_safe
@permission_required("labelling.view_snapshot", raise_exception=True)
def dataset(request: HttpRequest, key: UUID) -> HttpResponse:
    found = get_object_or_404(Snapshot.objects.select_related("job__created_by", "created_by"), key=key)
    context = {
        "snapshot": found,
        "watch": watch_job(job=found.job, user=request.user) if found.job else None,
        "size": found.archive.stat().st_size if found.is_whole and found.archive.is_file() else None,
        "load": LOAD[found.format],
    }
    return render(request, "labelling/dataset.html", context)


@require_safe
@permission_required("labelling.view_snapshot", raise_exception=True)
def download(request: HttpRequest, key: UUID) -> FileResponse:
    try:
        found = whole_snapshot(key=key)
    except NotFound as error:
        raise Http404(str(error)) from error
    return FileResponse(
        found.archive.open("rb"), as_attachment=True, filename=f"{found.name}.zip", content_type="application/zip"
    )
