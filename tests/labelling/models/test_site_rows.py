"""Sites that are read by the statement of a key press are those that Django would have read."""

from typing import Any

import pytest
import shapely
from django.db import transaction

from labelling.models import MineType, Region, Site
from labelling.models.site_rows import read_sites
from labelling.models.spatial import to_geos
from tests.mines import square

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]


@pytest.fixture
def region() -> Region:
    outline: Any = to_geos(shapely.MultiPolygon([square(side=0.5)]))
    return Region.objects.create(eco_id=7, name="Miombo", biome_id=7, biome="savanna", realm="Afrotropic", geom=outline)


def some_sites(region: Region | None = None) -> list[Site]:
    outlines = [to_geos(square(lon)) for lon in (10, 20, 30)]
    sites = [Site.objects.create(footprint=one, point=one.centroid, name=f"{one.extent[0]}") for one in outlines]
    sites[0].feature, sites[0].method = (MineType.objects.get(code=code) for code in ("pond", "artisanal"))
    sites[0].region = region
    sites[0].save()
    return sites


def test_every_field_is_as_django_reads_it() -> None:
    for site in some_sites():
        read = read_sites([site.pk])[site.pk]
        kept = Site.objects.get(pk=site.pk)
        assert {field.attname: getattr(read, field.attname) for field in Site._meta.concrete_fields} == {
            field.attname: getattr(kept, field.attname) for field in Site._meta.concrete_fields
        }
        assert (read.footprint.srid, read.types()) == (4326, kept.types())


def test_types_and_region_come_with_what_a_card_shows(django_assert_num_queries: Any, region: Region) -> None:
    site, bare, _ = some_sites(region)
    with django_assert_num_queries(1):
        found = read_sites([site.pk, bare.pk])
        read = found[site.pk]
        assert read.types() == {"feature": "pond", "method": "artisanal"}
        assert read.region is not None
        assert (read.region.name, read.region.biome, read.region.realm) == ("Miombo", "savanna", "Afrotropic")
        assert (found[bare.pk].types(), found[bare.pk].region) == ({}, None)
    assert read.feature is not None
    assert read.feature.color == MineType.objects.get(code="pond").color  # asked for later


def test_what_is_not_there_is_left_out(django_assert_num_queries: Any) -> None:
    first, _, last = some_sites()
    assert set(read_sites([last.pk, 999_999, first.pk])) == {first.pk, last.pk}
    with django_assert_num_queries(0):
        assert read_sites([]) == {}


def test_a_site_that_was_read_can_be_written() -> None:
    [site, *_] = some_sites()
    with transaction.atomic():
        read = read_sites([site.pk], lock=True)[site.pk]
        read.name = "renamed"
        read.save()
    assert Site.objects.get(pk=site.pk).name == "renamed"
