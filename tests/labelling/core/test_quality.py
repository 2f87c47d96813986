import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray

from labelling.core import quality
from labelling.core.quality import Clearness, Quality, measure_quality, sun_elevation
from labelling.core.raster import SceneRef
from tests.scenes import made_up_ground, make_scene, ref_of

BANDS = ("B02", "B03", "B04", "B08", "B11")
CLOUD, FOREST = (0.60, 0.58, 0.57, 0.60, 0.35), (0.03, 0.05, 0.03, 0.35, 0.15)


def striped(side: int, *, clouded: int, empty: int = 0) -> NDArray[np.uint16]:
    """Forest with noise; the first columns are cloud, the last ones have no data."""
    data = np.empty((5, side, side), np.float64)
    data[:] = np.array(FOREST)[:, None, None] * 10_000
    data[:, :, :clouded] = np.array(CLOUD)[:, None, None] * 10_000
    data += np.random.default_rng(0).normal(0, 5, data.shape)
    data[:, :, side - empty :] = 0
    return data.astype(np.uint16)


def scene(path: Path, data: NDArray[np.uint16]) -> SceneRef:
    return ref_of(make_scene(path, bands=BANDS, data=data, nodata=0))


def measured(ref: SceneRef) -> Quality:
    return measure_quality(ref)[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.tif"


def test_shares_are_of_all_pixels_or_of_those_with_data(path: Path) -> None:
    found = measured(scene(path, striped(200, clouded=40, empty=100)))
    assert (found.valid, found.cloud, found.haze, found.saturated) == (0.5, 0.4, 0, 0)
    assert found.clear == pytest.approx(0.6 + 0.4 * 0.05, abs=0.001)
    assert (found.by, found.method) == ("spectrum", quality.METHOD)


def test_the_same_is_measured_in_small_windows_as_in_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = scene(path, striped(200, clouded=90, empty=30))
    whole, cells = measure_quality(ref)
    monkeypatch.setattr(quality, "BLOCK", 48)
    told: list[float] = []
    parts, again = measure_quality(ref, on_block=told.append)
    assert replace(parts, sharpness=None) == replace(whole, sharpness=None)
    assert parts.sharpness == pytest.approx(whole.sharpness, abs=0.05)
    assert np.array_equal(again.values, cells.values)
    assert len(told) == 25
    assert (told[-1], told) == (1, sorted(told))


def test_measuring_stops_where_the_listener_raises(path: Path) -> None:
    def stop(_: float) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        measure_quality(scene(path, striped(40, clouded=0)), on_block=stop)


def test_saturation_counts_a_pixel_once_and_not_where_the_number_means_no_data(path: Path) -> None:
    data = striped(100, clouded=0)
    data[0, :10], data[3, :5] = 65535, 65535
    assert measured(scene(path, data)).saturated == 0.1
    assert measured(ref_of(make_scene(path, bands=BANDS, data=data, nodata=65535))).saturated == 0


def test_a_scene_without_data_is_measured_too(path: Path) -> None:
    found = measured(scene(path, np.zeros((5, 40, 40), np.uint16)))
    assert (found.valid, found.cloud, found.clear, found.sharpness) == (0, 0, 0, None)


def test_a_coarser_image_on_the_same_grid_is_less_sharp(path: Path) -> None:
    rough = np.random.default_rng(1).normal(3000, 300, (1, 100, 100)).astype(np.uint16)
    smooth = np.add.outer(np.arange(200), np.arange(200))[None].astype(np.uint16)
    noise, twice, flat, own = (
        measured(ref_of(make_scene(path, bands=("B04",), data=data))).sharpness
        for data in (rough, np.kron(rough, np.ones((1, 2, 2), np.uint16)), smooth, made_up_ground(1, 200, 200))
    )
    assert None not in (noise, twice, flat, own)
    assert noise == pytest.approx(1, abs=0.03)
    assert twice == pytest.approx(1 / 3, abs=0.05)
    assert flat == 0
    assert 0 < float(own or 0) < 1


def test_contrast_and_brightness_do_not_change_sharpness(path: Path) -> None:
    data = made_up_ground(1, 100, 100)
    first = measured(ref_of(make_scene(path, bands=("B04",), data=data))).sharpness
    second = measured(ref_of(make_scene(path, bands=("B04",), data=data * 3 + 500))).sharpness
    assert first == second


def test_cells_say_where_a_scene_is_clear(path: Path) -> None:
    ref = scene(path, striped(100, clouded=48, empty=4))
    cells = measure_quality(ref)[1]
    assert (cells.values.shape, cells.cell_px) == ((7, 7), 16)
    assert (cells.values[:, :3] == round(0.05 * 255)).all()
    assert (cells.values[:, 3:6] == 255).all()
    assert (cells.values[:, 6] == 0).all()
    assert cells.over(left=50, top=0, right=90, bottom=100) == 1
    assert cells.over(left=0, top=10, right=10, bottom=20) == pytest.approx(0.05, abs=0.01)
    assert cells.over(left=60, top=30, right=60, bottom=30) == 1
    for left in (-80, 500):
        assert cells.over(left=left, top=0, right=left + 60, bottom=9) == 0


def test_a_large_scene_has_no_more_cells_and_is_read_in_little_memory(path: Path) -> None:
    make_scene(path, bands=BANDS, data=np.full((5, 2100, 2500), 3000, np.uint16), compress="deflate", tiled=True)
    tracemalloc.start()
    try:
        found, cells = measure_quality(ref_of(path))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.valid == 1
    assert cells.values.shape == (53, 63)
    # Far below the 105 MB that all its pixels take as reflectance; the same for ever larger scenes.
    assert most < 100e6


def test_cells_of_nothing_are_not_clear() -> None:
    assert Clearness(np.zeros((1, 1), np.uint8), 16).over(left=0, top=0, right=5, bottom=5) == 0


@pytest.mark.parametrize(
    ("at", "lon", "lat", "degrees"),
    [
        (datetime(2022, 3, 20, 12, 7, tzinfo=UTC), 0, 0, 90),
        (datetime(2022, 6, 21, 12, 2, tzinfo=UTC), 0, 23.44, 90),
        (datetime(2022, 12, 21, 11, 58, tzinfo=UTC), 0, 51.5, 15.1),
        (datetime(2022, 6, 21, 0, 2, tzinfo=UTC), 0, 70, 3.4),
        (datetime(2022, 9, 23, 6, 0, tzinfo=UTC), 88.1, 0, 89.9),
    ],
)
def test_the_sun_stands_where_an_almanac_puts_it(at: datetime, lon: float, lat: float, degrees: float) -> None:
    assert sun_elevation(at, lon=lon, lat=lat) == pytest.approx(degrees, abs=0.6)


def test_the_place_of_a_cell_is_that_of_its_pixels(path: Path) -> None:
    data = striped(64, clouded=0)
    data[:, 16:32, 32:48] = np.round(np.array(CLOUD) * 10_000).astype(np.uint16)[:, None, None]
    ref = replace(scene(path, data), transform=tuple(Affine(10, 0, 5e5, 0, -10, 7.6e6))[:6])
    dark = np.argwhere(measure_quality(ref)[1].values < 128)
    assert dark.tolist() == [[1, 2]]
