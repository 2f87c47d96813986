"""One georeferenced image: a single acquisition or a composite."""

from typing import TYPE_CHECKING

from django.contrib.gis.db import models
from django.contrib.gis.geos import GEOSGeometry
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.functional import cached_property
from shapely.geometry.base import BaseGeometry

from labelling.core.raster import SceneRef
from labelling.models.region import Region
from labelling.models.spatial import to_shapely

if TYPE_CHECKING:
    from typing import Self


class SceneQuerySet(models.QuerySet["Scene"]):
    def covering(self, geometry: GEOSGeometry) -> "Self":
        """Scenes whose footprint touches a geometry (EPSG:4326), newest first, composites after single ones."""
        return self.filter(footprint__intersects=geometry).newest_first()

    def newest_first(self) -> "Self":
        """By when they were acquired; composites after single ones."""
        return self.order_by("-kind", "-acquired_at", "name")

    def with_band(self, band: str) -> "Self":
        """Scenes that hold a band of exactly this name."""
        return self.annotate(band_names=Cast("bands", models.TextField())).filter(band_names__contains=f'"{band}"')

    def unmeasured(self, method: str) -> "Self":
        """Scenes whose quality was never measured, or by another method than this one."""
        return self.exclude(measured=method)

    def with_cloud_up_to(self, share: float) -> "Self":
        """Scenes that were measured and have no more cloud, haze included, than this share of their data."""
        return self.filter(quality__cloud__lte=share)

    def with_data_from(self, share: float) -> "Self":
        """Scenes that have data in at least this share of their pixels."""
        return self.filter(quality__valid__gte=share)

    def clearest_first(self) -> "Self":
        """By how clear they are; those that are not measured last."""
        return self.order_by(models.F("quality__clear").desc(nulls_last=True), "name", "pk")

    def cleanest_first(self) -> "Self":
        """By how much of them shows something, and how clear that is; those that are not measured last."""
        valid, clear = (Cast(KeyTextTransform(share, "quality"), models.FloatField()) for share in ("valid", "clear"))
        return self.annotate(shown=valid * clear).order_by(models.F("shown").desc(nulls_last=True), "pk")

    def in_region(self, text: str) -> "Self":
        """Scenes that touch an ecoregion whose name, biome or realm holds a text."""
        wanted = models.Q(name__icontains=text) | models.Q(biome__icontains=text) | models.Q(realm__icontains=text)
        touching = Region.objects.filter(wanted, geom__intersects=models.OuterRef("footprint"))
        return self.filter(models.Exists(touching))


class Scene(models.Model):
    SLOW_SIDE = 1024

    class Kind(models.TextChoices):
        SINGLE = "single", "single acquisition"
        COMPOSITE = "composite", "composite"

    name = models.CharField(max_length=200)
    uri = models.CharField(
        max_length=1000, unique=True, help_text="absolute path or address; of several files what stands for them"
    )
    files = models.JSONField(
        default=list, blank=True, help_text="paths or addresses, one a band, where each band lies in a file of its own"
    )
    version = models.CharField(max_length=64, help_text="changes whenever the file does; part of every tile URL")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.SINGLE)
    sensor = models.CharField(max_length=40, blank=True, default="")
    level = models.CharField(max_length=10, blank=True, default="", help_text="L1C, L2A, or empty where not said")
    baseline = models.CharField(max_length=5, blank=True, default="", help_text="processing baseline, such as 04.00")
    radiometry = models.CharField(
        max_length=200, blank=True, default="", help_text="who says how numbers become reflectance"
    )
    acquired_at = models.DateTimeField(null=True, blank=True, db_index=True)
    acquired_until = models.DateTimeField(null=True, blank=True, help_text="end of the period of a composite")

    crs = models.TextField(help_text="EPSG:n, or WKT where there is no code")
    transform = models.JSONField(help_text="a b c d e f of the affine transform from pixel to CRS")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    dtype = models.CharField(max_length=20)
    bands = models.JSONField(help_text="band names in the order of the file, such as B02")
    scales = models.JSONField(help_text="reflectance = digital number * scale + offset, one per band")
    offsets = models.JSONField()
    nodata = models.FloatField(null=True, blank=True)
    pixel_m = models.FloatField(help_text="ground size of a pixel at the centre, metres")
    footprint = models.MultiPolygonField(srid=4326)
    has_overviews = models.BooleanField(default=False)
    display = models.JSONField(
        default=dict,
        help_text="per band the 2nd and 98th percentile in digital numbers, for the default stretch",
    )
    quality = models.JSONField(
        default=dict, help_text="shares that are valid, cloud, haze, shadow, snow, saturated; sharpness, sun in degrees"
    )
    measured = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_index=True,
        help_text="how its quality was measured; empty until it is",
    )
    clearness = models.BinaryField(
        default=b"", blank=True, help_text="how clear each of its cells is, 0 to 255, row by row; empty until measured"
    )
    cell_px = models.PositiveIntegerField(default=0, help_text="side of a cell of the clearness, pixels")
    scl = models.CharField(max_length=1000, blank=True, default="", help_text="file of its scene classification")
    cloud_probability = models.CharField(max_length=1000, blank=True, default="", help_text="file of it, 0 to 100")
    provenance = models.JSONField(
        default=dict,
        blank=True,
        help_text="of a composite made here: method, software, and each scene with its version",
    )
    attribution = models.CharField(max_length=200, blank=True, default="")
    synthetic = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SceneQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["name", "id"])]

    def __str__(self) -> str:
        return self.name

    @property
    def wants_overviews(self) -> bool:
        """Large and without overviews: its tiles at low zooms read all of the file."""
        return not self.has_overviews and max(self.width, self.height) > self.SLOW_SIDE

    @property
    def usable(self) -> float:
        """How much of it can be used, in tenths: its share with data times how clear that is; 1 where not known.

        In tenths, so that of scenes that are about as good the newest can count.
        """
        return round(float(self.quality.get("valid", 1)) * float(self.quality.get("clear", 1)), 1)

    @cached_property
    def outline(self) -> BaseGeometry:
        """The footprint for core, as it was when it was first asked for."""
        return to_shapely(self.footprint)

    @property
    def focus(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the largest part: all of it, but for a scene on both sides of 180 degrees."""
        extent: tuple[float, float, float, float] = max(self.footprint, key=lambda part: part.area).extent
        return extent

    def ref(self) -> SceneRef:
        """The scene as the floors below the database know it."""
        return SceneRef(
            path=self.uri,
            crs=self.crs,
            transform=tuple(self.transform),
            width=self.width,
            height=self.height,
            dtype=self.dtype,
            bands=tuple(self.bands),
            scales=tuple(self.scales),
            offsets=tuple(self.offsets),
            nodata=self.nodata,
            files=tuple(self.files),
            scl=self.scl,
            cloud_probability=self.cloud_probability,
        )
