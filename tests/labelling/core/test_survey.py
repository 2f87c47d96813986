from pathlib import Path

import numpy as np
import pytest

from labelling.core import survey
from labelling.core.errors import BadRaster
from labelling.core.survey import survey_scene
from tests.scenes import made_up_ground, make_scene, ref_of


def test_percentiles_are_of_the_pixels_that_have_data(tmp_path: Path) -> None:
    data = np.minimum(made_up_ground(3, 200, 200), 2900)
    data[:, :50] = 0
    ref = ref_of(make_scene(tmp_path / "a.tif", bands=("B02", "B03", "B04"), data=data, nodata=0))
    found = survey_scene(ref, has_overviews=False)
    for band, plane in zip(ref.bands, data, strict=True):
        assert found.display[band] == pytest.approx(np.percentile(plane[50:], (2, 98)), rel=0.01)
    iron = data[2, 50:] / data[0, 50:]
    assert found.display["iron"] == pytest.approx(np.percentile(iron, (2, 98)), rel=0.01)
    assert found.quality == {"valid": 0.75, "saturated": 0.0}


def test_saturated_is_the_highest_number_and_not_merely_bright(tmp_path: Path) -> None:
    data = made_up_ground(2, 100, 100)
    data[0, :10] = 65535
    data[1, 10:20] = 10_001
    ref = ref_of(make_scene(tmp_path / "a.tif", bands=("B02", "B03"), data=data))
    assert survey_scene(ref, has_overviews=False).quality["saturated"] == pytest.approx(0.1)


@pytest.mark.parametrize("overviews", [True, False])
def test_a_large_image_is_looked_at_in_part(tmp_path: Path, overviews: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "WHOLE_UP_TO", 256)
    monkeypatch.setattr(survey, "SIDE", 256)
    data = made_up_ground(1, 640, 640)
    ref = ref_of(make_scene(tmp_path / "a.tif", bands=("B04",), data=data, overviews=overviews))
    found = survey_scene(ref, has_overviews=overviews)
    assert found.display["B04"] == pytest.approx(np.percentile(data, (2, 98)), rel=0.1)
    assert found.quality["valid"] == 1


def test_an_image_without_any_data_is_refused(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "a.tif", bands=("B04",), data=np.zeros((1, 32, 32), np.uint16), nodata=0)
    with pytest.raises(BadRaster, match=r"^a\.tif: holds no data at all"):
        survey_scene(ref_of(path), has_overviews=False)


def test_clouds_do_not_darken_the_ground(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ground = rng.integers(500, 1500, (3, 64, 64)).astype(np.uint16)
    cloudy = ground.copy()
    cloudy[:, :, :16] = 6500
    survey = [
        survey_scene(
            ref_of(make_scene(tmp_path / f"{name}.tif", bands=("B02", "B03", "B04"), data=data)), has_overviews=False
        )
        for name, data in (("clear", ground), ("cloudy", cloudy))
    ]
    assert survey[1].display["B04"] == pytest.approx(survey[0].display["B04"], rel=0.02)


def test_a_scene_that_is_all_cloud_is_still_shown(tmp_path: Path) -> None:
    data = np.full((1, 64, 64), 7000, np.uint16)
    data[:, ::2] = 6000
    survey = survey_scene(ref_of(make_scene(tmp_path / "a.tif", bands=("B02",), data=data)), has_overviews=False)
    assert survey.display["B02"] == [6000, 7000]
