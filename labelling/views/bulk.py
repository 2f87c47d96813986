"""Acting on many sites at once: drawn up on the sites page, previewed, confirmed, and taken back."""

from collections.abc import Callable
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labelling.core.errors import BadInput, NotAllowed
from labelling.core.review import LEADS
from labelling.forms.bulk import BulkForm
from labelling.models import BulkAction, BulkItem
from labelling.services.bulk import (
    draw_up_bulk,
    outcomes_of,
    phrase_of,
    preview_bulk,
    preview_moves,
    start_bulk,
    undo_bulk,
)
from labelling.services.mosaic_tiles import layers_for
from labelling.services.watching import watch_job

PER_PAGE = 25


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(LEADS, raise_exception=True)
def bulks(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _draw_up(request)
    found = BulkAction.objects.exclude(started_at=None).select_related("created_by", "undone_by")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page)
    rows = [(bulk, phrase_of(bulk=bulk), counts) for bulk, counts in zip(shown, outcomes_of(bulks=shown), strict=True)]
    return render(request, "labelling/bulks.html", {"page": page, "rows": rows})


def _draw_up(request: HttpRequest) -> HttpResponse:
    form = BulkForm.checked(request.POST)
    try:
        bulk = draw_up_bulk(
            user=cast(User, request.user), wish=form.wish(), sites=form.sites(), asked=form.asked_filter
        )
    except BadInput as error:
        messages.error(request, f"Nothing was drawn up: {error}.")
        return redirect(f"{reverse('sites')}?{form.cleaned_data['asked']}")
    return redirect("bulk", key=bulk.pk)


@require_safe
@permission_required(LEADS, raise_exception=True)
def bulk(request: HttpRequest, key: UUID) -> HttpResponse:
    found = get_object_or_404(BulkAction.objects.select_related("created_by", "undone_by", "job__created_by"), pk=key)
    left_out = BulkItem.objects.filter(bulk=found).exclude(note="").select_related("site").defer("site__footprint")
    preview = preview_bulk(bulk=found)
    moves = [] if found.started_at else preview_moves(bulk=found, sites=preview.sample)
    context = {
        "bulk": found,
        "phrase": phrase_of(bulk=found),
        "preview": preview,
        "moves": moves,
        "drawn": {
            "moves": [{"before": move.before, "after": move.after} for move in moves],
            "mosaics": layers_for(request.user),
        },
        "left_out": Paginator(left_out.order_by("id"), PER_PAGE).get_page(request.GET.get("page")),
        "watch": watch_job(job=found.job, user=request.user) if found.job else None,
        "is_author": found.created_by_id == request.user.pk,
    }
    return render(request, "labelling/bulk.html", context)


@require_POST
@permission_required(LEADS, raise_exception=True)
def bulk_start(request: HttpRequest, key: UUID) -> HttpResponse:
    return _act(request, key, start_bulk)


@require_POST
@permission_required(LEADS, raise_exception=True)
def bulk_undo(request: HttpRequest, key: UUID) -> HttpResponse:
    return _act(request, key, undo_bulk)


def _act(request: HttpRequest, key: UUID, act: Callable[..., None]) -> HttpResponse:
    found = get_object_or_404(BulkAction, pk=key)
    try:
        act(user=cast(User, request.user), bulk=found)
    except (BadInput, NotAllowed) as error:
        messages.error(request, f"Nothing was done: {error}.")
    return redirect("bulk", key=key)
