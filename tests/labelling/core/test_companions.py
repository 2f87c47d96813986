from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from labelling.core.companions import Companions, check_companion, find_companions, is_companion
from labelling.core.errors import BadRaster
from tests.scenes import make_scene

IMAGERY = settings.SHARED_DATA / "imagery"


def classes(path: Path) -> Path:
    return make_scene(path, bands=("SCL",), data=np.full((1, 8, 8), 4, np.uint8), scale=None)


def names(found: Companions) -> tuple[str, str]:
    return Path(found.scl).name, Path(found.cloud_probability).name


@pytest.mark.parametrize(
    ("scene", "scl", "cloud"),
    [
        ("T29UNU_20221005_BOA_60m.tif", "T29UNU_20221005_SCL_20m.tif", "T29UNU_20221005_CLDPRB_20m.tif"),
        ("S2A2A_20170703_022_Lake_BOA_10.tif", "S2A2A_20170703_022_Lake_SCL_10.tif", ""),
        ("pit.tif", "pit_SCL.tif", "pit.cldprb.tif"),
        ("pit-2021.tiff", "scl-pit-2021.tif", "pit-2021_CLP.tif"),
    ],
)  # fmt: skip
def test_companions_have_the_name_of_their_scene(tmp_path: Path, scene: str, scl: str, cloud: str) -> None:
    for name in (scene, scl, cloud, "other_SCL.tif", "other_CLDPRB.tif", "README"):
        if name:
            (tmp_path / name).touch()
    assert names(find_companions(tmp_path / scene)) == (scl, cloud)


def test_another_date_tile_or_level_has_other_companions(tmp_path: Path) -> None:
    (tmp_path / "S2A2A_20170703_022_Lake_SCL_10.tif").touch()
    for name in ("S2A2A_20170713_022_Lake_BOA_10.tif", "S2A1C_20170703_022_Lake_TOA_10.tif", "Lake_BOA_10.tif"):
        assert find_companions(tmp_path / name) == Companions()


def test_a_companion_that_came_later_is_found(tmp_path: Path) -> None:
    assert find_companions(tmp_path / "pit.tif") == Companions()
    (tmp_path / "pit_SCL.tif").touch()
    assert names(find_companions(tmp_path / "pit.tif")) == ("pit_SCL.tif", "")


def test_a_companion_is_no_scene() -> None:
    assert is_companion(Path("/a/T29UNU_20221005T115411_SCL_20m.jp2"))
    assert is_companion(Path("/a/pit_cldprb.TIF"))
    assert not is_companion(Path("/a/sclerophyll.tif"))
    assert not is_companion(Path("/scl/pit.tif"))
    assert not is_companion(Path("/a/pit_SCL.tif.json"))


def test_what_cannot_be_a_companion_is_refused(tmp_path: Path) -> None:
    check_companion(str(classes(tmp_path / "a_SCL.tif")))
    with pytest.raises(BadRaster, match=r"b_SCL\.tif: is no scene classification"):
        check_companion(str(make_scene(tmp_path / "b_SCL.tif")))
    (tmp_path / "c_SCL.tif").write_bytes(b"II*\x00 and no more")
    with pytest.raises(BadRaster, match="cannot be read"):
        check_companion(str(tmp_path / "c_SCL.tif"))
    with pytest.raises(BadRaster, match="no such file"):
        check_companion(str(tmp_path / "d_SCL.tif"))


@pytest.mark.real
@pytest.mark.skipif(not IMAGERY.is_dir(), reason=f"no real imagery at {IMAGERY}: set MAD_SHARED_DATA")
def test_the_real_companions_are_found() -> None:
    crop = find_companions(IMAGERY / "t29unu_l2a_11band" / "T29UNU_20221005T115411_BOA_60m_crop600.tif")
    assert names(crop) == (
        "T29UNU_20221005T115411_SCL_60m_crop600.tif",
        "T29UNU_20221005T115411_CLDPRB_60m_crop600.tif",
    )
    lake = IMAGERY / "barbellino_two_dates"
    for date in ("20170703", "20190723"):
        found = find_companions(lake / f"S2A2A_{date}_022_Barbellino_BOA_10.tif")
        assert names(found) == (f"S2A2A_{date}_022_Barbellino_SCL_10.tif", "")
        assert find_companions(lake / f"S2A1C_{date}_022_Barbellino_TOA_10.tif") == Companions()
