"""The fake engine, end to end: a real child process over real files."""

from pathlib import Path

import pytest
import shapely

from inference.core.errors import InferenceError, ModelMissing
from inference.core.preparation import Preparation
from inference.core.sweep import SweepResult, SweepSettings, SweepTarget
from inference.models import ModelVersion
from inference.services.sweeps import sweep
from labelling.core.blobs import blob_path
from labelling.core.raster import SceneRef, transformer
from labelling.services.children import ChildFailed
from tests.inference.models import PREPARATION, fake_model
from tests.inference.scenes import Blob, blob_scene

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]

BLOBS: list[Blob] = [
    (5, 7, 20, 22, "B04"),  # whole in the first window
    (55, 60, 70, 90, "B04"),  # across a seam
    (100, 10, 190, 24, "B03"),  # longer than a window
    (180, 180, 198, 199, "B03"),  # by the far corner
]


def swept(model: ModelVersion, *refs: SceneRef, **more: object) -> list[SweepResult]:
    targets = [SweepTarget(f"scene {number}", ref, **more) for number, ref in enumerate(refs)]  # type: ignore[arg-type]
    return list(sweep(model=model, targets=targets, settings=SweepSettings(min_score=0.2, batch=4), handle=None))


def assert_found(result: SweepResult, blobs: list[Blob], *, within_px: float) -> None:
    kind = {"B04": "open_pit", "B03": "pond"}
    found = sorted((box.type_code, box.x0, box.y0, box.x1, box.y1) for box in result.boxes)
    wanted = sorted((kind[band], x0, y0, x1, y1) for x0, y0, x1, y1, band in blobs)
    assert [row[0] for row in found] == [row[0] for row in wanted]
    for got, real in zip(found, wanted, strict=True):
        assert got[1:] == pytest.approx(real[1:], abs=within_px)


def test_boxes_lie_where_the_blobs_are(tmp_path: Path) -> None:
    result = swept(fake_model(tmp_path), blob_scene(tmp_path / "a.tif", BLOBS))[0]
    assert_found(result, BLOBS, within_px=0.01)
    assert all(0.9 < box.score <= 1 for box in result.boxes)
    assert result.windows == 16


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32722", "EPSG:3857"])
def test_a_scene_of_another_crs_is_read_at_the_models_pixel_size(tmp_path: Path, crs: str) -> None:
    result = swept(fake_model(tmp_path), blob_scene(tmp_path / "a.tif", BLOBS, crs=crs))[0]
    assert_found(result, BLOBS, within_px=1)


def test_pixels_that_are_not_square_on_the_ground_are_made_square(tmp_path: Path) -> None:
    from affine import Affine

    narrow = Affine(0.0000808, 0, -44.6, 0, -0.0000902, -21.07)  # 8.4 m by 10 m
    ref = blob_scene(tmp_path / "a.tif", BLOBS, crs="EPSG:4326", transform=narrow)
    assert_found(swept(fake_model(tmp_path), ref)[0], BLOBS, within_px=1.2)


def test_a_model_of_coarser_pixels_finds_the_same_places(tmp_path: Path) -> None:
    coarse = Preparation(**{**PREPARATION.to_json(), "pixel_m": 20.0, "chip_px": 32})
    blobs: list[Blob] = [(40, 40, 80, 60, "B04"), (120, 100, 160, 160, "B03")]
    result = swept(fake_model(tmp_path, preparation=coarse), blob_scene(tmp_path / "a.tif", blobs))[0]
    assert_found(result, blobs, within_px=2)


def test_a_scene_smaller_than_a_window_is_one_window(tmp_path: Path) -> None:
    blobs: list[Blob] = [(10, 12, 25, 30, "B04")]
    result = swept(fake_model(tmp_path), blob_scene(tmp_path / "a.tif", blobs, size=(40, 50)))[0]
    assert_found(result, blobs, within_px=0.01)
    assert result.windows == 1


def test_windows_without_data_are_not_looked_at(tmp_path: Path) -> None:
    ref = blob_scene(tmp_path / "a.tif", BLOBS[:1], nodata_from=60)
    result = swept(fake_model(tmp_path), ref)[0]
    assert_found(result, BLOBS[:1], within_px=0.01)
    assert result.windows == 8


def test_an_area_limits_windows_and_boxes_but_changes_no_box(tmp_path: Path) -> None:
    ref = blob_scene(tmp_path / "a.tif", BLOBS)
    to_world = transformer(ref.crs, "EPSG:4326").transform
    corner, opposite = (to_world(*(ref.affine @ point)) for point in ((60, 70), (66, 80)))
    result = swept(fake_model(tmp_path), ref, area=shapely.box(*corner, *opposite))[0]
    assert_found(result, [BLOBS[1]], within_px=0.01)
    assert result.windows < 16


def test_results_come_in_the_order_of_the_targets(tmp_path: Path) -> None:
    refs = [blob_scene(tmp_path / f"{number}.tif", BLOBS[: number + 1]) for number in range(3)]
    assert [len(result.boxes) for result in swept(fake_model(tmp_path), *refs)] == [1, 2, 3]


def test_a_scene_that_cannot_be_read_ends_a_strict_sweep_with_its_name(tmp_path: Path) -> None:
    good, bad = blob_scene(tmp_path / "good.tif", BLOBS), blob_scene(tmp_path / "bad.tif", BLOBS)
    whole = Path(bad.path).read_bytes()
    Path(bad.path).write_bytes(whole[: len(whole) // 8])
    with pytest.raises(InferenceError, match=r"bad\.tif"):
        swept(fake_model(tmp_path), bad, good)


def test_otherwise_the_other_scenes_are_still_looked_at(tmp_path: Path) -> None:
    without_red = blob_scene(tmp_path / "a.tif", BLOBS)
    blind = SceneRef(**{**without_red.__dict__, "bands": ("B02", "B03", "B05")})
    targets = [SweepTarget("blind", blind), SweepTarget("good", without_red)]
    settings = SweepSettings()
    blind_result, good = sweep(
        model=fake_model(tmp_path), targets=targets, settings=settings, handle=None, strict=False
    )
    assert "no band B04" in blind_result.error
    assert (good.error, len(good.boxes)) == ("", 4)


def test_weights_that_were_changed_on_disk_are_not_used(tmp_path: Path, settings: object) -> None:
    model = fake_model(tmp_path)
    blob = blob_path(settings.BLOB_ROOT, model.weights_sha256)  # type: ignore[attr-defined]
    original = blob.read_bytes()
    blob.write_bytes(original.replace(b"200", b"100"))
    try:
        with pytest.raises(ModelMissing, match="not those that were registered"):
            swept(model, blob_scene(tmp_path / "a.tif", BLOBS))
    finally:
        blob.write_bytes(original)


def test_an_engine_that_refuses_its_weights_says_why(tmp_path: Path) -> None:
    model = fake_model(tmp_path)
    model.types = ["open_pit", "pond", "heap_leach_pad"]
    with pytest.raises(ChildFailed, match="3 classes, 2 channels"):
        swept(model, blob_scene(tmp_path / "a.tif", BLOBS))


def test_no_targets_start_no_child(tmp_path: Path) -> None:
    assert swept(fake_model(tmp_path)) == []
