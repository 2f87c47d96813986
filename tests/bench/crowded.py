"""A world full of generated sites on PostGIS, written by COPY."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import shapely
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from labelling.core.cells import cells_of
from labelling.core.matching import ClaimSpec
from labelling.models import MineType, Proposal, Region, Scene, Site, Source
from labelling.models.taxonomy import Axis

SOURCES = (("polygons of the world", 0.9), ("labelled mines", 0.099), ("cobalt", 0.001))
_BATCH = 50_000
_REGIONS = 200
_DISTRICTS = 600
_COLUMNS = "id footprint point cell area_ha region_id state feature_id commodity_id method_id version name score"
_COLUMNS += " priority why synthetic created_at updated_at"
_SCORE = _COLUMNS.split().index("score")
_CLAIMED = "site_id source_id external_id geometry types score is_mine properties created_at"


def settle(count: int, seed: int = 7, *, after: int = 0) -> None:
    """Write sites in mining districts all over the world, each with a proposal of one of three sources.

    Args:
        count: how many.
        seed: of the random numbers.
        after: how many there are already.
    """
    districts, rng = _districts(seed), np.random.default_rng([seed, after])
    earth = MultiPolygon(Polygon.from_bbox((-180, -90, 180, 90)), srid=4326)
    for number in range(0 if after else _REGIONS):
        above = {"biome_id": number % 14, "biome": f"biome {number % 14}", "realm": f"realm {number % 8}"}
        Region.objects.create(eco_id=number, name=f"region {number}", geom=earth, **above)
    kind = {"kind": "polygons", "synthetic": True}
    sources = [Source.objects.get_or_create(name=name, defaults=kind)[0].pk for name, _ in SOURCES]
    for first in range(after, after + count, _BATCH):
        rows = list(_sites(first + 1, min(_BATCH, after + count - first), districts, rng))
        _copy(Site, _COLUMNS, rows)
        claimed_by = rng.choice(sources, len(rows), p=[share for _, share in SOURCES]).tolist()
        _copy(
            Proposal,
            _CLAIMED,
            [
                (row[0], source, f"{row[0]}", row[2], "{}", row[_SCORE], True, "{}", row[-1])
                for row, source in zip(rows, claimed_by, strict=True)
            ],
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('labelling_site', 'id'), max(id)) FROM labelling_site")
        cursor.execute("VACUUM ANALYZE")


def made_up_claims(count: int, seed: int = 11) -> list[ClaimSpec]:
    """Proposals of a detector in the mining districts: boxes with a score and a type."""
    rng, districts = np.random.default_rng(seed), _districts(7)
    lon, lat = np.clip(
        districts[rng.integers(len(districts), size=count)] + rng.normal(0, 0.8, (count, 2)), -179, 179
    ).T
    half = rng.uniform(0.0005, 0.01, count)
    boxes = shapely.box(lon - half, lat - half, lon + half, lat + half).tolist()
    kinds = ("open_pit", "pond", "waste_rock_dump", "processing_plant")
    return [
        ClaimSpec(f"box {number}", box, {"feature": ((kinds[number % 4], score),)}, score=score)
        for number, (box, score) in enumerate(zip(boxes, rng.random(count).tolist(), strict=True))
    ]


def photograph(seed: int = 7) -> None:
    """Write two scenes over each mining district, of which there are no files."""
    bands = ["B02", "B03", "B04", "B08", "B11", "B12"]
    scenes = [
        Scene(
            name=f"district {number}, {day} May", uri=f"/nowhere/{number}-{day}.tif", version="1", crs="EPSG:4326",
            transform=[6e-4, 0, lon - 3, 0, -6e-4, lat + 3], width=10_000, height=10_000, dtype="uint16", bands=bands,
            scales=[1e-4] * 6, offsets=[0] * 6, pixel_m=60, synthetic=True, attribution="nobody's",
            acquired_at=datetime(2026, 5, day, tzinfo=UTC),
            footprint=MultiPolygon(Polygon.from_bbox((lon - 3, lat - 3, lon + 3, lat + 3)), srid=4326),
        )
        for number, (lon, lat) in enumerate(_districts(seed).tolist())
        for day in (3, 18)
    ]  # fmt: skip
    Scene.objects.bulk_create(scenes)


def _districts(seed: int) -> np.ndarray:
    """Longitude and latitude of the districts, degrees, shape (N, 2)."""
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(-170, 170, _DISTRICTS), rng.uniform(-50, 65, _DISTRICTS)])


def _sites(first: int, count: int, districts: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[object, ...]]:
    lon, lat = np.clip(
        districts[rng.integers(len(districts), size=count)] + rng.normal(0, 0.8, (count, 2)), -179, 179
    ).T
    half = rng.uniform(0.0005, 0.01, count)
    points = shapely.to_wkb(shapely.set_srid(shapely.points(lon, lat), 4326), hex=True, include_srid=True)
    squares = shapely.box(lon - half, lat - half, lon + half, lat + half)
    outlines = shapely.to_wkb(shapely.set_srid(squares, 4326), hex=True, include_srid=True)
    regions = rng.choice(list(Region.objects.values_list("pk", flat=True)), count)
    states = rng.choice(["open", "verified", "rejected", "contested"], count, p=[0.85, 0.1, 0.04, 0.01])
    types = [
        _types(axis, share, count, rng)
        for axis, share in ((Axis.FEATURE, 0.7), (Axis.COMMODITY, 0.3), (Axis.METHOD, 0.2))
    ]
    named, scores, priorities = rng.random(count) < 0.3, rng.random(count), rng.uniform(0, 6, count).round(2)
    now = timezone.now()
    cells = cells_of(lon, lat)
    for i in range(count):
        kinds = [drawn[i] for drawn in types]
        name = f"Mine {first + i}" if named[i] else ""
        area = (222_000 * half[i]) ** 2 / 10_000
        yield (
            first + i, outlines[i], points[i], int(cells[i]), area, int(regions[i]), str(states[i]), *kinds, 0,
            name, float(scores[i]), float(priorities[i]), "no source names its type", True, now, now,
        )  # fmt: skip


def _types(axis: Axis, share: float, count: int, rng: np.random.Generator) -> list[int | None]:
    """Types of an axis, the first of them common and the last of them rare."""
    known = list(MineType.objects.filter(axis=axis).values_list("pk", flat=True))
    weights = 1 / np.arange(1, len(known) + 1) ** 2
    drawn = rng.choice(known, count, p=weights / weights.sum()).tolist()
    return [pk if has else None for pk, has in zip(drawn, rng.random(count) < share, strict=True)]


def _copy(model: type[Model], columns: str, rows: list[tuple[object, ...]]) -> None:
    """Write rows; columns that are not named take the defaults of the model."""
    named = columns.split()
    unnamed = [field for field in model._meta.concrete_fields if field.column not in named and field.has_default()]
    every = ", ".join([*named, *(str(field.column) for field in unnamed)])
    rest = tuple(field.get_default() for field in unnamed)
    with connection.cursor() as cursor, cursor.copy(f"COPY {model._meta.db_table} ({every}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row((*row, *rest))
