"""Ground to train on: tiny scenes with a bright pit each, far apart, labelled through the real services."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
from django.contrib.auth.models import User
from shapely.affinity import affine_transform
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from labelling.core.globe import outline_to_lonlat
from labelling.models import Scene, Site
from labelling.models.spatial import to_geos
from labelling.services.decisions import Submission, complete_area, submit_decision
from labelling.services.scenes import import_scenes
from tests.scenes import make_scene
from training.core.plan import BASELINE, Plan

BANDS = ("B02", "B03", "B04", "B08")
SIDE = 96
PIT = (30, 30, 60, 60)
LON, LAT = -44.6, -21.07
STEP = 0.1  # degrees between two scenes: more than a block

SMALL = Plan(
    replace(
        BASELINE.recipe,
        chip_px=64,
        centrings=2,
        off_centre=0.1,
        backgrounds=0.0,
        block_m=5_000.0,
        buffer_m=50.0,
        val_share=0.3,
    ),
    replace(BASELINE.settings, epochs=1, batch=4),
)


def pit_scene(folder: Path, number: int, *, pits: tuple[tuple[int, int, int, int], ...] = (PIT,)) -> Scene:
    """A scene of 96 x 96 pixels of 10 m, dark but for its pits (x0, y0, x1, y1 in pixels)."""
    data = np.random.default_rng(number).integers(800, 1200, (len(BANDS), SIDE, SIDE), dtype=np.uint16)
    for x0, y0, x1, y1 in pits:
        data[:, y0:y1, x0:x1] = 3000 + 100 * number
    path = make_scene(folder / f"pit-{number}.tif", bands=BANDS, data=data, lon=LON + STEP * number, lat=LAT)
    report = import_scenes(paths=[path])
    assert not report.refused, report.refused
    return report.added[0]


def part_of(scene: Scene, x0: float, y0: float, x1: float, y1: float) -> BaseGeometry:
    """The ground of some pixels of a scene, EPSG:4326."""
    ref = scene.ref()
    return outline_to_lonlat(affine_transform(box(x0, y0, x1, y1), ref.affine.to_shapely()), ref.crs)


def label(user: User, geometry: BaseGeometry, code: str = "open_pit") -> Site:
    """A verified mine, drawn by a person."""
    drawn = Submission(key=uuid4(), verdict="add", types={"feature": code}, geometry=to_geos(geometry))
    return submit_decision(user=user, submission=drawn).site


def reject(user: User, site: Site, reason: str) -> None:
    """Somebody says that a site is no mine, or why it cannot be judged."""
    site.refresh_from_db()
    submission = Submission(
        key=uuid4(), verdict="reject", site_id=site.pk, base_version=site.version, reason=reason, types={}
    )
    submit_decision(user=user, submission=submission)


def review(user: User, geometry: BaseGeometry) -> None:
    """Everything here is labelled."""
    complete_area(user=user, key=uuid4(), geometry=to_geos(geometry), axis="feature")


def pit_country(folder: Path, user: User, count: int = 5) -> list[Site]:
    """Scenes with one labelled pit each, all of their ground reviewed."""
    sites = []
    for number in range(count):
        scene = pit_scene(folder, number)
        review(user, part_of(scene, 0, 0, SIDE, SIDE))
        sites.append(label(user, part_of(scene, *PIT)))
    return sites
