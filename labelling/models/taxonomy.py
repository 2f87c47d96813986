"""Mine types, each on one axis."""

from django.contrib.gis.db import models


class Axis(models.TextChoices):
    FEATURE = "feature", "feature"
    COMMODITY = "commodity", "commodity"
    METHOD = "method", "method"


class MineType(models.Model):
    """A class of the taxonomy. ``labelling.core.taxonomy`` is the truth for the ones that ship."""

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    axis = models.CharField(max_length=12, choices=Axis.choices)
    color = models.CharField(max_length=7)
    rank = models.PositiveSmallIntegerField(default=100, help_text="order on the axis; the first nine have a digit key")
    guideline = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["axis", "rank", "code"]
        constraints = [
            models.CheckConstraint(condition=models.Q(color__regex=r"^#[0-9a-fA-F]{6}$"), name="minetype_color_is_hex"),
            models.CheckConstraint(condition=models.Q(axis__in=Axis.values), name="minetype_axis_is_known"),
        ]

    def __str__(self) -> str:
        return self.name
