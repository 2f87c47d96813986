"""The row is the queue: work exists as a row; Celery supplies the process."""

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.gis.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from typing import Self


_A_WORKER_COMES_WITHIN = timedelta(seconds=30)
_TELLING_SHARE = 0.02


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: Any) -> "Self":
        """All jobs for who may see all, for others those that they started."""
        return self if user.has_perm("labelling.view_job") else self.filter(created_by=user.pk)


class Job(models.Model):
    """One piece of work. ``kind`` is the name of the Celery task that does it, such as ``training.train``.

    Every write of a worker carries the attempt that it holds (a fencing number): a worker that was taken
    for dead and wakes up again changes nothing.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    FINAL = (State.DONE, State.FAILED, State.CANCELLED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    queue = models.CharField(max_length=8, choices=[("cpu", "cpu"), ("gpu", "gpu")], default="cpu")
    title = models.CharField(max_length=200)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=1)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="when a message was last sent for it")
    worker = models.CharField(max_length=120, blank=True, default="", help_text="host:pid that holds it")
    phase = models.CharField(max_length=80, blank=True, default="", help_text="what it does now")
    progress = models.FloatField(default=0.0, help_text="0 to 1")
    cancel_requested = models.BooleanField(default=False)
    error = models.TextField(blank=True, default="", help_text="what happened and what to change")
    result = models.JSONField(default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "queue", "created_at"], name="job_queue")]

    def __str__(self) -> str:
        return f"{self.title} ({self.state_shown})"

    @property
    def is_final(self) -> bool:
        return self.state in self.FINAL

    @property
    def is_silent(self) -> bool:
        """Running by its row, but its worker has said nothing for too long: it is dead."""
        silence = self.silence
        return silence is not None and silence > timedelta(seconds=settings.JOB_DEAD_AFTER_S)

    @property
    def silence(self) -> timedelta | None:
        """How long ago the worker last said something; None where nobody is expected to."""
        if self.state != self.State.RUNNING or self.heartbeat_at is None:
            return None
        return timezone.now() - self.heartbeat_at

    @property
    def state_shown(self) -> str:
        """The state as a person should read it, right even where no reaper runs."""
        return self.State.FAILED.value if self.is_silent else self.state

    @property
    def is_waiting_long(self) -> bool:
        """Queued, rung for, and no worker has come: most likely none runs."""
        return self.state == self.State.QUEUED and timezone.now() - self.created_at > _A_WORKER_COMES_WITHIN

    @property
    def worked_for(self) -> timedelta | None:
        """How long its last attempt has worked, or did."""
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at

    @property
    def ends_in(self) -> timedelta | None:
        """How long it will still take if it goes on as it went; None before that can be said."""
        worked_for = self.worked_for
        if self.state_shown != self.State.RUNNING or worked_for is None or self.progress < _TELLING_SHARE:
            return None
        return worked_for * ((1 - self.progress) / self.progress)
