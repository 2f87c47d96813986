import pytest
from django.contrib.gis.geos import Point, Polygon
from django.db import connection
from shapely.geometry import box

from labelling.models import Site
from labelling.models.spatial import boxes_of, in_box, to_geos, to_shapely

pytestmark = pytest.mark.django_db


def site(lon: float, lat: float) -> Site:
    return Site.objects.create(footprint=Point(lon, lat, srid=4326), point=Point(lon, lat, srid=4326))


def found(west: float, south: float, east: float, north: float) -> set[int]:
    return set(Site.objects.filter(in_box(Site, "footprint", (west, south, east, north))).values_list("pk", flat=True))


def test_a_box_finds_what_it_touches() -> None:
    inside, edge, outside = site(1, 1), site(2, 2), site(2.1, 2)
    assert found(0, 0, 2, 2) == {inside.pk, edge.pk}
    outside.footprint = Polygon.from_bbox((1.5, 1.5, 3, 3))
    outside.save()
    assert outside.pk in found(0, 0, 2, 2)
    inside.delete()
    assert inside.pk not in found(0, 0, 2, 2)


@pytest.mark.parametrize("edges", [(179, -1, -179, 1), (179, -1, 181, 1), (-181, -1, -179, 1)])
def test_a_box_reaches_over_the_antimeridian(edges: tuple[float, float, float, float]) -> None:
    west, east, far = site(179.5, 0), site(-179.5, 0), site(0, 0)
    assert found(*edges) == {west.pk, east.pk}
    assert far.pk in found(-200, -90, 200, 90)


def test_boxes_stay_on_the_earth() -> None:
    assert boxes_of((0, -95, 10, 95)) == [(0, -90, 10, 90)]
    assert boxes_of((370, 0, 371, 1)) == [(10, 0, 11, 1)]


@pytest.mark.spatialite
def test_every_geometry_has_its_index() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SpatiaLite's own table of geometries")
    with connection.cursor() as cursor:
        cursor.execute("SELECT f_table_name, f_geometry_column FROM geometry_columns WHERE NOT spatial_index_enabled")
        assert cursor.fetchall() == []


def test_geometries_travel_to_core_and_back() -> None:
    square = box(0, 0, 1, 1)
    assert to_geos(square).srid == 4326
    assert to_shapely(to_geos(square)).equals(square)
