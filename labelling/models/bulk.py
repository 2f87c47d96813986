"""What a lead does to many sites at once: drawn up first, then done, and taken back as a whole if need be."""

import uuid

from django.conf import settings
from django.contrib.gis.db import models

from labelling.models.job import Job
from labelling.models.site import Site


class BulkAction(models.Model):
    """One action on many sites. Its items are the sites as its author saw them in the preview."""

    class Kind(models.TextChoices):
        REJECT = "reject", "reject"
        TYPE = "type", "verify as a type"
        RESET = "reset", "set back to review"
        FIRST = "first", "put first in the queues"
        SECOND = "second", "ask for a second opinion"
        SHIFT = "shift", "move the outlines"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    params = models.JSONField(default=dict, help_text="reason; axis and code; or metres east and north")
    comment = models.TextField(blank=True, default="")
    asked = models.TextField(blank=True, default="", help_text="the filter as in the URL; empty: picked by hand")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bulk_actions")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True, help_text="when its author confirmed the preview")
    undone_at = models.DateTimeField(null=True, blank=True, help_text="when somebody asked to take it back")
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    job = models.ForeignKey(
        Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="the last one"
    )

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["-created_at"], name="bulk_newest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} in bulk by {self.created_by_id}"

    @property
    def is_busy(self) -> bool:
        """Whether a worker has it, or is to take it."""
        return self.job is not None and not self.job.is_final and not self.job.is_silent


class BulkItem(models.Model):
    """One site of a bulk action."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", "still to do"
        DONE = "done", "done"
        SKIPPED = "skipped", "skipped"
        UNDONE = "undone", "taken back"
        KEPT = "kept", "not taken back"

    bulk = models.ForeignKey(BulkAction, on_delete=models.CASCADE, related_name="items")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="bulk_items")
    version = models.PositiveIntegerField(help_text="of the site, as the preview saw it")
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.WAITING)
    note = models.CharField(max_length=160, blank=True, default="", help_text="why it was skipped or not taken back")
    before = models.JSONField(null=True, help_text="what an undo brings back, where no decision holds it")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["bulk", "site"], name="bulk_item_once_per_site")]
        indexes = [models.Index(fields=["bulk", "outcome", "id"], name="bulk_item_outcome")]

    def __str__(self) -> str:
        return f"site {self.site_id}: {self.outcome}"
