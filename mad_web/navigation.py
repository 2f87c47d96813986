"""The bar at the top of every page."""

from dataclasses import dataclass

from django.http import HttpRequest


@dataclass(frozen=True)
class Place:
    """One entry of the bar: a page, its name, and the permission that shows it."""

    url_name: str
    title: str
    permission: str | None = None


PLACES: tuple[Place, ...] = (
    Place("home", "Dashboard"),
    Place("campaigns", "Review"),
    Place("sites", "Sites"),
    Place("scenes", "Scenes"),
    Place("training", "Training", "training.view_experiment"),
    Place("models", "Models", "inference.view_modelversion"),
    Place("runs", "Runs", "inference.view_detectionrun"),
    Place("datasets", "Datasets"),
)


def navigation(request: HttpRequest) -> dict[str, object]:
    """Give every template the places that this user may go to."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"places": ()}
    return {"places": tuple(place for place in PLACES if place.permission is None or user.has_perm(place.permission))}
