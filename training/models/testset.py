"""The universal test set: spatial blocks with a buffer, frozen and checksummed."""

from django.contrib.gis.db import models

from labelling.models import MineType, Region, Scene, Site
from labelling.models.append_only import AppendOnly, AppendOnlyQuerySet


class TestSet(AppendOnly):
    __test__ = False  # not a test case of pytest's

    name = models.CharField(max_length=120, unique=True)
    axis = models.CharField(max_length=12)
    block_m = models.FloatField(help_text="side of a block, metres")
    buffer_m = models.FloatField(help_text="nothing within so many metres of a block trains")
    share = models.FloatField(help_text="share of the labels that was asked for, 0 to 1")
    seed = models.PositiveIntegerField()
    checksum = models.CharField(max_length=64, help_text="SHA-256 of its blocks, windows and labels in canonical form")
    counts = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.name


class TestBlock(AppendOnly):
    __test__ = False

    testset = models.ForeignKey(TestSet, on_delete=models.PROTECT, related_name="blocks")
    key = models.CharField(max_length=60, help_text="name of the block in the grid")
    geometry = models.PolygonField(srid=4326)
    buffered = models.MultiPolygonField(srid=4326, help_text="the block and its buffer")
    region = models.ForeignKey(
        Region, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="of most of its labels"
    )
    scenes = models.ManyToManyField(Scene, through="TestWindow", related_name="test_blocks")

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["testset", "key"], name="testblock_once")]

    def __str__(self) -> str:
        return self.key


class TestWindow(AppendOnly):
    """The ground of a block that is scored on one scene: reviewed, seen there, and on no other window."""

    __test__ = False

    block = models.ForeignKey(TestBlock, on_delete=models.PROTECT, related_name="windows")
    scene = models.ForeignKey(Scene, on_delete=models.PROTECT, related_name="test_windows")
    scene_version = models.CharField(max_length=64, help_text="of the file when the test set was frozen")
    area = models.MultiPolygonField(srid=4326)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["block", "scene"], name="testwindow_once")]

    def __str__(self) -> str:
        return f"block {self.block_id} on scene {self.scene_id}"


class TestLabel(AppendOnly):
    """A label as it was when the test set was frozen."""

    __test__ = False

    testset = models.ForeignKey(TestSet, on_delete=models.PROTECT, related_name="labels")
    window = models.ForeignKey(TestWindow, on_delete=models.PROTECT, related_name="labels")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    geometry = models.GeometryField(srid=4326)
    mine_type = models.ForeignKey(MineType, on_delete=models.PROTECT, related_name="+")
    region = models.ForeignKey(Region, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["testset", "site"], name="testlabel_once")]

    def __str__(self) -> str:
        return f"test label of site {self.site_id}"
