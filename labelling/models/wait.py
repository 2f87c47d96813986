"""How long a person waited for the next site on one day."""

from django.conf import settings
from django.contrib.gis.db import models


class WaitDay(models.Model):
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    day = models.DateField(db_index=True, help_text="UTC")
    counts = models.JSONField(default=dict, help_text="step in milliseconds -> how many waits ended within it")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reviewer", "day"], name="one_row_of_waits_a_day")]

    def __str__(self) -> str:
        return f"waits of {self.reviewer_id} on {self.day}"
