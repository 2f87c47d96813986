"""The real chips of Brazil: a test set frozen on them, finds scored, and everything exported and read back."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from django.conf import settings
from PIL import Image
from shapely.geometry import shape

from inference.core.sweep import Box, SweepResult
from labelling.core.chips import geometry_in_chip
from labelling.core.export import ExportSettings
from labelling.core.export_files import boxes_of_coco, boxes_of_yolo, grid_of
from labelling.models import Label, Scene
from labelling.models.spatial import to_shapely
from labelling.services.scenes import import_scenes
from labelling.services.snapshots import begin_snapshot, write_snapshot
from tests.cast import Cast
from tests.inference.models import fake_model
from tests.truth import complete, draw
from training.models import TestLabel, TestSet
from training.services.evaluation import evaluate_model
from training.services.testsets import freeze_testset, verify_testset

BRAZIL = settings.SHARED_DATA / "imagery" / "brazil_tailings" / "scenes"
POLYGONS = settings.SHARED_DATA / "seeds" / "labelled" / "brazil_tailings_polygons.geojson"
NUMBERS = (1, 2, 3, 4, 5, 6, 14, 71, 72, 88, 89, 91)
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.real,
    pytest.mark.skipif(not BRAZIL.is_dir(), reason="no Brazil chips: set MAD_SHARED_DATA to the shared data"),
]


@pytest.fixture
def country(cast: Cast) -> int:
    """Scenes reviewed whole, and the valid polygons whose middle lies in one; gives how many labels there are."""
    files = [BRAZIL / f"chip_{number:03d}.tif" for number in NUMBERS]
    import_scenes(paths=[file for file in files if file.is_file()], kind="composite", sensor="sentinel-2-l1c")
    grounds = []
    for scene in Scene.objects.all():
        grounds.append(shapely.get_parts(to_shapely(scene.footprint))[0])
        complete(cast.ana, grounds[-1], scene=scene)
    for feature in json.loads(POLYGONS.read_text())["features"]:
        outline = shape(feature["geometry"])
        if outline.is_valid and any(ground.contains(outline.representative_point()) for ground in grounds):
            draw(cast.ana, outline, "tailings_storage_facility")
    return Label.objects.count()


@pytest.mark.parametrize("format_", ["yolo", "coco"])
def test_every_label_of_brazil_is_read_back_where_it_is(country: int, format_: str) -> None:
    snapshot = write_snapshot(snapshot=begin_snapshot(settings=ExportSettings(format_)))
    assert snapshot.counts["labels"] == country >= 8
    places = [json.loads(line) for line in (snapshot.folder / "georeference.jsonl").read_text().splitlines()]
    boxes = boxes_of_yolo(snapshot.folder, places) if format_ == "yolo" else boxes_of_coco(snapshot.folder)
    for place in places:
        for found, row in zip(boxes[place["file"]], place["labels"], strict=True):
            outline = to_shapely(Label.objects.get(site=row["site"]).geometry)
            np.testing.assert_allclose(found, geometry_in_chip(outline, grid_of(place)).bounds, atol=1)
        with Image.open(snapshot.folder / place["file"]) as image:
            ground = np.asarray(image)[np.asarray(image).any(axis=2)]
        assert 15 < ground.mean() < 200  # neither black nor white: the stretch fits real ground


def test_geojson_holds_the_outlines_of_brazil(country: int) -> None:
    snapshot = write_snapshot(snapshot=begin_snapshot(settings=ExportSettings("geojson")))
    features = json.loads((snapshot.folder / "labels.geojson").read_text())["features"]
    assert len(features) == country
    for feature in features:
        there = to_shapely(Label.objects.get(site=feature["id"]).geometry)
        assert shape(feature["geometry"]).symmetric_difference(there).area < 1e-6 * there.area + 1e-10


def test_the_truth_itself_scores_one_and_the_same_shifted_does_not(country: int, cast: Cast, tmp_path: Path) -> None:
    pytest.importorskip("faster_coco_eval")
    testset = freeze_testset(name="brazil", block_m=10_000, buffer_m=1_000, share=0.3)
    verify_testset(testset=testset)
    model = fake_model(tmp_path, types=("tailings_storage_facility",))

    def oracle(shift: float) -> list[SweepResult]:
        return [result_of(testset, pk, shift) for pk in sorted(testset_scenes(testset))]

    perfect = evaluate_model(model=model, testset=testset, find=lambda **_: iter(oracle(0.0)))
    shifted = evaluate_model(model=model, testset=testset, find=lambda **_: iter(oracle(500.0)))
    assert perfect[0].ap50 == pytest.approx(1.0)
    assert perfect[0].ap50_95 == pytest.approx(1.0)
    assert perfect[0].truths == testset.counts["labels"]
    assert shifted[0].ap50 == 0


def testset_scenes(testset: TestSet) -> set[int]:
    return set(TestLabel.objects.filter(testset=testset).values_list("window__scene_id", flat=True))


testset_scenes.__test__ = False  # type: ignore[attr-defined]  # not a test of pytest's


def result_of(testset: TestSet, scene: int, shift: float) -> SweepResult:
    """What a model would say that knows the truth, carried over to pixels by GeoTIFF transform alone."""
    ref = Scene.objects.get(pk=scene).ref()
    boxes = []
    for label in TestLabel.objects.filter(testset=testset, window__scene_id=scene):
        outline = shapely.transform(to_shapely(label.geometry), lambda xy: np.column_stack(~ref.affine * tuple(xy.T)))
        x0, y0, x1, y1 = outline.bounds
        x0, x1 = (min(max(x, 0), ref.width) for x in (x0, x1))
        y0, y1 = (min(max(y, 0), ref.height) for y in (y0, y1))
        boxes.append(Box(x0 + shift, y0, x1 + shift, y1, 0.9, label.mine_type.code))
    return SweepResult(str(scene), boxes, 1)
