from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from shapely.affinity import affine_transform
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from labelling.core.chips import ChipGrid, chip_grid, geometry_in_chip
from labelling.core.export import ExportLabel, ExportSettings
from labelling.core.export_chips import Ground, chip_name, cut_example, place_on_labels, place_on_nothing
from labelling.core.globe import outline_to_lonlat
from labelling.core.raster import transformer
from tests.labelling.core.test_export import PIT
from tests.scenes import make_scene, ref_of

LON, LAT = -44.6, -21.07
SETTINGS = ExportSettings("yolo", chip_px=64, bands=("B04", "B03", "B02"))
GRID = chip_grid(lon=LON, lat=LAT, side_px=64, pixel_m=10)


def at(x0: float, y0: float, x1: float, y1: float, grid: ChipGrid = GRID) -> BaseGeometry:
    """Ground given in pixels of a chip."""
    return outline_to_lonlat(affine_transform(box(x0, y0, x1, y1), grid.transform.to_shapely()), grid.crs)


def label(site: int, geometry: BaseGeometry) -> ExportLabel:
    return replace(PIT, site=site, geometry=geometry)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A scene of 128 x 128 pixels around the middle of the chip."""
    x, y = GRID.transform.c - 320, GRID.transform.f + 320
    lon, lat = transformer(GRID.crs, "EPSG:4326").transform(x, y)
    return make_scene(tmp_path / "a.tif", lon=lon, lat=lat, size=128, nodata=0)


def cut(scene: Path, ground: Ground) -> tuple[NDArray[np.bool_], dict[int, BaseGeometry]]:
    example = cut_example(ref=ref_of(scene), grid=GRID, ground=ground, settings=SETTINGS)
    return np.asarray(example.image.any(axis=2)), {one.site: part for one, part in example.placed}


def test_only_reviewed_ground_is_shown(scene: Path) -> None:
    shown, placed = cut(scene, Ground([at(10, 20, 50, 60)], [], []))
    assert placed == {}
    assert shown[21:59, 11:49].all()
    assert not shown[:19].any()
    assert not shown[:, 52:].any()


def test_a_label_on_the_edge_of_the_reviewed_ground_is_shown_whole(scene: Path) -> None:
    shown, placed = cut(scene, Ground([at(0, 0, 32, 64)], [label(1, at(20, 20, 44, 40))], []))
    np.testing.assert_allclose(placed[1].bounds, (20, 20, 44, 40), atol=0.1)
    assert shown[22:38, 22:42].all()
    assert not shown[:, 47:].any()


def test_unknown_ground_is_black_but_a_label_wins_over_it(scene: Path) -> None:
    ground = Ground([at(0, 0, 64, 64)], [label(1, at(20, 20, 30, 30))], [at(25, 15, 45, 35)])
    shown, placed = cut(scene, ground)
    assert shown[21:29, 21:29].all()
    assert not shown[17:33, 32:43].any()
    assert set(placed) == {1}


def test_a_label_that_is_mostly_off_the_chip_is_black_and_has_no_box(scene: Path) -> None:
    ground = Ground([at(-40, 0, 64, 64)], [label(1, at(-36, 10, 4, 30)), label(2, at(-10, 40, 20, 60))], [])
    shown, placed = cut(scene, ground)
    assert set(placed) == {2}
    assert not shown[11:29, :3].any()
    np.testing.assert_allclose(placed[2].bounds, (0, 40, 20, 60), atol=0.1)


def test_a_label_without_data_or_without_size_has_no_box(tmp_path: Path) -> None:
    x, y = GRID.transform.c, GRID.transform.f
    lon, lat = transformer(GRID.crs, "EPSG:4326").transform(x, y)
    half = make_scene(tmp_path / "half.tif", lon=lon, lat=lat, size=(64, 32), nodata=0)
    labels = [label(1, at(40, 10, 60, 30)), label(2, at(10, 10, 20, 20)), label(3, at(5, 50, 5.4, 58))]
    _, placed = cut(half, Ground([at(0, 0, 64, 64)], labels, []))
    assert set(placed) == {2}


def test_every_label_is_whole_on_a_chip_and_neighbours_share_one() -> None:
    labels = [label(1, at(20, 20, 30, 30)), label(2, at(35, 20, 45, 30)), label(3, at(400, 20, 420, 30))]
    grids = place_on_labels(labels, SETTINGS)
    assert len(grids) == 2
    for one in labels:
        whole = [geometry_in_chip(one.geometry, grid).area for grid in grids]
        assert max(whole) == pytest.approx(geometry_in_chip(one.geometry, replace_size(GRID, 1000)).area, rel=1e-3)


def replace_size(grid: ChipGrid, side: int) -> ChipGrid:
    return ChipGrid(grid.crs, grid.transform, side, side)


def test_a_label_larger_than_a_chip_has_one() -> None:
    (grid,) = place_on_labels([label(1, at(-100, -100, 200, 200))], SETTINGS)
    assert geometry_in_chip(at(-100, -100, 200, 200), grid).area == pytest.approx(64 * 64, rel=1e-3)


def test_empty_chips_lie_on_reviewed_ground_clear_of_everything() -> None:
    reviewed, mine, unknown = at(0, 0, 400, 400), label(1, at(100, 100, 120, 120)), at(300, 300, 310, 310)
    ground = Ground([reviewed, reviewed], [mine], [unknown])
    grids = place_on_nothing(ground, SETTINGS, most=1000)
    assert len(grids) == len(set(grids)) > 10
    for grid in grids:
        footprint = grid.footprint()
        assert not footprint.intersects(mine.geometry)
        assert not footprint.intersects(unknown)
        assert geometry_in_chip(reviewed, grid).area >= 0.5 * 64 * 64
    assert len(place_on_nothing(ground, SETTINGS, most=3)) == 3
    assert place_on_nothing(ground, SETTINGS, most=3) == place_on_nothing(ground, SETTINGS, most=3)


def test_nothing_reviewed_gives_no_empty_chip() -> None:
    assert place_on_nothing(Ground([], [], []), SETTINGS, most=10) == []
    assert place_on_nothing(Ground([at(0, 0, 5, 5)], [], []), SETTINGS, most=10) == []


def test_the_name_of_a_chip_is_that_of_its_imagery_place_and_bands() -> None:
    names = {
        chip_name("v1", GRID, SETTINGS),
        chip_name("v2", GRID, SETTINGS),
        chip_name("v1", replace_size(GRID, 65), SETTINGS),
        chip_name("v1", GRID, ExportSettings("yolo", bands=("B08",))),
    }
    assert len(names) == 4
    assert chip_name("v1", GRID, SETTINGS) in names
