"""Proposing types: the list of studies, the form that starts one, and its report."""

from typing import Any, cast

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from labelling.core.tables import csv_text
from labelling.models import MineType
from labelling.services.watching import watch_job
from training.core.errors import TrainingError
from training.core.type_figures import curve_of
from training.forms.type_studies import StudyForm
from training.models import TypeStudy
from training.services.type_studies import start_study

PER_PAGE = 30


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("training.view_typestudy", raise_exception=True)
def type_studies(request: HttpRequest) -> HttpResponse:
    is_sent = request.method == "POST"
    if is_sent and not request.user.has_perm("training.add_typestudy"):
        raise PermissionDenied
    form = StudyForm(request.POST if is_sent else None, label_suffix="")
    if is_sent and form.is_valid():
        try:
            study = start_study(settings=form.settings(), user=cast(User, request.user))
        except TrainingError as error:
            form.add_error(None, str(error))
        else:
            return redirect("type-study", pk=study.pk)
    page = Paginator(TypeStudy.objects.select_related("job__created_by"), PER_PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page}
    return render(request, "training/type_studies.html", context, status=400 if is_sent else 200)


@require_safe
@permission_required("training.view_typestudy", raise_exception=True)
def type_study(request: HttpRequest, pk: int) -> HttpResponse:
    study = get_object_or_404(TypeStudy.objects.select_related("job__created_by", "source"), pk=pk)
    report = study.report
    names = {one.code: one for one in MineType.objects.filter(axis=study.axis)}
    context: dict[str, Any] = {
        "study": study,
        "report": report,
        "watch": watch_job(job=study.job, user=request.user),
        "types": [(names.get(one["code"]), one, _mistakes(one, names)) for one in report.get("types", ())],
        "curve": curve_of(report["bins"]) if report else (),
    }
    return render(request, "training/type_study.html", context)


def _mistakes(one: dict[str, Any], names: dict[str, MineType]) -> list[tuple[str, int]]:
    """What it is taken for most often beside itself."""
    others = [(code, count) for code, count in one["taken_for"].items() if code != one["code"]]
    return [(names[code].name if code in names else code, count) for code, count in sorted(others, key=_most)[:3]]


def _most(one: tuple[str, int]) -> tuple[int, str]:
    return -one[1], one[0]


@require_safe
@permission_required("training.view_typestudy", raise_exception=True)
def opinions_csv(request: HttpRequest, pk: int) -> HttpResponse:
    study = get_object_or_404(TypeStudy, pk=pk)
    codes = study.report.get("codes", [])
    head = ["site", "given", "fold", "label_quality", "is_issue", *codes]
    rows = (
        [
            one.site_id,
            one.given,
            one.fold,
            one.quality,
            int(one.is_issue),
            *(dict(one.odds).get(code, 0) for code in codes),
        ]
        for one in study.opinions.order_by("site_id").iterator()
    )
    saved = {"Content-Disposition": f'attachment; filename="{study.name}-held-out.csv"'}
    return HttpResponse(csv_text(head, rows), content_type="text/csv; charset=utf-8", headers=saved)
