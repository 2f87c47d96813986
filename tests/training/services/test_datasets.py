import shutil
import typing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from django.conf import settings
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.utils import timezone
from pytest_django import Settings
from shapely.affinity import affine_transform
from shapely.geometry import Point, box
from shapely.geometry.base import BaseGeometry

from labelling.core.globe import to_crs
from labelling.core.raster import transformer, utm_of
from labelling.models import Job, Label, ReviewedArea
from labelling.models.spatial import to_geos
from labelling.services.jobs import JobCancelled, claim_job, enqueue_job
from tests.cast import Cast
from tests.training.ground import PIT, SIDE, SMALL, label, part_of, pit_country, pit_scene, reject, review
from training.core.blocks import BlockGrid, buffered_box
from training.core.dataset_files import (
    MANIFEST,
    Row,
    grid_of,
    image_of,
    read_chip,
    read_manifest,
    refuse_leaks,
    write_heading,
)
from training.core.errors import BadRecipe, Leak, NoRoom, TooFewLabels
from training.core.recipe import Recipe
from training.models import Dataset, TestBlock, TestSet
from training.services.datasets import build_dataset, check_room, is_whole

pytestmark = pytest.mark.django_db
RECIPE = SMALL.recipe


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATASET_ROOT = tmp_path / "datasets"
    settings.DATASET_ROOT.mkdir()


def chips_of(dataset: Dataset) -> list[Row]:
    return read_manifest(dataset.folder)[1]


def lines_of(dataset: Dataset, row: Row) -> list[str]:
    name = next(name for name in row["files"] if name.startswith("labels/"))
    return (dataset.folder / str(name)).read_text().splitlines()


def ground_shown(dataset: Dataset, row: Row) -> BaseGeometry:
    """The middles of the pixels that are not black, EPSG:4326."""
    grid = grid_of(row)
    rows, columns = np.nonzero(read_chip(image_of(dataset.folder, row)).any(axis=2))
    points = shapely.MultiPoint(np.column_stack([columns + 0.5, rows + 0.5]))
    in_crs = affine_transform(points, grid.transform.to_shapely())
    return shapely.transform(
        in_crs, lambda xy: np.column_stack(transformer(grid.crs, "EPSG:4326").transform(xy[:, 0], xy[:, 1]))
    )


def freeze(geometry: BaseGeometry, name: str = "universal", buffer_m: float = 0.0) -> TestSet:
    testset = TestSet.objects.create(
        name=name, axis="feature", block_m=1000, buffer_m=buffer_m, share=0.2, seed=0, checksum=name
    )
    TestBlock.objects.create(
        testset=testset,
        key="a",
        geometry=typing.cast(Polygon, to_geos(box(*geometry.bounds))),
        buffered=typing.cast(MultiPolygon, to_geos(buffered_box(geometry.bounds, buffer_m))),
    )
    return testset


def test_every_label_becomes_chips_with_its_box(cast: Cast, tmp_path: Path) -> None:
    sites = pit_country(tmp_path, cast.ana)
    dataset = build_dataset(recipe=RECIPE)
    rows = chips_of(dataset)
    assert {site for row in rows for site in row["sites"]} == {site.pk for site in sites}
    assert len(rows) == 5 * 2
    for row in rows:
        (line,) = lines_of(dataset, row)
        kind, x, y, w, h = map(float, line.split())
        image = read_chip(image_of(dataset.folder, row))
        bright = np.argwhere(image[:, :, 0] > 180)
        (top, left), (bottom, right) = bright.min(axis=0), bright.max(axis=0) + 1
        assert kind == 0
        np.testing.assert_allclose([(left + right) / 2, (top + bottom) / 2], [x * 64, y * 64], atol=1)
        np.testing.assert_allclose([right - left, bottom - top], [w * 64, h * 64], atol=1)
    assert {split.split for split in dataset.dataset_sites.all()} == {"train", "val"}
    assert dataset.counts["train"]["labels"]["open_pit"] + dataset.counts["val"]["labels"]["open_pit"] == 10


def test_the_same_recipe_and_labels_give_the_same_row_and_the_same_bytes(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana)
    first = build_dataset(recipe=RECIPE)
    assert build_dataset(recipe=RECIPE) == first
    manifest = (first.folder / MANIFEST).read_bytes()
    Dataset.objects.all().delete()
    (first.folder / MANIFEST).unlink()
    again = build_dataset(recipe=RECIPE)
    assert (again.sha256, again.path) == (first.sha256, first.path)
    assert (again.folder / MANIFEST).read_bytes() == manifest


def test_a_dataset_whose_files_are_gone_is_built_again_for_the_same_row(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana)
    first = build_dataset(recipe=RECIPE)
    (first.folder / MANIFEST).write_text("broken")
    assert not is_whole(first)
    again = build_dataset(recipe=RECIPE)
    assert again == first
    assert is_whole(again)


def test_files_that_come_back_otherwise_are_the_ones_that_the_row_names(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an upgrade of a library that writes images otherwise."""
    pit_country(tmp_path, cast.ana)
    with monkeypatch.context() as before:
        before.setattr("training.services.datasets.write_heading", _older_heading)
        first = build_dataset(recipe=RECIPE)
    shutil.rmtree(first.folder)
    again = build_dataset(recipe=RECIPE)
    assert again.pk == first.pk
    assert again.sha256 != first.sha256
    assert is_whole(again)
    assert again.dataset_sites.count() == 5


def _older_heading(folder: Path, *, recipe: Recipe, types: tuple[str, ...]) -> dict[str, object]:
    return {**write_heading(folder, recipe=recipe, types=types), "written_by": "an older library"}


def test_a_new_label_gives_a_new_dataset_and_leaves_the_old_one(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana)
    first = build_dataset(recipe=RECIPE)
    scene = pit_scene(tmp_path, 9)
    review(cast.ana, part_of(scene, 0, 0, SIDE, SIDE))
    label(cast.ana, part_of(scene, *PIT))
    second = build_dataset(recipe=RECIPE)
    assert second != first
    assert is_whole(first)
    assert is_whole(second)


def test_no_pixel_is_on_both_sides_even_where_scenes_overlap(cast: Cast, tmp_path: Path) -> None:
    """Three images of nearly one place, a border of blocks through the middle of it."""
    recipe = replace(RECIPE, block_m=700.0, buffer_m=60.0, min_shown=0.1, centrings=3)
    grid = BlockGrid(recipe.block_m)
    pit_country(tmp_path, cast.ana, count=2)
    scene = pit_scene(tmp_path, 2, pits=((5, 5, 25, 25), (60, 60, 85, 85), (10, 60, 30, 80)))
    review(cast.ana, part_of(scene, 0, 0, SIDE, SIDE))
    for pit in ((5, 5, 25, 25), (60, 60, 85, 85), (10, 60, 30, 80)):
        label(cast.ana, part_of(scene, *pit))
    for seed in range(4):
        dataset = build_dataset(recipe=replace(recipe, split_seed=seed))
        rows = chips_of(dataset)
        sides = {side: [row for row in rows if row["split"] == side] for side in ("train", "val")}
        val = {
            grid.block_at(point.x, point.y)
            for row in sides["val"]
            for point in shapely.get_parts(ground_shown(dataset, row))
        }
        assert val
        forbidden = shapely.union_all([buffered_box(grid.bounds(block), recipe.buffer_m) for block in val])
        for row in sides["train"]:
            assert not ground_shown(dataset, row).intersects(forbidden)


def test_only_reviewed_ground_is_shown(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=3)
    scene = pit_scene(tmp_path, 7)
    half = part_of(scene, 0, 0, 50, SIDE)
    review(cast.ana, half)
    site = label(cast.ana, part_of(scene, *PIT))
    dataset = build_dataset(recipe=RECIPE)
    rows = [row for row in chips_of(dataset) if site.pk in row["sites"]]
    assert rows
    wider = to_crs(half, utm_of(*half.centroid.coords[0])).buffer(1)
    for row in rows:
        shown = ground_shown(dataset, row)
        assert to_crs(shown, utm_of(*half.centroid.coords[0])).within(wider)
        assert 0.3 < row["shown"] < 0.9


def test_a_label_outside_reviewed_areas_is_left_out_and_counted(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=3)
    alone = label(cast.ana, part_of(pit_scene(tmp_path, 7), *PIT))
    dataset = build_dataset(recipe=RECIPE)
    assert alone.pk not in {site for row in chips_of(dataset) for site in row["sites"]}
    assert dataset.counts["left_out"] == {"outside every reviewed area": 1}


def test_nothing_trains_in_a_test_block_or_its_buffer(cast: Cast, tmp_path: Path) -> None:
    sites = pit_country(tmp_path, cast.ana)
    testset = freeze(part_of(pit_scene(tmp_path, 20), 0, 0, 1, 1))
    whole = build_dataset(recipe=RECIPE)
    testset = freeze(shapely.from_wkb(bytes(sites[0].footprint.wkb)), name="second", buffer_m=100)
    dataset = build_dataset(recipe=RECIPE)
    assert dataset.testset == testset
    assert dataset != whole
    assert sites[0].pk not in dataset.dataset_sites.values_list("site", flat=True)
    assert dataset.counts["left_out"] == {"in a test block or its buffer": 1}


def test_the_ground_of_a_test_block_is_black_on_the_chips_around_it(cast: Cast, tmp_path: Path) -> None:
    sites = pit_country(tmp_path, cast.ana)
    ground = shapely.from_wkb(bytes(sites[1].footprint.wkb))
    west, south, _, north = ground.bounds
    corner = box(west - 0.002, south, west + 0.0003, north)  # over the pit's western edge
    freeze(corner, buffer_m=20)
    dataset = build_dataset(recipe=RECIPE)
    rows = [row for row in chips_of(dataset) if sites[1].pk in row["sites"]]
    assert rows
    kept_out = buffered_box(corner.bounds, 20)
    assert not any(ground_shown(dataset, row).intersects(kept_out) for row in rows)


def test_a_written_chip_that_shows_kept_out_ground_is_a_leak(cast: Cast, tmp_path: Path) -> None:
    sites = pit_country(tmp_path, cast.ana)
    dataset = build_dataset(recipe=RECIPE)
    ground = shapely.from_wkb(bytes(sites[0].footprint.wkb))
    with pytest.raises(Leak, match="is kept out"):
        refuse_leaks(dataset.folder, chips_of(dataset), [ground])
    assert refuse_leaks(dataset.folder, chips_of(dataset), [Point(0, 0).buffer(1)]) == 0


def test_a_build_that_leaks_fails_and_keeps_nothing(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites = pit_country(tmp_path, cast.ana)
    freeze(shapely.from_wkb(bytes(sites[0].footprint.wkb)))
    monkeypatch.setattr("training.services.chips.ChipCutter._is_kept_out", lambda *_: False)
    monkeypatch.setattr("training.services.chips.ChipCutter._away_from_tests", lambda _self, ground, _near: ground)
    with pytest.raises(Leak):
        build_dataset(recipe=RECIPE)
    assert not Dataset.objects.exists()
    assert not list(settings.DATASET_ROOT.iterdir())


def test_only_the_test_set_that_a_recipe_names_is_kept_out(cast: Cast, tmp_path: Path) -> None:
    sites = pit_country(tmp_path, cast.ana)
    named = freeze(part_of(pit_scene(tmp_path, 20), 0, 0, 1, 1), name="far")
    freeze(shapely.from_wkb(bytes(sites[0].footprint.wkb)), name="near")
    dataset = build_dataset(recipe=replace(RECIPE, testset="far"))
    assert dataset.testset == named
    assert sites[0].pk in dataset.dataset_sites.values_list("site", flat=True)
    with pytest.raises(BadRecipe, match=r"no test set 'nobody'.*far"):
        build_dataset(recipe=replace(RECIPE, testset="nobody"))


def test_backgrounds_come_from_reviewed_ground_without_a_mine(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=4)
    empty = pit_scene(tmp_path, 8, pits=())
    review(cast.ana, part_of(empty, 0, 0, SIDE, SIDE))
    dataset = build_dataset(recipe=replace(RECIPE, backgrounds=0.2))
    blank = [row for row in chips_of(dataset) if not row["sites"]]
    assert blank
    assert {row["scene"]["id"] for row in blank} == {empty.pk}
    assert all(not lines_of(dataset, row) for row in blank)
    assert dataset.counts["train"]["backgrounds"] + dataset.counts["val"]["backgrounds"] == len(blank)


@pytest.mark.parametrize(("reason", "black"), [("not_a_mine", False), ("duplicate", False), ("cloud", True)])
def test_a_rejected_site_is_background_only_where_the_reason_says_so(
    cast: Cast, tmp_path: Path, reason: str, black: bool
) -> None:
    pit_country(tmp_path, cast.ana, count=3)
    scene = pit_scene(tmp_path, 7, pits=(PIT, (66, 30, 80, 60)))
    review(cast.ana, part_of(scene, 0, 0, SIDE, SIDE))
    site = label(cast.ana, part_of(scene, *PIT))
    other = label(cast.ana, part_of(scene, 66, 30, 80, 60))
    reject(cast.lea, other, reason)
    assert Label.objects.get(site=other).state in (Label.State.REJECTED, Label.State.CONTESTED)
    Label.objects.filter(site=other).update(state=Label.State.REJECTED, reason=reason)
    dataset = build_dataset(recipe=RECIPE)
    rows = [row for row in chips_of(dataset) if site.pk in row["sites"]]
    middle = part_of(scene, 70, 40, 76, 50)
    for row in rows:
        assert other.pk not in row["sites"]
        assert ground_shown(dataset, row).intersects(middle) is not black


def test_a_contested_mine_is_neither_label_nor_background(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=3)
    scene = pit_scene(tmp_path, 7, pits=(PIT, (66, 30, 80, 60)))
    review(cast.ana, part_of(scene, 0, 0, SIDE, SIDE))
    site = label(cast.ana, part_of(scene, *PIT))
    other = label(cast.ana, part_of(scene, 66, 30, 80, 60))
    Label.objects.filter(site=other).update(state=Label.State.CONTESTED)
    dataset = build_dataset(recipe=RECIPE)
    for row in (row for row in chips_of(dataset) if site.pk in row["sites"]):
        assert not ground_shown(dataset, row).intersects(part_of(scene, 70, 40, 76, 50))


def test_a_specialist_takes_other_types_for_background(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=3)
    scene = pit_scene(tmp_path, 7)
    review(cast.ana, part_of(scene, 0, 0, SIDE, SIDE))
    pond = label(cast.ana, part_of(scene, *PIT), code="pond")
    both = build_dataset(recipe=RECIPE)
    alone = build_dataset(recipe=replace(RECIPE, types=("open_pit",)))
    assert read_manifest(both.folder)[0]["types"] == ["open_pit", "pond"]
    assert read_manifest(alone.folder)[0]["types"] == ["open_pit"]
    assert pond.pk not in {site for row in chips_of(alone) for site in row["sites"]}


def test_four_bands_become_pages_and_the_yaml_says_so(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=3)
    four = replace(RECIPE, bands=("B08", "B04", "B03", "B02"), low=(0.0,) * 4, high=(0.5,) * 4)
    dataset = build_dataset(recipe=four)
    assert "channels: 4" in (dataset.folder / "data.yaml").read_text()
    path = image_of(dataset.folder, chips_of(dataset)[0])
    assert path.suffix == ".tiff"
    assert read_chip(path).shape == (64, 64, 4)


def test_zooms_make_a_mine_larger_and_smaller(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=3)
    dataset = build_dataset(recipe=replace(RECIPE, zooms=(0.5, 1.0), centrings=1))
    widths = {round(float(lines_of(dataset, row)[0].split()[3]), 1) for row in chips_of(dataset)}
    assert widths == {0.5, 0.9}


def test_one_block_of_labels_cannot_be_split(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=1)
    with pytest.raises(TooFewLabels, match="needs two"):
        build_dataset(recipe=RECIPE)


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ({"axis": "commodity"}, TooFewLabels, "no reviewed area on the axis commodity"),
        ({"types": ("gold",)}, BadRecipe, "no type gold on the axis feature"),
        ({"types": ("pond",)}, TooFewLabels, "no verified label"),
        ({"regions": (1,)}, TooFewLabels, "no verified label"),
        ({"sensors": ("landsat",)}, TooFewLabels, "no scene"),
        ({"bands": ("B11",), "low": (0.0,), "high": (1.0,)}, TooFewLabels, "has the bands B11: import one"),
    ],
)
def test_what_cannot_be_built_says_why(
    cast: Cast, tmp_path: Path, change: dict[str, object], error: type[Exception], told: str
) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    with pytest.raises(error, match=told):
        build_dataset(recipe=replace(RECIPE, **change))  # type: ignore[arg-type]


def test_a_revoked_area_no_longer_counts(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    ReviewedArea.objects.update(revoked_at=timezone.now())
    with pytest.raises(TooFewLabels, match="no reviewed area"):
        build_dataset(recipe=RECIPE)


def test_a_cancelled_build_keeps_nothing(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    job = enqueue_job(kind="training.train", title="t", params={})
    handle = claim_job(job_id=job.pk)
    Job.objects.filter(pk=job.pk).update(cancel_requested=True)
    with pytest.raises(JobCancelled):
        build_dataset(recipe=RECIPE, handle=handle)
    assert not list(settings.DATASET_ROOT.iterdir())


def test_a_full_disk_is_refused_before_anything_is_written() -> None:
    check_room(1)
    with pytest.raises(NoRoom, match="remove old datasets"):
        check_room(10**18)


def test_recipe_type_is_kept_with_the_row(cast: Cast, tmp_path: Path) -> None:
    pit_country(tmp_path, cast.ana, count=2)
    dataset = build_dataset(recipe=RECIPE)
    assert Recipe.from_json(dataset.recipe) == RECIPE
    assert dataset.recipe_hash == RECIPE.hash
