import pytest
from django.contrib.gis.geos import Point
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labelling.core.grid import TileAddress
from labelling.models import MineType, Site
from labelling.models.spatial import cell_at
from labelling.services import site_tiles
from labelling.services.site_tiles import SiteTile, read_site_tile
from tests.cast import Cast
from tests.mines import a_site, decide, drawn

pytestmark = pytest.mark.django_db

WORLD = TileAddress(0, 0, 0)


def settled(*places: tuple[float, float], code: str = "open_pit", **more: object) -> list[Site]:
    feature = MineType.objects.get(code=code) if code else None
    points = [Point(lon, lat, srid=4326) for lon, lat in places]
    return Site.objects.bulk_create(Site(footprint=at, point=at, feature=feature, **more) for at in points)


def read(tile: TileAddress = WORLD, **asked: object) -> SiteTile:
    return read_site_tile(sites=Site.objects.filter(**asked), tile=tile)


def _tile_at(lon: float, lat: float, z: int) -> TileAddress:
    """The tile that holds a place, found by its bounds."""
    count = 1 << z
    x = int((lon + 180) / 360 * count)
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if TileAddress(z, x, middle).bounds()[1] <= lat else (middle + 1, high)
    return TileAddress(z, x, low)


@pytest.fixture
def few(taxonomy: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_tiles, "MAX_SITES", 3)


def test_few_sites_are_shown_each(few: None) -> None:
    sites = settled((25, -11), (25.001, -11), (-70, 30))
    shown = read()
    assert {site.pk for site in shown.sites} == {site.pk for site in sites}
    assert (shown.clusters, shown.is_near) == ((), False)


def test_many_sites_are_counted_by_the_colours_of_their_types_and_the_lonely_stand_alone(few: None) -> None:
    settled((25, -11), (25.1, -11), (25, -11.1))
    settled((25.1, -11.1), code="pond")
    settled((25.05, -11.1), code="")
    (alone,) = settled((-70, 30))
    shown = read()
    (cluster,) = shown.clusters
    assert [site.pk for site in shown.sites] == [alone.pk]
    pit, pond = (MineType.objects.get(code=code).color for code in ("open_pit", "pond"))
    assert (cluster.count, cluster.colors) == (5, {pit: 3, pond: 1, "": 1})
    assert next(iter(cluster.colors)) == pit
    assert (cluster.lon, cluster.lat) == pytest.approx((25.05, -11.05), abs=6)  # half a fine cell of the world


def test_a_commodity_gives_its_colour_where_no_feature_is_named(few: None) -> None:
    cobalt = MineType.objects.get(code="cobalt")
    settled(*[(25 + step / 100, -11) for step in range(4)], code="", commodity=cobalt)
    assert read().clusters[0].colors == {cobalt.color: 4}


def test_a_cluster_lies_where_most_of_its_sites_are(few: None) -> None:
    settled((2.0, -2.0), *[(43.0, -43.0)] * 9)
    (cluster,) = read().clusters
    assert cluster.lon > 35
    assert cluster.lat < -35


def test_every_site_is_counted_in_one_tile_of_each_zoom(few: None) -> None:
    spread = [(lon + 0.3, lat + 0.2) for lon in range(-180, 180, 24) for lat in range(-84, 85, 12)]
    settled(*spread, (180, 90), (-180, -90))
    for z in (0, 1, 2, 3):
        tiles = [read(TileAddress(z, x, y)) for x in range(1 << z) for y in range(1 << z)]
        assert sum(len(tile.sites) + sum(one.count for one in tile.clusters) for tile in tiles) == len(spread) + 2


def test_the_filter_holds_for_clusters_too(few: None) -> None:
    settled(*[(25 + step / 100, -11) for step in range(8)])
    settled(*[(25 + step / 100, -11) for step in range(5)], state="verified")
    shown = read_site_tile(sites=Site.objects.filter(state="verified"), tile=WORLD)
    assert [cluster.count for cluster in shown.clusters] == [5]


def test_near_the_ground_an_outline_shows_in_each_tile_that_it_reaches_into(taxonomy: None) -> None:
    site = a_site()
    west, south, east, north = site.footprint.extent
    first, last = (_tile_at(lon, (south + north) / 2, 14) for lon in (west, east))
    assert first.x < last.x
    tiles = [read(TileAddress(14, x, first.y)) for x in range(first.x - 1, last.x + 2)]
    reached = [bool(tile.sites) for tile in tiles]
    assert reached == [False, *[True] * (len(tiles) - 2), False]
    assert all(tile.is_near for tile in tiles)


def test_a_crowd_near_the_ground_is_counted_too(few: None) -> None:
    settled(*[(25.0001 + step / 1e6, -11) for step in range(9)])
    shown = read(_tile_at(25.0001, -11, 18))
    assert shown.sites == ()
    assert sum(cluster.count for cluster in shown.clusters) == 9


def test_a_tile_without_sites_is_empty(few: None) -> None:
    settled((25, -11))
    for tile in (TileAddress(1, 0, 0), TileAddress(12, 0, 0)):
        shown = read(tile)
        assert (shown.sites, shown.clusters) == ((), ())


def test_a_site_s_cell_follows_its_point(cast: Cast) -> None:
    site = a_site()
    assert site.cell == cell_at(site.point)
    decide(cast.ana, site, "fix", types={"feature": "open_pit"}, geometry=drawn(10, 10))
    site.refresh_from_db()
    assert site.point.x == pytest.approx(10.005)
    assert site.cell == cell_at(site.point)
    moved = Point(-60, 5, srid=4326)
    site.point = moved
    site.save(update_fields=["point", "cell"])
    site.refresh_from_db()
    assert site.cell == cell_at(moved)


@pytest.mark.parametrize("asked_for", [{}, {"score__gte": 0.3, "score__lte": 0.6}])
def test_a_tile_of_many_is_one_range_of_the_index(few: None, asked_for: dict[str, object]) -> None:
    """Read from the index of the map alone: SQLite says so, PostgreSQL decides by what it knows of the table."""
    settled(*[(25 + step / 100, -11) for step in range(8)], score=0.5)
    with CaptureQueriesContext(connection) as asked:
        read(WORLD, **asked_for)
    summed = next(query["sql"] for query in asked if "COUNT" in query["sql"])
    assert " BETWEEN " in summed
    assert len(asked) <= 3
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {summed}")
            plan = " ".join(str(row[3]) for row in cursor.fetchall())
        assert "COVERING INDEX site_map" in plan
