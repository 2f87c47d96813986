"""Shape, bands and texture of sites whose figures can be worked out by hand."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from labelling.core.features import band_features, haze_of, shape_features, texture_features
from labelling.core.globe import outline_to_lonlat
from labelling.core.raster import SceneRef, transformer
from labelling.core.spectra import Look, look_at
from tests.scenes import make_scene, ref_of

UTM = "EPSG:32723"
BANDS = ("B02", "B03", "B04", "B08", "B11", "B12")
INSIDE = (1000, 1200, 2000, 3000, 4000, 2000)


def on_ground(shape: BaseGeometry) -> BaseGeometry:
    moved = shapely.transform(shape, lambda xy: xy + np.array([600_000, 7_700_000]))
    assert isinstance(moved, shapely.Polygon)
    return outline_to_lonlat(moved, UTM)


def test_a_square_a_disc_and_a_slender_rectangle() -> None:
    square = shape_features(on_ground(shapely.box(0, 0, 100, 100)))
    assert square["log_area"] == pytest.approx(4, abs=0.01)
    assert square["elongation"] == pytest.approx(1, abs=0.01)
    assert square["compactness"] == pytest.approx(np.pi / 4, abs=0.01)
    assert (square["holes"], square["parts"]) == (0, 1)
    slender = shape_features(on_ground(shapely.box(0, 0, 500, 50)))
    assert slender["elongation"] == pytest.approx(10, rel=0.02)
    assert slender["compactness"] < 0.3 < square["compactness"]
    disc = shape_features(on_ground(shapely.Point(0, 0).buffer(80)))
    assert disc["compactness"] == pytest.approx(1, abs=0.02)
    assert disc["rectangularity"] == pytest.approx(np.pi / 4, abs=0.02)


def test_a_point_has_no_shape_and_a_corner_cut_out_is_seen() -> None:
    assert shape_features(shapely.Point(-44, -20)) == {}
    corner = shapely.box(0, 0, 100, 100) - shapely.box(50, 50, 100, 100)
    assert shape_features(on_ground(corner))["solidity"] == pytest.approx(0.75 / 0.875, abs=0.01)


def scene(folder: Path, data: NDArray[np.uint16], bands: tuple[str, ...] = BANDS) -> SceneRef:
    return ref_of(make_scene(folder / "a.tif", data=data, bands=bands, nodata=0))


def flat() -> NDArray[np.uint16]:
    """The site in the middle (24 to 40), half as bright around it."""
    data = np.empty((len(BANDS), 64, 64), np.uint16)
    for band, level in enumerate(INSIDE):
        data[band] = level // 2
        data[band, 24:40, 24:40] = level
    return data


def look(ref: SceneRef) -> Look:
    to_degrees = transformer(ref.crs, "EPSG:4326")
    corners = [ref.affine @ corner for corner in ((26, 26), (38, 26), (38, 38), (26, 38))]
    return look_at(ref, shapely.Polygon([to_degrees.transform(*corner) for corner in corners]))


def test_bands_and_indices_inside_and_against_the_ring(tmp_path: Path) -> None:
    found = band_features(look(scene(tmp_path, flat())))
    assert found["B04"] == pytest.approx(0.2)
    assert found["B04_ring"] == pytest.approx(1 / 3, abs=0.02)
    assert found["ndvi"] == pytest.approx((3000 - 2000) / 5000)
    assert found["iron"] == pytest.approx((2000 - 1000) / 3000)
    assert found["clay"] == pytest.approx((4000 - 2000) / 6000)
    assert found["ndvi_spread"] == pytest.approx(0, abs=1e-3)


def test_what_a_scene_lacks_is_left_out(tmp_path: Path) -> None:
    found = band_features(look(scene(tmp_path, flat()[:3], BANDS[:3])))
    assert {"B02", "B03", "B04", "iron"} <= set(found)
    assert not {"B08", "ndvi", "clay"} & set(found)


def test_texture_tells_flat_from_ramp_from_grain(tmp_path: Path) -> None:
    smooth = texture_features(look(scene(tmp_path, flat())))
    assert smooth["B04_roughness"] == pytest.approx(0, abs=1e-3)
    assert smooth["B04_edges"] == pytest.approx(0, abs=1e-3)
    ramp = flat()
    ramp[:, 24:40, 24:40] = np.linspace(1000, 3000, 16).astype(np.uint16)
    sloped = texture_features(look(scene(tmp_path, ramp)))
    grain = flat()
    grain[:, 24:40, 24:40] = np.random.default_rng(1).permutation(np.resize(ramp[0, 30, 24:40], 256)).reshape(16, 16)
    rough = texture_features(look(scene(tmp_path, grain)))
    assert rough["B04_roughness"] == pytest.approx(sloped["B04_roughness"], rel=0.3)
    assert rough["B04_grain"] > 4 * sloped["B04_grain"] > 0


def test_haze_is_told_by_the_blue_of_the_ring(tmp_path: Path) -> None:
    clear, hazy = flat(), flat()
    hazy[0] += 2000
    assert haze_of(look(scene(tmp_path, clear))) < haze_of(look(scene(tmp_path, hazy)))
    hidden = flat()
    hidden[:, 18:46, 18:46] = 0
    assert haze_of(look(scene(tmp_path, hidden))) == float("inf")
    assert band_features(look(scene(tmp_path, hidden))) == {}
