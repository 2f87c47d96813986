from pathlib import Path
from typing import Any

import pytest
from django.contrib.gis.geos import Point as GeosPoint
from shapely.geometry import Point, box

from labelling.core.errors import BadInput
from labelling.models import Region, Site
from labelling.services.regions import RegionReport, import_regions, regions_of
from tests.seed_files import feature, write_geojson, write_shapefile

pytestmark = pytest.mark.django_db


def ecoregion(eco_id: Any, west: float, **more: Any) -> dict[str, Any]:
    properties = {"ECO_ID": eco_id, "ECO_NAME": f"forest {eco_id}", "BIOME_NUM": 1.0, "BIOME_NAME": "Forests"}
    return feature(box(west, 0, west + 1, 1), **{**properties, "REALM": "Afrotropic", **more})


@pytest.fixture
def ecoregions(tmp_path: Path) -> Path:
    rock = {"ECO_NAME": "Rock and Ice", "BIOME_NUM": 11.0, "BIOME_NAME": "N/A", "REALM": "N/A"}
    return write_geojson(tmp_path / "eco.geojson", ecoregion("38", 0), ecoregion("39", 2), ecoregion("0", 4, **rock))


def test_regions_come_in_once(ecoregions: Path) -> None:
    assert import_regions(path=ecoregions) == RegionReport(added=3, known=0, sites=0)
    assert import_regions(path=ecoregions) == RegionReport(added=0, known=3, sites=0)
    region = Region.objects.get(eco_id=38)
    assert (region.name, region.biome_id, region.biome, region.realm) == ("forest 38", 1, "Forests", "Afrotropic")
    assert region.geom.geom_type == "MultiPolygon"


def test_rock_and_ice_is_no_tundra(ecoregions: Path) -> None:
    import_regions(path=ecoregions)
    rock = Region.objects.get(eco_id=0)
    assert (rock.name, rock.biome_id, rock.biome, rock.realm) == ("Rock and Ice", 0, "Rock and Ice", "")


def test_sites_that_were_there_before_get_their_region(ecoregions: Path) -> None:
    for lon in (0.5, 2.5, 40):
        place = GeosPoint(lon, 0.5, srid=4326)
        Site.objects.create(footprint=place, point=place)
    assert import_regions(path=ecoregions).sites == 2
    names = list(Site.objects.order_by("pk").values_list("region__name", flat=True))
    assert names == ["forest 38", "forest 39", None]


def test_a_shapefile_is_as_good(tmp_path: Path) -> None:
    rows = [(box(0, 0, 1, 1), ecoregion("38", 0)["properties"])]
    assert import_regions(path=write_shapefile(tmp_path / "eco.shp", rows)).added == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ecoregion("many", 0), "row 2: its ECO_ID or BIOME_NUM is not a number"),
        (feature(None, **ecoregion("7", 0)["properties"]), "row 2: it has no outline"),
        (feature(Point(1, 1), **ecoregion("7", 0)["properties"]), "row 2: it has no outline"),
        (ecoregion("7", 500), "row 2: longitude 501 is outside"),
        (ecoregion("1", 5), "an ECO_ID stands in several rows"),
    ],
)
def test_a_faulty_row_refuses_the_file(tmp_path: Path, row: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput) as caught:
        import_regions(path=write_geojson(tmp_path / "eco.geojson", ecoregion("1", 0), row))
    assert reason in str(caught.value)
    assert not Region.objects.exists()


def test_another_file_is_told_from_the_ecoregions(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no column ECO_ID, ECO_NAME, BIOME_NUM, BIOME_NAME, REALM: this is not"):
        import_regions(path=write_geojson(tmp_path / "mines.geojson", feature(box(0, 0, 1, 1), name="x")))


def test_points_belong_to_the_region_around_them_or_nearest(ecoregions: Path) -> None:
    import_regions(path=ecoregions)
    found = regions_of([Point(0.5, 0.5), Point(1.3, 0.5), Point(30, 30)])
    assert [region and region.name for region in found] == ["forest 38", "forest 38", None]
    assert regions_of([]) == []
