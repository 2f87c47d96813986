"""Weights by content, and all that is needed to use them rightly."""

from django.contrib.gis.db import models

from labelling.models import Region, Source


class ModelVersion(models.Model):
    class Status(models.TextChoices):
        CANDIDATE = "candidate", "candidate"
        SERVING = "serving", "serving"
        RETIRED = "retired", "retired"

    name = models.CharField(max_length=120, unique=True)
    source = models.OneToOneField(Source, on_delete=models.PROTECT, related_name="model_version")
    engine = models.CharField(max_length=20, default="yolo", help_text="name of the detector engine that loads it")
    task = models.CharField(max_length=10, choices=[("detect", "boxes"), ("segment", "polygons")], default="detect")
    architecture = models.CharField(max_length=80)
    weights_sha256 = models.CharField(max_length=64, help_text="address of the weights among the blobs")
    axis = models.CharField(max_length=12)
    types = models.JSONField(help_text="type codes in the order of the model's classes")
    bands = models.JSONField(help_text="band names in the order of the model's channels")
    preparation = models.JSONField(
        help_text="how pixels become the model's input, exactly as in training: chip size, pixel size, stretch"
    )
    regions = models.ManyToManyField(Region, blank=True, related_name="model_versions", help_text="empty: everywhere")
    recipe_hash = models.CharField(max_length=64, blank=True, default="")
    licence = models.CharField(max_length=80, default="AGPL-3.0")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.CANDIDATE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name
