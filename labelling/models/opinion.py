"""Where several opinions are wanted, what they agree in, and the sites by which reviewers are measured."""

from django.conf import settings
from django.contrib.gis.db import models

from labelling.models.campaign import Campaign
from labelling.models.decision import Decision
from labelling.models.site import Site
from labelling.models.taxonomy import Axis


class OpinionGround(models.Model):
    """Ground on which so many people must speak of each site, blind to each other, whatever a campaign asks."""

    area = models.MultiPolygonField(srid=4326)
    least_opinions = models.PositiveSmallIntegerField()
    why = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=models.Q(least_opinions__gte=2), name="ground_asks_for_more")]

    def __str__(self) -> str:
        return self.why


class Gold(models.Model):
    """A settled site whose label is taken for the truth when reviewers are measured."""

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="gold")
    marked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["site"]
        verbose_name_plural = "gold"

    def __str__(self) -> str:
        return f"gold site {self.site_id}"


class GoldLook(models.Model):
    """A gold site that was dealt to a reviewer: once in each campaign."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="gold_looks")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="gold_looks")
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="gold_looks")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["campaign", "reviewer", "site"], name="gold_once_a_campaign")]

    def __str__(self) -> str:
        return f"gold site {self.site_id} for {self.reviewer_id}"


class OpinionPair(models.Model):
    """Two opinions on one site that were made blind to each other. Derived: rebuilt with the label of the site."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="opinion_pairs")
    earlier = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="+")
    later = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="+")
    # What follows is what the rows above say, written out so that figures are summed up by the database at once.
    axis = models.CharField(max_length=12, choices=Axis.choices, help_text="of the later one's campaign")
    campaign = models.ForeignKey(Campaign, null=True, on_delete=models.CASCADE, related_name="+")
    earlier_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    later_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    earlier_said = models.CharField(max_length=60)
    later_said = models.CharField(max_length=60)
    pattern = models.CharField(max_length=600, help_text="what every opinion on the site said, sorted")
    overlap = models.FloatField(
        null=True, help_text="intersection over union of the outlines, where at least one of the two was drawn"
    )
    decided_at = models.DateTimeField(help_text="when the later one was made")

    class Meta:
        ordering = ["-decided_at", "-id"]
        indexes = [models.Index(fields=["axis", "decided_at"], name="opinionpair_when")]
        constraints = [models.UniqueConstraint(fields=["earlier", "later"], name="opinionpair_once")]

    def __str__(self) -> str:
        return f"{self.earlier_said} and {self.later_said} on site {self.site_id}"
