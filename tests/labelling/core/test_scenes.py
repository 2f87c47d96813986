import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine

from labelling.core.errors import BadInput, BadRaster
from labelling.core.raster import open_raster
from labelling.core.scene_mapping import SceneMapping, band_name, read_mapping
from labelling.core.scenes import SceneFacts, describe_scene, fingerprint_of
from tests.scenes import made_up_ground, make_scene

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
SILENT = SceneMapping()


def described(path: Path, mapping: SceneMapping = SILENT) -> SceneFacts:
    with open_raster(path) as file:
        return describe_scene(file, path=path, mapping=mapping)


def refused(path: Path, mapping: SceneMapping = SILENT) -> str:
    with pytest.raises(BadRaster) as caught:
        described(path, mapping)
    assert caught.value.file == path.name
    return caught.value.reason


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.tif"


def test_a_good_file_is_described_by_itself(path: Path) -> None:
    tags = {"ATTRIBUTION": "Contains modified Copernicus Sentinel data 2022", "ACQUIRED_AT": "2022-10-05"}
    facts = described(make_scene(path, nodata=0, scale=0.0001, offset=-0.1, tags=tags))
    assert facts.ref.bands == ("B02", "B03", "B04", "B08")
    assert facts.ref.scales == (0.0001,) * 4
    assert facts.ref.offsets == (-0.1,) * 4
    assert facts.ref.nodata == 0
    assert facts.ref.crs == "EPSG:32723"
    assert facts.pixel_m == pytest.approx(10, abs=0.01)
    assert facts.acquired_at == datetime(2022, 10, 5, tzinfo=UTC)
    assert facts.attribution == tags["ATTRIBUTION"]
    assert not facts.has_overviews
    assert facts.footprint.bounds[0] == pytest.approx(-44.6, abs=1e-6)
    assert described(make_scene(path, size=128, overviews=True)).has_overviews


@pytest.mark.parametrize(
    ("text", "name"),
    [("B2", "B02"), ("b02", "B02"), ("2", "B02"), ("B8A", "B8A"), ("b8a", "B8A"), ("B12", "B12"), ("red", "B04"),
     ("NIR", "B08"), ("SCL", "SCL"), (" B04 ", "B04"), ("VV", "VV")],
)  # fmt: skip
def test_bands_are_named_as_sentinel_2_does(text: str, name: str) -> None:
    assert band_name(text) == name


@pytest.mark.parametrize("text", ["", "B13x y", "<script>", "a" * 21, "14", "é"])
def test_what_is_no_band_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a band name"):
        band_name(text)


def test_bands_without_names_are_refused_with_what_to_do(path: Path) -> None:
    make_scene(path, bands=(), data=made_up_ground(4, 16, 16))
    assert "its 4 bands have no names: give them with --mapping" in refused(path)
    assert described(path, SceneMapping(bands=("B02", "B03", "B04", "B08"))).ref.bands[3] == "B08"
    assert "it has 4 bands, but 2 are named: B02, B03" in refused(path, SceneMapping(bands=("B02", "B03")))
    twice = SceneMapping(bands=("B02", "B02", "B03", "B04"))
    assert "two bands have the same name" in refused(path, twice)


def test_a_tag_may_name_the_bands(path: Path) -> None:
    make_scene(path, bands=(), data=made_up_ground(2, 16, 16), tags={"BANDS": "B11, B12"})
    assert described(path).ref.bands == ("B11", "B12")


def test_no_crs_is_refused(path: Path) -> None:
    assert refused(make_scene(path, crs="")).startswith("has no CRS")


def test_no_transform_is_refused(path: Path) -> None:
    assert "no transform" in refused(make_scene(path, transform=Affine.identity()))


@pytest.mark.parametrize(
    "transform",
    [Affine(10, 1, 5e5, 1, -10, 7e6), Affine(10, 0, 5e5, 0, 10, 7e6), Affine(-10, 0, 5e5, 0, -10, 7e6)],
)
def test_a_turned_or_mirrored_grid_is_refused(path: Path, transform: Affine) -> None:
    assert "turned or mirrored" in refused(make_scene(path, crs="EPSG:32723", transform=transform))


def test_stretched_pixels_are_refused_with_their_size_and_those_of_degrees_are_not(path: Path) -> None:
    step = 10 / 111_320
    flat = Affine(step * 9, 0, -44, 0, -step, -3)
    reason = refused(make_scene(path, crs="EPSG:4326", transform=flat))
    assert reason.startswith("pixels of 90 m by 10 m")
    for lat in (0, -22, 45):
        make_scene(path, crs="EPSG:4326", lat=lat)
        assert 8 < described(path).pixel_m <= 10.02


def test_a_place_outside_the_world_is_refused(path: Path) -> None:
    assert "outside the world" in refused(make_scene(path, crs="EPSG:4326", transform=Affine(1, 0, 0, 0, -1, 300)))


def test_a_crs_without_a_code_is_kept_as_text(path: Path) -> None:
    crs = "+proj=laea +lat_0=-21 +lon_0=-44 +datum=WGS84 +units=m"
    facts = described(make_scene(path, crs=crs, transform=Affine(10, 0, 0, 0, -10, 0)))
    assert facts.ref.crs.startswith("PROJCS[")
    assert facts.footprint.bounds[0] == pytest.approx(-44, abs=0.01)


def test_scale_and_offset_are_never_guessed(path: Path) -> None:
    make_scene(path, scale=None, tags={"ACQUIRED_AT": "2022-10-05"})
    assert "does not say how its numbers become reflectance" in refused(path)
    facts = described(path, SceneMapping(scale=0.0001))
    assert (facts.ref.scales[0], facts.ref.offsets[0]) == (0.0001, 0.0)


def test_a_baseline_says_scale_and_offset_of_an_old_date_too(path: Path) -> None:
    make_scene(path, scale=None, tags={"ACQUIRED_AT": "2017-10-05", "PROCESSING_BASELINE": "05.00"})
    facts = described(path)
    assert (facts.ref.scales[0], facts.ref.offsets[0], facts.ref.nodata) == (0.0001, -0.1, 0)
    assert (facts.baseline, facts.radiometry) == ("05.00", "processing baseline 05.00")
    facts = described(path, SceneMapping(baseline="02.05"))
    assert (facts.ref.offsets[0], facts.baseline) == (0.0, "02.05")


def test_a_file_that_contradicts_its_baseline_is_refused_until_a_person_says_which(path: Path) -> None:
    make_scene(path, scale=0.0001, offset=0, tags={"PROCESSING_BASELINE": "04.00"})
    reason = refused(path)
    assert "the file says number × 0.0001 +0, but processing baseline 04.00 says number × 0.0001 -0.1" in reason
    facts = described(path, SceneMapping(scale=0.0001, offset=0))
    assert (facts.ref.offsets[0], facts.radiometry) == (0.0, "a person")


def test_scale_and_offset_may_stand_in_the_product_s_own_tags(path: Path) -> None:
    make_scene(path, scale=None, tags={"QUANTIFICATION": "10000", "BOA_ADD_OFFSET": "-1000"})
    ref = described(path).ref
    assert (ref.scales[0], ref.offsets[0]) == (0.0001, -0.1)
    make_scene(path, scale=None, tags={"QUANTIFICATION": "many"})
    assert "could not convert" in refused(path)
    make_scene(path, scale=None, tags={"QUANTIFICATION": "nan"})
    assert "not a finite number" in refused(path)


def test_floats_are_reflectance_already(path: Path) -> None:
    data = made_up_ground(1, 8, 8).astype(np.float32) / 10_000
    ref = described(make_scene(path, bands=("B04",), data=data, scale=None, nodata=np.nan)).ref
    assert (ref.scales, ref.offsets) == ((1.0,), (0.0,))
    assert ref.nodata is not None
    assert np.isnan(ref.nodata)


def test_a_mapping_speaks_louder_than_the_file(path: Path) -> None:
    make_scene(path, nodata=0, tags={"ACQUIRED_AT": "2022-10-05"})
    mapping = SceneMapping(
        scale=0.5, offset=0.25, nodata=7, acquired_at=datetime(2020, 1, 1, tzinfo=UTC), level="L1C", sensor="x"
    )
    facts = described(path, mapping)
    assert (facts.ref.scales[0], facts.ref.offsets[0], facts.ref.nodata) == (0.5, 0.25, 7)
    assert (facts.level, facts.sensor, facts.acquired_at) == ("L1C", "x", datetime(2020, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("nodata", [-9999.0, 70_000.0, 0.5])
def test_a_nodata_that_no_pixel_can_have_is_none(path: Path, nodata: float) -> None:
    assert described(make_scene(path), SceneMapping(nodata=nodata)).ref.nodata is None


def test_a_period_that_ends_before_it_begins_is_refused(path: Path) -> None:
    tags = {"ACQUIRED_AT": "2022-10-05", "ACQUIRED_UNTIL": "2021-10-05"}
    assert "before it began" in refused(make_scene(path, tags=tags))


def test_numbers_of_a_strange_type_are_refused(path: Path) -> None:
    reason = refused(make_scene(path, bands=("B04",), data=np.ones((1, 8, 8), np.uint32)))
    assert "write it as uint16 or float32" in reason


def test_an_alpha_band_is_no_band_of_the_scene(path: Path) -> None:
    data = np.concatenate([made_up_ground(3, 8, 8), np.full((1, 8, 8), 65535, np.uint16)])
    make_scene(path, data=data, bands=("B02", "B03", "B04"), photometric="RGB", alpha="YES")
    assert described(path).ref.bands == ("B02", "B03", "B04")


def test_a_mapping_is_read_from_json(tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text(json.dumps({"bands": "B2 B3,B4", "scale": 0.0001, "offset": -0.1, "acquired_at": "2022-10-05"}))
    mapping = read_mapping(file)
    assert mapping.bands == ("B02", "B03", "B04")
    assert mapping.over(SceneMapping(level="L2A", scale=9)).__dict__ | {"acquired_at": None} == {
        **SceneMapping(bands=("B02", "B03", "B04"), scale=0.0001, offset=-0.1, level="L2A").__dict__
    }


@pytest.mark.parametrize(
    "said",
    [b"", b"nonsense", b"[]", b"\xff\xfe", b"[" * 5000, b'{"band": []}', b'{"scale": "x"}', b'{"scale": NaN}',
     b'{"scale": true}', b'{"bands": 4}', b'{"bands": [4]}', b'{"bands": ["<b>"]}',
     b'{"acquired_at": "soon"}', b'{"level": 2}'],
)  # fmt: skip
def test_a_mapping_that_is_none_is_refused_with_its_name(tmp_path: Path, said: bytes) -> None:
    file = tmp_path / "m.json"
    file.write_bytes(said)
    with pytest.raises(BadInput, match=r"^m\.json: the mapping"):
        read_mapping(file)


def test_the_version_changes_with_the_file_and_with_what_is_said_of_it(path: Path) -> None:
    make_scene(path)
    facts = described(path)
    first = fingerprint_of(facts)
    assert first == fingerprint_of(described(path))
    assert len(first) == 16
    changes: dict[str, Any] = {"level": "L2A", "acquired_at": datetime(2020, 1, 1, tzinfo=UTC)}
    others = {fingerprint_of(replace(facts, **{key: value})) for key, value in changes.items()}
    others.add(fingerprint_of(facts, more=["composite"]))
    others.add(fingerprint_of(replace(facts, ref=replace(facts.ref, offsets=(-0.1,) * 4))))
    os.utime(path, ns=(1, 1))
    others.add(fingerprint_of(facts))
    assert len(others | {first}) == 6


def test_a_large_file_is_no_mapping_and_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "mapping.json"
    with file.open("wb") as sink:
        sink.truncate(50_000_000_000)  # a hole: it takes no room on the disk
    with pytest.raises(BadInput, match=r"mapping\.json: larger than 100 kB, not a mapping"):
        read_mapping(file)
