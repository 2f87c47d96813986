"""Map tiles and thumbnails over HTTP: addressed by the scene's version, so that a browser may keep them."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from labelling.core.errors import BadInput, BadRaster, NotFound
from labelling.core.grid import TileAddress
from labelling.core.tiles import Bounds
from labelling.services.mosaic_tiles import MosaicTile, draw_mosaic_tile, find_mosaic_tile
from labelling.services.mosaics import OldVersion
from labelling.services.tiles import (
    Look,
    Sheet,
    draw_sheet,
    draw_thumb,
    draw_tile,
    find_look,
    find_sheet,
    parse_bounds,
    parse_size,
)

# Private: a login is needed, so no shared cache may answer.
FOREVER = "private, max-age=31536000, immutable"
# What a tile of all imagery shows follows the catalogue; asked again, an ETag spares the image.
A_MINUTE = "private, max-age=60"


@require_safe
@permission_required("labelling.view_scene", raise_exception=True)
def scene_tile(request: HttpRequest, **address: Any) -> HttpResponseBase:
    def answer() -> HttpResponseBase:
        look = _look(request, address)
        tile = _place(address["z"], address["x"], address["y"])
        return _image(request, look, look.etag(tile.z, tile.x, tile.y), lambda: draw_tile(look=look, tile=tile))

    return _answer(request, "scene-tile", address, answer)


@require_safe
@permission_required("labelling.view_scene", raise_exception=True)
def scene_thumb(request: HttpRequest, **address: Any) -> HttpResponseBase:
    def answer() -> HttpResponseBase:
        look, (bounds, size) = _look(request, address), _part(request)
        etag = look.etag("thumb", bounds, size)
        return _image(request, look, etag, lambda: draw_thumb(look=look, bounds=bounds, size=size))

    return _answer(request, "scene-thumb", address, answer)


@require_safe
@permission_required("labelling.view_scene", raise_exception=True)
def scene_sheet(request: HttpRequest, **address: Any) -> HttpResponseBase:
    def answer() -> HttpResponseBase:
        sheet, (bounds, size) = find_sheet(**address), _part(request)
        draw = partial(draw_sheet, sheet=sheet, bounds=bounds, size=size)
        return _image(request, sheet, sheet.etag(bounds, size), draw)

    return _answer(request, "scene-sheet", address, answer)


@require_safe
@permission_required("labelling.view_scene", raise_exception=True)
def mosaic_tile(request: HttpRequest, **address: Any) -> HttpResponseBase:
    def answer() -> HttpResponseBase:
        wanted = _mosaic(address)
        if unchanged := get_conditional_response(request, etag=wanted.etag):
            response, is_whole = unchanged, True
        else:
            image, is_whole = draw_mosaic_tile(wanted=wanted)
            response = HttpResponse(image, content_type=wanted.content_type)
        response["Cache-Control"] = A_MINUTE if is_whole else "no-store"
        if is_whole:
            response["ETag"] = wanted.etag
        return response

    return _answer(request, "mosaic-tile", address, answer)


@require_safe
@permission_required("labelling.view_scene", raise_exception=True)
def mosaic_scenes(request: HttpRequest, **address: Any) -> HttpResponseBase:
    """The scenes that such a tile shows, the one that counts most first."""

    def answer() -> HttpResponseBase:
        scenes = [
            {"id": scene.pk, "name": scene.name, "acquired_at": scene.acquired_at, "attribution": scene.attribution}
            for scene in _mosaic(address | {"fmt": "png"}).scenes
        ]
        response = JsonResponse({"scenes": scenes})
        response["Cache-Control"] = A_MINUTE
        return response

    return _answer(request, "mosaic-scenes", address, answer)


def _mosaic(address: dict[str, Any]) -> MosaicTile:
    wanted = {key: address[key] for key in ("order", "combination", "fmt")}
    return find_mosaic_tile(tile=_place(address["z"], address["x"], address["y"]), **wanted)


def _look(request: HttpRequest, address: dict[str, Any]) -> Look:
    wanted = {key: address[key] for key in ("scenes", "version", "combination", "fmt")}
    return find_look(stretch=request.GET.get("stretch", ""), **wanted)


def _part(request: HttpRequest) -> tuple[Bounds | None, int]:
    return parse_bounds(request.GET.get("bbox", "")), parse_size(request.GET.get("size", "256"))


def _answer(
    request: HttpRequest, name: str, address: dict[str, Any], answer: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    try:
        return answer()
    except OldVersion as error:
        response = _redirected(request, name, address | {"version": error.current})
    except (NotFound, BadRaster) as error:
        response = HttpResponse(str(error), content_type="text/plain", status=HTTPStatus.NOT_FOUND)
    except BadInput as error:
        response = HttpResponse(str(error), content_type="text/plain", status=HTTPStatus.BAD_REQUEST)
    response["Cache-Control"] = "no-store"
    return response


def _redirected(request: HttpRequest, name: str, address: dict[str, Any]) -> HttpResponse:
    query = request.META.get("QUERY_STRING", "")
    return HttpResponseRedirect(reverse(name, kwargs=address) + (f"?{query}" if query else ""))


def _image(request: HttpRequest, look: Look | Sheet, etag: str, draw: Callable[[], bytes]) -> HttpResponseBase:
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = HttpResponse(draw(), content_type=look.content_type)
    response["ETag"] = etag
    response["Cache-Control"] = FOREVER
    return response


def _place(z: str, x: str, y: str) -> TileAddress:
    if not all(part.isascii() and part.isdigit() and len(part) < 9 for part in (z, x, y)):
        msg = "zoom, column and row of a tile are whole numbers"
        raise BadInput(msg)
    return TileAddress(int(z), int(x), int(y))
