"""Labels over the edge of a scene: cut whole, from both, and never from what does not belong together."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from pytest_django import Settings

from labelling.core.chips import cut_grid
from labelling.core.masks import read_weights
from labelling.core.raster import SceneRef
from labelling.models import Scene, Site
from labelling.services.scenes import import_scenes
from tests.cast import Cast
from tests.scenes import make_scene, ref_of
from tests.training.ground import BANDS, SMALL, label, part_of, pit_country, review
from tests.training.services.test_datasets import chips_of, freeze, lines_of
from training.core.dataset_files import Row, grid_of, image_of, read_chip, scenes_of
from training.models import Dataset
from training.services.datasets import build_dataset

pytestmark = pytest.mark.django_db
RECIPE = SMALL.recipe
WIDTH, HEIGHT, SEAM = 180, 100, 90
CRS, CORNER = "EPSG:32723", Affine(10, 0, 500_000, 0, -10, 7_600_000)
PIT = (70, 35, 106, 65)


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATASET_ROOT = tmp_path / "datasets"
    settings.DATASET_ROOT.mkdir()


def ground() -> NDArray[np.uint16]:
    data = np.random.default_rng(3).integers(800, 1200, (len(BANDS), HEIGHT, WIDTH), dtype=np.uint16)
    x0, y0, x1, y1 = PIT
    data[:, y0:y1, x0:x1] = 3000
    return data


def half(folder: Path, name: str, columns: slice, **more: Any) -> Scene:
    corner = CORNER @ Affine.translation(columns.start, 0)
    said: dict[str, Any] = {"data": ground()[:, :, columns], "bands": BANDS, "crs": CRS, "transform": corner}
    tags = {"ACQUIRED_AT": more.pop("at", "2024-06-01T10:00:00Z")}
    return import_scenes(paths=[make_scene(folder / f"{name}.tif", nodata=0, tags=tags, **said | more)]).added[0]


@pytest.fixture
def pit(cast: Cast, tmp_path: Path) -> Site:
    """A pit over the edge of two scenes, all around it reviewed; and four others elsewhere."""
    pit_country(tmp_path, cast.ana, count=4)
    west = half(tmp_path, "west", slice(0, SEAM))
    half(tmp_path, "east", slice(SEAM - 4, WIDTH))
    review(cast.ana, part_of(west, 0, 0, WIDTH, HEIGHT))
    return label(cast.ana, part_of(west, *PIT))


@pytest.fixture
def whole(tmp_path: Path) -> SceneRef:
    path = make_scene(tmp_path / "apart" / "whole.tif", data=ground(), bands=BANDS, crs=CRS, transform=CORNER, nodata=0)
    return ref_of(path)


def rows_of(dataset: Dataset, site: Site) -> list[Row]:
    return [row for row in chips_of(dataset) if site.pk in row["sites"]]


def test_a_label_over_an_edge_is_cut_whole_to_the_last_bit(pit: Site, whole: SceneRef) -> None:
    dataset = build_dataset(recipe=RECIPE)
    rows = rows_of(dataset, pit)
    assert len(rows) == 2
    for row in rows:
        told = row["scene"]
        assert {told["name"], *(one["name"] for one in told["filled_by"])} == {"west", "east"}
        image = read_chip(image_of(dataset.folder, row))
        expected = RECIPE.preparation().to_uint8(cut_grid(whole, grid_of(row), bands=RECIPE.bands))
        shown = image.any(axis=2)
        assert shown.mean() > 0.95
        assert (image[shown] == expected[shown]).all()
        _, _, _, width, height = map(float, lines_of(dataset, row)[0].split())
        assert (round(width * 64), round(height * 64)) == (PIT[2] - PIT[0], PIT[3] - PIT[1])


def test_the_names_and_bytes_are_the_same_each_time_and_name_both_scenes(pit: Site) -> None:
    first = build_dataset(recipe=RECIPE)
    Dataset.objects.all().delete()
    again = build_dataset(recipe=RECIPE)
    assert again.sha256 == first.sha256
    [row, _] = rows_of(first, pit)
    assert set(scenes_of(row)) == set(Scene.objects.filter(name__in=["west", "east"]).values_list("pk", flat=True))
    Scene.objects.filter(name="east").update(version="another")
    Dataset.objects.all().delete()
    names = {row["chip"] for row in rows_of(build_dataset(recipe=RECIPE), pit)}
    assert names.isdisjoint({row["chip"] for row in rows_of(first, pit)})


@pytest.mark.parametrize("change", [{"sensor": "another"}, {"kind": "composite"}])
def test_what_is_of_another_kind_does_not_go_on(pit: Site, change: dict[str, str]) -> None:
    Scene.objects.filter(name="east").update(**change)
    recipe = replace(RECIPE, kinds=("single", "composite"), min_shown=0.2, min_visible=0.3)
    for row in rows_of(build_dataset(recipe=recipe), pit):
        assert len(scenes_of(row)) == 1


def test_a_scene_that_shows_the_label_whole_is_enough(pit: Site, tmp_path: Path) -> None:
    both = half(tmp_path, "both", slice(40, 140), at="2020-01-01T10:00:00Z")
    for row in rows_of(build_dataset(recipe=RECIPE), pit):
        assert scenes_of(row) == [both.pk]
        assert "filled_by" not in row["scene"]


def test_a_hidden_scene_does_not_go_on_where_a_recipe_asks_for_clear_ones(
    pit: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clouded(ref: SceneRef, grid: Any) -> Any:
        weights = read_weights(ref, grid)
        return replace(weights, values=weights.values * 0.1) if ref.path.endswith("east.tif") else weights

    monkeypatch.setattr("training.services.chips.read_weights", clouded)
    recipe = replace(RECIPE, min_clear=0.5, min_shown=0.2, min_visible=0.3)
    west = Scene.objects.get(name="west")
    rows = rows_of(build_dataset(recipe=recipe), pit)
    assert rows
    assert all(scenes_of(row) == [west.pk] for row in rows)


def test_ground_that_is_kept_out_stays_black_beyond_the_edge_too(pit: Site) -> None:
    west = Scene.objects.get(name="west")
    block = part_of(west, 120, 0, WIDTH, HEIGHT)
    freeze(block)
    dataset = build_dataset(recipe=RECIPE)  # looks at what it wrote, and refuses a leak
    rows = rows_of(dataset, pit)
    assert rows
    for row in rows:
        image, grid = read_chip(image_of(dataset.folder, row)), grid_of(row)
        columns = np.arange(64) + round((grid.transform.c - CORNER.c) / 10)
        assert not image[:, columns >= 120].any()
        assert image[:, (columns > SEAM) & (columns < 118)].any()
