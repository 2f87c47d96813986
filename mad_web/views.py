"""The front page, and what a load balancer asks."""

from dataclasses import asdict, astuple
from typing import cast

from django.contrib.auth.decorators import login_not_required, permission_required
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from labelling.services.agreement import Question, overall_agreement
from labelling.services.comments import mentions_waiting
from labelling.services.dashboard import survey_work
from labelling.services.decisions import last_check
from labelling.services.waits import recent_waits
from labelling.views.tables import csv_answer
from mad_web.first_steps import first_steps
from training.services.quality import quality_over_time


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Where the work stands, and what this person does next."""
    user = cast(User, request.user)
    work = survey_work(user=user)
    shows_quality = user.has_perm("training.view_experiment")
    quality = quality_over_time() if shows_quality else ()
    return render(
        request,
        "home.html",
        {
            "work": work,
            "agreement": overall_agreement(question=Question()),
            "waits": recent_waits(),
            "check": last_check() if user.has_perm("labelling.change_label") else None,
            "mentions": mentions_waiting(user=user, limit=5),
            "steps": first_steps(user=user, work=work),
            "quality": quality,
            "shows_quality": shows_quality,
            "plots": {
                "days": [asdict(day) for day in work.days],
                "quality": [{"model": one.model, "ap50": one.ap50, "ap50_95": one.ap50_95} for one in quality],
            },
        },
    )


@require_safe
@permission_required("labelling.view_site", raise_exception=True)
def days_csv(request: HttpRequest) -> HttpResponse:
    """The figures behind the plot of decisions."""
    days = survey_work(user=cast(User, request.user)).days
    return csv_answer(
        "decisions-a-day.csv", ("day", "everybody", "you"), [(one.day, one.everybody, one.mine) for one in days]
    )


@require_safe
@permission_required("training.view_experiment", raise_exception=True)
def quality_csv(request: HttpRequest) -> HttpResponse:
    """The figures behind the plot of model quality."""
    names = ("model", "status", "testset", "at", "ap50", "ap50_95", "truths")
    return csv_answer("model-quality.csv", names, [astuple(one) for one in quality_over_time()])


@login_not_required
@require_safe
@never_cache
@ensure_csrf_cookie
def session(request: HttpRequest) -> HttpResponse:
    """Who is logged in here; a page asks when the server no longer knows it, before it sends anything again."""
    return JsonResponse({"user": request.user.pk})


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The process can reach its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ready"})
