"""The bar at the top of every page."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True)
class Place:
    """One entry of the bar: a page, its name, and the permission that shows it."""

    url_name: str
    title: str
    permission: str | None = None


@dataclass(frozen=True)
class Link:
    """A place as the bar shows it; ``current`` is ``page`` on the page itself, ``true`` below it, else empty."""

    href: str
    title: str
    current: str


PLACES: tuple[Place, ...] = (
    Place("home", "Dashboard"),
    Place("campaigns", "Review", "labelling.view_campaign"),
    Place("agreement", "Agreement", "labelling.add_decision"),
    Place("sites", "Sites", "labelling.view_site"),
    Place("scenes", "Scenes", "labelling.view_scene"),
    Place("training", "Training", "training.view_experiment"),
    Place("models", "Models", "inference.view_modelversion"),
    Place("runs", "Runs", "inference.view_detectionrun"),
    Place("datasets", "Datasets", "labelling.view_snapshot"),
)


def navigation(request: HttpRequest) -> dict[str, object]:
    """Give every template the places that this user may go to, and the basemap, if one is configured."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"places": ()}
    allowed = (place for place in PLACES if place.permission is None or user.has_perm(place.permission))
    links = tuple(_link(place, request.path) for place in allowed)
    return {"places": links, "basemap": settings.MAD_BASEMAP}


def _link(place: Place, path: str) -> Link:
    href = reverse(place.url_name)
    below = href != "/" and path.startswith(href)
    return Link(href, place.title, "page" if path == href else "true" if below else "")
