from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django import Settings

from labelling.core.quality import METHOD
from labelling.models import Scene
from labelling.services.quality import measure_scenes
from labelling.services.scenes import import_scenes
from tests.cast import Cast
from tests.scenes import make_scene
from tests.training.ground import BANDS, LAT, LON, PIT, SIDE, SMALL, STEP, pit_country
from training.core.dataset_files import read_manifest
from training.core.errors import BadRecipe, TooFewLabels
from training.core.plan import CLEAN
from training.models import Dataset
from training.services.costs import estimate_cost
from training.services.datasets import build_dataset
from training.services.material import gather_material

pytestmark = pytest.mark.django_db
CLOUDLESS = replace(SMALL.recipe, max_cloud=0.3)
T29 = django_settings.SHARED_DATA / "imagery" / "t29unu_l2a_11band"


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATASET_ROOT = tmp_path / "datasets"
    settings.DATASET_ROOT.mkdir()
    settings.SCENE_ROOTS = [*settings.SCENE_ROOTS, tmp_path]


def told(**quality: Any) -> dict[str, Any]:
    return {"measured": METHOD, "quality": {"valid": 1.0, "cloud": 0.0, "saturated": 0.0, **quality}}


def scenes_of(dataset: Dataset) -> set[str]:
    return {str(row["scene"]["name"]) for row in read_manifest(dataset.folder)[1]}


def test_cloudy_scenes_are_left_out_counted_and_recorded(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana)
    Scene.objects.update(**told())
    Scene.objects.filter(name="pit-1").update(**told(cloud=0.31))
    dataset = build_dataset(recipe=CLOUDLESS)
    assert scenes_of(dataset) == {"pit-0", "pit-2", "pit-3", "pit-4"}
    assert dataset.counts["scenes"] == {"taken": 4, "left_out": {"more than 30 % cloud": 1}}
    assert dataset.counts["left_out"] == {"no scene shows it": 1}
    assert build_dataset(recipe=SMALL.recipe).counts["scenes"] == {"taken": 5, "left_out": {}}


def test_the_cost_says_what_will_be_left_out(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana)
    Scene.objects.update(**told(sun=50.0))
    Scene.objects.filter(name__in=["pit-1", "pit-2"]).update(**told(sun=None))
    cost = estimate_cost(plan=replace(SMALL, recipe=replace(SMALL.recipe, min_sun=20.0)))
    assert cost.scenes == 3
    assert cost.scenes_left_out == {"less than 20° sun above the horizon, or its time is not known": 2}


def test_where_every_scene_is_refused_it_is_said_why(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana)
    with pytest.raises(TooFewLabels, match=r"refuses all 5 scenes \(5 not measured yet: .*measure_quality\)"):
        gather_material(recipe=CLOUDLESS)
    Scene.objects.update(**told(cloud=0.9))
    Scene.objects.filter(name="pit-3").update(**told(fault="truncated"))
    with pytest.raises(TooFewLabels, match=r"\(4 more than 30 % cloud, 1 its file cannot be read\)"):
        gather_material(recipe=CLOUDLESS)


def test_levels_are_mixed_only_on_purpose(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana)
    Scene.objects.update(level="L2A")
    Scene.objects.filter(name="pit-0").update(level="L1C")
    with pytest.raises(BadRecipe, match=r"several processing levels \(1 of L1C, 4 of L2A\)"):
        build_dataset(recipe=SMALL.recipe)
    one = build_dataset(recipe=replace(SMALL.recipe, levels=("L2A",)))
    assert one.counts["scenes"] == {"taken": 4, "left_out": {"of level L1C": 1}}
    assert len(scenes_of(build_dataset(recipe=replace(SMALL.recipe, levels=("L1C", "L2A"))))) == 5


def test_levels_do_not_matter_among_scenes_that_are_refused_anyway(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana)
    Scene.objects.update(level="L2A", **told())
    Scene.objects.filter(name="pit-0").update(level="L1C", **told(cloud=1.0))
    assert len(gather_material(recipe=CLOUDLESS).scenes) == 4


def test_a_chip_is_cut_from_the_newest_scene_in_which_its_ground_is_clear(cast: Cast, tmp_path: Path) -> None:
    sites = pit_country(tmp_path, cast.ana)
    for number, hidden in ((0, True), (1, False)):
        _later_scene(tmp_path, number, hidden=hidden)
    recipe = replace(SMALL.recipe, min_clear=0.6)
    dataset = build_dataset(recipe=recipe)
    assert {"pit-0", "later-1"} <= scenes_of(dataset)
    assert not {"later-0", "pit-1"} & scenes_of(dataset)
    assert {"later-0", "later-1"} <= scenes_of(build_dataset(recipe=SMALL.recipe))
    Scene.objects.filter(name="pit-0").delete()
    without = build_dataset(recipe=recipe)
    assert without.counts["left_out"] == {"hidden by clouds in every scene": 1}
    assert sites[0].pk not in without.dataset_sites.values_list("site", flat=True)


def _later_scene(folder: Path, number: int, *, hidden: bool) -> None:
    """A newer scene of the same ground, with a classification that calls all of it cloud, or bare."""
    place: dict[str, Any] = {"lon": LON + STEP * number, "lat": LAT}
    data = np.full((len(BANDS), SIDE, SIDE), 1000, np.uint16)
    x0, y0, x1, y1 = PIT
    data[:, y0:y1, x0:x1] = 2000
    path = folder / f"later-{number}.tif"
    make_scene(path, bands=BANDS, data=data, tags={"ACQUIRED_AT": "2022-01-01"}, **place)
    classes = np.full((1, SIDE, SIDE), 9 if hidden else 5, np.uint8)
    make_scene(folder / f"later-{number}_SCL.tif", bands=("SCL",), data=classes, scale=None, **place)
    assert len(import_scenes(paths=[path]).added) == 1


def test_the_page_says_what_is_left_out_before_the_training_starts(cast: Cast, client: Client, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana)
    client.force_login(cast.ada)
    page = client.get("/training/new/", {"preset": "clean"}).content.decode()
    assert "refuses all 5 scenes (5 not measured yet" in page
    Scene.objects.update(**told(sun=60.0))
    Scene.objects.filter(name="pit-2").update(**told(sun=60.0, cloud=0.5))
    page = client.get("/training/new/", {"preset": "clean"}).content.decode()
    assert "1 scene left out: more than 30 % cloud" in page
    assert "<b>4</b><span>scenes</span>" in page


@pytest.mark.real
@pytest.mark.skipif(not T29.is_dir(), reason=f"no real product at {T29}: set MAD_SHARED_DATA")
def test_the_real_crop_is_refused_by_a_recipe_that_asks_for_clean_scenes(
    cast: Cast, tmp_path: Path, settings: Settings
) -> None:
    settings.SCENE_ROOTS = [*settings.SCENE_ROOTS, T29]
    pit_country(tmp_path, cast.ana)
    assert len(import_scenes(paths=[T29]).added) == 1
    measure_scenes()
    Scene.objects.filter(name__startswith="pit").update(**told(sun=60.0))
    material = gather_material(recipe=CLEAN.recipe)
    assert material.scenes_left_out == {"more than 30 % cloud": 1}
    assert len(material.scenes) == 5
    with pytest.raises(BadRecipe, match=r"1 of L2A, 5 of unknown"):
        gather_material(recipe=SMALL.recipe)
