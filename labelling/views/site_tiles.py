"""The map of sites in tiles: single sites where they are few, clusters where they are many."""

import hashlib
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from labelling.core.errors import BadGeometry
from labelling.core.grid import TileAddress
from labelling.core.outlines import to_geojson
from labelling.forms.sites import SiteFilter
from labelling.models import Site
from labelling.models.spatial import to_shapely
from labelling.services.site_tiles import MAX_ZOOM, SiteTile, read_site_tile

MAX_VERTICES = 1000
UNNAMED = "#93a1af"
# Private: a login is needed. Short: decisions change the map, and panning back should cost nothing.
A_MOMENT = "private, max-age=20"


@require_safe
@permission_required("labelling.view_site", raise_exception=True)
def site_tile(request: HttpRequest, z: int, x: int, y: int) -> HttpResponseBase:
    form = SiteFilter.checked(request.GET)
    shown = read_site_tile(sites=form.sites(), tile=_place(z, x, y))
    answer = JsonResponse(_drawn(shown))
    etag = f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
    response: HttpResponseBase = get_conditional_response(request, etag=etag, response=answer) or answer
    response["ETag"] = etag
    response["Cache-Control"] = A_MOMENT
    return response


def _place(z: int, x: int, y: int) -> TileAddress:
    try:
        tile = TileAddress(z, x, y)
    except BadGeometry as error:
        raise Http404(str(error)) from error
    if z > MAX_ZOOM:
        msg = f"tiles of sites end at zoom {MAX_ZOOM}"
        raise Http404(msg)
    return tile


def _drawn(tile: SiteTile) -> dict[str, Any]:
    clusters = [
        {
            "point": [round(cluster.lon, 6), round(cluster.lat, 6)],
            "count": cluster.count,
            "colors": [[color or UNNAMED, count] for color, count in cluster.colors.items()],
        }
        for cluster in tile.clusters
    ]
    return {"sites": [site_feature(site, is_near=tile.is_near) for site in tile.sites], "clusters": clusters}


def site_feature(site: Site, *, is_near: bool) -> dict[str, Any]:
    """A site as GeoJSON: its outline where that can be seen, else its point."""
    outline = site.footprint if is_near else site.point
    if outline.num_coords > MAX_VERTICES:
        outline = outline.convex_hull
    kind = next(iter(site.types_shown()), None)
    return {
        "type": "Feature",
        "id": site.pk,
        "geometry": to_geojson(to_shapely(outline)),
        "properties": {
            "name": site.name or f"Site {site.pk}",
            "type": kind.name if kind else "no type named",
            "color": kind.color if kind else UNNAMED,
            "state": site.get_state_display(),
            "href": reverse("site", args=[site.pk]),
        },
    }
