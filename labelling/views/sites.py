"""The sites on a map and in a table, one page for the life of each, and the imports that brought them."""

from typing import Any, cast

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.contrib.gis.db.models import Extent
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from labelling.core.outlines import to_geojson
from labelling.core.render import combinations_for
from labelling.forms.sites import SiteFilter, read_bbox
from labelling.models import Scene, SeedImport, Site
from labelling.models.site import SiteQuerySet
from labelling.models.spatial import in_box, to_shapely
from labelling.services.lifelines import life_of

PER_PAGE = 50
MAP_SITES = 2000
MAP_VERTICES = 1000
OUTLINES_DEG = 1.5
FRAMED = 20_000


@require_safe
@permission_required("labelling.view_site", raise_exception=True)
def sites(request: HttpRequest) -> HttpResponse:
    form = SiteFilter.of(request)
    found = form.sites()
    page = Paginator(found.shown().order_by("-priority", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "map": {"href": reverse("sites-map"), "bounds": _frame(found, page.paginator.count)},
    }
    return render(request, "labelling/sites.html", context)


def _frame(found: SiteQuerySet, count: int) -> tuple[float, ...] | None:
    """The box around the sites; the whole world where there are too many to look at each."""
    if not 0 < count <= FRAMED:
        return None
    return cast(tuple[float, ...], found.order_by().aggregate(box=Extent("point"))["box"])


@require_safe
@permission_required("labelling.view_site", raise_exception=True)
def sites_map(request: HttpRequest) -> JsonResponse:
    """The sites in a box as GeoJSON, the most urgent first and no more than a map can show."""
    form = SiteFilter.of(request)
    if not form.is_valid():
        msg = "this filter cannot be understood"
        raise BadRequest(msg)
    box = read_bbox(request.GET.get("bbox", ""))
    found = form.sites().filter(in_box(Site, "footprint", box))
    shown = found.shown().order_by("-priority", "pk")[:MAP_SITES]
    # Seen from afar an outline is smaller than a dot.
    width = box[2] - box[0]
    is_near = (width if width >= 0 else width + 360) <= OUTLINES_DEG
    features = [_feature(site, is_near) for site in shown]
    total = len(features) if len(features) < MAP_SITES else found.count()
    answer = JsonResponse({"type": "FeatureCollection", "features": features, "total": total})
    answer["Cache-Control"] = "private, no-store"
    return answer


def _feature(site: Site, is_near: bool) -> dict[str, Any]:
    outline = site.footprint if is_near else site.point
    if outline.num_coords > MAP_VERTICES:
        outline = outline.convex_hull
    kind = next(iter(site.types_shown()), None)
    return {
        "type": "Feature",
        "id": site.pk,
        "geometry": to_geojson(to_shapely(outline)),
        "properties": {
            "name": site.name or f"Site {site.pk}",
            "type": kind.name if kind else "no type named",
            "color": kind.color if kind else "#93a1af",
            "state": site.get_state_display(),
            "href": reverse("site", args=[site.pk]),
        },
    }


@require_safe
@permission_required("labelling.view_site", raise_exception=True)
def site(request: HttpRequest, site_id: int) -> HttpResponse:
    found = get_object_or_404(Site.objects.shown(), pk=site_id)
    events = life_of(site=found, user=cast(User, request.user))
    scene = Scene.objects.covering(found.point).first()
    drawn = {
        "footprint": to_geojson(to_shapely(found.footprint)),
        "bounds": found.footprint.extent,
        "color": found.feature.color if found.feature else "#ffffff",
        "scene": _scene(scene) if scene else None,
        "events": [event.geometry for event in events],
    }
    context = {"site": found, "events": events, "scene": scene, "drawn": drawn}
    return render(request, "labelling/site.html", context)


def _scene(scene: Scene) -> dict[str, Any]:
    return {
        "id": scene.pk,
        "version": scene.version,
        "bounds": scene.footprint.extent,
        "attribution": scene.attribution,
        "combination": combinations_for(scene.bands)[0].id,
    }


@require_safe
@permission_required("labelling.view_seedimport", raise_exception=True)
def imports(request: HttpRequest) -> HttpResponse:
    found = SeedImport.objects.select_related("source", "created_by")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "labelling/imports.html", {"page": page})
