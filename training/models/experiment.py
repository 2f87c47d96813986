"""Recipe + engine settings + seed -> model version + scores."""

from django.contrib.gis.db import models

from inference.models import ModelVersion
from labelling.models import Job
from training.models.dataset import Dataset


class Experiment(models.Model):
    name = models.CharField(max_length=120, unique=True)
    recipe = models.JSONField()
    recipe_hash = models.CharField(max_length=64, db_index=True)
    settings = models.JSONField(help_text="architecture, epochs, batch, image size, patience, device")
    seed = models.PositiveIntegerField(default=0)
    dataset = models.ForeignKey(Dataset, null=True, blank=True, on_delete=models.PROTECT, related_name="experiments")
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="experiment")
    model_version = models.OneToOneField(
        ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="experiment"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def chips(self) -> int | None:
        """Chips of its dataset, of both sides; None until it is built."""
        return sum(self.dataset.counts[side]["chips"] for side in ("train", "val")) if self.dataset else None


class EpochLog(models.Model):
    """Losses and validation metrics of one epoch, as the engine reported them."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="epochs")
    attempt = models.PositiveSmallIntegerField()
    epoch = models.PositiveIntegerField()
    metrics = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["attempt", "epoch"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "attempt", "epoch"], name="epochlog_once_per_epoch")
        ]

    def __str__(self) -> str:
        return f"epoch {self.epoch} of experiment {self.experiment_id}"
