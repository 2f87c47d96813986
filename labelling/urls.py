"""URLs of this room."""

from django.urls import include, path

from labelling.views import review, scenes, tiles

_LOOK = "tiles/scenes/<int:scene_id>/<str:version>/<str:combination>"

urlpatterns = [
    path("review/", review.campaigns, name="campaigns"),
    path("review/<slug:slug>/", review.review, name="review"),
    path("api/v1/", include("labelling.api.urls")),
    path("scenes/", scenes.scenes, name="scenes"),
    path("scenes/<int:scene_id>/", scenes.scene, name="scene"),
    path("scenes/<int:scene_id>/convert/", scenes.convert, name="scene-convert"),
    path(f"{_LOOK}/thumb.<str:fmt>", tiles.scene_thumb, name="scene-thumb"),
    path(f"{_LOOK}/<str:z>/<str:x>/<str:y>.<str:fmt>", tiles.scene_tile, name="scene-tile"),
]
