from pathlib import Path

import pytest
import shapely
from shapely.geometry import Point

from labelling.core.errors import NotFound
from labelling.models import Scene, Site
from labelling.models.spatial import to_shapely
from tests.cast import Cast
from tests.truth import LAT, STEP, WEST, complete, draw, mines_along, region, reject, scene_at, square
from training.core.errors import BadRecipe, FrozenTestSet, TooFewLabels
from training.models import TestBlock, TestLabel, TestSet, TestWindow
from training.services.testsets import find_leaks, freeze_testset, testset_named, verify_testset

pytestmark = pytest.mark.django_db
BLOCK_M = 2_000.0


def freeze(name: str = "universal", **more: float) -> TestSet:
    return freeze_testset(name=name, **{"block_m": BLOCK_M, "buffer_m": 500.0, "share": 0.3, **more})  # type: ignore[arg-type]


def test_blocks_cover_types_and_freeze_their_labels(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=10, codes=("open_pit", "pond"))
    testset = freeze()
    labels = TestLabel.objects.filter(testset=testset)
    assert testset.counts["labels"] == labels.count() == 3
    assert set(labels.values_list("mine_type__code", flat=True)) == {"open_pit", "pond"}
    assert testset.counts["labels_everywhere"] == 10
    for label in labels.select_related("window__block"):
        assert to_shapely(label.window.block.geometry).covers(to_shapely(label.geometry).centroid)
        assert to_shapely(label.window.area).covers(to_shapely(label.geometry))


def test_the_same_ground_gives_the_same_checksum_and_another_seed_another(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=10)
    assert freeze("a").checksum == freeze("b").checksum
    assert len({freeze(f"seed-{seed}", seed=seed).checksum for seed in range(1, 5)}) > 1


def test_what_is_frozen_does_not_follow_later_reviews(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=6)
    testset = freeze()
    site = TestLabel.objects.filter(testset=testset).first()
    assert site is not None
    reject(cast.lea, site.site.label)
    complete(cast.ana, square(-44.0, LAT, 3000))
    verify_testset(testset=testset)
    assert freeze("again").checksum != testset.checksum


def test_an_existing_name_is_refused_and_rows_cannot_be_changed(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=6)
    testset = freeze()
    with pytest.raises(FrozenTestSet, match="choose another name"):
        freeze()
    testset.seed = 9
    with pytest.raises(TypeError, match="append-only"):
        testset.save()
    with pytest.raises(TypeError, match="append-only"):
        TestLabel.objects.filter(testset=testset).delete()


def test_a_row_changed_behind_our_back_is_noticed(cast: Cast, tmp_path: Path) -> None:
    from django.db import connection

    mines_along(cast.ana, tmp_path, count=6)
    testset = freeze()
    verify_testset(testset=testset)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE training_testset SET axis = 'method' WHERE id = %s", [testset.pk])
    with pytest.raises(FrozenTestSet, match="not what was frozen"):
        verify_testset(testset=TestSet.objects.get())


def test_a_scene_whose_file_changed_is_noticed(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=6)
    testset = freeze()
    window = TestWindow.objects.filter(block__testset=testset).select_related("scene").first()
    assert window is not None
    Scene.objects.filter(pk=window.scene_id).update(version="another")
    with pytest.raises(FrozenTestSet, match=f"scene {window.scene.name} has changed"):
        verify_testset(testset=testset)


def test_only_verified_labels_in_reviewed_ground_that_a_scene_shows_are_tested(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=6)
    unseen = draw(cast.ana, square(-43.0, LAT))
    complete(cast.ana, square(-43.0, LAT, 400))
    scene_at(tmp_path, lon=-42.003, lat=LAT + 0.003, name="not reviewed")
    not_reviewed = draw(cast.ana, square(-42.0, LAT))
    untyped = draw(cast.ana, square(WEST, LAT - 0.0015, 80), None)
    testset = freeze(share=0.5)
    sites = set(TestLabel.objects.filter(testset=testset).values_list("site_id", flat=True))
    assert testset.counts["labels_everywhere"] == 6
    assert not sites & {unseen.site_id, not_reviewed.site_id, untyped.site_id}


def test_untyped_and_contested_ground_is_cut_out_of_the_window(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=6)
    for number in range(6):
        draw(cast.ana, square(WEST + STEP * number, LAT - 0.0015, 80), None)
    testset = freeze()
    window = TestWindow.objects.filter(block__testset=testset).first()
    label = TestLabel.objects.filter(window=window).first()
    assert window is not None
    assert label is not None
    centre = to_shapely(label.geometry).centroid
    area = to_shapely(window.area)
    assert area.covers(centre)
    assert not area.intersects(Point(centre.x, centre.y - 0.0015))


def test_of_two_scenes_the_one_that_was_reviewed_on_is_scored(cast: Cast, tmp_path: Path) -> None:
    reviewed = mines_along(cast.ana, tmp_path, count=4)
    for number, scene in enumerate(reviewed):
        west, _, _, north = to_shapely(scene.footprint).bounds
        scene_at(tmp_path, lon=west, lat=north + 1e-6, name=f"newer {number}", tags={"DATETIME": "2026"})
    testset = freeze()
    windows = TestWindow.objects.filter(block__testset=testset)
    assert set(windows.values_list("scene_id", flat=True)) <= {scene.pk for scene in reviewed}


def test_blocks_where_nothing_was_found_are_tested_too(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=6)
    for number in range(4):
        lon = WEST + STEP * (number + 10)
        scene_at(tmp_path, lon=lon - 0.003, lat=LAT + 0.003, name=f"empty {number}")
        complete(cast.ana, square(lon, LAT, 300))
    testset = freeze(share=0.5)
    assert testset.counts["empty_blocks"] == 2
    assert TestBlock.objects.filter(testset=testset, windows__labels=None).count() == 2


def test_a_block_has_the_region_of_its_labels(cast: Cast, tmp_path: Path) -> None:
    region(563, "Caatinga", square(-44.0, LAT, 200_000))
    mines_along(cast.ana, tmp_path, count=6)
    testset = freeze()
    assert testset.counts["regions"] == {"Caatinga": testset.counts["labels"]}
    assert {block.region.name for block in TestBlock.objects.filter(testset=testset) if block.region} == {"Caatinga"}


def test_ground_within_the_buffer_leaks_and_ground_beyond_does_not(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=6)
    testset = freeze()
    block = TestBlock.objects.filter(testset=testset).first()
    assert block is not None
    west, south, east, north = to_shapely(block.geometry).bounds
    inside, beside, far = (
        square((west + east) / 2, (south + north) / 2),
        square(east + 0.003, north, 100),
        square(east, north + 0.1, 100),
    )
    assert find_leaks(testset=testset, footprints=[far, beside, inside]) == [1, 2]
    assert shapely.distance(beside, to_shapely(block.geometry)) > 0


def test_one_place_alone_cannot_be_tested(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=1)
    with pytest.raises(TooFewLabels, match=r"1 verified labels .*--block-m"):
        freeze()
    assert not TestSet.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": "Über"}, "small letters"),
        ({"name": "../etc"}, "small letters"),
        ({"axis": "colour"}, "no axis 'colour'"),
        ({"share": 0.0}, "share"),
        ({"share": 0.6}, "share"),
        ({"buffer_m": -1.0}, "buffer"),
        ({"block_m": 5.0}, "side of a block"),
    ],
)
def test_values_out_of_range_are_refused(db: None, wrong: dict[str, object], told: str) -> None:
    with pytest.raises(BadRecipe, match=told):
        freeze_testset(**{"name": "universal", **wrong})  # type: ignore[arg-type]


def test_the_newest_is_found_without_a_name(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="freeze_testset NAME"):
        testset_named()
    mines_along(cast.ana, tmp_path, count=6)
    freeze("old")
    freeze("new", seed=1)
    assert testset_named().name == "new"
    assert testset_named("old").name == "old"
    with pytest.raises(NotFound, match="no test set is called older: new, old"):
        testset_named("older")


def test_every_site_in_a_block_or_its_buffer_is_asked_of_two_people(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=10)
    testset = freeze()
    ground = shapely.union_all([to_shapely(block.buffered) for block in TestBlock.objects.filter(testset=testset)])
    asked = {site.pk for site in Site.objects.all() if to_shapely(site.footprint).intersects(ground)}
    assert set(TestLabel.objects.values_list("site_id", flat=True)) <= asked
    assert asked == set(Site.objects.filter(least_opinions=2).values_list("pk", flat=True))
    assert asked == set(Site.objects.filter(due_again=True, state="verified").values_list("pk", flat=True))
    assert Site.objects.filter(least_opinions=1).count() == 10 - len(asked) > 0
