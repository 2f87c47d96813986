"""The real files, counted. They stand beside the project (MAD_SHARED_DATA)."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from labelling.core.errors import BadInput
from labelling.models import Proposal, Region, SeedImport, Site
from labelling.services.regions import import_regions
from labelling.services.seeds import SeedReport, import_seeds

SEEDS = settings.SHARED_DATA / "seeds"
pytestmark = [
    pytest.mark.real,
    pytest.mark.django_db,
    pytest.mark.usefixtures("taxonomy"),
    pytest.mark.skipif(not SEEDS.is_dir(), reason=f"no real seeds at {SEEDS}: set MAD_SHARED_DATA"),
]


def load(file: str, *, kind: str = "labelled", **more: Any) -> SeedReport:
    path = Path(SEEDS / file)
    return import_seeds(path=path, kind=kind, **{"source_name": path.stem, **more})


def twice(file: str, **more: Any) -> SeedReport:
    """Import, then import again: the second time adds nothing."""
    report = load(file, **more)
    rows = Site.objects.count(), Proposal.objects.count(), SeedImport.objects.count()
    again = load(file, **more)
    assert (again.added, again.sites, again.known) == (0, 0, report.claims)
    assert (Site.objects.count(), Proposal.objects.count(), SeedImport.objects.count()) == rows
    return report


def types(axis: str) -> Counter[str | None]:
    return Counter(Site.objects.values_list(f"{axis}__code", flat=True))


@pytest.fixture
def ecoregions(db: None) -> None:
    import_regions(path=settings.SHARED_DATA / "regions" / "Ecoregions2017.shp")


def test_the_ecoregions(ecoregions: None) -> None:
    assert Region.objects.count() == 847
    assert len(set(Region.objects.exclude(biome_id=0).values_list("biome_id", flat=True))) == 14
    assert Region.objects.get(biome_id=0).name == "Rock and Ice"


def test_sixty_four_cobalt_facilities_on_sixty_points(ecoregions: None) -> None:
    report = twice("cobalt/usgs_cobalt_facilities.geojson", kind="cobalt", mapping="usgs")
    assert (report.rows, report.added, report.sites, report.merged) == (64, 64, 60, 4)
    assert types("commodity") == {"cobalt": 60}
    assert not Site.objects.filter(region=None).exists()
    congo = Proposal.objects.filter(properties__Country="Congo (Kinshasa)").values_list("site__region__name", flat=True)
    assert Counter(congo) == {"Central Zambezian wet miombo woodlands": 20}
    assert not Proposal.objects.filter(properties__DsgAttr07=-999).exists()
    for site in Site.objects.all():
        assert -36 < site.point.y < 36, "latitude and longitude are not swapped"


def test_eighty_six_tailings_polygons(ecoregions: None) -> None:
    report = twice("labelled/brazil_tailings_polygons.geojson", mapping={"id": "chip"})
    assert (report.rows, report.added, report.sites, len(report.repaired)) == (86, 86, 86, 5)
    assert types("feature") == {"tailings_storage_facility": 86}
    assert not Site.objects.filter(region=None).exists()


def test_three_of_four_dams_without_a_point_are_read_from_their_columns(ecoregions: None) -> None:
    with pytest.raises(BadInput, match="row 439: latitude"):
        load("labelled/brazil_anm_tailings_dams.geojson", mapping="anm")
    report = twice("labelled/brazil_anm_tailings_dams.geojson", mapping="anm", skip_bad_rows=True)
    assert (report.rows, report.added, report.typed, report.untyped) == (769, 768, 768, 0)
    (refusal,) = report.refused
    assert (refusal.row, refusal.reason) == (439, "latitude '°21\\'05.800\"': the degrees are missing")
    north_mill = Proposal.objects.get(external_id="11").geometry
    assert (north_mill.x, north_mill.y) == pytest.approx((-51.891594, 0.859582), abs=1e-6)
    assert set(types("feature")) == {"tailings_storage_facility"}
    assert types("commodity")["iron"] > 200
    assert not report.unmapped
    assert not Site.objects.filter(region=None).exists()


def test_a_thousand_chile_features_are_typed_but_one(ecoregions: None) -> None:
    report = twice("labelled/chile_lames_features.geojson", mapping="lames")
    assert (report.rows, report.added, report.typed, report.untyped) == (1204, 1204, 1203, 1)
    assert len(report.repaired) == 10
    assert (report.sites, report.merged) == (1204, 0)
    assert types("feature") == {
        "facility_stockyard": 414 + 158, "waste_rock_dump": 320, "open_pit": 143, "processing_plant": 79,
        "tailings_storage_facility": 58, "heap_leach_pad": 31, None: 1,
    }  # fmt: skip
    assert not Site.objects.filter(region=None).exists()


def test_the_polygons_of_two_hundred_and_two_tiles(ecoregions: None) -> None:
    reports = {
        name: twice(
            "mining_polygons/jasansky_tiles_maus_tang.gpkg",
            kind="polygons",
            layer=f"{name}_polygons",
            source_name=name,
            mapping="jasansky",
        )
        for name in ("maus", "tang")
    }
    assert [(report.rows, report.empty, report.typed) for report in reports.values()] == [
        (202, 56, 146),
        (202, 98, 104),
    ]
    assert all(report.refused == () and report.untyped == 0 for report in reports.values())
    assert reports["maus"].claims == 854
    assert reports["tang"].claims == 1021
    assert reports["tang"].merged > 200, "Maus and Tang drew many of the same places"
    assert set(types("method")) <= {"surface", "underground", "brine"}
    assert Site.objects.filter(region=None).count() < 5, "islands farther than 100 km from any ecoregion"


def test_coal_mines_are_repaired_and_typed() -> None:
    report = twice("labelled/gem_coal_mine_boundaries.geojson", mapping="gem")
    assert (report.rows, report.added, len(report.repaired), report.untyped) == (333, 333, 4, 0)
    assert types("commodity") == {"coal": Site.objects.count()}
    assert set(types("method")) == {"surface", "underground"}


def test_oil_is_left_out_and_every_other_value_is_known() -> None:
    report = load("cobalt/usgs_africa_facilities.geojson", mapping="usgs")
    assert (report.rows, report.left_out, report.refused) == (2408, 365, ())
    assert not report.unmapped
    deposits = load("cobalt/usgs_africa_deposits.geojson", mapping="usgs-deposits")
    assert (deposits.rows, deposits.untyped) == (1190, 0)
    assert not deposits.unmapped


def test_dams_inside_a_tailings_polygon_belong_to_it() -> None:
    load("labelled/brazil_tailings_polygons.geojson")
    report = load("labelled/brazil_anm_tailings_dams.geojson", mapping="anm", skip_bad_rows=True)
    assert report.merged > 80
    joined = Site.objects.filter(proposals__source__name="brazil_anm_tailings_dams").exclude(area_ha=0).distinct()
    assert joined.filter(commodity__isnull=False).count() == joined.count() > 20


def test_the_dirty_csv_of_chile_comes_in_and_explains_what_does_not(ecoregions: None) -> None:
    report = twice("labelled/chile_lames_sites_cp1252.csv", mapping="lames-sites", skip_bad_rows=True)
    assert (report.rows, report.added, len(report.refused)) == (151, 135, 16)
    assert Counter(refusal.trouble for refusal in report.refused) == {"minutes": 11, "": 3, "W": 2}
    indio = Proposal.objects.get(external_id="2130")
    assert indio.properties["Name_Mine"] == "Compañía Minera El Indio"
    assert (indio.geometry.x, indio.geometry.y) == pytest.approx((-69.97722, -29.79), abs=1e-4)
    assert types("commodity")["copper"] > 20
    assert Proposal.objects.filter(is_mine=False).count() == 2
    assert all(-76 < site.point.x < -66 and -56 < site.point.y < -17 for site in Site.objects.all())
