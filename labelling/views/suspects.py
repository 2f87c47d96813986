"""The labels that look wrong, for leads: why, and the way into their queue."""

from typing import cast

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from labelling.core.review import LEADS
from labelling.models import Campaign
from labelling.services.campaigns import campaigns_of
from labelling.services.suspects import describe_suspects, waiting_suspects

PER_PAGE = 12


@require_safe
@permission_required(LEADS, raise_exception=True)
def suspects(request: HttpRequest) -> HttpResponse:
    page = Paginator(waiting_suspects(), PER_PAGE).get_page(request.GET.get("page"))
    campaign = campaigns_of(user=cast(User, request.user)).filter(filter__suspect=True).first()
    context = {
        "page": page,
        "cases": describe_suspects(suspects=list(page)),
        "campaign": campaign,
        "closed": None if campaign else Campaign.objects.filter(filter__suspect=True, active=False).first(),
    }
    return render(request, "labelling/suspects.html", context)
