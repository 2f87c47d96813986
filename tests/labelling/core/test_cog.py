from pathlib import Path

import numpy as np
import pytest
from rio_cogeo.cogeo import cog_validate

from labelling.core.blobs import remove_scratch, scratch_folder
from labelling.core.cog import write_cog
from labelling.core.errors import BadRaster
from labelling.core.raster import open_raster
from tests.scenes import made_up_ground, make_scene, ref_of


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_copy_is_the_same_image_with_overviews(tmp_path: Path, dtype: type[np.generic]) -> None:
    data = (made_up_ground(2, 1300, 700) / 40).astype(dtype)
    source = make_scene(
        tmp_path / "a.tif", bands=("B04", "B8A"), data=data, nodata=0, offset=-0.1, tags={"ATTRIBUTION": "Copernicus"}
    )
    target = tmp_path / "copies" / "a.tif"
    write_cog(ref_of(source), target)
    with open_raster(source) as before, open_raster(target) as after:
        assert (before.read() == after.read()).all()
        assert (before.crs, before.transform, before.nodata) == (after.crs, after.transform, after.nodata)
        assert (before.descriptions, before.scales, before.offsets) == (after.descriptions, after.scales, after.offsets)
        assert after.tags()["ATTRIBUTION"] == "Copernicus"
        assert after.overviews(1) == [2, 4]
    assert cog_validate(str(target), quiet=True)[0]
    assert [one.name for one in target.parent.iterdir()] == ["a.tif"]


def test_a_damaged_file_leaves_no_half_copy(tmp_path: Path) -> None:
    source = make_scene(tmp_path / "a.tif", size=600, compress="deflate")
    ref = ref_of(source)
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    with pytest.raises(BadRaster, match=r"^a\.tif"):
        write_cog(ref, tmp_path / "copies" / "a.tif")
    assert not list((tmp_path / "copies").glob("*")) if (tmp_path / "copies").exists() else True


def test_what_a_killed_process_left_beside_a_target_is_removed_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a [1].tif"
    remove_scratch(tmp_path / "nowhere" / "a.tif")
    with scratch_folder(target) as folder, scratch_folder(tmp_path / "a [1]-2.tif") as other:
        (folder / "copy.tif").write_text("x")
        Path(f"{folder}.tif").write_text("x")
        target.write_text("x")
        remove_scratch(target)
        assert sorted(one.name for one in tmp_path.iterdir()) == sorted([other.name, target.name])
    assert [one.name for one in tmp_path.iterdir()] == [target.name]
