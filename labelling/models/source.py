"""Where claims come from, and the imports that brought them."""

import uuid

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.gis.db import models

from labelling.models.job import Job


class Source(models.Model):
    class Kind(models.TextChoices):
        COBALT = "cobalt", "cobalt-mine set"
        LABELLED = "labelled", "labelled-mine set"
        POLYGONS = "polygons", "mining polygons"
        NEGATIVES = "negatives", "labelled look-alikes"
        MODEL = "model", "model version"
        PERSON = "person", "person"

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    licence = models.CharField(max_length=200, blank=True, default="")
    citation = models.TextField(blank=True, default="")
    mapping = models.JSONField(default=dict, help_text="the last column and value mapping used")
    synthetic = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def of_person(user: User) -> str:
        """The name of the source that a person is who draws."""
        return f"drawn by {user.get_username()}"[:120]


class SeedImport(models.Model):
    """One file of one source, read once; a second import of the same rows adds nothing."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="imports")
    file_name = models.CharField(max_length=300)
    layer = models.CharField(max_length=200, blank=True, default="")
    sha256 = models.CharField(max_length=64)
    mapping = models.JSONField(default=dict)
    counts = models.JSONField(default=dict, help_text="rows, added, known, merged, repaired, refused, untyped")
    is_whole = models.BooleanField(
        default=False, help_text="the file is all that the source says: what it no longer holds was taken back"
    )
    refused = models.JSONField(default=list, help_text="[{row, reason}], the first thousand")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.file_name} of {self.source_id}"


class SeedDraft(models.Model):
    """A file that somebody has brought and not yet imported: how to read it, and what that would do."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file_name = models.CharField(max_length=300, help_text="as the person called it; only ever shown")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    choices = models.JSONField(default=dict, help_text="what the person has chosen on the page")
    preview = models.JSONField(default=dict, help_text="what an import would do")
    previewed = models.JSONField(default=dict, help_text="the choices that the preview is of")
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="seed_drafts")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.file_name
