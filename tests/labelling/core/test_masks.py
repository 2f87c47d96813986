from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from django.conf import settings
from numpy.typing import NDArray
from rasterio.windows import Window

from labelling.core.masks import (
    LEAST,
    SCL,
    Kind,
    Weights,
    mask_bands,
    read_classes,
    read_weights,
    read_window_weights,
    weigh,
)
from labelling.core.raster import Pixels, SceneRef, open_raster, read_grid
from labelling.core.scene_mapping import SceneMapping
from labelling.core.scenes import describe_scene
from tests.scenes import make_scene, ref_of

BANDS = ("B02", "B03", "B04", "B08", "B11")
T29 = settings.SHARED_DATA / "imagery" / "t29unu_l2a_11band"
NAME = "T29UNU_20221005T115411_{}_60m_crop600.tif"

# Reflectance of B02, B03, B04, B08, B11; rough means of published spectra.
CLOUD = (0.60, 0.58, 0.57, 0.60, 0.35)
FOREST = (0.03, 0.05, 0.03, 0.35, 0.15)
WATER = (0.05, 0.06, 0.04, 0.02, 0.01)
SOIL = (0.12, 0.17, 0.23, 0.30, 0.38)
TAILINGS = (0.42, 0.46, 0.50, 0.53, 0.58)
SNOW = (0.90, 0.90, 0.88, 0.80, 0.05)
SHADED_FOREST = (0.01, 0.015, 0.01, 0.08, 0.03)


def pixels(*spectra: tuple[float, ...], bands: tuple[str, ...] = BANDS, empty: int | None = None) -> Pixels:
    """One row, a pixel for each spectrum."""
    data = np.round(np.array(spectra).T[:, None, :] * 10_000 + 1000).astype(np.uint16)
    mask = np.ones((1, len(spectra)), np.bool_)
    if empty is not None:
        mask[0, empty] = False
    data = data[[BANDS.index(band) for band in bands]]
    scale = (0.0001,) * len(bands), (-0.1,) * len(bands)
    return Pixels(data, mask, "EPSG:32629", Affine(10, 0, 5e5, 0, -10, 5e6), bands, *scale)


def row(*values: int) -> NDArray[np.uint8]:
    return np.array([values], np.uint8)


def kinds(weights: Weights) -> list[Kind]:
    return [Kind(int(kind)) for kind in weights.kinds.ravel()]


def test_the_spectrum_alone_tells_clouds_from_what_else_is_bright() -> None:
    weights = weigh(pixels(CLOUD, FOREST, WATER, SOIL, TAILINGS, SNOW))
    assert kinds(weights) == [Kind.CLOUD, *[Kind.CLEAR] * 5]
    assert weights.values[0, 0] == pytest.approx(LEAST)
    assert weights.values[0, [1, 2, 3, 5]] == pytest.approx([1] * 4, abs=0.04)
    assert weights.values[0, 4] > 0.65
    assert weights.by == "spectrum"


def test_without_infrared_white_tailings_cannot_be_told_from_cloud_and_keep_half_their_weight() -> None:
    weights = weigh(pixels(CLOUD, TAILINGS, FOREST, bands=BANDS[:3]))
    assert weights.values[0, :2] == pytest.approx([0.5, 0.5])
    assert weights.values[0, 2] == 1


def test_haze_lies_between() -> None:
    thin = tuple(0.35 * cloud + 0.65 * ground for cloud, ground in zip(CLOUD, SOIL, strict=True))
    weights = weigh(pixels(thin, tuple(0.9 * one for one in SOIL)))
    assert 0 < weights.values[0, 0] < weights.values[0, 1]


def test_each_class_of_the_scl_has_its_weight() -> None:
    classes = [number for number in SCL if number != 3]
    flat = pixels(*[SHADED_FOREST if number == 2 else CLOUD for number in classes])
    weights = weigh(flat, scl=row(*classes))
    assert weights.values[0].tolist() == pytest.approx([SCL[number][1] for number in classes])
    assert kinds(weights) == [SCL[number][0] for number in classes]
    assert weights.by == "scl + spectrum"


def test_no_pixel_with_data_is_deleted_and_no_data_is_no_data() -> None:
    rng = np.random.default_rng(4)
    many = [tuple(rng.uniform(-0.1, 1.2, 5)) for _ in range(200)]
    for scl in (None, rng.integers(0, 12, (1, 200)).astype(np.uint8)):
        for probability in (None, rng.integers(0, 101, (1, 200)).astype(np.uint8)):
            weights = weigh(pixels(*many, empty=7), scl=scl, probability=probability)
            assert (weights.values[0, 7], weights.kinds[0, 7]) == (0, Kind.NO_DATA)
            others = np.delete(weights.values[0], 7)
            assert others.min() >= LEAST
            assert others.max() <= 1
            assert weights.values.dtype == np.float32


def test_bright_ground_that_the_scl_calls_cloud_keeps_up_to_half_its_weight() -> None:
    weights = weigh(pixels(SOIL, TAILINGS, CLOUD), scl=row(9, 9, 9))
    assert weights.values[0].tolist() == pytest.approx([0.5, 0.335, 0.05], abs=0.01)
    assert kinds(weights) == [Kind.CLOUD] * 3


def test_dark_water_that_the_scl_calls_shadow_keeps_most_of_its_weight() -> None:
    weights = weigh(pixels(WATER, SHADED_FOREST), scl=row(3, 3))
    assert weights.values[0].tolist() == pytest.approx([0.8, 0.4])


def test_ground_by_colour_alone_is_no_second_opinion() -> None:
    assert weigh(pixels(TAILINGS, bands=BANDS[:3]), scl=row(9)).values[0, 0] == pytest.approx(0.05)


def test_a_probability_takes_its_share_and_is_heard_with_the_scl() -> None:
    alone = weigh(pixels(CLOUD, CLOUD, FOREST), probability=row(90, 30, 0))
    assert alone.values[0].tolist() == pytest.approx([0.1, 0.7, 1])
    assert kinds(alone) == [Kind.CLOUD, Kind.HAZE, Kind.CLEAR]
    both = weigh(pixels(CLOUD, CLOUD, SHADED_FOREST), scl=row(8, 10, 3), probability=row(60, 2, 0))
    assert both.values[0].tolist() == pytest.approx([0.3, 0.5, 0.4])
    assert both.by == "scl + probability + spectrum"


def test_where_the_scl_is_silent_the_others_are_heard() -> None:
    weights = weigh(pixels(CLOUD, FOREST), scl=row(0, 0))
    assert kinds(weights) == [Kind.CLOUD, Kind.CLEAR]


def test_a_saturated_pixel_keeps_half() -> None:
    bright = pixels(FOREST, FOREST)
    bright.data[0, 0, 0] = 65535
    assert weigh(bright, scl=row(4, 4)).values[0].tolist() == pytest.approx([0.5, 1])


def test_a_scene_of_which_nobody_can_say_anything_is_clear() -> None:
    weights = weigh(pixels(CLOUD, CLOUD, bands=("B08",), empty=1))
    assert (weights.values[0].tolist(), weights.by) == ([1, 0], "")


def test_shares_are_of_the_pixels_with_data() -> None:
    weights = weigh(pixels(CLOUD, FOREST, FOREST, empty=1))
    assert (weights.share(Kind.CLOUD), weights.share(Kind.CLOUD, Kind.CLEAR)) == (0.5, 1)
    assert weigh(pixels(CLOUD, empty=0)).share(Kind.CLOUD) == 0


@pytest.fixture
def scene(tmp_path: Path) -> SceneRef:
    """64 by 64 pixels of 10 m of forest, the left half of it cloud."""
    data = np.empty((5, 64, 64), np.uint16)
    data[:, :, :32] = np.array(CLOUD)[:, None, None] * 10_000
    data[:, :, 32:] = np.array(FOREST)[:, None, None] * 10_000
    return ref_of(make_scene(tmp_path / "a.tif", bands=BANDS, data=data))


def companion(scene: SceneRef, path: Path, data: NDArray[np.uint8], pixel_m: float = 20) -> str:
    corner = scene.affine
    transform = Affine(pixel_m, 0, corner.c, 0, -pixel_m, corner.f)
    make_scene(path, bands=("SCL",), data=data[None], crs=scene.crs, transform=transform, nodata=0, scale=None)
    return str(path)


def test_a_window_is_weighed_in_the_scene_s_own_grid(scene: SceneRef) -> None:
    weights = read_window_weights(scene, Window(16, 8, 32, 16))
    assert weights.values.shape == (16, 32)
    assert np.allclose(weights.values[:, :16], LEAST)
    assert np.allclose(weights.values[:, 16:], 1)
    beyond = read_window_weights(scene, Window(48, 48, 32, 32))
    assert np.array_equal(beyond.values > 0, np.pad(np.ones((16, 16), np.bool_), ((0, 16), (0, 16))))


def test_companions_of_larger_pixels_are_read_where_they_lie(scene: SceneRef, tmp_path: Path) -> None:
    classes = np.full((32, 32), 4, np.uint8)
    classes[5, 24] = 3
    probability = np.zeros((32, 32), np.uint8)
    probability[6, 25] = 100
    known = replace(
        scene,
        scl=companion(scene, tmp_path / "scl.tif", classes),
        cloud_probability=companion(scene, tmp_path / "cloud.tif", probability),
    )
    weights = read_window_weights(known, Window(40, 0, 24, 24))
    shadow = np.argwhere(weights.kinds == Kind.SHADOW)
    assert shadow.tolist() == [[10, 8], [10, 9], [11, 8], [11, 9]]
    assert np.allclose(weights.values[12:14, 10:12], 0.5)
    assert (weights.values == 1).sum() == 24 * 24 - 8


def test_a_companion_that_covers_a_part_is_heard_there(scene: SceneRef, tmp_path: Path) -> None:
    known = replace(scene, scl=companion(scene, tmp_path / "scl.tif", np.full((8, 32), 4, np.uint8)))
    weights = read_window_weights(known, Window(0, 0, 64, 64))
    assert (weights.kinds[:16] == Kind.CLEAR).all()
    assert (weights.kinds[16:, :32] == Kind.CLOUD).all()


def test_weights_are_read_on_any_grid_and_pixels_that_are_there_are_not_read_again(scene: SceneRef) -> None:
    a, _, c, _, e, f = scene.transform
    coarse = Affine(a * 2, 0, c, 0, e * 2, f)
    there = read_grid(scene, crs=scene.crs, transform=coarse, width=32, height=32)
    weights = read_weights(scene, there)
    assert weights.values.shape == (32, 32)
    assert np.allclose(weights.values[:, :15], LEAST)
    again = read_weights(replace(scene, path="/no/such/file.tif"), there, pixels=there)
    assert np.array_equal(again.values, weights.values)


def test_only_the_bands_that_weights_are_made_from_are_read(scene: SceneRef) -> None:
    assert mask_bands(replace(scene, bands=("B01", "B04", "B12", "B03", "B02"))) == ("B04", "B03", "B02")
    assert mask_bands(replace(scene, bands=("VV", "VH"))) == ("VV",)


@pytest.mark.real
@pytest.mark.skipif(not T29.is_dir(), reason=f"no real product at {T29}: set MAD_SHARED_DATA")
class TestRealFiles:
    @pytest.fixture
    def ref(self) -> SceneRef:
        path = T29 / NAME.format("BOA")
        with open_raster(path) as dataset:
            return describe_scene(dataset, path=path, mapping=SceneMapping()).ref

    def test_the_spectrum_finds_what_the_scl_calls_cloud_and_spares_what_it_calls_ground(self, ref: SceneRef) -> None:
        weights = read_window_weights(ref, Window(0, 0, 600, 600))
        scl = read_classes(str(T29 / NAME.format("SCL")), _grid(ref))
        cloud = weights.kinds == Kind.CLOUD
        assert cloud[scl == 8].mean() > 0.95
        assert cloud[scl == 9].mean() > 0.99
        assert cloud[np.isin(scl, (4, 6))].mean() < 0.01
        assert weights.values[np.isin(scl, (4, 6))].mean() > 0.98

    def test_scl_and_probability_of_the_product_are_heard(self, ref: SceneRef) -> None:
        known = replace(ref, scl=str(T29 / NAME.format("SCL")), cloud_probability=str(T29 / NAME.format("CLDPRB")))
        weights = read_window_weights(known, Window(0, 0, 600, 600))
        scl = read_classes(known.scl, _grid(ref))
        shown = weights.kinds != Kind.NO_DATA
        assert weights.share(Kind.CLOUD, Kind.HAZE) == pytest.approx(np.isin(scl, (8, 9, 10))[shown].mean(), abs=0.001)
        assert weights.values[(scl == 9) & shown].mean() < 0.1
        assert weights.values[(scl == 4) & shown].mean() > 0.99


def _grid(ref: SceneRef) -> Pixels:
    return read_grid(ref, crs=ref.crs, transform=ref.affine, width=600, height=600, bands=("B02",))
