from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from shapely.affinity import affine_transform
from shapely.geometry import Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from labelling.core.chips import (
    ChipGrid,
    chip_grid,
    cut_chip,
    geometry_in_chip,
    stretch_to_uint8,
    write_chip,
    yolo_line,
)
from labelling.core.globe import outline_to_lonlat, to_crs
from labelling.core.raster import Pixels, open_raster, transformer
from tests.scenes import make_scene, ref_of

LON, LAT = -44.6, -21.07


def on_ground(geometry_px: Polygon, grid: ChipGrid) -> BaseGeometry:
    return outline_to_lonlat(affine_transform(geometry_px, grid.transform.to_shapely()), grid.crs)


def test_a_chip_on_the_scenes_own_grid_is_a_copy_of_its_pixels(tmp_path: Path) -> None:
    corner = Affine(10, 0, 333_000, 0, -10, 7_669_000)
    path = make_scene(tmp_path / "a.tif", crs="EPSG:32723", size=64, transform=corner)
    lon, lat = transformer("EPSG:32723", "EPSG:4326").transform(333_320, 7_668_680)
    chip = cut_chip(ref_of(path), lon=lon, lat=lat, side_px=32, pixel_m=10, bands=("B04", "B02"))
    with open_raster(path) as file:
        expected = file.read([3, 1])[:, 16:48, 16:48]
    assert chip.bands == ("B04", "B02")
    assert chip.mask.all()
    np.testing.assert_array_equal(chip.data, expected)


def test_what_the_scene_does_not_cover_is_masked(tmp_path: Path) -> None:
    ref = ref_of(make_scene(tmp_path / "a.tif", lon=LON, lat=LAT, nodata=0))
    chip = cut_chip(ref, lon=LON, lat=LAT, side_px=32, pixel_m=10)
    assert chip.data.shape == (4, 32, 32)
    assert 0.2 < chip.mask.mean() < 0.3  # the scene begins in the middle of the chip


@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-79, 83),
    corner=st.tuples(st.floats(0, 500), st.floats(0, 500)),
    size=st.tuples(st.floats(12, 140), st.floats(12, 140)),
    pixel_m=st.sampled_from([5.0, 10.0, 20.0]),
)
@example(lon=180.0, lat=1.0, corner=(238.0, 0.0), size=(130.0, 12.0), pixel_m=5.0)  # crosses the antimeridian
def test_a_box_goes_to_the_ground_and_back_within_a_pixel(
    lon: float, lat: float, corner: tuple[float, float], size: tuple[float, float], pixel_m: float
) -> None:
    grid = chip_grid(lon=lon, lat=lat, side_px=640, pixel_m=pixel_m)
    label = box(*corner, corner[0] + size[0], corner[1] + size[1])
    back = geometry_in_chip(on_ground(label, grid), grid)
    np.testing.assert_allclose(back.bounds, label.bounds, atol=0.1)


def test_the_middle_of_a_chip_is_the_place_asked_for() -> None:
    grid = chip_grid(lon=LON, lat=LAT, side_px=256, pixel_m=10)
    middle = geometry_in_chip(Point(LON, LAT), grid)
    np.testing.assert_allclose(middle.coords[0], (128, 128), atol=0.51)


def test_a_label_is_clipped_to_the_chip_and_one_elsewhere_is_empty() -> None:
    grid = chip_grid(lon=LON, lat=LAT, side_px=100, pixel_m=10)
    across = geometry_in_chip(on_ground(box(-50, 20, 50, 60), grid), grid)
    np.testing.assert_allclose(across.bounds, (0, 20, 50, 60), atol=0.1)
    assert geometry_in_chip(on_ground(box(200, 200, 300, 300), grid), grid).is_empty
    assert geometry_in_chip(box(100, 40, 101, 41), grid).is_empty


def test_an_edge_that_only_touches_the_chip_is_dropped() -> None:
    grid = ChipGrid("EPSG:4326", Affine(1, 0, 0, 0, -1, 10), 10, 10)
    beside = Polygon([(2, 2), (4, 2), (4, 0), (12, 0), (12, -3), (2, -3)])
    inside = geometry_in_chip(beside, grid)
    assert inside.geom_type == "Polygon"
    assert inside.area == 4
    assert geometry_in_chip(box(10, 0, 12, 5), grid).is_empty


def test_the_footprint_is_the_ground_of_the_chip() -> None:
    grid = chip_grid(lon=LON, lat=LAT, side_px=100, pixel_m=10)
    assert to_crs(grid.footprint(), grid.crs).area == pytest.approx(1e6, rel=1e-4)


def test_reflectance_is_stretched_band_by_band_and_nothing_is_black() -> None:
    data = np.array([[[0, 1001], [2000, 4000]], [[0, 1000], [2000, 4000]]], np.uint16)
    mask = np.array([[True, True], [True, False]])
    pixels = Pixels(data, mask, "EPSG:32723", Affine.identity(), ("B04", "B08"), (1e-4, 1e-4), (0.0, 0.0))
    image = stretch_to_uint8(pixels.reflectance(), pixels.mask, (0.0, 0.1), (0.2, 0.2))
    np.testing.assert_array_equal(image[:, :, 0], [[0, 128], [255, 0]])
    np.testing.assert_array_equal(image[:, :, 1], [[0, 0], [255, 0]])


def test_three_channels_become_a_png_with_red_first(tmp_path: Path) -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[:, :, 0] = 200
    write_chip(image, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as file:
        assert file.getpixel((0, 0)) == (200, 0, 0)


@pytest.mark.parametrize("channels", [1, 2, 4, 12])
def test_other_channels_become_pages_of_a_tiff(tmp_path: Path, channels: int) -> None:
    image = np.random.default_rng(0).integers(0, 255, (8, 8, channels), dtype=np.uint8)
    write_chip(image, tmp_path / "a.tiff")
    with Image.open(tmp_path / "a.tiff") as file:
        pages = []
        for index in range(file.n_frames):  # type: ignore[attr-defined]
            file.seek(index)
            pages.append(np.asarray(file))
    np.testing.assert_array_equal(np.stack(pages, axis=2), image)


@pytest.mark.worker
def test_the_trainer_reads_a_chip_of_many_bands_as_it_was(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    from ultralytics.utils.patches import imread

    image = np.random.default_rng(0).integers(0, 255, (8, 8, 12), dtype=np.uint8)
    write_chip(image, tmp_path / "a.tiff")
    np.testing.assert_array_equal(imread(str(tmp_path / "a.tiff"), cv2.IMREAD_UNCHANGED), image)


def test_a_chip_in_the_wrong_file_is_refused(tmp_path: Path) -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="a chip is uint8"):
        write_chip(image, tmp_path / "a.tiff")
    with pytest.raises(ValueError, match="a chip is uint8"):
        write_chip(image.astype(np.uint16), tmp_path / "a.png")


def test_yolo_lines_say_box_or_ring_as_shares_of_the_side() -> None:
    shape = Polygon([(10, 20), (30, 20), (30, 60), (10, 60)])
    assert yolo_line(3, shape, 100) == "3 0.2000000 0.4000000 0.2000000 0.4000000"
    ring = yolo_line(3, shape, 100, "segment").split()
    corners = {(float(x), float(y)) for x, y in zip(ring[1::2], ring[2::2], strict=True)}
    assert corners == {(0.1, 0.2), (0.3, 0.2), (0.3, 0.6), (0.1, 0.6)}


def test_a_ring_is_that_of_the_largest_part() -> None:
    both = shapely.union_all([box(0, 0, 2, 2), box(10, 10, 50, 50)])
    assert min(map(float, yolo_line(0, both, 100, "segment").split()[1:])) == 0.1
    assert yolo_line(0, both, 100) == "0 0.2500000 0.2500000 0.5000000 0.5000000"


def test_a_label_without_an_area_has_no_line() -> None:
    with pytest.raises(ValueError, match="no box"):
        yolo_line(0, Point(1, 1), 100)
