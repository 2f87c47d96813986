"""One place on the ground that is reviewed once, however many sources speak of it."""

from django.contrib.gis.db import models

from labelling.models.region import Region
from labelling.models.taxonomy import Axis, MineType


class Site(models.Model):
    class State(models.TextChoices):
        OPEN = "open", "to review"
        VERIFIED = "verified", "verified"
        REJECTED = "rejected", "rejected"
        CONTESTED = "contested", "contested"

    footprint = models.GeometryField(srid=4326, help_text="the current outline: a point, polygon or multipolygon")
    point = models.PointField(srid=4326, help_text="a point inside the footprint")
    area_ha = models.FloatField(default=0.0, help_text="geodesic area of the footprint, hectares")
    region = models.ForeignKey(Region, null=True, blank=True, on_delete=models.PROTECT, related_name="sites")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    # The current types, at most one per axis; the names of the columns are the names of the axes.
    feature = models.ForeignKey(MineType, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    commodity = models.ForeignKey(MineType, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    method = models.ForeignKey(MineType, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=0, help_text="counts the decisions that were applied")
    name = models.CharField(max_length=200, blank=True, default="")
    score = models.FloatField(null=True, blank=True, help_text="highest score of its proposals")
    priority = models.FloatField(default=0.0, help_text="place in the queue: higher comes first")
    why = models.CharField(max_length=300, blank=True, default="", help_text="why it stands there, in words")
    synthetic = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "-priority", "id"], name="site_queue"),
            models.Index(fields=["region", "state"], name="site_region_state"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["open", "verified", "rejected", "contested"]),
                name="site_state_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"site {self.pk}"

    def types(self) -> dict[str, str]:
        """The current type codes by axis, for the axes that have one."""
        found = {axis: getattr(self, axis) for axis in Axis.values}
        return {axis: mine_type.code for axis, mine_type in found.items() if mine_type is not None}
