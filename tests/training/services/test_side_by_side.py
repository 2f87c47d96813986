from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labelling.models import Scene, Site
from labelling.services.mosaics import find_mosaic
from tests.cast import Cast
from tests.training.ground import PIT, SIDE, SMALL, label, part_of, pit_scene, review
from training.services.experiments import start_experiment
from training.services.side_by_side import SHOWN, Beside, compare_imagery

pytestmark = pytest.mark.django_db
RECIPE = SMALL.recipe
BOTH = replace(RECIPE, kinds=("single", "composite"))


@pytest.fixture
def site(cast: Cast, tmp_path: Path) -> Site:
    """A verified pit on one scene, which was taken on the first of June."""
    scene = pit_scene(tmp_path, 0)
    Scene.objects.filter(pk=scene.pk).update(acquired_at="2024-06-01T10:00:00Z", level="L2A", sensor="sentinel-2-l2a")
    review(cast.ana, part_of(scene, 0, 0, SIDE, SIDE))
    return label(cast.ana, part_of(scene, *PIT))


def copy(**changes: Any) -> Scene:
    """The same image once more in the catalogue, of another kind or day."""
    scene = Scene.objects.earliest("pk")
    values = {field.attname: getattr(scene, field.attname) for field in Scene._meta.fields if field.name != "id"}
    number = Scene.objects.count()
    return Scene.objects.create(**values | {"uri": f"{scene.uri}-{number}", "name": f"copy {number}"} | changes)


def composite(**changes: Any) -> Scene:
    made = {"method": "medoid", "scenes": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}
    return copy(kind="composite", acquired_until="2024-08-01T10:00:00Z", provenance=made, **changes)


def only_row(recipe: Any = RECIPE) -> Beside:
    [row] = compare_imagery(recipe=recipe).rows
    return row


def test_the_best_single_date_stands_beside_a_composite(site: Site) -> None:
    newer, made = copy(acquired_at="2024-07-01T10:00:00Z"), composite()
    row = only_row(BOTH)
    assert row.site == site
    assert row.single is not None
    assert row.composite is not None
    assert row.single.picture.mosaic == find_mosaic(key=str(newer.pk))
    assert row.composite.picture.mosaic == find_mosaic(key=str(made.pk))
    assert row.single.about == f"2024-07-01, {newer.name}"
    assert row.composite.about == f"medoid composite of 3 scenes, 2024-06-01 to 2024-08-01, {made.name}"
    assert (row.single.left_out, row.composite.left_out) == ("", "")
    assert len(row.single.picture.paths) == 1


@pytest.mark.parametrize(
    ("kinds", "single", "made"),
    [
        (("single",), "", "it takes no composites"),
        (("composite",), "it takes no single dates", ""),
        (("single", "composite"), "", ""),
    ],
)
def test_what_a_recipe_does_not_take_is_shown_and_said(
    site: Site, kinds: tuple[str, ...], single: str, made: str
) -> None:
    composite()
    row = only_row(replace(RECIPE, kinds=kinds))
    assert row.single is not None
    assert row.composite is not None
    assert (row.single.left_out, row.composite.left_out) == (single, made)


def test_the_limits_of_the_recipe_choose_the_date(site: Site) -> None:
    hazy = copy(acquired_at="2024-07-01T10:00:00Z", level="L1C")
    first = only_row(replace(RECIPE, levels=("L2A",))).single
    assert first is not None
    assert hazy.name not in first.about
    other = only_row(replace(RECIPE, levels=("unknown",))).single
    assert other is not None
    assert (hazy.name in other.about, other.left_out) == (True, "of level L1C")
    sensed = only_row(replace(RECIPE, sensors=("landsat-8",))).single
    assert sensed is not None
    assert sensed.left_out == "of the sensor sentinel-2-l2a"
    banded = only_row(replace(RECIPE, bands=("B12", "B11", "B04"))).single
    assert banded is not None
    assert banded.left_out == "without B12, B11"


def test_the_pictures_are_in_the_bands_and_the_stretch_of_the_recipe(site: Site) -> None:
    recipe = replace(RECIPE, bands=("B08", "B04", "B03"), low=(0.01, 0.02, 0.0), high=(0.3, 0.45, 0.2))
    beside = compare_imagery(recipe=recipe)
    assert beside.stretch == "0,0.45"
    shot = beside.rows[0].single
    assert shot is not None
    assert shot.picture.combination == "B08,B04,B03"
    alone = only_row(replace(RECIPE, bands=("B08",), low=(0.0,), high=(0.5,))).single
    assert alone is not None
    assert alone.picture.combination == "true-colour"


def test_without_a_composite_there_is_none_and_without_a_scene_no_row(site: Site, cast: Cast) -> None:
    assert only_row().composite is None
    Scene.objects.all().delete()
    assert compare_imagery(recipe=RECIPE).rows == ()


def test_sites_that_both_kinds_show_come_first_and_few_are_shown(cast: Cast, tmp_path: Path) -> None:
    made_of = []
    for number in range(SHOWN + 2):
        scene = pit_scene(tmp_path, number)
        made_of.append((label(cast.ana, part_of(scene, *PIT)), scene))
    site, scene = made_of[-1]
    values = {field.attname: getattr(scene, field.attname) for field in Scene._meta.fields if field.name != "id"}
    Scene.objects.create(**values | {"uri": "composite", "kind": "composite"})
    rows = compare_imagery(recipe=RECIPE).rows
    assert len(rows) == SHOWN
    assert rows[0].site == site
    assert compare_imagery(recipe=replace(RECIPE, types=("pond",))).rows == ()
    assert compare_imagery(recipe=replace(RECIPE, regions=(17,))).rows == ()


def test_few_questions_are_asked_however_many_labels_there_are(cast: Cast, tmp_path: Path) -> None:
    counts = []
    for number in range(2):
        label(cast.ana, part_of(pit_scene(tmp_path, number), *PIT))
        with CaptureQueriesContext(connection) as asked:
            compare_imagery(recipe=RECIPE)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 4


def test_the_pages_of_a_recipe_show_it(site: Site, cast: Cast, client: Client, settings: Any, tmp_path: Path) -> None:
    settings.DATASET_ROOT = tmp_path
    made = composite()
    experiment = start_experiment(plan=SMALL, name="pits", user=cast.ada)
    client.force_login(cast.ada)
    for path in (f"/training/{experiment.pk}/", f"/training/new/?from={experiment.pk}"):
        page = client.get(path).content.decode()
        assert "What its choice of imagery means" in page
        assert f"medoid composite of 3 scenes, 2024-06-01 to 2024-08-01, {made.name}" in page
        assert f"/tiles/scenes/{made.pk}/{made.version}/B04,B03,B02/thumb.webp?bbox=" in page
        assert "&amp;stretch=0.02,0.35" in page
    # the page asks for itself every two seconds: what does not change is not looked up again
    live = client.get(f"/training/{experiment.pk}/", headers={"hx-request": "true"}).content.decode()
    assert "What its choice of imagery means" not in live
