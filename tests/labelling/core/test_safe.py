"""SAFE folders: each band at its finest pixel size, read on one grid, with the radiometry of the product."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings as django_settings
from numpy.typing import NDArray
from rasterio.windows import Window

from labelling.core.cog import write_cog
from labelling.core.errors import BadInput, BadRaster
from labelling.core.intake import Candidate, ImportOrder, read_candidate
from labelling.core.raster import SceneRef, open_raster, read_grid, read_window, transformer
from labelling.core.safe import is_safe, read_safe
from labelling.core.scene_mapping import SceneMapping
from labelling.core.scenes import SceneFacts, describe_stack
from labelling.core.tiles import read_box
from tests.safe_folders import CORNER, NAME, SIDE_M, make_safe, write_jp2
from tests.scenes import make_scene, ref_of

XML = django_settings.SHARED_DATA / "imagery" / "t29unu_l2a_11band"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not XML.is_dir(), reason=f"the XML of a real product is not at {XML} (MAD_SHARED_DATA)"),
]


@pytest.fixture
def safe(tmp_path: Path) -> tuple[Path, dict[str, NDArray[np.uint16]]]:
    folder = tmp_path / NAME
    return folder, make_safe(folder, xml=XML)


def described(folder: Path) -> SceneFacts:
    product = read_safe(folder)
    return describe_stack(product.bands, place=str(folder), mapping=SceneMapping(), said=product.said)


def test_a_level_2a_product_is_one_scene_of_twelve_bands(safe: tuple[Path, dict[str, NDArray[np.uint16]]]) -> None:
    folder, _ = safe
    facts = described(folder)
    assert facts.ref.bands == ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")
    assert (facts.ref.width, facts.ref.height, facts.ref.nodata) == (240, 240, 0)
    assert (facts.level, facts.baseline, facts.sensor) == ("L2A", "04.00", "sentinel-2")
    assert facts.acquired_at is not None
    assert facts.acquired_at.isoformat() == "2022-10-05T11:54:11+00:00"
    assert set(facts.ref.scales) == {0.0001}
    assert facts.ref.offsets == pytest.approx([-0.1] * 12)
    assert facts.ref.scl.endswith("_SCL_20m.jp2")
    assert facts.ref.cloud_probability.endswith("MSK_CLDPRB_20m.jp2")
    assert 0 < facts.stated["sun"] < 90
    assert is_safe(folder)
    assert not is_safe(folder / "GRANULE")


def test_a_level_1c_product_has_thirteen_bands_and_its_own_offset(tmp_path: Path) -> None:
    folder = tmp_path / NAME.replace("MSIL2A", "MSIL1C")
    make_safe(folder, xml=XML, level="L1C")
    facts = described(folder)
    assert (facts.level, len(facts.ref.bands), facts.ref.scl) == ("L1C", 13, "")
    assert facts.ref.offsets == pytest.approx([-0.1] * 13)


def test_bands_of_10_20_and_60_metres_are_read_on_one_grid(safe: tuple[Path, dict[str, NDArray[np.uint16]]]) -> None:
    folder, bands = safe
    ref = described(folder).ref
    whole = read_window(ref, Window(0, 0, 240, 240))
    assert whole.mask.all()
    assert (whole.data[ref.bands.index("B08")] == bands["B08"]).all()
    for band, step in (("B05", 2), ("B01", 6)):
        plane = whole.data[ref.bands.index(band)].astype(float)
        coarse = bands[band].astype(float)
        # In the middle between the centres of four coarse pixels bilinear reading gives about their mean.
        middle = plane[step - 1 : step + 1, step - 1 : step + 1].mean()
        assert middle == pytest.approx(coarse[:2, :2].mean(), abs=1)
        assert plane.min() >= coarse.min()
        assert plane.mean() == pytest.approx(coarse.mean(), rel=0.01)


def test_a_window_is_the_same_whether_read_alone_or_with_its_neighbours(
    safe: tuple[Path, dict[str, NDArray[np.uint16]]],
) -> None:
    ref = described(safe[0]).ref
    whole = read_window(ref, Window(0, 0, 240, 240))
    part = read_window(ref, Window(61, 47, 90, 75))
    assert (part.data == whole.data[:, 47:122, 61:151]).all()
    over = read_window(ref, Window(-10, -10, 40, 40))
    assert (over.data[:, 10:, 10:] == whole.data[:, :30, :30]).all()
    assert not over.mask[:10].any()


def test_nodata_in_a_coarse_band_masks_the_ground_under_it(tmp_path: Path) -> None:
    folder = tmp_path / NAME
    bands = make_safe(folder, xml=XML)
    holed = bands["B11"].copy()
    holed[:30, :30] = 0
    write_jp2(next(folder.rglob("*_B11_20m.jp2")), holed, 20)
    whole = read_window(described(folder).ref, Window(0, 0, 240, 240))
    assert not whole.mask[:58, :58].any()
    assert whole.mask[62:, 62:].all()
    plane = whole.data[whole.bands.index("B11")]
    assert plane[62:, 62:].min() >= 1100  # nothing is mixed with "no data"


def test_tiles_and_other_grids_show_all_bands(safe: tuple[Path, dict[str, NDArray[np.uint16]]]) -> None:
    ref = described(safe[0]).ref
    grid = read_grid(ref, crs=ref.crs, transform=ref.affine, width=240, height=240, bands=("B08", "B01"))
    assert (grid.data[0] == safe[1]["B08"]).all()
    middle = (CORNER[0] + SIDE_M / 2, CORNER[1] - SIDE_M / 2)
    x, y = transformer(ref.crs, "EPSG:3857").transform(*middle)
    box = read_box(ref, bounds=(x - 500, y - 500, x + 500, y + 500), bands=("B04", "B11", "B09"), size=64)
    assert box.mask.all()
    assert all(1100 <= plane.mean() <= 4000 for plane in box.data)


def test_a_copy_holds_every_band_on_the_scene_s_grid(
    safe: tuple[Path, dict[str, NDArray[np.uint16]]], tmp_path: Path
) -> None:
    ref = described(safe[0]).ref
    write_cog(ref, tmp_path / "copies" / "copy.tif")
    with open_raster(tmp_path / "copies" / "copy.tif") as copy:
        assert copy.descriptions == ref.bands
        assert (copy.nodata, copy.offsets[0]) == (0, pytest.approx(-0.1))
        assert (copy.read() == read_window(ref, Window(0, 0, 240, 240)).data).all()
    assert [one.name for one in (tmp_path / "copies").iterdir()] == ["copy.tif"]


def test_a_product_is_read_whole_into_the_catalogue_s_values(
    safe: tuple[Path, dict[str, NDArray[np.uint16]]], tmp_path: Path
) -> None:
    reading = read_candidate(Candidate(str(safe[0])), ImportOrder(), roots=(tmp_path,), store=tmp_path / "copies")
    assert reading.uri == str(safe[0])
    assert len(reading.values["files"]) == len(reading.values["bands"]) == 12
    assert reading.values["name"] == NAME.removesuffix(".SAFE")
    again = Candidate(str(safe[0]), known={reading.uri: reading.values["version"]})
    assert not read_candidate(again, ImportOrder(), roots=(tmp_path,), store=tmp_path / "copies").values


def test_what_is_not_whole_is_refused_with_the_reason(safe: tuple[Path, dict[str, NDArray[np.uint16]]]) -> None:
    folder, bands = safe
    write_jp2(next(folder.rglob("*_B12_20m.jp2")), bands["B12"][:60], 20)
    with pytest.raises(BadRaster, match=r"B12 .* covers other ground"):
        described(folder)
    band = next(folder.rglob("*_B12_20m.jp2"))
    band.write_bytes(b"\x00\x00\x00\x0cjP  \r\n\x87\n" + b"junk" * 50)
    with pytest.raises(BadRaster, match="truncated or damaged"):
        described(folder)
    band.write_text("<VRTDataset/>")
    with pytest.raises(BadRaster, match="first bytes"):
        described(folder)
    shutil.copytree(next(folder.glob("GRANULE/*")), folder / "GRANULE" / "second")
    with pytest.raises(BadRaster, match="2 granules"):
        read_safe(folder)
    shutil.rmtree(folder / "GRANULE")
    (folder / "GRANULE" / "one").mkdir(parents=True)
    with pytest.raises(BadRaster, match="no band"):
        read_safe(folder)
    (folder / "MTD_MSIL2A.xml").write_text("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>")
    with pytest.raises(BadInput, match="DOCTYPE"):
        read_safe(folder)
    (folder / "MTD_MSIL2A.xml").unlink()
    with pytest.raises(BadRaster, match=r"without MTD_MSIL2A\.xml"):
        read_safe(folder)


def test_a_band_that_is_a_link_to_elsewhere_is_refused(
    safe: tuple[Path, dict[str, NDArray[np.uint16]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, _ = safe
    band = next(folder.rglob("*_B12_20m.jp2"))
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "B12.jp2"
    shutil.move(band, elsewhere)
    band.symlink_to(elsewhere)
    with pytest.raises(BadRaster, match="MAD_SCENE_ROOTS"):
        read_candidate(Candidate(str(folder)), ImportOrder(), roots=(folder.parent,), store=folder.parent)


def test_a_scene_of_one_file_elsewhere_reads_all_bands_from_it(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "a.tif")
    here = ref_of(path)
    there = SceneRef(**{**here.__dict__, "path": "/no/where", "files": (str(path),)})
    window = Window(3, 4, 20, 30)
    assert (
        read_window(there, window, bands=("B08", "B02")).data == read_window(here, window, bands=("B08", "B02")).data
    ).all()
