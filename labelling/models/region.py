"""Ecoregions (RESOLVE 2017), with biome and realm above them."""

from django.contrib.gis.db import models


class Region(models.Model):
    eco_id = models.PositiveIntegerField(unique=True)
    name = models.CharField(max_length=120)
    biome_id = models.PositiveSmallIntegerField(db_index=True)
    biome = models.CharField(max_length=120)
    realm = models.CharField(max_length=60, db_index=True)
    color = models.CharField(max_length=7, blank=True, default="")
    geom = models.MultiPolygonField(srid=4326)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
