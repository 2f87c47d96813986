"""What goes into an export, what is told of it, and an export that is stopped, killed or short of room."""

import hashlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from django.conf import settings as django_settings
from PIL import Image
from shapely.affinity import translate
from shapely.geometry import Point, box, shape

from labelling.core.chips import geometry_in_chip, yolo_line
from labelling.core.errors import BadInput, NotFound, TryLater
from labelling.core.export import ExportSettings
from labelling.core.export_files import ExportBroken, grid_of
from labelling.models import Job, Label, Site, Snapshot, Source
from labelling.models.spatial import to_shapely
from labelling.services import jobs
from labelling.services.snapshots import (
    begin_snapshot,
    copy_snapshot,
    enqueue_snapshot,
    run_snapshot,
    whole_snapshot,
    write_snapshot,
)
from tests.cast import Cast
from tests.exports import SMALL, export, places, six_mines
from tests.truth import LAT, WEST, complete, draw, mines_along, reject, scene_at, square

pytestmark = pytest.mark.django_db


@pytest.fixture
def mines(cast: Cast, tmp_path: Path) -> list[Label]:
    return six_mines(cast, tmp_path)


def test_a_feature_says_who_verified_it_and_under_what_licence(cast: Cast, mines: list[Label]) -> None:
    Source.objects.update(licence="CC-BY-4.0")
    content = json.loads((export("geojson").folder / "labels.geojson").read_text())
    feature = content["features"][0]
    properties, label = feature["properties"], mines[0]
    assert feature["id"] == properties["site"] == label.site_id
    assert properties["verified_by"] == f"reviewer-{cast.ana.pk}"
    assert properties["sources"] == "drawn by reviewers"
    assert not re.search(r"\bana\b", json.dumps(content))
    assert properties["verified_level"] == "1 review"
    assert properties["verified_at"].endswith("+00:00")
    assert (properties["state"], properties["feature"]) == ("verified", "open_pit")
    assert properties["licences"] == "CC-BY-4.0"
    assert shape(feature["geometry"]).symmetric_difference(to_shapely(label.geometry)).area < 1e-9


def test_only_verified_labels_unless_asked_for(cast: Cast, mines: list[Label]) -> None:
    reject(cast.lea, mines[0])
    assert export("geojson").counts["labels"] == 5
    both = export("geojson", states=("verified", "rejected"))
    features = json.loads((both.folder / "labels.geojson").read_text())["features"]
    rejected = next(f["properties"] for f in features if f["properties"]["site"] == mines[0].site_id)
    assert (rejected["state"], rejected["reason"]) == ("rejected", "not_a_mine")
    assert rejected["decided_level"] == "lead"
    assert "verified_by" not in rejected
    with pytest.raises(BadInput, match="verified labels only"):
        export("yolo", states=("verified", "rejected"))


def test_windows_without_a_mine_have_an_empty_file(mines: list[Label]) -> None:
    snapshot = export("yolo")
    empty = [place for place in places(snapshot) if not place["labels"]]
    assert len(empty) == snapshot.counts["empty_chips"] > 0
    for place in empty:
        assert (snapshot.folder / "labels" / f"{place['chip']}.txt").read_text() == ""
        assert place["shown"] >= 0.5
        for label in mines:
            assert not grid_of(place).footprint().intersects(to_shapely(label.geometry))


def test_what_was_not_reviewed_is_black(mines: list[Label]) -> None:
    snapshot = export("yolo", chip_px=96)
    place = next(place for place in places(snapshot) if place["labels"])
    with Image.open(snapshot.folder / place["file"]) as image:
        pixels = np.asarray(image)
    middle = slice(38, 58)
    assert pixels[middle, middle].any(axis=2).all()
    assert not pixels[:5].any()
    assert 0.1 < place["shown"] < 0.25  # 400 m reviewed of 960 m


def test_ground_of_unknown_truth_is_black(cast: Cast, mines: list[Label]) -> None:
    unknown = square(WEST, LAT - 0.0014, 60)
    draw(cast.ana, unknown, None)
    snapshot = export("yolo")
    site = mines[0].site_id
    place = next(p for p in places(snapshot) if site in {row["site"] for row in p["labels"]})
    x0, y0, x1, y1 = geometry_in_chip(unknown, grid_of(place)).bounds
    with Image.open(snapshot.folder / place["file"]) as image:
        pixels = np.asarray(image)
    assert not pixels[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))].any()
    assert snapshot.counts["left_out"] == {"without a type on this axis": 1}


def test_labels_that_cannot_be_on_a_chip_are_counted(cast: Cast, mines: list[Label]) -> None:
    draw(cast.ana, square(WEST - 1, LAT))
    label = draw(cast.ana, square(WEST + 0.0004, LAT + 0.0016, 5))
    label.geometry = label.geometry.centroid
    label.save(update_fields=["geometry"])
    snapshot = export("coco")
    assert snapshot.counts["left_out"] == {"outside every reviewed area": 1, "known only as a point": 1}
    assert snapshot.counts["labels"] == 6
    assert export("geojson").counts["labels"] == 8


def test_a_label_that_no_scene_shows_is_counted(cast: Cast, mines: list[Label]) -> None:
    draw(cast.ana, square(WEST - 1, LAT))
    complete(cast.ana, square(WEST - 1, LAT, 500))
    counts = export("yolo").counts
    assert counts["left_out"] == {"too small, or on no scene with the bands": 1}
    assert counts["labels"] == 6


def test_a_scene_without_data_gives_way_to_one_that_has_it(cast: Cast, tmp_path: Path) -> None:
    (scene,) = mines_along(cast.ana, tmp_path, count=1)
    west, _, _, north = to_shapely(scene.footprint).bounds
    nothing = np.zeros((4, 64, 64), np.uint16)
    nothing[:, :2, :] = 1000
    nothing[:, :, :2] = 1000
    blank = scene_at(tmp_path, lon=west, lat=north, name="blank", data=nothing, nodata=0)
    type(blank).objects.filter(pk=blank.pk).update(quality={"valid": 1.0}, footprint=scene.footprint)
    type(scene).objects.filter(pk=scene.pk).update(quality={"valid": 0.5})
    area = Label.objects.get()
    from labelling.models import ReviewedArea

    ReviewedArea.objects.update(scene=blank)
    snapshot = export("yolo")
    assert snapshot.counts["labels"] == 1
    assert places(snapshot)[0]["scene"]["name"] == scene.name
    assert area.site_id == places(snapshot)[0]["labels"][0]["site"]


def test_neighbours_share_a_chip_and_are_counted_once(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=1)
    draw(cast.ana, square(WEST + 0.0014, LAT, 60), "pond")
    snapshot = export("yolo")
    assert (snapshot.counts["chips"] - snapshot.counts["empty_chips"], snapshot.counts["boxes"]) == (1, 2)
    assert snapshot.counts["types"] == {"open_pit": 1, "pond": 1}


def test_filters_take_what_they_name(mines: list[Label]) -> None:
    assert export("geojson", types=("pond",)).counts["types"] == {"pond": 2}
    ponds = export("yolo", types=("pond",))
    assert ponds.counts["types"] == {"pond": 2}
    assert (ponds.folder / "data.yaml").read_text().endswith("names:\n  0: pond\n")
    refused: list[tuple[dict[str, Any], str]] = [
        ({"types": ("gold",)}, "no type gold on the axis feature"),
        ({"regions": (99,)}, "no region numbered 99"),
        ({"campaign": "nobody"}, "no campaign 'nobody'"),
        ({"axis": "colour"}, "no axis 'colour'"),
        ({"bands": ("B99",)}, "no scene has the bands B99"),
    ]
    for wrong, told in refused:
        with pytest.raises(BadInput, match=told):
            export("yolo", **wrong)


def test_nothing_to_export_says_what_to_do(cast: Cast) -> None:
    with pytest.raises(BadInput, match="review sites first"):
        export("geojson")
    draw(cast.ana, square(WEST, LAT))
    with pytest.raises(BadInput, match=r"1 outside every reviewed area\. Complete windows"):
        export("yolo")


def test_the_manifest_names_every_file_and_the_same_is_the_same(mines: list[Label]) -> None:
    first, second = export("coco"), export("coco")
    assert first.sha256 == second.sha256
    assert hashlib.sha256((first.folder / "manifest.json").read_bytes()).hexdigest() == first.sha256
    manifest = json.loads((first.folder / "manifest.json").read_text())
    files = {str(path.relative_to(first.folder)) for path in first.folder.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == files - {"manifest.json"}
    for name, row in manifest["files"].items():
        content = (first.folder / name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (row["sha256"], row["bytes"])


def test_a_later_decision_makes_another_snapshot(cast: Cast, mines: list[Label]) -> None:
    before = export("geojson")
    reject(cast.lea, mines[0])
    after = export("geojson")
    assert after.sha256 != before.sha256
    assert after.last_decision > before.last_decision


def test_the_card_tells_counts_licences_fields_and_how_to_load(mines: list[Label]) -> None:
    Source.objects.update(licence="ODbL-1.0", citation="Somebody | 2020", kind="polygons", name="Maus")
    for format_, loads in [("yolo", "yolo detect train"), ("coco", "pycocotools"), ("geojson", "ogrinfo")]:
        folder = export(format_).folder
        card, fields = (folder / "README.md").read_text(), (folder / "FIELDS.md").read_text()
        assert loads in card
        assert "| Maus | ODbL-1.0 | 6 | Somebody \\| 2020" in card
        assert "| labels | 6 |" in card
        assert "verified_by" in fields
        assert ("georeference.jsonl" in fields) is (format_ != "geojson")


def test_every_field_is_in_the_field_list(mines: list[Label]) -> None:
    snapshot = export("coco")
    fields = (snapshot.folder / "FIELDS.md").read_text()
    place = next(place for place in places(snapshot) if place["labels"])
    for name in (*place, *(f"labels[].{name}" for name in place["labels"][0])):
        assert f" {name} " in fields or f"{name}," in fields or f", {name}" in fields, name


def test_synthetic_labels_are_marked(mines: list[Label]) -> None:
    Site.objects.update(synthetic=True)
    snapshot = export("geojson")
    assert "Synthetic: generated imagery" in (snapshot.folder / "README.md").read_text()
    assert json.loads((snapshot.folder / "labels.geojson").read_text())["features"][0]["properties"]["synthetic"]


def test_the_archive_holds_the_same_files_in_one_folder(mines: list[Label]) -> None:
    snapshot = export("yolo")
    with zipfile.ZipFile(snapshot.archive) as archive:
        assert archive.testzip() is None
        names = {name.removeprefix(f"{snapshot.name}/") for name in archive.namelist()}
        manifest = archive.read(f"{snapshot.name}/manifest.json")
    assert names == {str(path.relative_to(snapshot.folder)) for path in snapshot.folder.rglob("*") if path.is_file()}
    assert hashlib.sha256(manifest).hexdigest() == snapshot.sha256


def test_a_job_exports_and_ends_with_the_row(cast: Cast, mines: list[Label]) -> None:
    snapshot = enqueue_snapshot(settings=ExportSettings(format="geojson"), name="mines-1", user=cast.ada)
    assert not snapshot.is_whole
    with pytest.raises(NotFound):
        whole_snapshot(key=snapshot.key)
    assert snapshot.job is not None
    jobs.run_job(job_id=snapshot.job.pk, work=lambda job, handle: run_snapshot(job=job, handle=handle))
    job = Job.objects.get()
    assert (job.state, job.result["labels"], job.kind) == (Job.State.DONE, 6, "labelling.export")
    assert whole_snapshot(key=snapshot.key).name == "mines-1"


def test_a_cancelled_job_leaves_nothing(cast: Cast, mines: list[Label]) -> None:
    snapshot = enqueue_snapshot(settings=ExportSettings(format="yolo", **SMALL), user=cast.ada)

    def work(job: Job, handle: jobs.JobHandle) -> dict[str, Any]:
        jobs.request_cancel(job=job, user=cast.ada)
        return run_snapshot(job=job, handle=handle)

    assert snapshot.job is not None
    jobs.run_job(job_id=snapshot.job.pk, work=work)
    assert Job.objects.get().state == Job.State.CANCELLED
    assert not [path for path in django_settings.EXPORT_ROOT.iterdir() if str(snapshot.key) in path.name]


def test_a_job_that_was_lost_publishes_nothing(mines: list[Label]) -> None:
    snapshot = enqueue_snapshot(settings=ExportSettings(format="geojson"))
    assert snapshot.job is not None
    handle = jobs.claim_job(job_id=snapshot.job.pk)
    assert handle is not None
    Job.objects.update(attempt=7)
    with pytest.raises(jobs.LostJob):
        write_snapshot(snapshot=snapshot, handle=handle)
    snapshot.refresh_from_db()
    assert not snapshot.is_whole
    assert not snapshot.folder.exists()


def test_files_that_lack_a_label_are_not_published(mines: list[Label], monkeypatch: pytest.MonkeyPatch) -> None:
    def off(number: int, part: Any, side: int, kind: Any) -> str:
        return yolo_line(number, translate(part, 3, 0), side, kind)

    monkeypatch.setattr("labelling.core.export_files.yolo_line", off)
    with pytest.raises(ExportBroken, match="is not where the label is"):
        export("yolo")
    snapshot = Snapshot.objects.get()
    assert not snapshot.is_whole
    assert not snapshot.folder.exists()


def test_a_full_disk_refuses_before_it_begins(mines: list[Label], monkeypatch: pytest.MonkeyPatch) -> None:
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("labelling.services.snapshots.writing.shutil.disk_usage", lambda _: usage(100, 99, 1))
    with pytest.raises(TryLater, match="1% of the disk"):
        export("geojson")


def test_names_are_made_checked_and_kept_apart(cast: Cast) -> None:
    settings = ExportSettings(format="geojson")
    first, second = begin_snapshot(settings=settings), begin_snapshot(settings=settings)
    assert first.name.startswith("geojson-2")
    assert (first.name[-2:], second.name[-2:]) == ("-1", "-2")
    for name, told in [(first.name, "exists and does not change"), ("../x", "is no name"), ("A", "is no name")]:
        with pytest.raises(BadInput, match=told):
            begin_snapshot(settings=settings, name=name)


def test_a_copy_goes_into_an_empty_folder_only(mines: list[Label], tmp_path: Path) -> None:
    snapshot = export("geojson")
    out = tmp_path / "out"
    out.mkdir()
    copy_snapshot(snapshot=snapshot, out=out)
    assert (out / "manifest.json").read_bytes() == (snapshot.folder / "manifest.json").read_bytes()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []
    with pytest.raises(BadInput, match="not an empty folder"):
        copy_snapshot(snapshot=snapshot, out=out)


def test_a_mine_over_the_antimeridian_is_two_polygons_in_geojson(cast: Cast) -> None:
    fiji = shapely.union_all([box(179.99, -17, 180, -16.99), box(-180, -17, -179.99, -16.99)])
    draw(cast.ana, fiji)
    feature = json.loads((export("geojson").folder / "labels.geojson").read_text())["features"][0]
    written = shape(feature["geometry"])
    assert written.geom_type == "MultiPolygon"
    assert written.covers(Point(179.995, -16.995))
    assert not written.covers(Point(0, -16.995))
