"""Labels that look wrong, and why. A decision on the site settles it."""

from typing import TYPE_CHECKING

from django.contrib.gis.db import models
from django.db.models import F

from labelling.models.decision import Decision
from labelling.models.site import Site

if TYPE_CHECKING:
    from typing import Self


class SuspectQuerySet(models.QuerySet["Suspect"]):
    def waiting(self) -> "Self":
        """Those whose label still rests on the decision that is doubted; what was decided since settles the others."""
        return self.filter(site__label__decision=F("decision"))


class Suspect(models.Model):
    """What speaks against the label of a site. Derived: it can be found again from claims, decisions and models."""

    site = models.OneToOneField(Site, on_delete=models.PROTECT, related_name="suspect")
    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, related_name="+", help_text="the one that the doubted label rests on"
    )
    score = models.FloatField(help_text="how strong the doubts are together, 0 to 1")
    doubts = models.JSONField(help_text="[{kind, weight, words, token}], the strongest first")
    settled = models.JSONField(default=list, help_text="tokens of doubts that a decision has answered")
    found_at = models.DateTimeField(auto_now=True)

    objects = SuspectQuerySet.as_manager()

    class Meta:
        ordering = ["-score", "site_id"]
        indexes = [models.Index(fields=["-score", "site"], name="suspect_score")]
        constraints = [
            models.CheckConstraint(condition=models.Q(score__gte=0, score__lte=1), name="suspect_score_is_a_share")
        ]

    def __str__(self) -> str:
        return f"doubt about site {self.site_id}"
