"""The universal test set: spatial blocks with a buffer, frozen and checksummed."""

from django.contrib.gis.db import models

from labelling.models import MineType, Region, Scene, Site


class TestSet(models.Model):
    __test__ = False  # not a test case of pytest's

    name = models.CharField(max_length=120, unique=True)
    axis = models.CharField(max_length=12)
    block_m = models.FloatField(help_text="side of a block, metres")
    buffer_m = models.FloatField(help_text="nothing within so many metres of a block trains")
    seed = models.PositiveIntegerField()
    checksum = models.CharField(max_length=64, help_text="SHA-256 of its blocks, scenes and labels in canonical form")
    counts = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class TestBlock(models.Model):
    __test__ = False

    testset = models.ForeignKey(TestSet, on_delete=models.CASCADE, related_name="blocks")
    key = models.CharField(max_length=60, help_text="name of the block in the grid")
    geometry = models.PolygonField(srid=4326)
    buffered = models.MultiPolygonField(srid=4326, help_text="the block and its buffer")
    scenes = models.ManyToManyField(Scene, related_name="test_blocks", help_text="what is scored here")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["testset", "key"], name="testblock_once")]

    def __str__(self) -> str:
        return self.key


class TestLabel(models.Model):
    """A label as it was when the test set was frozen."""

    __test__ = False

    testset = models.ForeignKey(TestSet, on_delete=models.CASCADE, related_name="labels")
    block = models.ForeignKey(TestBlock, on_delete=models.CASCADE, related_name="labels")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    geometry = models.GeometryField(srid=4326)
    mine_type = models.ForeignKey(MineType, on_delete=models.PROTECT, related_name="+")
    region = models.ForeignKey(Region, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["testset", "site"], name="testlabel_once")]

    def __str__(self) -> str:
        return f"test label of site {self.site_id}"
