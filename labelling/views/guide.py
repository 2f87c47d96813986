"""The guide to the types: pages for reviewers, and the form of the leads."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from labelling.core.errors import Conflict
from labelling.forms.guide import GuidelineForm
from labelling.models import MineType
from labelling.services.guide import accepted_examples, list_guide, rejected_examples, write_guideline


@require_safe
@permission_required("labelling.view_site", raise_exception=True)
def guide(request: HttpRequest) -> HttpResponse:
    return render(request, "labelling/guide.html", {"axes": list_guide()})


@require_safe
@permission_required("labelling.view_site", raise_exception=True)
def guide_type(request: HttpRequest, code: str) -> HttpResponse:
    found = get_object_or_404(MineType, code=code)
    context = {
        "type": found,
        "accepted": accepted_examples(mine_type=found),
        "rejected": rejected_examples(mine_type=found),
    }
    return render(request, "labelling/guide_type.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("labelling.change_minetype", raise_exception=True)
def guide_edit(request: HttpRequest, code: str) -> HttpResponse:
    found = get_object_or_404(MineType, code=code)
    form = GuidelineForm(request.POST, label_suffix="") if request.method == "POST" else GuidelineForm.about(found)
    theirs = None
    if form.is_valid():
        try:
            write_guideline(mine_type=found, **form.cleaned_data)
        except Conflict as error:
            theirs = str(error.current["text"])
            form = form.after(theirs)
            form.add_error(None, f"{error}: put both together and save again")
        else:
            messages.success(request, f"The guideline of {found.name} is saved.")
            return redirect("guide-type", code=found.code)
    status = 400 if form.errors else 200
    return render(request, "labelling/guide_edit.html", {"type": found, "form": form, "theirs": theirs}, status=status)
