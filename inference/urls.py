"""URLs of this room."""

from django.urls import path, register_converter

from inference.core.model_version import ModelName
from inference.views import models, runs

register_converter(ModelName, "model")

urlpatterns = [
    path("models/<model:name>/", models.model, name="model"),
    path("models/<model:name>/promote/", models.promote, name="model-promote"),
    path("models/<model:name>/retire/", models.retire, name="model-retire"),
    path("dispatch/", models.dispatch, name="dispatch"),
    path("dispatch/<int:entry_id>/rollback/", models.rollback, name="dispatch-rollback"),
    path("runs/", runs.runs, name="runs"),
    path("runs/<int:run_id>/", runs.run, name="run"),
    path("runs/<int:run_id>/resume/", runs.resume, name="run-resume"),
]
