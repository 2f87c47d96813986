"""Rows of this room, to look at: they are written by services only."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from training.models import Dataset, Experiment

if TYPE_CHECKING:
    _Base = admin.ModelAdmin[Any]
else:
    _Base = admin.ModelAdmin


class ReadOnly(_Base):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Dataset)
class DatasetAdmin(ReadOnly):
    list_display = ("id", "recipe_hash", "testset", "created_at")
    search_fields = ("recipe_hash", "sha256")


@admin.register(Experiment)
class ExperimentAdmin(ReadOnly):
    list_display = ("name", "recipe_hash", "dataset", "model_version", "created_at")
    search_fields = ("name", "recipe_hash")
