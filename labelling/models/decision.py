"""Decisions (append-only), what they amount to, and the areas where everything is labelled."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.gis.db import models
from django.db.models import Q

from labelling.core.review import Opinion
from labelling.models.append_only import AppendOnly, AppendOnlyQuerySet
from labelling.models.campaign import Campaign
from labelling.models.scene import Scene
from labelling.models.site import Site
from labelling.models.taxonomy import Axis, MineType

if TYPE_CHECKING:
    from typing import Self


class DecisionQuerySet(AppendOnlyQuerySet["Decision"]):
    def in_force(self) -> "Self":
        """Opinions and skips that nobody took back; neither undos nor what was kept without being applied."""
        return self.filter(Q(version__isnull=False) | Q(verdict="skip"), undone_by__isnull=True).exclude(verdict="undo")


class Decision(AppendOnly):
    """One reviewer's verdict on a site at a version."""

    class Verdict(models.TextChoices):
        ACCEPT = "accept", "accepted"
        FIX = "fix", "fixed"
        REJECT = "reject", "rejected"
        UNSURE = "unsure", "unsure"
        SKIP = "skip", "skipped"
        ADD = "add", "drew a missed mine"
        UNDO = "undo", "undone"

    class Reason(models.TextChoices):
        NOT_A_MINE = "not_a_mine", "not a mine"
        WRONG_TYPE = "wrong_type", "wrong type"
        DUPLICATE = "duplicate", "duplicate"
        OFFSET = "offset", "imagery offset"
        CLOUD = "cloud", "cloud"
        BAD_IMAGERY = "bad_imagery", "bad imagery"
        INACTIVE = "inactive", "inactive"

    key = models.UUIDField(unique=True, help_text="made in the browser; sent twice it counts once")
    body_sha256 = models.CharField(max_length=64, help_text="of the request, to tell a repeat from a reuse of the key")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="decisions")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions")
    campaign = models.ForeignKey(Campaign, null=True, blank=True, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    reason = models.CharField(max_length=12, choices=Reason.choices, blank=True, default="")
    types = models.JSONField(default=dict, help_text="axis -> code, as the reviewer left them or rejected them")
    geometry = models.GeometryField(
        srid=4326,
        null=True,
        blank=True,
        help_text="the outline as it was drawn, or as it stood; null for skip and undo",
    )
    comment = models.TextField(blank=True, default="")
    base_version = models.PositiveIntegerField(help_text="the version of the site that the reviewer saw")
    version = models.PositiveIntegerField(
        null=True, help_text="the version that it made; null: a skip, or kept, not applied"
    )
    reviews_needed = models.PositiveSmallIntegerField(default=1, help_text="what its campaign asked for at the time")
    as_lead = models.BooleanField(default=False, help_text="settles a site that was contested or finished")
    gold = models.BooleanField(default=False, help_text="the answer to a gold site: scored, never applied")
    undoes = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="undone_by")
    scene = models.ForeignKey(Scene, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    client_time = models.DateTimeField(null=True, blank=True, help_text="the browser's clock; information only")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["reviewer", "-id"], name="decision_reviewer"),
            models.Index(fields=["reviewer", "created_at"], name="decision_reviewer_when"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["site", "version"], name="decision_one_per_site_version"),
            models.CheckConstraint(
                condition=~models.Q(verdict="reject") | ~models.Q(reason=""),
                name="decision_reject_has_a_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(verdict="undo", undoes__isnull=False)
                | (~models.Q(verdict="undo") & models.Q(undoes__isnull=True)),
                name="decision_undo_names_what_it_undoes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} on site {self.site_id} by {self.reviewer_id}"

    @property
    def is_kept(self) -> bool:
        """Came too late to be applied, but nothing is lost."""
        return self.version is None and not self.gold and self.verdict not in {self.Verdict.SKIP, self.Verdict.UNDO}

    @property
    def shown_version(self) -> int | None:
        """The version that its reviewer is told it made: a gold site counts its reviewer's own steps alone."""
        return self.base_version + 1 if self.gold and self.verdict != self.Verdict.SKIP else self.version

    def types_said(self) -> tuple[str, ...]:
        """The types that it speaks of: a rejection keeps those that were proposed, and is for none of them."""
        says = self.verdict != self.Verdict.REJECT or self.reason == self.Reason.WRONG_TYPE
        return tuple(self.types.values()) if says else ()

    def opinion(self) -> Opinion:
        """The decision as the floor below the database knows it."""
        return Opinion(
            id=self.pk,
            reviewer=self.reviewer_id,
            verdict=self.verdict,
            reason=self.reason,
            types=self.types,
            reviews_needed=self.reviews_needed,
            as_lead=self.as_lead,
            applied=self.version is not None,
            undoes=self.undoes_id,
        )


class Label(models.Model):
    """What the decisions on a site amount to. Derived: it can be rebuilt from them at any time."""

    class State(models.TextChoices):
        VERIFIED = "verified", "verified"
        REJECTED = "rejected", "rejected"
        CONTESTED = "contested", "contested"

    site = models.OneToOneField(Site, on_delete=models.PROTECT, related_name="label")
    state = models.CharField(max_length=10, choices=State.choices, db_index=True)
    geometry = models.GeometryField(srid=4326)
    feature = models.ForeignKey(MineType, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    commodity = models.ForeignKey(MineType, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    method = models.ForeignKey(MineType, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=12, blank=True, default="", help_text="of a rejection")
    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, related_name="+", help_text="the one that settled it"
    )
    reviews = models.PositiveSmallIntegerField(default=1)
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.state} label of site {self.site_id}"

    def types(self) -> dict[str, str]:
        """The verified type codes by axis, for the axes that have one."""
        found = {axis: getattr(self, axis) for axis in Axis.values}
        return {axis: mine_type.code for axis, mine_type in found.items() if mine_type is not None}


class ReviewedArea(models.Model):
    """A window in which a person has said: everything here is labelled."""

    key = models.UUIDField(unique=True)
    geometry = models.PolygonField(srid=4326)
    axis = models.CharField(max_length=12, choices=Axis.choices, default=Axis.FEATURE)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviewed_areas")
    campaign = models.ForeignKey(
        Campaign, null=True, blank=True, on_delete=models.PROTECT, related_name="reviewed_areas"
    )
    scene = models.ForeignKey(Scene, null=True, blank=True, on_delete=models.PROTECT, related_name="reviewed_areas")
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="set by an undo; the row stays")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"reviewed area {self.pk}"
