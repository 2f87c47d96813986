"""The real chips of Brazil: many overlap, 71 to 75 are nearly one scene with another pond labelled each time."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from django.conf import settings
from pytest_django import Settings
from shapely.geometry import shape

from labelling.core.chips import geometry_in_chip
from labelling.models import Label, Scene
from labelling.models.spatial import to_shapely
from labelling.services.scenes import import_scenes
from tests.cast import Cast
from tests.training.ground import label, review
from training.core.dataset_files import Row, grid_of, image_of, read_chip, read_manifest
from training.core.plan import BASELINE
from training.services.datasets import build_dataset

BRAZIL = settings.SHARED_DATA / "imagery" / "brazil_tailings" / "scenes"
POLYGONS = settings.SHARED_DATA / "seeds" / "labelled" / "brazil_tailings_polygons.geojson"
NUMBERS = (1, 2, 3, 14, 71, 72, 73, 74, 75, 88, 89, 91)
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.real,
    pytest.mark.skipif(not BRAZIL.is_dir(), reason="no Brazil chips: set MAD_SHARED_DATA to the shared data"),
]


def country(cast: Cast) -> None:
    """Scenes, all of their ground reviewed, and the valid polygons in them."""
    files = [BRAZIL / f"chip_{number:03d}.tif" for number in NUMBERS]
    import_scenes(paths=[file for file in files if file.is_file()], kind="composite", sensor="sentinel-2-l1c")
    grounds = [shapely.get_parts(to_shapely(scene.footprint))[0] for scene in Scene.objects.all()]
    for ground in grounds:
        review(cast.ana, ground)
    for feature in json.loads(POLYGONS.read_text())["features"]:
        outline = shape(feature["geometry"])
        if outline.is_valid and any(ground.intersects(outline) for ground in grounds):
            label(cast.ana, outline, code="tailings_storage_facility")


def pixels_shown(folder: Path, row: Row) -> set[tuple[str, int, int]]:
    """The pixels that are not black, by CRS, easting and northing; all chips lie on one lattice in their zone."""
    grid = grid_of(row)
    rows, columns = np.nonzero(read_chip(image_of(folder, row)).any(axis=2))
    east, north = round(grid.transform.c), round(grid.transform.f)
    return {(grid.crs, east + 10 * int(x), north - 10 * int(y)) for x, y in zip(columns, rows, strict=True)}


def test_no_pixel_of_brazil_is_on_both_sides(cast: Cast, settings: Settings, tmp_path: Path) -> None:
    settings.DATASET_ROOT = tmp_path
    country(cast)
    for block_m in (4_000.0, 20_000.0):
        dataset = build_dataset(recipe=replace(BASELINE.recipe, block_m=block_m, buffer_m=200.0))
        _, rows = read_manifest(dataset.folder)
        train, val = (
            set().union(*(pixels_shown(dataset.folder, row) for row in rows if row["split"] == side))
            for side in ("train", "val")
        )
        assert train
        assert val
        assert not train & val


def test_a_box_read_back_through_the_manifest_is_its_label(cast: Cast, settings: Settings, tmp_path: Path) -> None:
    settings.DATASET_ROOT = tmp_path
    country(cast)
    dataset = build_dataset(recipe=replace(BASELINE.recipe, backgrounds=0.0))
    _, rows = read_manifest(dataset.folder)
    checked = 0
    for row in rows:
        grid = grid_of(row)
        lines = next(dataset.folder / name for name in row["files"] if name.startswith("labels/")).read_text()
        for site, line in zip(row["sites"], lines.splitlines(), strict=True):
            x, y, w, h = (float(part) * grid.width for part in line.split()[1:])
            outline = to_shapely(Label.objects.get(site_id=site).geometry)
            bounds = geometry_in_chip(outline, grid).bounds
            if row["shown"] == 1:
                np.testing.assert_allclose((x - w / 2, y - h / 2, x + w / 2, y + h / 2), bounds, atol=1)
                checked += 1
    assert checked >= 5
