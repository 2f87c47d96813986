"""The campaigns, and the screen on which their sites are reviewed."""

from typing import Any, cast

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from labelling.core.errors import NotFound
from labelling.core.review import LEADS
from labelling.models import Campaign, Decision, MineType
from labelling.services.campaigns import campaigns_of, find_campaign
from labelling.services.contested import count_contested
from labelling.services.keymaps import keymap_of
from labelling.services.mosaic_tiles import layers_for
from labelling.services.queue import progress_of
from labelling.services.suspects import count_suspects


@require_safe
@permission_required("labelling.view_campaign", raise_exception=True)
def campaigns(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    rows = [(campaign, progress_of(user=user, campaign=campaign)) for campaign in campaigns_of(user=user)]
    closed = Campaign.objects.filter(active=False) if user.has_perm("labelling.change_campaign") else ()
    context = {
        "rows": rows,
        "closed": closed,
        "contested": count_contested(user=user),
        "suspects": count_suspects(user=user),
    }
    return render(request, "labelling/campaigns.html", context)


@require_safe
@never_cache
@ensure_csrf_cookie
@permission_required("labelling.add_decision", raise_exception=True)
def review(request: HttpRequest, slug: str) -> HttpResponse:
    user = cast(User, request.user)
    try:
        campaign = find_campaign(user=user, slug=slug)
    except NotFound as error:
        raise Http404 from error
    return render(request, "labelling/review.html", {"campaign": campaign, "config": _config(user, campaign)})


def _config(user: User, campaign: Campaign) -> dict[str, Any]:
    """What the screen knows before it has asked anything."""
    return {
        "api": "/api/v1/",
        "session": reverse("session"),
        "user": {
            "id": user.pk,
            "name": user.get_username(),
            "leads": user.has_perm(LEADS),
        },
        "campaign": {"slug": campaign.slug, "name": campaign.name, "axis": campaign.axis},
        "reasons": [{"code": code, "name": name} for code, name in Decision.Reason.choices],
        "types": _types(campaign.axis),
        "keys": keymap_of(user=user),
        "mosaics": layers_for(user),
        "links": {
            "login": reverse("login"),
            "campaigns": reverse("campaigns"),
            "sites": reverse("sites"),
            "sitesMap": reverse("sites-map"),
        },
    }


def _types(axis: str) -> list[dict[str, Any]]:
    ranked = MineType.objects.filter(axis=axis).order_by("rank", "code")
    return [
        {"code": one.code, "name": one.name, "color": one.color, "digit": one.rank if one.rank < 10 else None}
        for one in ranked
    ]
