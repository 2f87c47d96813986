"""An exported, immutable, hashed dataset of labels."""

import uuid
from pathlib import Path

from django.conf import settings
from django.contrib.gis.db import models

from labelling.models.job import Job
from labelling.models.site import Site


class Snapshot(models.Model):
    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False, help_text="names its folder and its URLs")
    name = models.CharField(max_length=120, unique=True)
    format = models.CharField(max_length=12)
    axis = models.CharField(max_length=12)
    options = models.JSONField(default=dict, help_text="what was asked for")
    sha256 = models.CharField(
        max_length=64,
        blank=True,
        default="",
        help_text="of the manifest, which names every file; empty until it is whole",
    )
    last_decision = models.PositiveBigIntegerField(default=0, help_text="id of the newest decision that it knows")
    counts = models.JSONField(default=dict)
    licences = models.JSONField(default=list)
    sites = models.ManyToManyField(Site, related_name="snapshots")
    job = models.OneToOneField(Job, null=True, blank=True, on_delete=models.PROTECT, related_name="snapshot")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    @property
    def folder(self) -> Path:
        """Where its files lie, once it is whole."""
        return Path(settings.EXPORT_ROOT / str(self.key) / "files")

    @property
    def archive(self) -> Path:
        """The same as one file."""
        return Path(settings.EXPORT_ROOT / str(self.key) / "files.zip")

    @property
    def is_whole(self) -> bool:
        return bool(self.sha256)

    def __str__(self) -> str:
        return self.name
