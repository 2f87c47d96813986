from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.core.windows import grid_over, windows_over
from labelling.core.raster import SceneRef, transformer
from tests.inference.scenes import blob_scene


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(32, 200), st.floats(0, 0.8))
def test_windows_cover_every_pixel_and_none_reaches_out_where_it_need_not(
    width: int, height: int, side: int, overlap: float
) -> None:
    windows = windows_over(width, height, side=side, overlap=overlap)
    seen = np.zeros((height, width), np.bool_)
    for x0, y0, x1, y1 in windows:
        seen[y0:y1, x0:x1] = True
        assert (x1 - x0, y1 - y0) == (side, side)
        assert x0 >= 0
        assert y0 >= 0
        assert x1 <= max(width, side)
        assert y1 <= max(height, side)
    assert seen.all()
    assert len({tuple(window) for window in windows.tolist()}) == len(windows)


@given(st.integers(1, 4000), st.integers(8, 640), st.floats(0, 0.9))
def test_neighbours_share_at_least_the_overlap_asked_for(width: int, side: int, overlap: float) -> None:
    starts = windows_over(width, side, side=side, overlap=overlap)[:, 0]
    assert (np.diff(starts) <= max(1, round(side * (1 - overlap)))).all()
    assert (np.diff(starts) > 0).all()


def test_a_scene_in_utm_at_the_models_pixel_size_is_not_resampled(tmp_path: Path) -> None:
    ref = blob_scene(tmp_path / "a.tif", [(3, 4, 9, 11, "B04")], size=(30, 40))
    grid = grid_over(ref, 10.0)
    assert (grid.is_own, grid.width, grid.height) == (True, 40, 30)
    pixels = grid.read(2, 3, 8, ("B04",))
    assert pixels.data[0, 1:8, 1:7].tolist() == [[5000] * 6] * 7
    assert pixels.data[0, 0].tolist() == [1000] * 8


@pytest.mark.parametrize(("lon", "lat", "zone"), [(-44.6, -21.07, 32723), (27.3, -10.7, 32735), (11.0, 46.0, 32632)])
def test_a_scene_in_degrees_gets_square_metres_in_the_zone_of_its_middle(
    tmp_path: Path, lon: float, lat: float, zone: int
) -> None:
    ref = blob_scene(tmp_path / "a.tif", [], size=100, lon=lon, lat=lat, crs="EPSG:4326")
    grid = grid_over(ref, 10.0)
    assert (grid.is_own, grid.crs) == (False, f"EPSG:{zone}")
    east_m = 1000 * np.cos(np.radians(lat))
    assert grid.width == pytest.approx(east_m / 10, abs=4)
    assert grid.height == pytest.approx(100, abs=4)


@pytest.mark.parametrize("crs", ["utm", "EPSG:4326", "EPSG:3857", "EPSG:32722"])
@pytest.mark.parametrize("pixel_m", [10.0, 7.5])
def test_a_point_of_the_grid_is_the_same_point_of_the_scene(tmp_path: Path, crs: str, pixel_m: float) -> None:
    ref = blob_scene(tmp_path / "a.tif", [], size=100, crs=crs)
    grid = grid_over(ref, pixel_m)
    box = np.asarray([[30.0, 40.0, 50.0, 70.0, 0.5, 1.0]])
    moved = grid.to_scene(box)
    assert moved[0, 4:].tolist() == [0.5, 1.0]
    on_grid = grid.transform @ (40.0, 55.0)
    on_scene = ref.affine @ ((moved[0, 0] + moved[0, 2]) / 2, (moved[0, 1] + moved[0, 3]) / 2)
    assert transformer(grid.crs, ref.crs).transform(*on_grid) == pytest.approx(on_scene, rel=1e-6)


def test_no_boxes_move_to_no_boxes(tmp_path: Path) -> None:
    ref = blob_scene(tmp_path / "a.tif", [], crs="EPSG:4326")
    assert grid_over(ref, 10.0).to_scene(np.zeros((0, 6))).shape == (0, 6)


def test_a_scene_across_the_antimeridian_stays_one_piece(tmp_path: Path) -> None:
    ref = blob_scene(tmp_path / "a.tif", [], size=100, lon=179.997, lat=-17.0, crs="EPSG:4326")
    grid = grid_over(ref, 10.0)
    assert grid.width == pytest.approx(96, abs=4)
    moved = grid.to_scene(np.asarray([[40.0, 40.0, 60.0, 60.0, 1, 0]]))
    assert moved[0, :4] == pytest.approx([41, 40, 62, 60], abs=3)


def turned(ref: SceneRef) -> SceneRef:
    a, _, c, _, e, f = ref.transform
    return SceneRef(**{**ref.__dict__, "transform": (a, a * 0.1, c, e * 0.1, e, f)})


def test_a_scene_that_is_turned_in_its_zone_is_resampled(tmp_path: Path) -> None:
    assert not grid_over(turned(blob_scene(tmp_path / "a.tif", [])), 10.0).is_own
