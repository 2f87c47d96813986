"""Truth on the ground for the tests, made as reviewers make it: missed mines drawn, windows completed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from labelling.models import Label, Region, ReviewedArea, Scene
from labelling.models.spatial import to_geos
from labelling.services.decisions import Submission, complete_area, submit_decision
from labelling.services.scenes import import_scenes
from tests.scenes import METRES_PER_DEGREE, make_scene

# Middles of blocks of 2 km, every third of a row.
WEST, LAT, STEP = -44.0002, -5.009, 3 * 360 / 19939


def catalogue(*paths: Path, **more: Any) -> list[Scene]:
    report = import_scenes(paths=list(paths), **more)
    assert not report.refused, report.refused
    return list(report.added)


def scene_at(folder: Path, *, lon: float, lat: float, name: str = "scene", **more: Any) -> Scene:
    """A catalogued scene with its upper left corner at (lon, lat); ``more`` reaches ``make_scene``."""
    (scene,) = catalogue(make_scene(folder / f"{name}.tif", lon=lon, lat=lat, **more))
    return scene


def square(lon: float, lat: float, side_m: float = 200.0) -> Polygon:
    """A square around a place, near enough to the equator."""
    half = side_m / 2 / METRES_PER_DEGREE
    return box(lon - half, lat - half, lon + half, lat + half)


def draw(user: User, geometry: BaseGeometry, code: str | None = "open_pit", axis: str = "feature") -> Label:
    """Draw a missed mine; alone, one person's word verifies it."""
    submission = Submission(key=uuid4(), verdict="add", geometry=to_geos(geometry), types={axis: code} if code else {})
    site = submit_decision(user=user, submission=submission).site
    return Label.objects.get(site=site)


def reject(user: User, label: Label, reason: str = "not_a_mine") -> None:
    site = label.site
    site.refresh_from_db()
    submission = Submission(key=uuid4(), verdict="reject", site_id=site.pk, base_version=site.version, reason=reason)
    submit_decision(user=user, submission=submission)


def complete(user: User, geometry: BaseGeometry, *, axis: str = "feature", scene: Scene | None = None) -> ReviewedArea:
    return complete_area(user=user, key=uuid4(), geometry=to_geos(geometry), axis=axis, scene=scene)


def region(eco_id: int, name: str, geometry: BaseGeometry) -> Region:
    outline = to_geos(geometry)
    return Region.objects.create(
        eco_id=eco_id, name=name, biome_id=7, biome="Tropical grasslands", realm="Neotropic", geom=multi(outline)
    )


def multi(outline: Any) -> Any:
    from django.contrib.gis.geos import MultiPolygon

    return outline if outline.geom_type == "MultiPolygon" else MultiPolygon(outline, srid=4326)


def mines_along(user: User, folder: Path, *, count: int, codes: Sequence[str] = ("open_pit",)) -> list[Scene]:
    """Small scenes along a parallel, each with one mine in its middle and reviewed around it."""
    scenes = []
    for number in range(count):
        lon, lat = WEST + STEP * number, LAT
        half = 32 * 10 / METRES_PER_DEGREE
        scene = scene_at(folder, lon=lon - half, lat=lat + half, name=f"scene {number}", seed=number)
        draw(user, square(lon, lat), codes[number % len(codes)])
        complete(user, square(lon, lat, 400), scene=scene)
        scenes.append(scene)
    return scenes
