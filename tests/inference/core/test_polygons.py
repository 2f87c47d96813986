from pathlib import Path

import pytest
import shapely

from inference.core.polygons import polygons_of
from inference.core.sweep import Box
from labelling.core.raster import transformer
from tests.inference.scenes import blob_scene


@pytest.mark.parametrize("crs", ["utm", "EPSG:4326", "EPSG:3857"])
def test_a_box_comes_back_from_the_earth_to_the_pixel(tmp_path: Path, crs: str) -> None:
    ref = blob_scene(tmp_path / "a.tif", [], crs=crs)
    box = Box(10.25, 20.5, 30.75, 44, 0.9, "pond")
    (polygon,) = polygons_of([box], ref)
    x, y = transformer("EPSG:4326", ref.crs).transform(*shapely.get_coordinates(polygon).T)
    columns, rows = zip(*(~ref.affine @ point for point in zip(x, y, strict=True)), strict=True)
    assert (min(columns), min(rows), max(columns), max(rows)) == pytest.approx((10.25, 20.5, 30.75, 44), abs=0.01)


def test_polygons_are_valid_and_turn_left(tmp_path: Path) -> None:
    ref = blob_scene(tmp_path / "a.tif", [])
    found = polygons_of([Box(0, 0, 5, 5, 1, "pond"), Box(3, 3, 4, 9, 1, "pond")], ref)
    assert all(polygon.is_valid and shapely.is_ccw(shapely.get_exterior_ring(polygon)) for polygon in found)
    assert not shapely.equals(*found)


def test_no_boxes_no_polygons(tmp_path: Path) -> None:
    assert polygons_of([], blob_scene(tmp_path / "a.tif", [])) == []


def test_a_box_across_the_antimeridian_is_split(tmp_path: Path) -> None:
    ref = blob_scene(tmp_path / "a.tif", [], size=100, lon=179.997, lat=-17.0, crs="EPSG:4326")
    (polygon,) = polygons_of([Box(10, 10, 60, 30, 1, "pond")], ref)
    assert polygon.geom_type == "MultiPolygon"
    assert polygon.bounds[0] == -180
    assert polygon.bounds[2] == 180
    assert polygon.area == pytest.approx(50 * 20 * ref.transform[0] ** 2)
