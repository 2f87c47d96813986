"""Map tiles and thumbnails over HTTP: addressed by the scene's version, so that a browser may keep them."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from labelling.core.errors import BadInput, BadRaster, NotFound
from labelling.core.grid import TileAddress
from labelling.services.tiles import (
    Look,
    OldVersion,
    draw_thumb,
    draw_tile,
    find_look,
    parse_bounds,
    parse_size,
)

# Private: a login is needed, so no shared cache may answer.
FOREVER = "private, max-age=31536000, immutable"


@require_safe
@permission_required("labelling.view_scene", raise_exception=True)
def scene_tile(request: HttpRequest, **address: Any) -> HttpResponseBase:
    def answer(look: Look) -> HttpResponseBase:
        tile = _place(address["z"], address["x"], address["y"])
        return _image(request, look, look.etag(tile.z, tile.x, tile.y), lambda: draw_tile(look=look, tile=tile))

    return _answer(request, address, answer)


@require_safe
@permission_required("labelling.view_scene", raise_exception=True)
def scene_thumb(request: HttpRequest, **address: Any) -> HttpResponseBase:
    def answer(look: Look) -> HttpResponseBase:
        bounds, size = parse_bounds(request.GET.get("bbox", "")), parse_size(request.GET.get("size", "256"))
        etag = look.etag("thumb", bounds, size)
        return _image(request, look, etag, lambda: draw_thumb(look=look, bounds=bounds, size=size))

    return _answer(request, address, answer)


def _answer(
    request: HttpRequest, address: dict[str, Any], answer: Callable[[Look], HttpResponseBase]
) -> HttpResponseBase:
    wanted = {key: address[key] for key in ("scene_id", "version", "combination", "fmt")}
    try:
        return answer(find_look(stretch=request.GET.get("stretch", ""), **wanted))
    except OldVersion as error:
        response = _redirected(request, address | {"version": error.current})
    except (NotFound, BadRaster) as error:
        response = HttpResponse(str(error), content_type="text/plain", status=HTTPStatus.NOT_FOUND)
    except BadInput as error:
        response = HttpResponse(str(error), content_type="text/plain", status=HTTPStatus.BAD_REQUEST)
    response["Cache-Control"] = "no-store"
    return response


def _redirected(request: HttpRequest, address: dict[str, Any]) -> HttpResponse:
    query = request.META.get("QUERY_STRING", "")
    name = "scene-tile" if "z" in address else "scene-thumb"
    return HttpResponseRedirect(reverse(name, kwargs=address) + (f"?{query}" if query else ""))


def _image(request: HttpRequest, look: Look, etag: str, draw: Callable[[], bytes]) -> HttpResponseBase:
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
