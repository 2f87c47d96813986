"""What a classifier of types learned from, how good it is, and what it said of sites that it had not seen."""

from django.contrib.gis.db import models

from labelling.models import Job, Site, Source


class TypeStudy(models.Model):
    """One version of the classifier of an axis.

    Nothing of it is kept but figures and what it said: the same labels and settings give the same one again.
    """

    name = models.CharField(max_length=120, unique=True)
    axis = models.CharField(max_length=12)
    settings = models.JSONField()
    source = models.ForeignKey(
        Source, null=True, blank=True, on_delete=models.PROTECT, related_name="type_studies", help_text="who proposes"
    )
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="type_study")
    labels_hash = models.CharField(
        max_length=64, blank=True, default="", help_text="SHA-256 of the sites, outlines and types that it learned from"
    )
    report = models.JSONField(default=dict, help_text="out-of-fold figures; empty until it is done")
    counts = models.JSONField(default=dict, help_text="examples, sites looked at, proposals of each source, suspects")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.name


class TypeOpinion(models.Model):
    """What the classifier says of a labelled site when neither it nor its neighbours were learned from."""

    study = models.ForeignKey(TypeStudy, on_delete=models.CASCADE, related_name="opinions")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="type_opinions")
    given = models.CharField(max_length=60, help_text="type code that it was labelled with")
    fold = models.PositiveSmallIntegerField()
    odds = models.JSONField(help_text="[[type code, probability], ...], best first")
    quality = models.FloatField(help_text="how well the label fits, 0 to 1: normalised margin of confident learning")
    is_issue = models.BooleanField(default=False, help_text="confident learning takes the label for wrong")

    class Meta:
        ordering = ["quality", "id"]
        constraints = [models.UniqueConstraint(fields=["study", "site"], name="typeopinion_once")]

    def __str__(self) -> str:
        return f"opinion of {self.study_id} on site {self.site_id}"
