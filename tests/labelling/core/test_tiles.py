import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rasterio.windows import Window

from labelling.core.errors import BadRaster
from labelling.core.grid import TileAddress
from labelling.core.raster import SceneRef, read_window, transformer
from labelling.core.tiles import read_box, read_tile
from tests.scenes import made_up_ground, make_scene, ref_of


def tile_of(lon: float, lat: float, z: int) -> TileAddress:
    count = 1 << z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * count
    return TileAddress(z, int((lon + 180) / 360 * count), int(y))


def mercator(ref: SceneRef, column: float, row: float) -> tuple[float, float]:
    x, y = transformer(ref.crs, "EPSG:3857").transform(*(ref.affine @ (column, row)))
    return float(x), float(y)


@pytest.mark.parametrize("crs", ["utm", "EPSG:4326", "EPSG:3857"])
@pytest.mark.parametrize("overviews", [True, False])
def test_a_tile_shows_the_ground_where_it_is(tmp_path: Path, crs: str, overviews: bool) -> None:
    data = np.full((3, 256, 256), 1000, np.uint16)
    data[:, 96:160, 96:160] = 4000
    path = make_scene(tmp_path / "a.tif", data=data, bands=("B02", "B03", "B04"), crs=crs, overviews=overviews)
    ref = ref_of(path)
    for z in (12, 14, 16):
        lon, lat = transformer(ref.crs, "EPSG:4326").transform(*(ref.affine @ (128, 128)))
        pixels = read_tile(ref, tile=tile_of(lon, lat, z), bands=("B04", "B02"))
        assert pixels.data.shape == (2, 256, 256)
        assert pixels.bands == ("B04", "B02")
        for column, row, value in ((128, 128, 4000), (112, 112, 4000), (60, 128, 1000), (128, 200, 1000)):
            x, y = (int(part) for part in ~pixels.transform @ mercator(ref, column, row))
            if 0 <= x < 256 and 0 <= y < 256:
                assert pixels.mask[y, x]
                assert pixels.data[:, y, x].tolist() == [value, value]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
def test_what_lies_outside_is_masked_for_any_type_and_number_of_bands(
    tmp_path: Path, count: int, dtype: type[np.generic]
) -> None:
    bands = ("B02", "B03", "B04", "B08")[:count]
    data = (made_up_ground(count, 64, 64) / 40).astype(dtype)
    ref = ref_of(make_scene(tmp_path / "a.tif", data=data, bands=bands))
    pixels = read_tile(ref, tile=tile_of(-44.597, -21.073, 13), bands=bands)
    ground_px = (
        64 * 10 / (math.cos(math.radians(21.07)) * 2 * math.pi * 6378137 / 2**13 / 256 * math.cos(math.radians(21.07)))
    )
    assert 0 < pixels.mask.sum() <= ground_px**2 * 1.05
    assert pixels.data[:, pixels.mask].min() > 5


def test_nodata_is_a_hole_without_a_dark_rim(tmp_path: Path) -> None:
    data = made_up_ground(3, 128, 128)
    data[:, 40:60, 40:60] = 0
    data[1, 80:90, 80:90] = 0
    ref = ref_of(make_scene(tmp_path / "a.tif", data=data, bands=("B02", "B03", "B04"), nodata=0))
    whole = read_window(ref, Window(0, 0, 128, 128))
    west, north = mercator(ref, 0, 0)
    east, south = mercator(ref, 128, 128)
    for size in (64, 128, 300):
        pixels = read_box(ref, bounds=(west, south, east, north), bands=("B02", "B03", "B04"), size=size)
        assert 1 - pixels.mask.mean() == pytest.approx(1 - whole.mask.mean(), abs=0.02)
        assert pixels.data[:, pixels.mask].min() >= 300


@pytest.mark.parametrize("nodata", [0, -9999, 70000])
def test_a_tile_is_the_same_whatever_value_tells_holes(tmp_path: Path, nodata: float) -> None:
    """By the bands alone where pixels can have the value, else by an alpha that GDAL makes of the whole file."""
    bands = ("B02", "B03", "B04", "B08", "B11", "B12")
    ref = ref_of(make_scene(tmp_path / "a.tif", size=256, bands=bands))
    corner, far = mercator(ref, -20, 150), mercator(ref, 120, -10)
    expected, pixels = (
        read_box(each, bounds=(*corner, *far), bands=("B12", "B03"), size=200)
        for each in (ref, replace(ref, nodata=nodata))
    )
    assert (pixels.mask == expected.mask).mean() > 0.999  # GDAL's transformer is good to an eighth of a pixel
    both = pixels.mask & expected.mask
    assert both.mean() > 0.7
    np.testing.assert_allclose(pixels.data[:, both], expected.data[:, both], atol=2)


def test_a_box_keeps_its_shape(tmp_path: Path) -> None:
    ref = ref_of(make_scene(tmp_path / "a.tif"))
    west, north = mercator(ref, 0, 0)
    pixels = read_box(ref, bounds=(west, north - 100, west + 400, north), bands=("B02",), size=200)
    assert pixels.data.shape == (1, 50, 200)


def test_a_tile_far_away_is_empty(tmp_path: Path) -> None:
    ref = ref_of(make_scene(tmp_path / "a.tif"))
    assert not read_tile(ref, tile=tile_of(100, 50, 12), bands=("B02",)).mask.any()


def test_a_tile_of_a_file_outside_the_roots_or_gone_is_a_bad_raster(tmp_path: Path) -> None:
    ref = ref_of(make_scene(tmp_path / "a.tif"))
    tile = tile_of(-44.597, -21.073, 13)
    with pytest.raises(BadRaster, match="MAD_SCENE_ROOTS"):
        read_tile(ref, tile=tile, bands=("B02",), roots=(tmp_path / "elsewhere",))
    Path(ref.path).unlink()
    with pytest.raises(BadRaster, match="no such file"):
        read_tile(ref, tile=tile, bands=("B02",))
