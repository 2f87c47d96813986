"""The sites on a map and in a table, and one page for the life of each."""

from typing import Any, cast
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.contrib.gis.db.models import Extent
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.decorators.http import require_safe

from labelling.core.outlines import to_geojson
from labelling.core.render import combinations_for
from labelling.core.review import LEADS
from labelling.forms.bulk import BulkForm
from labelling.forms.sites import SiteFilter, read_bbox
from labelling.models import Scene, Site
from labelling.models.site import SiteQuerySet
from labelling.models.spatial import Box, in_box, to_shapely
from labelling.services.blind import see_site
from labelling.services.campaigns import campaign_for
from labelling.services.gold import can_be_gold
from labelling.services.lifelines import life_of
from labelling.services.mosaic_tiles import layers_for
from labelling.views.site_tiles import site_feature

PER_PAGE = 50
MAP_SITES = 2000
OUTLINES_DEG = 1.5
LISTED = 10_000
FRAMED = 500  # so many sites the page looks at for the frame of its map; `sites-frame` looks at all
URGENT = ("-priority", "pk")
TILES = "/tiles/sites/{z}/{x}/{y}.json"  # as Leaflet fills it in


@require_safe
@permission_required("labelling.view_site", raise_exception=True)
def sites(request: HttpRequest) -> HttpResponse:
    form = SiteFilter.of(request.GET)
    found = form.sites()
    pages = FirstRows(found.order_by(*URGENT), PER_PAGE)
    pages.rows = form.rows()
    context = {
        "form": form,
        "asked": _filter_of(request),
        "page": pages.get_page(request.GET.get("page")),
        "map": {"tiles": TILES, "mosaics": layers_for(request.user), **pages.frame()},
    }
    if request.user.has_perm(LEADS):
        context["bulk_form"] = BulkForm()
    return render(request, "labelling/sites.html", context)


def _filter_of(request: HttpRequest) -> str:
    """What the URL asks for, without the fields that it leaves open."""
    return urlencode({name: value for name in SiteFilter.base_fields if (value := request.GET.get(name))})


class FirstRows(Paginator):  # type: ignore[type-arg]  # Django's own is not generic
    """The first pages of the sites that fit, so that a list of a million costs no more than one of ``LISTED``."""

    rows = Site.objects.all()
    """What a page shows them as."""

    @cached_property
    def _found(self) -> list[int]:
        """The sites, most urgent first; of more than are listed some, in no order."""
        rows = cast(SiteQuerySet, self.object_list).order_by().values_list("pk", "priority")
        found = list(rows[: LISTED + 1])
        # Sorted here: in the order of all sites, what is rare would be looked for among all of them.
        return [pk for pk, _ in (found if len(found) > LISTED else sorted(found, key=lambda row: (-row[1], row[0])))]

    @property
    def count(self) -> int:
        """How many rows can be paged through."""
        return min(len(self._found), LISTED)

    @property
    def is_cut(self) -> bool:
        """Whether there are more."""
        return len(self._found) > LISTED

    def page(self, number: int | str) -> "Page[Site]":
        """A page, most urgent first."""
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        here = slice(first, min(first + self.per_page, LISTED))
        if self.is_cut:
            ids = list(cast(SiteQuerySet, self.object_list).order_by(*URGENT).values_list("pk", flat=True)[here])
        else:
            ids = self._found[here]
        return Page(self.rows.filter(pk__in=ids).shown().order_by(*URGENT), number, self)

    def frame(self) -> dict[str, Any]:
        """The box around the sites; where they are many, around some, and the address that looks at all."""
        step = -(-len(self._found) // FRAMED) or 1
        some = Site.objects.filter(pk__in=self._found[::step])
        return {"bounds": box_around(some), "frame": reverse("sites-frame") if step > 1 else ""}


def box_around(found: SiteQuerySet) -> Box | None:
    """The box around the points of sites, None where there is none."""
    return cast("Box | None", found.order_by().aggregate(box=Extent("point"))["box"])


@require_safe
@permission_required("labelling.view_site", raise_exception=True)
def sites_frame(request: HttpRequest) -> JsonResponse:
    """The box around all sites that fit."""
    answer = JsonResponse({"bounds": box_around(SiteFilter.checked(request.GET).sites())})
    answer["Cache-Control"] = "private, no-store"
    return answer


@require_safe
@permission_required("labelling.view_site", raise_exception=True)
def sites_map(request: HttpRequest) -> JsonResponse:
    """The sites in a box as GeoJSON, the most urgent first and no more than a map can show."""
    form = SiteFilter.checked(request.GET)
    box = read_bbox(request.GET.get("bbox", ""))
    found = form.sites().filter(in_box(Site, "footprint", box))
    shown = found.shown().order_by("-priority", "pk")[:MAP_SITES]
    # Seen from afar an outline is smaller than a dot.
    width = box[2] - box[0]
    is_near = (width if width >= 0 else width + 360) <= OUTLINES_DEG
    features = [site_feature(site, is_near=is_near) for site in shown]
    total = len(features) if len(features) < MAP_SITES else found.count()
    answer = JsonResponse({"type": "FeatureCollection", "features": features, "total": total})
    answer["Cache-Control"] = "private, no-store"
    return answer


@require_safe
@permission_required("labelling.view_site", raise_exception=True)
def site(request: HttpRequest, site_id: int) -> HttpResponse:
    user, row = cast(User, request.user), get_object_or_404(Site.objects.shown(), pk=site_id)
    events = life_of(site=row, user=user)
    # Who is asked for an opinion of their own sees the place as it was before others gave theirs.
    found = row if user.has_perm(LEADS) else see_site(user=user, site=row, campaign=None)
    scene = Scene.objects.covering(found.point).first()
    drawn = {
        "footprint": to_geojson(to_shapely(found.footprint)),
        "bounds": found.footprint.extent,
        "color": found.feature.color if found.feature else "#ffffff",
        "scene": _scene(scene) if scene else None,
        "events": [event.geometry for event in events],
    }
    context = {"site": found, "events": events, "scene": scene, "drawn": drawn, "comment_key": uuid4()}
    if user.has_perm(LEADS):
        context |= {"can_be_gold": can_be_gold(site=row), "is_gold": hasattr(row, "gold")}
        context["campaign"] = campaign_for(user=user, site=row)
    return render(request, "labelling/site.html", context)


def _scene(scene: Scene) -> dict[str, Any]:
    return {
        "id": scene.pk,
        "version": scene.version,
        "bounds": scene.footprint.extent,
        "attribution": scene.attribution,
        "combination": combinations_for(scene.bands)[0].id,
    }
