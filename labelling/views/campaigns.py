"""The form with which a lead opens a campaign or changes one, and the count of the sites that it would serve."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.contrib.gis.db.models import Extent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from labelling.core.campaigns import CampaignFilter
from labelling.forms.campaign_start import CampaignStart, start_from
from labelling.forms.campaigns import CampaignForm
from labelling.forms.sites import SiteFilter
from labelling.models import Campaign, Scene, Site
from labelling.services.campaigns import count_matching
from labelling.views.sites import box_around

TILES = "/tiles/sites/{z}/{x}/{y}.json"  # as Leaflet fills it in


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("labelling.add_campaign", raise_exception=True)
def campaign_new(request: HttpRequest) -> HttpResponse:
    """Open a campaign, of the sites that a filter of the sites page in the URL finds as far as it can ask for them."""
    return _edit(request, None, start_from(SiteFilter.checked(request.GET)))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("labelling.change_campaign", raise_exception=True)
def campaign_settings(request: HttpRequest, slug: str) -> HttpResponse:
    return _edit(request, get_object_or_404(Campaign, slug=slug))


def _edit(request: HttpRequest, campaign: Campaign | None, start: CampaignStart | None = None) -> HttpResponse:
    """Show the form, count what it asks for (``count`` in the body), or save it."""
    is_sent = request.method == "POST"
    is_count = is_sent and "count" in request.POST
    wanted = start.conditions if start else None
    form = CampaignForm(request.POST if is_sent else None, campaign=campaign, start=wanted, label_suffix="")
    if is_sent and not is_count and form.is_valid() and form.save() is not None:
        return redirect("campaigns")
    conditions = form.conditions()
    counts = count_matching(conditions=conditions) if conditions is not None else None
    context: dict[str, Any] = {"form": form, "campaign": campaign, "counts": counts}
    if is_count:
        return render(request, "labelling/_campaign_count.html", context)
    context |= {"start": start, "outlook": _outlook(wanted)}
    return render(request, "labelling/campaign_edit.html", context, status=400 if is_sent else 200)


def _outlook(wanted: CampaignFilter | None) -> dict[str, Any]:
    """What the map shows before an area is drawn: the sites that it starts with, or else where there is imagery."""
    box = box_around(Site.objects.matching(wanted)) if wanted and wanted != CampaignFilter() else None
    return {"bounds": box or Scene.objects.order_by().aggregate(box=Extent("footprint"))["box"], "tiles": TILES}
