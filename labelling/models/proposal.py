"""One source's claim about a site. Never changed after it is written."""

from typing import TYPE_CHECKING

from django.contrib.gis.db import models

from labelling.models.append_only import AppendOnly, AppendOnlyQuerySet
from labelling.models.scene import Scene
from labelling.models.site import Site
from labelling.models.source import SeedImport, Source

if TYPE_CHECKING:
    from typing import Self


class ProposalQuerySet(AppendOnlyQuerySet["Proposal"]):
    def standing(self) -> "Self":
        """What the sources say today: neither taken back nor said anew in a later version of the source."""
        return self.filter(retirement__isnull=True)


class Proposal(AppendOnly):
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="proposals")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="proposals")
    external_id = models.CharField(max_length=120, help_text="what makes the claim one and the same in its source")
    revision = models.PositiveIntegerField(default=0, help_text="how often the source has said it anew")
    geometry = models.GeometryField(srid=4326)
    types = models.JSONField(default=dict, help_text="axis -> [[code, score], ...], best first")
    score = models.FloatField(null=True, blank=True, help_text="how sure the source is, 0 to 1; null for a seed")
    is_mine = models.BooleanField(default=True, help_text="false: the source says that there is no mine here")
    scene = models.ForeignKey(Scene, null=True, blank=True, on_delete=models.PROTECT, related_name="proposals")
    seed_import = models.ForeignKey(
        SeedImport, null=True, blank=True, on_delete=models.PROTECT, related_name="proposals"
    )
    properties = models.JSONField(default=dict, help_text="the row as the source gave it")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["source", "score"], name="proposal_source_score")]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id", "revision"], name="proposal_once_per_source"),
            models.CheckConstraint(
                condition=models.Q(score__isnull=True) | models.Q(score__gte=0, score__lte=1),
                name="proposal_score_is_a_share",
            ),
        ]

    def __str__(self) -> str:
        return f"proposal {self.pk} on site {self.site_id}"


class Retirement(AppendOnly):
    """From here on the source no longer says what the proposal says."""

    proposal = models.OneToOneField(Proposal, on_delete=models.PROTECT, primary_key=True, related_name="retirement")
    seed_import = models.ForeignKey(
        SeedImport,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="retirements",
        help_text="the import that said so; null: the source is a model that thinks anew",
    )
    successor = models.OneToOneField(
        Proposal,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="predecessor",
        help_text="what it says instead; null: nothing",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AppendOnlyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"retirement of {self.proposal_id}"
