from typing import Any

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import connection
from django.test.utils import CaptureQueriesContext
from shapely.geometry import Point, box
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadGeometry, BadInput
from labelling.core.matching import ClaimSpec
from labelling.models import Proposal, Region, Site, Source
from labelling.services.sites import Placed, place_claims, refresh_site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]

PIT = {"feature": (("open_pit", None),)}
DUMP = {"feature": (("waste_rock_dump", None),)}
SQUARE = box(25.0, -11.0, 25.01, -10.99)


def source(name: str = "surveys", kind: str = "labelled", **more: Any) -> Source:
    return Source.objects.get_or_create(name=name, defaults={"kind": kind, **more})[0]


def claim(external_id: str = "1", geometry: BaseGeometry = SQUARE, **more: Any) -> ClaimSpec:
    return ClaimSpec(external_id, geometry, **more)


def place(*claims: ClaimSpec, by: Source | None = None) -> Placed:
    return place_claims(source=by or source(), claims=claims)


def miombo() -> Region:
    outline = MultiPolygon(Polygon.from_bbox((20, -15, 30, -5)), srid=4326)
    return Region.objects.create(
        eco_id=38, name="miombo woodlands", biome_id=7, biome="grasslands", realm="Afrotropic", geom=outline
    )


def test_a_claim_founds_a_site_with_everything_that_is_derived() -> None:
    region = miombo()
    placed = place(claim(types=PIT, name="Kolwezi", properties={"owner": "nobody"}))
    site = Site.objects.get()
    assert (placed.sites_created, placed.merged, placed.known) == (1, 0, 0)
    assert site.region == region
    assert site.types() == {"feature": "open_pit"}
    assert (site.state, site.name, site.version) == ("open", "Kolwezi", 0)
    assert site.area_ha == pytest.approx(120.9, abs=0.5)
    assert site.footprint.contains(site.point)
    proposal = Proposal.objects.get()
    assert placed.proposals == (proposal,)
    assert proposal.types == {"feature": [["open_pit", None]]}
    assert proposal.properties == {"owner": "nobody"}


def test_a_claim_made_twice_counts_once() -> None:
    place(claim("a"), claim("b", Point(1, 1)))
    again = place(claim("a"), claim("b", Point(1, 1)), claim("b", Point(1, 1)))
    assert (again.proposals, again.sites_created, again.merged, again.known) == ((), 0, 0, 3)
    assert (Site.objects.count(), Proposal.objects.count()) == (2, 2)


def test_two_sources_on_one_place_make_one_site_and_say_why_it_matters() -> None:
    place(claim(types=PIT))
    place(claim(types=DUMP), by=source("others"))
    site = Site.objects.get()
    assert site.proposals.count() == 2
    assert site.types() == {"feature": "open_pit"}
    assert site.why.startswith("two sources disagree on the type")
    assert site.priority >= 3


def test_an_outline_replaces_a_point_and_the_region_follows() -> None:
    miombo()
    place(claim("point", Point(25.005, -10.995), types={"commodity": (("cobalt", None),)}))
    placed = place(claim("outline", SQUARE), by=source("maus", "polygons"))
    site = Site.objects.get()
    assert (placed.merged, placed.sites_created) == (1, 0)
    assert site.footprint.geom_type == "Polygon"
    assert site.types() == {"commodity": "cobalt"}
    assert site.region is not None


@pytest.mark.parametrize("state", ["verified", "rejected", "contested"])
def test_a_site_with_a_verdict_only_gains_the_proposal(state: str) -> None:
    place(claim(types=PIT))
    Site.objects.update(state=state)
    before = Site.objects.values().get()
    placed = place(claim(types=DUMP, score=0.5), by=source("model", "model"))
    assert placed.merged == 1
    assert Site.objects.values().get() == before
    assert Proposal.objects.count() == 2
    refresh_site(site=Site.objects.get())
    assert Site.objects.values().get() == before


def test_a_site_that_nobody_speaks_of_keeps_what_a_person_drew() -> None:
    place(claim())
    site = Site.objects.get()
    drawn = Site.objects.create(footprint=site.footprint, point=site.point, name="drawn")
    refresh_site(site=drawn)
    assert drawn.name == "drawn"


def test_refresh_puts_an_open_site_back_to_what_its_sources_say() -> None:
    place(claim(types=PIT))
    Site.objects.update(feature=None, why="", priority=-1.0, area_ha=0)
    site = Site.objects.get()
    refresh_site(site=site)
    assert site.types() == {"feature": "open_pit"}
    assert site.area_ha > 100
    assert "few verified examples" in site.why


def test_a_look_alike_is_a_site_that_is_no_mine() -> None:
    place(claim(is_mine=False, types=PIT), by=source("amw", "negatives"))
    site = Site.objects.get()
    assert site.types() == {}
    assert site.why == "its source says that there is no mine here"


def test_a_synthetic_source_makes_synthetic_sites() -> None:
    place(claim(), by=source("demo", "labelled", synthetic=True))
    assert Site.objects.get().synthetic


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (claim(types={"feature": (("volcano", None),)}), "no mine type volcano on the axis feature"),
        (claim(types={"feature": (("gold", None),)}), "no mine type gold on the axis feature"),
        (claim("x" * 121), "121 characters"),
        (claim(""), "0 characters"),
    ],
)
def test_a_bad_claim_is_refused_and_nothing_is_written(bad: ClaimSpec, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        place(claim("good", Point(3, 3)), bad)
    assert not Site.objects.exists()


@pytest.mark.parametrize(
    "geometry",
    [Point(181, 0), Point(float("nan"), 0), Point(0, 0, 5), Point(), box(0, 0, 1, 1).boundary],
)
def test_a_bad_geometry_is_refused(geometry: BaseGeometry) -> None:
    with pytest.raises(BadGeometry):
        place(claim(geometry=geometry))


def test_hundreds_of_claims_land_on_their_sites(django_assert_max_num_queries: Any) -> None:
    grid = [Point(10 + x * 0.01, y * 0.01) for x in range(30) for y in range(30)]
    place(*(claim(f"a{index}", point) for index, point in enumerate(grid)))
    with django_assert_max_num_queries(80):
        again = place(*(claim(f"b{index}", point) for index, point in enumerate(grid)), by=source("second"))
    assert (again.merged, again.sites_created) == (900, 0)
    assert Site.objects.count() == 900


def test_placing_asks_no_more_where_there_are_more_sites() -> None:
    """Neither more questions nor more rows: only sites near the claims are read."""
    few = _asked(0)
    place(*(claim(f"far {number}", Point(-100 + 0.01 * number, 40)) for number in range(900)), by=source("far"))
    assert Site.objects.count() > 900
    assert _asked(1) == few


def _asked(turn: int) -> int:
    with CaptureQueriesContext(connection) as asked:
        place(*(claim(f"{number}", Point(30 + turn + 0.01 * number, 5)) for number in range(40)), by=source(f"s{turn}"))
    return len(asked)


def test_no_claims_are_placed_at_once() -> None:
    assert place() == Placed((), 0, 0, 0)
