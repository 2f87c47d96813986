"""Detection runs, their shards, and the link from a proposal back to what made it."""

from django.contrib.gis.db import models

from inference.models.model_version import ModelVersion
from labelling.models import Job, Proposal, Scene, Site


class DetectionRun(models.Model):
    name = models.CharField(max_length=120)
    model = models.ForeignKey(
        ModelVersion,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="runs",
        help_text="empty: by dispatch",
    )
    aoi = models.MultiPolygonField(srid=4326, null=True, blank=True)
    settings = models.JSONField(default=dict, help_text="min_score, overlap, merge IoU")
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="detection_run")
    counts = models.JSONField(default=dict, help_text="the sum of its shards', and left_out: scenes without the bands")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def already_judged(self) -> int:
        """Boxes on ground that people had verified or rejected, or that this model had proposed before."""
        return int(self.counts.get("known", 0)) + int(self.counts.get("rejected_before", 0))


class Shard(models.Model):
    """A part of a run that can fail, resume and run anywhere: one scene under one model."""

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    run = models.ForeignKey(DetectionRun, on_delete=models.CASCADE, related_name="shards")
    scene = models.ForeignKey(Scene, on_delete=models.PROTECT, related_name="+")
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    route = models.CharField(max_length=100, help_text="which line of the dispatch table chose the model")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    counts = models.JSONField(default=dict, help_text="windows, found, proposed, known, rejected before, sites")
    error = models.TextField(blank=True, default="")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["run", "scene", "model"], name="shard_once_per_scene_and_model")]

    def __str__(self) -> str:
        return f"shard {self.pk} of run {self.run_id}"


class Detection(models.Model):
    """Where a model's proposal came from: run, shard (with its route) and box."""

    proposal = models.OneToOneField(Proposal, on_delete=models.PROTECT, related_name="detection")
    run = models.ForeignKey(DetectionRun, on_delete=models.PROTECT, related_name="detections")
    shard = models.ForeignKey(Shard, on_delete=models.PROTECT, related_name="detections")
    box = models.JSONField(help_text="x0 y0 x1 y1 in pixels of the scene")

    def __str__(self) -> str:
        return f"detection of proposal {self.proposal_id}"


class Sighting(models.Model):
    """A model found something on a site that people have rejected: not proposed again, and not forgotten."""

    shard = models.ForeignKey(Shard, on_delete=models.CASCADE, related_name="sightings")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="sightings")
    type_code = models.CharField(max_length=60)
    score = models.FloatField(help_text="the highest of its boxes there, 0 to 1")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["shard", "site"], name="sighting_once_per_shard")]

    def __str__(self) -> str:
        return f"sighting on site {self.site_id}"
