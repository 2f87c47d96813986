import json
from pathlib import Path

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon

from inference.core.errors import InferenceError, NothingToDetect
from inference.services.selection import read_aoi, select_scenes
from labelling.core.errors import BadInput
from labelling.models import Scene
from tests.inference.catalogue import catalogued

pytestmark = pytest.mark.django_db


@pytest.fixture
def scenes(tmp_path: Path) -> list[Scene]:
    return [
        catalogued(tmp_path / "brazil" / "east.tif", []),
        catalogued(tmp_path / "brazil" / "west.tif", [], lon=-50.0),
        catalogued(tmp_path / "congo" / "north.tif", [], lon=27.3, lat=-10.7),
    ]


def test_nothing_said_means_every_scene(scenes: list[Scene]) -> None:
    assert select_scenes() == scenes


def test_scenes_are_called_by_name_number_file_or_folder(scenes: list[Scene], tmp_path: Path) -> None:
    east, west, north = scenes
    assert select_scenes(wanted=[east.name]) == [east]
    assert select_scenes(wanted=[str(west.pk), str(west.pk)]) == [west]
    assert select_scenes(wanted=[str(tmp_path / "brazil")]) == [east, west]
    assert select_scenes(wanted=[north.uri, east.name]) == [east, north]


@pytest.mark.parametrize("text", ["nowhere", "999999", "/no/such/folder", "", "%"])
def test_what_is_not_catalogued_is_named(scenes: list[Scene], text: str) -> None:
    with pytest.raises(NothingToDetect, match="no catalogued scene is called"):
        select_scenes(wanted=[text])


def test_an_area_chooses_the_scenes_that_it_touches(scenes: list[Scene]) -> None:
    congo = MultiPolygon(Polygon.from_bbox((27.0, -11.0, 28.0, -10.0)), srid=4326)
    assert select_scenes(aoi=congo) == [scenes[2]]
    with pytest.raises(NothingToDetect, match="no scene touches"):
        select_scenes(wanted=[scenes[0].name], aoi=congo)


def test_without_scenes_one_is_told_to_import_some() -> None:
    with pytest.raises(NothingToDetect, match="import some first"):
        select_scenes()


def geojson(path: Path, *geometries: dict[str, object]) -> Path:
    features = [{"type": "Feature", "properties": {}, "geometry": geometry} for geometry in geometries]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def square(x: float, y: float) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [[[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1], [x, y]]]}


def test_polygons_of_a_file_become_one_area(tmp_path: Path) -> None:
    area = read_aoi(geojson(tmp_path / "aoi.geojson", square(0, 0), square(0.5, 0), square(9, 9)))
    assert (area.geom_type, area.srid, len(area)) == ("MultiPolygon", 4326, 2)
    assert area.area == pytest.approx(2.5)


def test_an_area_without_any_area_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InferenceError, match="no polygon in it"):
        read_aoi(geojson(tmp_path / "aoi.geojson", {"type": "Point", "coordinates": [1, 2]}))


def test_a_hostile_area_is_refused_with_its_row(tmp_path: Path) -> None:
    bow: dict[str, object] = {"type": "Polygon", "coordinates": [[[0, 0], [400, 0], [0, 400], [0, 0]]]}
    with pytest.raises(InferenceError, match=r"aoi\.geojson, row 2: "):
        read_aoi(geojson(tmp_path / "aoi.geojson", square(0, 0), bow))
    (tmp_path / "evil.geojson").write_text(
        "<OGRVRTDataSource><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTDataSource>"
    )
    with pytest.raises(BadInput):
        read_aoi(tmp_path / "evil.geojson")
