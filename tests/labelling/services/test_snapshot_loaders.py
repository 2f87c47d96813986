"""Exports of real files by the real loaders: ultralytics, pycocotools, faster-coco-eval, ogrinfo."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from labelling.core.chips import geometry_in_chip
from labelling.core.export_files import boxes_of_coco, boxes_of_yolo, grid_of
from labelling.models import Decision, Label, Snapshot
from labelling.models.spatial import to_shapely
from tests.cast import Cast
from tests.exports import SMALL, export, places, six_mines

pytestmark = pytest.mark.django_db


@pytest.fixture
def mines(cast: Cast, tmp_path: Path) -> list[Label]:
    return six_mines(cast, tmp_path)


def assert_boxes_fit(snapshot: Snapshot, boxes: dict[str, list[list[float]]]) -> None:
    """Every box, carried through its chip's transform, lies within a pixel of the label in the database."""
    for place in places(snapshot):
        for found, row in zip(boxes[place["file"]], place["labels"], strict=True):
            label = Label.objects.get(site=row["site"])
            wanted = geometry_in_chip(to_shapely(label.geometry), grid_of(place)).bounds
            np.testing.assert_allclose(found, wanted, atol=1)


def test_yolo_holds_every_label_where_it_is(mines: list[Label]) -> None:
    snapshot = export("yolo")
    boxes = boxes_of_yolo(snapshot.folder, places(snapshot))
    assert sum(map(len, boxes.values())) == snapshot.counts["labels"] == Label.objects.count() == 6
    assert_boxes_fit(snapshot, boxes)
    assert set(snapshot.sites.values_list("pk", flat=True)) == {label.site_id for label in mines}
    assert snapshot.last_decision == Decision.objects.latest("pk").pk


@pytest.mark.worker
def test_ultralytics_loads_the_yolo_set(mines: list[Label]) -> None:
    data = pytest.importorskip("ultralytics.data.utils")
    from ultralytics.cfg import get_cfg
    from ultralytics.data.dataset import YOLODataset

    snapshot = export("yolo")
    described = data.check_det_dataset(str(snapshot.folder / "data.yaml"), autodownload=False)
    assert list(described["names"].values()) == ["open_pit", "waste_rock_dump", "pond"]
    copy = snapshot.folder.parent / "loaded"  # it writes a cache beside the labels
    shutil.copytree(snapshot.folder, copy)
    loaded = YOLODataset(img_path=str(copy / "images"), data=described, hyp=get_cfg(), augment=False, imgsz=64)
    assert len(loaded) == snapshot.counts["chips"]
    assert sum(len(label["bboxes"]) for label in loaded.labels) == snapshot.counts["labels"]
    codes = [described["names"][int(number)] for label in loaded.labels for number in label["cls"].ravel()]
    assert sorted(codes) == sorted(label.types()["feature"] for label in mines)


@pytest.mark.worker
def test_ultralytics_loads_many_bands_and_outlines(mines: list[Label]) -> None:
    data = pytest.importorskip("ultralytics.data.utils")
    from ultralytics.cfg import get_cfg
    from ultralytics.data.dataset import YOLODataset

    snapshot = export("yolo", bands=("B02", "B03", "B04", "B08"), outlines=True)
    copy = snapshot.folder.parent / "loaded"
    shutil.copytree(snapshot.folder, copy)
    described = data.check_det_dataset(str(copy / "data.yaml"), autodownload=False)
    assert described["channels"] == 4
    loaded = YOLODataset(
        img_path=str(copy / "images"), data=described, hyp=get_cfg(), augment=False, imgsz=64, task="segment"
    )
    assert sum(len(label["segments"]) for label in loaded.labels) == 6
    assert loaded.load_image(0)[0].shape == (64, 64, 4)


def test_pycocotools_and_faster_coco_eval_load_the_coco_file(mines: list[Label]) -> None:
    from pycocotools import mask
    from pycocotools.coco import COCO

    snapshot = export("coco")
    path = str(snapshot.folder / "annotations.json")
    loaded = COCO(path)
    assert len(loaded.getAnnIds()) == len(mines)
    assert len(loaded.getImgIds()) == snapshot.counts["chips"]
    assert {annotation["site"] for annotation in loaded.loadAnns(loaded.getAnnIds())} == {m.site_id for m in mines}
    for annotation in loaded.loadAnns(loaded.getAnnIds()):
        rings = mask.frPyObjects(annotation["segmentation"], SMALL["chip_px"], SMALL["chip_px"])
        assert mask.area(rings).sum() == pytest.approx(annotation["area"], rel=0.1)
    assert_boxes_fit(snapshot, boxes_of_coco(snapshot.folder))
    faster = pytest.importorskip("faster_coco_eval")
    assert len(faster.COCO(path).getAnnIds()) == len(mines)


def test_ogrinfo_reads_the_geojson(mines: list[Label]) -> None:
    ogrinfo = shutil.which("ogrinfo")
    if ogrinfo is None:
        pytest.skip("ogrinfo is not installed (Debian: gdal-bin)")
    snapshot = export("geojson")
    path = snapshot.folder / "labels.geojson"
    said = subprocess.run([ogrinfo, "-so", str(path), "labels"], capture_output=True, text=True, check=True).stdout
    assert f"Feature Count: {len(mines)}\n" in said
    assert 'ID["EPSG",4326]' in said
    for field in ("site", "state", "feature", "verified_by", "verified_at", "verified_level", "licences"):
        assert f"\n{field}: " in said
