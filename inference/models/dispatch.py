"""The table (type, region) -> serving model, with its fallback."""

from django.contrib.gis.db import models

from inference.models.model_version import ModelVersion
from labelling.models import MineType


class DispatchEntry(models.Model):
    class Level(models.TextChoices):
        ECOREGION = "ecoregion", "ecoregion"
        BIOME = "biome", "biome"
        EVERYWHERE = "everywhere", "everywhere"

    mine_type = models.ForeignKey(
        MineType,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="empty: every type",
    )
    level = models.CharField(max_length=12, choices=Level.choices, default=Level.EVERYWHERE)
    place = models.PositiveIntegerField(default=0, help_text="ecoregion or biome number; 0 for everywhere")
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="dispatch_entries")
    previous = models.ForeignKey(
        ModelVersion,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="for the way back",
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "dispatch entries"
        constraints = [
            models.UniqueConstraint(fields=["mine_type", "level", "place"], name="dispatch_one_model_per_route"),
            models.UniqueConstraint(
                fields=["level", "place"],
                condition=models.Q(mine_type=None),
                name="dispatch_one_model_for_any_type",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mine_type_id or 'any type'}, {self.level} {self.place}"
