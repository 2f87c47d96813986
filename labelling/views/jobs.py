"""What the workers do: a list, and a live page for each job. Every room's work is shown here."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from labelling.core.errors import NotAllowed
from labelling.forms.jobs import JobFilter
from labelling.models import Job
from labelling.services.jobs import request_cancel
from labelling.services.watching import watch_job

PER_PAGE = 50


@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    form = JobFilter.of(request.GET)
    found = form.jobs(Job.objects.visible_to(request.user).select_related("created_by"))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "labelling/jobs.html", {"form": form, "page": page})


@require_safe
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    visible = Job.objects.visible_to(request.user).select_related("created_by")
    found = get_object_or_404(visible, pk=job_id)
    return render(request, "labelling/job.html", {"watch": watch_job(job=found, user=request.user)})


@require_POST
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    found = get_object_or_404(Job.objects.visible_to(request.user), pk=job_id)
    try:
        request_cancel(job=found, user=cast(User, request.user))
    except NotAllowed as error:
        messages.error(request, str(error))
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        return redirect(back)
    return redirect("job", job_id=found.pk)
