"""The sites of a campaign that reviewers hold just now, and a lead's way to let one go."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from labelling.models import Campaign
from labelling.services.queue import leases_of, release_claim


@require_safe
@never_cache
@permission_required("labelling.delete_claim", raise_exception=True)
def leases(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = get_object_or_404(Campaign, slug=slug)
    return render(request, "labelling/leases.html", {"campaign": campaign, "leases": leases_of(campaign=campaign)})


@require_POST
@permission_required("labelling.delete_claim", raise_exception=True)
def lease_release(request: HttpRequest, slug: str, token: UUID) -> HttpResponse:
    campaign = get_object_or_404(Campaign, slug=slug)
    if release_claim(user=cast(User, request.user), token=token):
        messages.success(request, "The site is free: the next reviewer who asks gets it.")
    else:
        messages.info(request, "Nobody held that site any more.")
    return redirect("campaign-leases", slug=campaign.slug)
