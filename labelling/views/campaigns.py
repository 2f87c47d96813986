"""The form with which a lead opens a campaign or changes one, and the count of the sites that it would serve."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.contrib.gis.db.models import Extent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from labelling.forms.campaigns import CampaignForm
from labelling.models import Campaign, Scene
from labelling.services.campaigns import count_matching

TILES = "/tiles/sites/{z}/{x}/{y}.json"  # as Leaflet fills it in


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("labelling.add_campaign", raise_exception=True)
def campaign_new(request: HttpRequest) -> HttpResponse:
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("labelling.change_campaign", raise_exception=True)
def campaign_settings(request: HttpRequest, slug: str) -> HttpResponse:
    return _edit(request, get_object_or_404(Campaign, slug=slug))


def _edit(request: HttpRequest, campaign: Campaign | None) -> HttpResponse:
    """Show the form, count what it asks for (``count`` in the body), or save it."""
    is_sent = request.method == "POST"
    is_count = is_sent and "count" in request.POST
    form = CampaignForm(request.POST if is_sent else None, campaign=campaign, label_suffix="")
    if is_sent and not is_count and form.is_valid() and form.save() is not None:
        return redirect("campaigns")
    conditions = form.conditions()
    counts = count_matching(conditions=conditions) if conditions is not None else None
    context = {"form": form, "campaign": campaign, "counts": counts, "outlook": _outlook()}
    if is_count:
        return render(request, "labelling/_campaign_count.html", context)
    return render(request, "labelling/campaign_edit.html", context, status=400 if is_sent else 200)


def _outlook() -> dict[str, Any]:
    """What the map shows before an area is drawn: where there is imagery."""
    return {"bounds": Scene.objects.order_by().aggregate(box=Extent("footprint"))["box"], "tiles": TILES}
