"""One place on the ground that is reviewed once, however many sources speak of it."""

from typing import TYPE_CHECKING, Any

from django.contrib.gis.db import models
from django.db.models import Count, Exists, F, OuterRef, Q

from labelling.core.campaigns import CampaignFilter
from labelling.models.region import Region
from labelling.models.scene import Scene
from labelling.models.spatial import CellField, in_box, to_geos
from labelling.models.taxonomy import Axis, MineType

if TYPE_CHECKING:
    from typing import Self


def _said() -> Any:
    """The standing proposals of a site of the query around."""
    proposals: Any = Site._meta.get_field("proposals").related_model._default_manager
    return proposals.standing().filter(site=OuterRef("pk")).order_by()


def _said_by_two() -> Any:
    return _said().values("site").annotate(sources=Count("source", distinct=True)).filter(sources__gte=2)


class SiteQuerySet(models.QuerySet["Site"]):
    def matching(self, conditions: CampaignFilter) -> "Self":
        """Sites that meet every condition of a campaign."""
        found = self
        if conditions.area is not None:
            near = in_box(self.model, "footprint", conditions.area.bounds)
            found = found.filter(near, footprint__intersects=to_geos(conditions.area))
        if conditions.regions:
            found = found.filter(region__eco_id__in=conditions.regions)
        if conditions.types:
            named = MineType.objects.filter(code__in=conditions.types).values("pk")
            found = found.filter(Q(feature__in=named) | Q(commodity__in=named) | Q(method__in=named))
        claims = _said().filter(source__name__in=conditions.sources) if conditions.sources else None
        found = found.claimed(claims, conditions.min_score, conditions.max_score)
        if "several_sources" in conditions.evidence:
            found = found.filter(Exists(_said_by_two()))
        if "imagery" in conditions.evidence:
            found = found.filter(Exists(Scene.objects.filter(footprint__intersects=OuterRef("footprint")).order_by()))
        if conditions.suspect:
            found = found.filter(suspect__decision=F("label__decision"))
        return found

    def claimed(self, claims: Any | None, low: float | None, high: float | None) -> "Self":
        """Sites on which one of some claims stands, with a score between two bounds.

        Args:
            claims: standing proposals of a site of the query around; None: the highest score of the site counts.
            low: 0 to 1; where neither is given, what has no score counts too.
            high: 0 to 1.
        """
        bounds = {"score__gte": low, "score__lte": high}
        between = Q(**{name: bound for name, bound in bounds.items() if bound is not None})
        return self.filter(between if claims is None else Exists(claims.filter(between)))

    def shown(self) -> "Self":
        """With what a card shows beside the outline, but without the outline of the region, which is huge."""
        return self.select_related("region", *Axis.values).defer("region__geom")


class Site(models.Model):
    class State(models.TextChoices):
        OPEN = "open", "to review"
        VERIFIED = "verified", "verified"
        REJECTED = "rejected", "rejected"
        CONTESTED = "contested", "contested"

    footprint = models.GeometryField(srid=4326, help_text="the current outline: a point, polygon or multipolygon")
    point = models.PointField(srid=4326, help_text="a point inside the footprint")
    cell = CellField(editable=False, help_text="where the point lies on the web map, as one number")
    area_ha = models.FloatField(default=0.0, help_text="geodesic area of the footprint, hectares")
    region = models.ForeignKey(Region, null=True, blank=True, on_delete=models.PROTECT, related_name="sites")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    # The current types, at most one per axis; the names of the columns are the names of the axes.
    feature = models.ForeignKey(MineType, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    commodity = models.ForeignKey(MineType, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    method = models.ForeignKey(MineType, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=0, help_text="counts the decisions that were applied")
    least_opinions = models.PositiveSmallIntegerField(
        default=1, help_text="so many people must speak of it, whatever its campaign asks"
    )
    due_again = models.BooleanField(default=False, help_text="settled, but by fewer people than must speak of it")
    name = models.CharField(max_length=200, blank=True, default="")
    score = models.FloatField(null=True, blank=True, help_text="highest score of its proposals")
    priority = models.FloatField(default=0.0, help_text="place in the queue: higher comes first")
    why = models.CharField(max_length=300, blank=True, default="", help_text="why it stands there, in words")
    synthetic = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SiteQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["state", "-priority", "id"], name="site_queue"),
            models.Index(fields=["-priority", "id"], name="site_priority"),
            models.Index(fields=["region", "state"], name="site_region_state"),
            models.Index(fields=["-priority", "id"], condition=Q(due_again=True), name="site_due_again"),
            # A map of a million sites is summed up from this index alone.
            models.Index(fields=["cell", "state", *Axis.values, "id", "score"], name="site_map"),
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

    def types_shown(self) -> list[MineType]:
        """The current types, one after the other by axis."""
        return [mine_type for axis in Axis.values if (mine_type := getattr(self, axis)) is not None]
