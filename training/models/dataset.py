"""Chips and labels written for training, under the recipe that defines them."""

from pathlib import Path

from django.conf import settings
from django.contrib.gis.db import models

from labelling.models import Site
from training.models.testset import TestSet


class Dataset(models.Model):
    recipe = models.JSONField()
    recipe_hash = models.CharField(max_length=64, db_index=True)
    labels_hash = models.CharField(max_length=64, help_text="of the labels and reviewed areas it was built from")
    testset = models.ForeignKey(TestSet, null=True, blank=True, on_delete=models.PROTECT, related_name="datasets")
    path = models.CharField(max_length=64, help_text="name of its folder among the datasets")
    sha256 = models.CharField(max_length=64, help_text="of the manifest, which names every file")
    counts = models.JSONField(default=dict, help_text="chips and boxes per split and type, backgrounds")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["recipe_hash", "labels_hash"], name="dataset_once_per_recipe_and_labels")
        ]

    def __str__(self) -> str:
        return f"dataset {self.pk}"

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return Path(settings.DATASET_ROOT / self.path)


class DatasetSite(models.Model):
    """Which site went into which dataset, for its life-line."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="dataset_sites")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="dataset_sites")
    split = models.CharField(max_length=5, choices=[("train", "train"), ("val", "validation")])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "site"], name="datasetsite_once")]

    def __str__(self) -> str:
        return f"site {self.site_id} in dataset {self.dataset_id}"
