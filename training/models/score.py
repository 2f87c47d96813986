"""What the one evaluator said of a model on a test set."""

from django.contrib.gis.db import models

from inference.models import ModelVersion
from training.models.testset import TestSet


class Score(models.Model):
    """One slice of one evaluation: everything, one type, or one region."""

    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="scores")
    testset = models.ForeignKey(TestSet, on_delete=models.PROTECT, related_name="scores")
    testset_checksum = models.CharField(max_length=64)
    evaluator = models.CharField(max_length=40, help_text="name and version of the evaluator")
    slice_kind = models.CharField(max_length=8, choices=[("all", "all"), ("type", "type"), ("region", "region")])
    slice_value = models.CharField(max_length=120, blank=True, default="")
    ap50 = models.FloatField(null=True, help_text="null: the slice has no truth")
    ap50_95 = models.FloatField(null=True)
    precision = models.FloatField(null=True)
    recall = models.FloatField(null=True)
    f1 = models.FloatField(null=True)
    threshold = models.FloatField(help_text="of precision, recall and F1")
    truths = models.PositiveIntegerField()
    predictions = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["slice_kind", "slice_value"]
        constraints = [
            models.UniqueConstraint(
                fields=["model", "testset", "evaluator", "slice_kind", "slice_value"],
                name="score_once_per_slice",
            )
        ]

    def __str__(self) -> str:
        return f"{self.model_id} on {self.testset_id}: {self.slice_kind} {self.slice_value}"
