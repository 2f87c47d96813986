"""An exported, immutable, hashed dataset of labels."""

from django.conf import settings
from django.contrib.gis.db import models

from labelling.models.job import Job
from labelling.models.site import Site


class Snapshot(models.Model):
    name = models.CharField(max_length=120, unique=True)
    format = models.CharField(max_length=12)
    axis = models.CharField(max_length=12)
    path = models.CharField(max_length=1000, blank=True, default="", help_text="folder; empty until it is whole")
    sha256 = models.CharField(
        max_length=64, blank=True, default="", help_text="of the manifest, which names every file"
    )
    last_decision = models.PositiveBigIntegerField(default=0, help_text="id of the newest decision that it knows")
    counts = models.JSONField(default=dict)
    licences = models.JSONField(default=list)
    sites = models.ManyToManyField(Site, related_name="snapshots")
    job = models.OneToOneField(Job, null=True, blank=True, on_delete=models.PROTECT, related_name="snapshot")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name
