"""Ecoregions: brought in from a file, and where points belong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.gis.geos import MultiPolygon
from django.db import transaction
from django.db.models import Q, QuerySet
from shapely.geometry import Point

from labelling.core.errors import BadInput
from labelling.core.formats import Row, read_vector
from labelling.core.geometry import search_boxes
from labelling.core.regions import NEAREST_M, RegionIndex
from labelling.models import Region, Site
from labelling.models.spatial import in_box, to_geos, to_shapely

MAX_REGION_VERTICES = 5_000_000
_COLUMNS = ("ECO_ID", "ECO_NAME", "BIOME_NUM", "BIOME_NAME", "REALM")
_FIELDS = ["name", "biome_id", "biome", "realm", "color", "geom"]
_BATCH = 5000
_FEW = 8


@dataclass(frozen=True)
class RegionReport:
    """What an import of regions did.

    Attributes:
        added: regions that are new.
        known: regions that were there, brought up to date.
        sites: sites whose region is now another one.
    """

    added: int
    known: int
    sites: int


@transaction.atomic
def import_regions(*, path: Path) -> RegionReport:
    """Import RESOLVE Ecoregions 2017 (or a file with its columns), and give every site its region.

    Importing it again adds nothing.

    Args:
        path: Shapefile, GeoPackage or GeoJSON with ``ECO_ID ECO_NAME BIOME_NUM BIOME_NAME REALM``.

    Raises:
        BadInput: the file cannot be read, lacks a column, or has a faulty row; then nothing is written.
    """
    table = read_vector(path, max_vertices=MAX_REGION_VERTICES)
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing:
        msg = f"no column {', '.join(missing)}: this is not the RESOLVE ecoregions file"
        raise BadInput(msg, file=path.name)
    regions = [_region(row, path.name) for row in table.rows]
    ids = {region.eco_id for region in regions}
    if len(ids) < len(regions):
        msg = "an ECO_ID stands in several rows"
        raise BadInput(msg, file=path.name)
    known = Region.objects.filter(eco_id__in=ids).count()
    Region.objects.bulk_create(
        regions, update_conflicts=True, unique_fields=["eco_id"], update_fields=_FIELDS, batch_size=100
    )
    return RegionReport(len(regions) - known, known, _assign_regions())


def _region(row: Row, file: str) -> Region:
    if row.geometry is None or row.geometry.geom_type == "Point":
        raise BadInput(row.fault or "it has no outline", file=file, row=row.number)
    try:
        eco_id, biome_id = int(float(row.properties["ECO_ID"])), int(float(row.properties["BIOME_NUM"]))
    except (TypeError, ValueError) as error:
        msg = "its ECO_ID or BIOME_NUM is not a number"
        raise BadInput(msg, file=file, row=row.number) from error
    name, biome, realm = (_said(row.properties, column) for column in ("ECO_NAME", "BIOME_NAME", "REALM"))
    outline = to_geos(row.geometry)
    return Region(
        eco_id=eco_id,
        name=name or f"ecoregion {eco_id}",
        # "Rock and Ice" carries the number of the tundra but no biome: it is one of its own, or its sites
        # would be taken for tundra.
        biome_id=biome_id if biome else 0,
        biome=biome or name,
        realm=realm,
        color=str(row.properties.get("COLOR") or "")[:7],
        geom=outline if isinstance(outline, MultiPolygon) else MultiPolygon(outline, srid=4326),
    )


def _said(properties: Mapping[str, Any], column: str) -> str:
    text = str(properties.get(column) or "")
    return "" if text.upper() == "N/A" else text


def _assign_regions() -> int:
    """Give each site the region of its point; what the reviewers decided stays."""
    changed = 0
    sites = list(Site.objects.only("pk", "point", "region_id").order_by("pk"))
    for start in range(0, len(sites), _BATCH):
        part = sites[start : start + _BATCH]
        moved = []
        for site, region in zip(part, regions_of([Point(site.point.coords) for site in part]), strict=True):
            if site.region_id != (region.pk if region else None):
                site.region = region
                moved.append(site)
        Site.objects.bulk_update(moved, ["region"], batch_size=500)
        changed += len(moved)
    return changed


def regions_of(points: Sequence[Point]) -> list[Region | None]:
    """Find the ecoregion of each point.

    Args:
        points: EPSG:4326.

    Returns:
        The region around each point, else the nearest within 100 km (a point off the coast), else None.
        Their outlines are left out; ask for ``geom`` and it is read.
    """
    if not points:
        return []
    outlines = list(_regions_near(points).order_by("pk").values_list("pk", "geom"))
    regions = Region.objects.defer("geom").in_bulk([pk for pk, _ in outlines])
    index = RegionIndex([to_shapely(geometry) for _, geometry in outlines])
    places = index.locate(points)
    return [None if place is None else regions[outlines[place][0]] for place in places]


def _regions_near(points: Sequence[Point]) -> QuerySet[Region]:
    """For a few points only the regions around them: an undo must not read the outlines of the whole Earth."""
    if len(points) > _FEW:
        return Region.objects.all()
    near = Q(pk__in=[])
    for west, south, east, north in search_boxes(np.array([[p.x, p.y, p.x, p.y] for p in points]), NEAREST_M).tolist():
        near |= in_box(Region, "geom", (west, south, east, north))
    return Region.objects.filter(near)
