"""The catalogue of imagery: a list with a map, and one page a scene."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from labelling.core.errors import Conflict
from labelling.core.render import WEIGHTS, combinations_for
from labelling.forms.scenes import SceneFilter
from labelling.models import Scene
from labelling.services.scenes import conversion_of, order_conversion

PER_PAGE = 50


@require_safe
@permission_required("labelling.view_scene", raise_exception=True)
def scenes(request: HttpRequest) -> HttpResponse:
    form = SceneFilter.of(request.GET)
    page = Paginator(form.scenes(), PER_PAGE).get_page(request.GET.get("page"))
    rows = [(scene, _thumb(scene)) for scene in page]
    context = {
        "form": form,
        "page": page,
        "rows": rows,
        "shapes": [_shape(scene) for scene in page],
    }
    return render(request, "labelling/scenes.html", context)


def _thumb(scene: Scene) -> str:
    address = {"scenes": scene.pk, "version": scene.version, "combination": combinations_for(scene.bands)[0].id}
    return reverse("scene-thumb", kwargs={**address, "fmt": "webp"}) + "?size=96"


def _shape(scene: Scene) -> dict[str, Any]:
    return {
        "name": scene.name,
        "href": reverse("scene", args=[scene.pk]),
        "centre": scene.footprint.point_on_surface.coords,
        "geometry": {"type": "MultiPolygon", "coordinates": scene.footprint.coords},
    }


@require_safe
@permission_required("labelling.view_scene", raise_exception=True)
def scene(request: HttpRequest, scene_id: int) -> HttpResponse:
    found = get_object_or_404(Scene, pk=scene_id)
    combinations = combinations_for(found.bands)
    shown = {
        "id": found.pk,
        "version": found.version,
        "bounds": found.footprint.extent,
        "focus": found.focus,
        "attribution": found.attribution,
        "footprint": {"type": "MultiPolygon", "coordinates": found.footprint.coords},
        "combination": combinations[0].id,
    }
    context = {
        "scene": found,
        "scaling": _scaling(found),
        "combinations": [*combinations, WEIGHTS],
        "shown": shown,
        "conversion": conversion_of(scene=found),
        "sources": _sources(found),
    }
    return render(request, "labelling/scene.html", context)


def _sources(scene: Scene) -> list[tuple[dict[str, Any], Scene | None]]:
    """What a composite was made of, and each scene as it is catalogued now."""
    said = scene.provenance.get("scenes", [])
    there = Scene.objects.in_bulk([source["id"] for source in said])
    return [(source, there.get(source["id"])) for source in said]


def _scaling(scene: Scene) -> str:
    formulas = {f"number × {scale:g} {offset:+g}" for scale, offset in zip(scene.scales, scene.offsets, strict=True)}
    return formulas.pop() if len(formulas) == 1 else "by band"


@require_POST
@permission_required("labelling.change_scene", raise_exception=True)
def convert(request: HttpRequest, scene_id: int) -> HttpResponse:
    found = get_object_or_404(Scene, pk=scene_id)
    try:
        order_conversion(scene=found, user=cast(User, request.user))
        messages.success(request, "A cloud-optimised copy is being written; the scene can be used meanwhile.")
    except Conflict as error:
        messages.info(request, str(error))
    return redirect("scene", scene_id=found.pk)
