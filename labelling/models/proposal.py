"""One source's claim about a site. Never changed after it is written."""

from django.contrib.gis.db import models

from labelling.models.append_only import AppendOnly, AppendOnlyQuerySet
from labelling.models.scene import Scene
from labelling.models.site import Site
from labelling.models.source import SeedImport, Source


class Proposal(AppendOnly):
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="proposals")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="proposals")
    external_id = models.CharField(max_length=120, help_text="what makes the claim one and the same in its source")
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

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["source", "score"], name="proposal_source_score")]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="proposal_once_per_source"),
            models.CheckConstraint(
                condition=models.Q(score__isnull=True) | models.Q(score__gte=0, score__lte=1),
                name="proposal_score_is_a_share",
            ),
        ]

    def __str__(self) -> str:
        return f"proposal {self.pk} on site {self.site_id}"
