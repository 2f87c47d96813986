"""Marking a site as gold, from its page."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from labelling.core.errors import BadInput
from labelling.core.review import LEADS
from labelling.models import Site
from labelling.services.gold import mark_gold, unmark_gold


@require_POST
@permission_required(LEADS, raise_exception=True)
def gold(request: HttpRequest, site_id: int) -> HttpResponse:
    """Make a site gold (``mark`` in the body), or plain again."""
    site, user = get_object_or_404(Site, pk=site_id), cast(User, request.user)
    try:
        if "mark" in request.POST:
            mark_gold(user=user, site=site)
            messages.success(request, "This site is gold: reviewers are measured by its label, and it stays as it is.")
        else:
            unmark_gold(user=user, site=site)
            messages.success(request, "This site is gold no more. What was answered is still scored.")
    except BadInput as error:
        messages.error(request, f"Not marked: {error}.")
    return redirect("site", site_id=site_id)
