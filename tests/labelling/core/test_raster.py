import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.windows import Window

from labelling.core.errors import BadRaster
from labelling.core.raster import Pixels, SceneRef, read_grid, read_window, transformer, utm_of
from tests.scenes import made_up_ground, make_scene, ref_of

SIDE = 48


@pytest.fixture(scope="module")
def ref(tmp_path_factory: pytest.TempPathFactory) -> SceneRef:
    return ref_of(make_scene(tmp_path_factory.mktemp("scenes") / "plain.tif", size=SIDE))


@pytest.fixture(scope="module")
def ground() -> np.ndarray[Any, Any]:
    return made_up_ground(4, SIDE, SIDE)


def holed() -> np.ndarray[Any, Any]:
    """A square without any data, and a square in which one band only lacks them."""
    data = made_up_ground(4, SIDE, SIDE)
    data[:, 10:20, 10:20] = 0
    data[2, 30:36, 30:36] = 0
    return data


def test_a_window_is_the_file_s_own_numbers(ref: SceneRef, ground: np.ndarray[Any, Any]) -> None:
    pixels = read_window(ref, Window(5, 7, 20, 11))
    assert (pixels.data == ground[:, 7:18, 5:25]).all()
    assert pixels.mask.all()
    assert pixels.transform @ (0, 0) == pytest.approx(ref.affine @ (5, 7))


def test_bands_come_in_the_order_asked_for(ref: SceneRef, ground: np.ndarray[Any, Any]) -> None:
    pixels = read_window(ref, Window(0, 0, 8, 8), bands=("B08", "B02"))
    assert pixels.bands == ("B08", "B02")
    assert (pixels.data == ground[[3, 0], :8, :8]).all()
    with pytest.raises(BadRaster, match="no band B12; the scene has B02, B03, B04, B08"):
        read_window(ref, Window(0, 0, 8, 8), bands=("B12",))


@settings(max_examples=60, deadline=None)
@given(st.builds(Window, st.integers(-70, 70), st.integers(-70, 70), st.integers(1, 80), st.integers(1, 80)))
def test_any_whole_window_shows_what_is_inside_and_masks_the_rest(
    ref: SceneRef, ground: np.ndarray[Any, Any], window: Window
) -> None:
    pixels = read_window(ref, window)
    rows = np.arange(window.row_off, window.row_off + window.height)
    columns = np.arange(window.col_off, window.col_off + window.width)
    inside = ((rows >= 0) & (rows < SIDE))[:, None] & ((columns >= 0) & (columns < SIDE))
    assert (pixels.mask == inside).all()
    wanted = ground[:, rows.clip(0, SIDE - 1)][:, :, columns.clip(0, SIDE - 1)]
    assert (pixels.data[:, inside] == wanted[:, inside]).all()
    assert (pixels.reflectance()[:, ~inside] == 0).all()


@settings(max_examples=40, deadline=None)
@given(st.tuples(st.floats(-60, 60), st.floats(-60, 60)), st.floats(4, 90), st.integers(1, 70))
def test_a_resampled_window_keeps_its_place_and_stays_within_the_ground_s_range(
    ref: SceneRef, ground: np.ndarray[Any, Any], corner: tuple[float, float], side: float, size: int
) -> None:
    column, row = corner
    pixels = read_window(ref, Window(column, row, side, side), size=size)
    assert pixels.data.shape == (4, size, size)
    assert pixels.transform @ (size, size) == pytest.approx(ref.affine @ (column + side, row + side))
    step = side / size
    edges = column + np.arange(size + 1) * step
    wholly = (edges[:-1] > -1e-3 * step) & (edges[1:] < SIDE + 1e-3 * step)
    assert not pixels.mask[:, ~wholly].any()
    if pixels.mask.any():
        assert (
            ground.min() - 1 <= pixels.data[:, pixels.mask].min() <= pixels.data[:, pixels.mask].max() <= ground.max()
        )


def test_halving_a_window_averages_four_pixels(tmp_path: Path) -> None:
    data = np.kron(np.arange(1, 17, dtype=np.uint16).reshape(4, 4) * 100, np.ones((2, 2), np.uint16))[None]
    ref = ref_of(make_scene(tmp_path / "a.tif", data=data, bands=("B02",)))
    inner = read_window(ref, Window(0, 0, 8, 8), size=4).data[0, 1:3, 1:3]
    assert np.allclose(inner, [[600, 700], [1000, 1100]], atol=60)


def test_a_pixel_counts_only_where_every_band_asked_for_has_data(tmp_path: Path) -> None:
    ref = ref_of(make_scene(tmp_path / "a.tif", data=holed(), nodata=0))
    whole = Window(0, 0, SIDE, SIDE)
    assert (~read_window(ref, whole).mask).sum() == 136
    assert (~read_window(ref, whole, bands=("B02",)).mask).sum() == 100


@pytest.mark.parametrize("size", [SIDE, SIDE // 2, SIDE * 2, 31])
@pytest.mark.parametrize("said_by_file", [True, False])
def test_nodata_is_not_mixed_into_its_neighbours(tmp_path: Path, size: int, said_by_file: bool) -> None:
    path = make_scene(tmp_path / "a.tif", data=holed(), nodata=0 if said_by_file else None)
    pixels = read_window(ref_of(path, nodata=0.0), Window(0, 0, SIDE, SIDE), size=size)
    assert 0 < (~pixels.mask).sum() < size * size / 8
    assert pixels.data[:, pixels.mask].min() >= 300


def test_nan_is_no_data_whatever_the_file_says(tmp_path: Path) -> None:
    data = holed().astype(np.float32) / 10_000
    data[data == 0] = np.nan
    for nodata in (None, math.nan):
        ref = ref_of(make_scene(tmp_path / "a.tif", data=data, nodata=nodata, scale=None))
        pixels = read_window(ref, Window(-4, 0, SIDE, SIDE))
        assert (~pixels.mask).sum() == 136 + 4 * SIDE
        assert np.isfinite(pixels.reflectance()).all()


def test_the_file_s_own_mask_and_alpha_are_heeded(tmp_path: Path) -> None:
    data = np.concatenate([made_up_ground(3, SIDE, SIDE), np.full((1, SIDE, SIDE), 65535, np.uint16)])
    data[3, :5] = 0
    path = make_scene(tmp_path / "a.tif", data=data, bands=("B02", "B03", "B04"), photometric="RGB", alpha="YES")
    ref = ref_of(path, bands=("B02", "B03", "B04"))
    assert (~read_window(ref, Window(0, 0, SIDE, SIDE)).mask).sum() == 5 * SIDE
    grid: dict[str, Any] = {"crs": ref.crs, "transform": ref.affine, "width": SIDE, "height": SIDE}
    assert not read_grid(ref, **grid).mask[:4].any()
    assert read_grid(ref, **grid).mask[6:].all()


def test_reflectance_is_number_times_scale_plus_offset(tmp_path: Path) -> None:
    ref = ref_of(make_scene(tmp_path / "a.tif", data=holed(), nodata=0, scale=0.0001, offset=-0.1))
    pixels = read_window(ref, Window(0, 0, SIDE, SIDE))
    reflectance = pixels.reflectance()
    assert reflectance.dtype == np.float32
    assert np.allclose(reflectance[:, pixels.mask], pixels.data[:, pixels.mask] * 0.0001 - 0.1, atol=1e-6)
    assert (reflectance[:, ~pixels.mask] == 0).all()


def test_a_grid_equal_to_the_scene_s_gives_its_own_numbers(ref: SceneRef, ground: np.ndarray[Any, Any]) -> None:
    pixels = read_grid(ref, crs=ref.crs, transform=ref.affine, width=SIDE, height=SIDE)
    assert (pixels.data == ground).all()
    assert pixels.mask.all()


@pytest.mark.parametrize("bands", [("B02",), ("B02", "B03"), ("B02", "B03", "B04"), ("B02", "B03", "B04", "B08")])
def test_a_grid_of_another_crs_is_masked_outside_whatever_the_number_of_bands(
    ref: SceneRef, bands: tuple[str, ...]
) -> None:
    grid: dict[str, Any] = {"transform": Affine(9e-5, 0, -44.602, 0, -9e-5, -21.069), "width": 100, "height": 100}
    pixels = read_grid(ref, crs="EPSG:4326", bands=bands, **grid)
    assert pixels.crs == "EPSG:4326"
    assert pixels.data.shape == (len(bands), 100, 100)
    assert pixels.mask.sum() == pytest.approx(SIDE * SIDE * 1.06, rel=0.06)
    assert pixels.data[:, pixels.mask].min() >= 300


def test_a_grid_of_a_scene_in_degrees_finds_the_pit_where_it_is(tmp_path: Path) -> None:
    ref = ref_of(make_scene(tmp_path / "a.tif", crs="EPSG:4326", size=64))
    lon, lat = ref.affine @ (32, 32)
    x, y = transformer("EPSG:4326", "EPSG:32723").transform(lon, lat)
    pixels = read_grid(ref, crs="EPSG:32723", transform=Affine(10, 0, x - 25, 0, -10, y + 25), width=5, height=5)
    assert pixels.mask.all()
    assert pixels.data.min() > 2000


def test_a_grid_does_not_mix_a_band_without_data(tmp_path: Path) -> None:
    for nodata in (0, None):
        ref = ref_of(make_scene(tmp_path / "a.tif", data=holed(), nodata=nodata), nodata=0.0)
        grid: dict[str, Any] = {"transform": Affine(9e-5, 0, -44.6, 0, -9e-5, -21.07), "width": 60, "height": 60}
        pixels = read_grid(ref, crs="EPSG:4326", **grid)
        assert pixels.mask.any()
        assert pixels.data[:, pixels.mask].min() >= 300


def test_a_file_that_was_replaced_by_another_is_not_read_as_the_old_one(ref: SceneRef, tmp_path: Path) -> None:
    other = make_scene(tmp_path / "other.tif", size=12)
    stale = SceneRef(**{**ref.__dict__, "path": str(other)})
    with pytest.raises(BadRaster, match="import it again"):
        read_window(stale, Window(0, 0, 4, 4))
    with pytest.raises(BadRaster, match="import it again"):
        read_grid(stale, crs=ref.crs, transform=ref.affine, width=4, height=4)


def test_damaged_pixels_are_a_bad_raster_in_every_way_of_reading(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "a.tif", size=256, compress="deflate", tiled=True, blockxsize=64, blockysize=64)
    ref = ref_of(path)
    content = bytearray(path.read_bytes())
    content[2000:-3000] = b"\x55" * (len(content) - 5000)
    path.write_bytes(content)
    with pytest.raises(BadRaster, match=r"^a.tif: cannot be read"):
        read_window(ref, Window(0, 0, 256, 256))
    with pytest.raises(BadRaster, match=r"^a.tif: cannot be read"):
        read_window(ref, Window(0, 0, 256, 256), size=32)
    with pytest.raises(BadRaster, match=r"^a.tif: cannot be read"):
        read_grid(ref, crs="EPSG:4326", transform=Affine(9e-5, 0, -44.6, 0, -9e-5, -21.07), width=60, height=60)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data": np.zeros((4, 4))}, "shape"),
        ({"mask": np.zeros((4, 4))}, "mask is boolean"),
        ({"mask": np.zeros((3, 4), np.bool_)}, "mask is boolean"),
        ({"bands": ("B02",)}, "1 names"),
        ({"scales": (1.0,)}, "1 scales"),
    ],
)
def test_pixels_that_do_not_fit_together_are_refused_at_birth(changes: dict[str, Any], reason: str) -> None:
    good: dict[str, Any] = {
        "data": np.zeros((2, 4, 4)),
        "mask": np.ones((4, 4), np.bool_),
        "crs": "EPSG:4326",
        "transform": Affine.identity(),
        "bands": ("B02", "B03"),
    }
    assert Pixels(**good).scales == (1.0, 1.0)
    with pytest.raises(ValueError, match=reason):
        Pixels(**good | changes)


@pytest.mark.parametrize(
    ("lon", "lat", "crs"),
    [
        (-44.6, -21, "EPSG:32723"),
        (-44.6, 21, "EPSG:32623"),
        (180, 0, "EPSG:32601"),
        (-180, 0, "EPSG:32601"),
        (179.99, 0, "EPSG:32660"),
        (math.nextafter(-180, -181), 0, "EPSG:32660"),
        (0, 84.5, "EPSG:32661"),
        (0, -80.5, "EPSG:32761"),
    ],
)
def test_the_zone_of_a_point(lon: float, lat: float, crs: str) -> None:
    assert utm_of(lon, lat) == crs


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.floats(-180, 180), st.floats(-79, 83))
def test_a_point_is_near_the_middle_of_its_zone(lon: float, lat: float) -> None:
    x, _ = transformer("EPSG:4326", utm_of(lon, lat)).transform(lon, lat)
    assert 160_000 < x < 840_000
