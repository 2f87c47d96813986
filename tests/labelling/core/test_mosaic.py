from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.merge import merge
from rasterio.warp import reproject

from labelling.core.chips import ChipGrid, Grid, chip_grid, cut_grid
from labelling.core.errors import BadInput, BadRaster
from labelling.core.mosaic import MAX_SCENES, lay_over, read_mosaic, shared_bands
from labelling.core.pixels import Pixels
from labelling.core.raster import SceneRef, transformer
from tests.scenes import make_scene, ref_of

BANDS = ("B02", "B04", "B08")
UTM = "EPSG:32630"
EDGE = (-6.0, 43.3)
"""Where the UTM zones 29 and 30 meet."""
Write = Callable[..., SceneRef]


@pytest.fixture
def scene(tmp_path: Path) -> Write:
    def write(name: str, **more: Any) -> SceneRef:
        said: dict[str, Any] = {"bands": BANDS, "nodata": 0, "seed": sum(name.encode())} | more
        return ref_of(make_scene(tmp_path / f"{name}.tif", **said))

    return write


def at(column: int, row: int) -> Affine:
    """A grid of 10 m whose corner lies so many pixels east and south of one corner."""
    return Affine(10, 0, 300_000 + 10 * column, 0, -10, 4_800_000 - 10 * row)


def with_holes(size: int, seed: int) -> NDArray[np.uint16]:
    """Ground of which a third has no data in one band or another."""
    rng = np.random.default_rng(seed)
    data = rng.integers(1, 9000, (len(BANDS), size, size)).astype(np.uint16)
    data[rng.random(data.shape) < 0.12] = 0
    return data


def whole_pixels(data: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Only pixels that have data in every band."""
    return np.where((data > 0).all(axis=0), data, np.uint16(0))


def places_of(refs: Sequence[SceneRef], grid: Grid) -> NDArray[np.int64]:
    """Which scene a pixel comes from, counted from 1: the first that shows it alone; 0 where none does."""
    shown = np.stack([cut_grid(ref, grid).mask for ref in refs])
    return np.where(shown.any(axis=0), shown.argmax(axis=0) + 1, 0)


def test_on_one_grid_it_is_the_merge_of_rasterio_in_every_pixel(scene: Write, tmp_path: Path) -> None:
    spots = [(0, 0), (20, 5), (8, 24), (30, 30)]
    given = [with_holes(40, seed) for seed in range(4)]
    refs = [
        scene(f"part {place}", data=data, crs=UTM, transform=at(*spot))
        for place, (data, spot) in enumerate(zip(given, spots, strict=True))
    ]
    grid = ChipGrid(UTM, at(-4, -3), 80, 77)
    mosaic = read_mosaic(refs, grid)

    files = []
    for place, (data, spot) in enumerate(zip(given, spots, strict=True)):
        path = make_scene(
            tmp_path / f"plain {place}.tif",
            data=whole_pixels(data), bands=BANDS, nodata=0, crs=UTM, transform=at(*spot), scale=None,
        )  # fmt: skip
        files.append(rasterio.open(path))
    (left, top), (right, low) = grid.transform @ (0, 0), grid.transform @ (80, 77)
    merged, _ = merge(files, bounds=(left, low, right, top), method="first", nodata=0)
    for file in files:
        file.close()
    assert (mosaic.mask == (merged > 0).all(axis=0)).all()
    assert 0.3 < mosaic.mask.mean() < 0.6
    assert (np.rint(mosaic.data * 10_000) == merged).all()
    assert set(np.unique(places_of(refs, grid))) == {0, 1, 2, 3, 4}


def test_numbers_of_different_meaning_become_one_reflectance(scene: Write) -> None:
    """Before and from baseline 04.00 on, and numbers with a fraction: the same ground has the same reflectance."""
    truth = np.random.default_rng(1).integers(1500, 6000, (3, 30, 30))
    old = scene("old", data=truth.astype(np.uint16), crs=UTM, transform=at(0, 0))
    new = scene("new", data=(truth + 1000).astype(np.uint16), crs=UTM, transform=at(0, 0), offset=-0.1)
    real = (truth / 10_000).astype(np.float32)
    plain = scene("real", data=real, crs=UTM, transform=at(0, 0), nodata=np.nan, scale=None)
    for front in (old, new, plain):
        behind = [ref for ref in (old, new, plain) if ref is not front]
        left = [replace(ref, width=30, height=30) for ref in (front, *behind)]
        found = read_mosaic(left, ChipGrid(UTM, at(-5, 0), 40, 30))
        assert np.allclose(found.data[:, :, 5:35], real, atol=1e-6)
        assert found.mask.sum() == 900


def test_a_pixel_is_to_the_last_bit_what_its_scene_says(scene: Write) -> None:
    first = scene("first", size=30, crs=UTM, transform=at(0, 0), offset=-0.1)
    second = scene("second", size=30, crs=UTM, transform=Affine(7, 0, 300_211, 0, -7, 4_800_003))
    grid = ChipGrid(UTM, at(0, 0), 50, 30)
    mosaic = read_mosaic([first, second], grid)
    for place, ref in enumerate((first, second), start=1):
        alone = cut_grid(ref, grid).reflectance()
        here = places_of([first, second], grid) == place
        assert here.sum() > 200
        assert (mosaic.reflectance()[:, here] == alone[:, here]).all()


def ground(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Made-up ground of three bands that is smooth in longitude and latitude, the same in whatever grid."""
    x, y = (lon - EDGE[0]) * 800, (lat - EDGE[1]) * 800
    return np.stack([2000 + 300 * np.sin(x) + 250 * np.cos(y), 2500 + 200 * np.cos(x + y), 3000 + 40 * x - 30 * y])


def lonlat_of(grid: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    columns, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    a, b, c, d, e, f = grid.transform[:6]
    lon, lat = transformer(grid.crs, "EPSG:4326").transform(a * columns + b * rows + c, d * columns + e * rows + f)
    return np.asarray(lon), np.asarray(lat)


@pytest.fixture
def zones(scene: Write) -> tuple[SceneRef, SceneRef]:
    """Two scenes that meet at 6 degrees west and overlap there, each in the zone of its side."""
    made = []
    for crs, west in (("EPSG:32629", -6.012), ("EPSG:32630", -6.002)):
        x, y = transformer("EPSG:4326", crs).transform(west, EDGE[1] + 0.005)
        grid = ChipGrid(crs, Affine(10, 0, round(x, -1), 0, -10, round(y, -1)), 110, 110)
        data = ground(*lonlat_of(grid)).astype(np.uint16)
        data[:, :, -4:] = 0  # as at the end of a swath
        made.append(scene(crs[5:], data=data, crs=crs, transform=grid.transform))
    return made[0], made[1]


@pytest.mark.parametrize("lon", [-6.0005, -5.9995])
def test_a_window_over_two_utm_zones_lies_in_the_zone_of_its_middle(
    zones: tuple[SceneRef, SceneRef], lon: float
) -> None:
    grid = chip_grid(lon=lon, lat=EDGE[1], side_px=80, pixel_m=10)
    assert grid.crs == ("EPSG:32629" if lon < EDGE[0] else "EPSG:32630")
    mosaic = read_mosaic(zones, grid)
    assert mosaic.crs == grid.crs
    assert mosaic.mask.all()
    places = places_of(zones, grid)
    assert min((places == place).sum() for place in (1, 2)) > 1000

    # what GDAL makes of each whole scene in one go, put together by NumPy
    warped, there = [], []
    for ref in zones:
        with rasterio.open(ref.path) as file:
            target = np.zeros((3, 80, 80), np.float64)
            reproject(
                file.read().astype(np.float64), target,
                src_transform=file.transform, src_crs=file.crs, src_nodata=0,
                dst_transform=grid.transform, dst_crs=grid.crs, dst_nodata=0,
                resampling=Resampling.bilinear, tolerance=0,
            )  # fmt: skip
        warped.append(target)
        there.append((target > 0).all(axis=0))
    expected = np.where(there[0], warped[0], warped[1])
    # GDAL may follow the edge of a scene by one pixel more or less, and shows half a pixel beyond the last centre
    assert (places == np.where(there[0], 1, 2)).mean() > 0.98
    off = np.abs(mosaic.data * 10_000 - expected)
    assert off.max() < 35
    assert np.percentile(off, 98) < 1.5

    # and what the ground is there, whoever reprojects it
    assert np.abs(mosaic.data * 10_000 - ground(*lonlat_of(grid))).max() < 35


def test_a_seam_is_no_step_and_no_gap(zones: tuple[SceneRef, SceneRef]) -> None:
    grid = chip_grid(lon=EDGE[0] + 1e-5, lat=EDGE[1], side_px=80, pixel_m=10)
    mosaic = read_mosaic(zones, grid)
    places = places_of(zones, grid)
    seam = places[:, :-1] != places[:, 1:]
    assert seam.sum() >= 70
    step = np.abs(np.diff(mosaic.data, axis=2)) * 10_000
    assert step[:, seam].max() < 1.6 * step[:, ~seam].max()


def test_a_cloud_of_the_scene_in_front_stays_for_a_mosaic_is_no_composite(scene: Write) -> None:
    ground_, cloudy = np.full((3, 30, 30), 1200, np.uint16), np.full((3, 30, 30), 1200, np.uint16)
    cloudy[:, 5:15, 5:15] = 8000
    front = scene("cloudy", data=cloudy, crs=UTM, transform=at(0, 0))
    behind = scene("clear", data=ground_, crs=UTM, transform=at(10, 0))
    grid = ChipGrid(UTM, at(0, 0), 40, 30)
    hidden, clear = read_mosaic([front, behind], grid), read_mosaic([behind, front], grid)
    assert np.allclose(hidden.data[:, 5:15, 5:15], 0.8)
    assert np.allclose(clear.data[:, 5:15, 10:15], 0.12)
    assert np.allclose(clear.data[:, 5:15, 5:10], 0.8)


def test_a_scene_is_opened_only_where_something_is_missing(scene: Write) -> None:
    whole = scene("whole", size=30, crs=UTM, transform=at(0, 0))
    gone = replace(whole, path=str(Path(whole.path).with_name("gone.tif")))
    inside, over_the_edge = ChipGrid(UTM, at(2, 2), 20, 20), ChipGrid(UTM, at(20, 0), 20, 20)
    assert read_mosaic([whole, gone], inside).mask.all()
    with pytest.raises(BadRaster, match=r"gone\.tif"):
        read_mosaic([whole, gone], over_the_edge)


def test_bands_are_those_that_all_have_and_in_the_order_asked_for(scene: Write) -> None:
    three = scene("three", size=20, crs=UTM, transform=at(0, 0))
    four = scene("four", size=20, crs=UTM, transform=at(10, 0), bands=("B08", "B04", "B11", "B02"))
    grid = ChipGrid(UTM, at(0, 0), 30, 20)
    assert shared_bands([three, four]) == BANDS
    assert shared_bands([four, three]) == ("B08", "B04", "B02")
    assert read_mosaic([three, four], grid).bands == BANDS
    turned = read_mosaic([three, four], grid, bands=("B08", "B02"))
    plain = read_mosaic([three, four], grid)
    assert (turned.data == plain.data[[2, 0]]).all()
    with pytest.raises(BadRaster, match="no band B11"):
        read_mosaic([three, four], grid, bands=("B11",))
    with pytest.raises(BadInput, match="band in common"):
        read_mosaic([three, scene("other", size=20, bands=("B11",))], grid)


def test_too_many_scenes_are_refused_before_one_is_opened(scene: Write) -> None:
    one = scene("one", size=20, crs=UTM, transform=at(0, 0))
    with pytest.raises(BadInput, match=f"1 to {MAX_SCENES}"):
        read_mosaic([one] * (MAX_SCENES + 1), ChipGrid(UTM, at(500, 500), 10, 10))


def test_where_no_scene_has_data_there_is_none(scene: Write) -> None:
    refs = [scene(name, size=20, crs=UTM, transform=at(0, 0)) for name in ("a", "b")]
    mosaic = read_mosaic(refs, ChipGrid(UTM, at(100, 100), 8, 9))
    assert mosaic.data.shape == (3, 9, 8)
    assert not mosaic.mask.any()
    assert (mosaic.reflectance() == 0).all()


def test_what_is_given_stays_as_it_is() -> None:
    top = Pixels(np.ones((1, 2, 2), np.float32), np.array([[True, False], [False, False]]), UTM, at(0, 0), ("B04",))
    below = replace(top, data=top.data * 2, mask=np.array([[True, True], [False, False]]))
    laid = lay_over([top, below])
    assert laid.data.tolist() == [[[1, 2], [0, 0]]]
    assert laid.mask.tolist() == [[True, True], [False, False]]
    assert top.mask.sum() == 1
    assert (top.data == 1).all()
