"""What an import of scenes did."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q, QuerySet

from labelling.models import ImportItem, Scene, SceneImport
from labelling.services.scenes.listing import Refusal


@dataclass(frozen=True)
class SceneReport:
    """What an import did, read from its rows."""

    scene_import: SceneImport

    @cached_property
    def added(self) -> tuple[Scene, ...]:
        """Scenes that are new."""
        return tuple(self._scenes("added"))

    @cached_property
    def updated(self) -> tuple[Scene, ...]:
        """Scenes whose file, or what is said of it, has changed."""
        return tuple(self._scenes("updated"))

    @cached_property
    def slow(self) -> int:
        """How many of the new ones will have slow tiles: large and without overviews."""
        large = Q(scene__width__gt=Scene.SLOW_SIDE) | Q(scene__height__gt=Scene.SLOW_SIDE)
        return self._items("added", "updated").filter(large, scene__has_overviews=False).count()

    @cached_property
    def known(self) -> int:
        """How many were catalogued already, and are the same."""
        return self.count("known")

    @cached_property
    def refused(self) -> tuple[Refusal, ...]:
        """What was not catalogued, each with its reason."""
        rows = self.scene_import.items.filter(state=ImportItem.State.REFUSED).values_list("key", "reason")
        return tuple(Refusal(key, reason) for key, reason in rows)

    def count(self, outcome: str) -> int:
        """How many items were ``added``, ``updated`` or ``known``."""
        return self._items(outcome).count()

    def _items(self, *outcomes: str) -> "QuerySet[ImportItem]":
        return self.scene_import.items.filter(outcome__in=outcomes)

    def _scenes(self, outcome: str) -> Iterator[Scene]:
        items = self._items(outcome).select_related("scene").order_by("pk")
        return (item.scene for item in items if item.scene)
