"""What people say to each other about a site."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from labelling.core.errors import BadInput, KeyReused
from labelling.models import Site
from labelling.services.comments import add_comment


@require_POST
@permission_required("labelling.add_comment", raise_exception=True)
def comment(request: HttpRequest, site_id: int) -> HttpResponse:
    site = get_object_or_404(Site, pk=site_id)
    try:
        key = UUID(request.POST.get("key", ""))
    except ValueError as error:
        msg = "the comment needs the key of its form"
        raise BadRequest(msg) from error
    try:
        add_comment(user=cast(User, request.user), site=site, key=key, text=request.POST.get("text", ""))
    except (BadInput, KeyReused) as error:
        messages.error(request, f"The comment was not kept: {error}.")
    return redirect(f"{reverse('site', args=[site.pk])}#comments")
