"""An import of scenes: what was asked for, and one row for each file or item that was found."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.gis.db import models
from django.db.models import Count

from labelling.models.job import Job
from labelling.models.scene import Scene

if TYPE_CHECKING:
    from typing import Self


class SceneImport(models.Model):
    title = models.CharField(max_length=200)
    sources = models.JSONField(help_text="paths, patterns, addresses, and searches of STAC catalogues")
    order = models.JSONField(help_text="what is said of every scene: kind, sensor, level, mapping, copied or not")
    digest = models.CharField(
        max_length=64, db_index=True, help_text="of sources and order: asked again, it goes on where it stopped"
    )
    is_listed = models.BooleanField(default=False, help_text="all that there is has its row")
    job = models.OneToOneField(
        Job, null=True, blank=True, on_delete=models.PROTECT, related_name="scene_import", help_text="empty: by command"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.title

    def counts(self) -> dict[str, int]:
        """How many items are in each state, those without any among them."""
        counted = dict(self.items.order_by().values_list("state").annotate(count=Count("pk")))
        return {state: counted.get(state, 0) for state in ImportItem.State.values}


class ImportItemQuerySet(models.QuerySet["ImportItem"]):
    def waiting(self) -> "Self":
        """Found, and nobody reads it."""
        return self.filter(state=ImportItem.State.FOUND)

    def unsettled(self) -> "Self":
        """Neither catalogued nor refused yet."""
        return self.exclude(state__in=ImportItem.SETTLED)


class ImportItem(models.Model):
    class State(models.TextChoices):
        FOUND = "found", "found"
        READING = "reading", "reading"
        CATALOGUED = "catalogued", "catalogued"
        REFUSED = "refused", "refused"

    SETTLED = (State.CATALOGUED, State.REFUSED)

    scene_import = models.ForeignKey(SceneImport, on_delete=models.CASCADE, related_name="items")
    key = models.CharField(max_length=1000, help_text="path of the file or folder, address, or link of the STAC item")
    said = models.JSONField(default=dict, blank=True, help_text="what a catalogue says of it: the STAC item")
    state = models.CharField(max_length=10, choices=State.choices, default=State.FOUND)
    outcome = models.CharField(max_length=10, blank=True, default="", help_text="added, updated or known")
    reason = models.TextField(blank=True, default="", help_text="why it was refused")
    scene = models.ForeignKey(Scene, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    reader = models.UUIDField(null=True, blank=True, help_text="who reads it: a job, or a command")
    tries = models.PositiveSmallIntegerField(default=0, help_text="how often it was begun to read")

    objects = ImportItemQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["scene_import", "key"], name="import_item_once")]
        indexes = [models.Index(fields=["scene_import", "state", "id"], name="import_item_queue")]

    def __str__(self) -> str:
        return self.key
