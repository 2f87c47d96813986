"""URLs of this room."""

from django.urls import include, path

from labelling.views import tiles

_LOOK = "tiles/scenes/<int:scene_id>/<str:version>/<str:combination>"

urlpatterns = [
    path("api/v1/", include("labelling.api.urls")),
    path(f"{_LOOK}/thumb.<str:fmt>", tiles.scene_thumb, name="scene-thumb"),
    path(f"{_LOOK}/<str:z>/<str:x>/<str:y>.<str:fmt>", tiles.scene_tile, name="scene-tile"),
]
