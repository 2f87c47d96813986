"""Seed files on their way in: what is brought, what it would do, and what each import did."""

import json
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labelling.core.errors import BadInput, Conflict
from labelling.forms.seeds import ChoicesForm, apply_fix
from labelling.forms.sources import SourceForm, UploadForm
from labelling.models import SeedDraft, SeedImport, Source
from labelling.services.seeds.drafts import (
    choose,
    discard_draft,
    draft_of_inbox,
    import_draft,
    list_inbox,
    start_draft,
)
from labelling.services.seeds.preview import LISTED, tell_change
from labelling.services.seeds.versions import changes_of
from labelling.services.watching import watch_job

PER_PAGE = 50
DRAFTS = 20


@require_safe
@permission_required("labelling.view_seedimport", raise_exception=True)
def imports(request: HttpRequest) -> HttpResponse:
    found = SeedImport.objects.select_related("source", "created_by")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    sources = Source.objects.filter(imports__isnull=False).distinct()
    drafts = SeedDraft.objects.select_related("created_by")[:DRAFTS]
    return render(request, "labelling/imports.html", {"page": page, "sources": sources, "drafts": drafts})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("labelling.add_seedimport", raise_exception=True)
def import_new(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None, label_suffix="")
    problem = ""
    if request.method == "POST":
        try:
            return redirect("import-draft", draft_id=_brought(request).pk)
        except BadInput as error:
            problem = str(error)
    context = {"form": form, "problem": problem, "inbox": list_inbox()}
    return render(request, "labelling/import_new.html", context, status=400 if problem else 200)


def _brought(request: HttpRequest) -> SeedDraft:
    user = cast(User, request.user)
    if name := request.POST.get("inbox"):
        return draft_of_inbox(user=user, name=name)
    file = request.FILES.get("file")
    if file is None or not file.name:
        msg = "choose a file"
        raise BadInput(msg)
    return start_draft(user=user, file_name=file.name, pieces=file.chunks())


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("labelling.add_seedimport", raise_exception=True)
def import_draft_page(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    draft = get_object_or_404(SeedDraft.objects.select_related("job"), pk=draft_id)
    form = ChoicesForm(request.POST if request.method == "POST" else None, draft=draft)
    if form.is_valid():
        try:
            fix = request.POST.get("fix")
            choose(draft=draft, choices=apply_fix(form.choices(), fix) if fix else form.choices())
            form = ChoicesForm(draft=draft)
        except BadInput as error:
            form.add_error(None, error.reason)
    return _show(request, draft, form)


def _show(request: HttpRequest, draft: SeedDraft, form: ChoicesForm) -> HttpResponse:
    preview = draft.preview
    offers = [
        {**finding, "offers": [(label, json.dumps(patch)) for label, patch in finding["offers"]]}
        for finding in preview.get("findings", [])
    ]
    roles = _roles(draft.choices.get("mapping") or {})
    context = {
        "draft": draft,
        "form": form,
        "preview": preview,
        "findings": offers,
        "columns": [(column, roles.get(column["name"], "")) for column in preview.get("columns", [])],
        "sources": Source.objects.values_list("name", flat=True),
        "watch": watch_job(job=draft.job, user=request.user) if draft.job and not draft.job.is_final else None,
        "failed": draft.job if draft.job and draft.job.state == "failed" else None,
        "is_current": draft.previewed == draft.choices and "counts" in preview,
    }
    return render(request, "labelling/import_draft.html", context)


def _roles(mapping: dict[str, Any]) -> dict[str, str]:
    place = {column: name for name, column in mapping.get("place", {}).items() if isinstance(column, str)}
    rules = {
        rule["column"]: axis
        for axis in ("feature", "commodity", "method")
        for rule in (mapping[axis] if isinstance(mapping.get(axis), list) else [mapping.get(axis) or {}])
        if "column" in rule
    }
    plain = {mapping[name]: name for name in ("id", "name", "score") if mapping.get(name)}
    return {**rules, **dict.fromkeys(mapping.get("not_mine", {}), "no mine?"), **place, **plain}


@require_POST
@permission_required("labelling.add_seedimport", raise_exception=True)
def import_commit(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    draft = get_object_or_404(SeedDraft, pk=draft_id)
    try:
        report = import_draft(draft=draft, user=cast(User, request.user))
    except (BadInput, Conflict) as error:
        messages.error(request, str(error))
        return redirect("import-draft", draft_id=draft_id)
    if report is None:
        return redirect("import-draft", draft_id=draft_id)
    messages.success(request, f"Imported: {report}.")
    return redirect("import", import_id=report.import_id) if report.import_id else redirect("imports")


@require_POST
@permission_required("labelling.add_seedimport", raise_exception=True)
def import_discard(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    draft = get_object_or_404(SeedDraft, pk=draft_id)
    name = draft.file_name
    discard_draft(draft=draft)
    messages.info(request, f"{name} was not imported.")
    return redirect("imports")


@require_safe
@permission_required("labelling.view_seedimport", raise_exception=True)
def import_page(request: HttpRequest, import_id: int) -> HttpResponse:
    found = get_object_or_404(SeedImport.objects.select_related("source", "created_by"), pk=import_id)
    added = found.proposals.filter(predecessor__isnull=True).select_related("site").order_by("pk")[:LISTED]
    gone = found.retirements.filter(successor__isnull=True).select_related("proposal__site").order_by("pk")[:LISTED]
    context = {
        "import": found,
        "changes": [tell_change(change) for change in changes_of(seed_import=found, most=LISTED)],
        "added": added,
        "gone_shown": [
            {
                "id": row.proposal.external_id,
                "site": row.proposal.site_id,
                "name": row.proposal.site.name,
                "state": row.proposal.site.get_state_display(),
            }
            for row in gone
        ],
        "mapping": json.dumps(found.mapping, indent=2, ensure_ascii=False),
        "listed": LISTED,
    }
    return render(request, "labelling/import.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("labelling.change_source", raise_exception=True)
def source_page(request: HttpRequest, source_id: int) -> HttpResponse:
    source = get_object_or_404(Source, pk=source_id)
    form = SourceForm(request.POST or None, instance=source)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved. The next file of this source is read so.")
        return redirect("import-source", source_id=source.pk)
    context = {"source": source, "form": form, "imports": source.imports.select_related("created_by")[:PER_PAGE]}
    return render(request, "labelling/import_source.html", context)
