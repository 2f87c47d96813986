import os
import threading
from pathlib import Path

import numpy as np
import pytest
import rasterio

from labelling.core import geotiff
from labelling.core.errors import BadRaster
from labelling.core.geotiff import checked_path, lend_raster, open_raster
from tests.scenes import make_scene

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

SECRET_VRT = """<VRTDataset rasterXSize="4" rasterYSize="4"><VRTRasterBand dataType="Byte" band="1"
subClass="VRTRawRasterBand"><SourceFilename>{secret}</SourceFilename></VRTRasterBand></VRTDataset>"""
WRITING_MRF = """<MRF_META><Raster><Size x="512" y="512" c="1"/><PageSize x="512" y="512" c="1"/></Raster>
<Rsets><DataFile>{target}</DataFile></Rsets></MRF_META>"""


def refusal(path: Path | str, **options: tuple[Path, ...]) -> str:
    with pytest.raises(BadRaster) as caught, open_raster(path, **options) as file:
        file.read()
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"II", "its first bytes are not those of a TIFF"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 100, "its first bytes are not those of a TIFF"),
        (b'{"type": "VRT"}', "its first bytes are not those of a TIFF"),
        (b"II*\x00" + b"\xff" * 400, "cannot be read"),
        (b"II*\x00", "cannot be read"),
    ],
)
def test_what_is_not_a_tiff_is_refused_with_its_name(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    told = refusal(path)
    assert told.startswith("a.tif: ")
    assert reason in told


def test_a_vrt_in_disguise_does_not_read_another_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"0123456789abcdef")
    path = tmp_path / "evil.tif"
    path.write_text(SECRET_VRT.format(secret=secret))
    assert "not a GeoTIFF" in refusal(path)


def test_an_mrf_in_disguise_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "evil.tif"
    path.write_text(WRITING_MRF.format(target=tmp_path / "pwned.bin"))
    assert "not a GeoTIFF" in refusal(path)
    assert [one.name for one in tmp_path.iterdir()] == ["evil.tif"]


@pytest.mark.parametrize(
    "path",
    ["scene.tif", "/vsicurl/http://127.0.0.1:9/a.tif", "/vsizip//a.zip/a.tif", "/a?b.tif", "/a<b.tif", "/{}", "/a\x00"],
)
def test_what_gdal_would_read_otherwise_than_as_a_path_never_reaches_it(path: str) -> None:
    assert "not an absolute path" in refusal(path)


def test_a_folder_and_a_missing_file_are_no_files(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path)
    assert "no such file" in refusal(tmp_path / "none.tif")


def test_a_file_outside_the_roots_is_refused_even_through_a_link(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    outside = make_scene(tmp_path / "out" / "a.tif")
    inside.mkdir()
    (inside / "link.tif").symlink_to(outside)
    assert "MAD_SCENE_ROOTS" in refusal(inside / "link.tif", roots=(inside,))
    assert checked_path(inside / "link.tif", roots=(tmp_path,)) == outside


def test_a_header_that_claims_a_huge_image_is_refused_before_a_pixel_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tif"
    shape = {"width": 250_000, "height": 200, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:4326", sparse_ok=True, tiled=True, **shape):
        pass
    assert path.stat().st_size < 2_000_000
    assert "250000 x 200 pixels, too many" in refusal(path)


def test_blocks_that_would_fill_the_memory_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "strip.tif"
    shape = {"width": 20_000, "height": 20_000, "count": 1, "dtype": "uint16", "blockysize": 20_000}
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:4326", sparse_ok=True, compress="deflate", **shape):
        pass
    assert "write it as a tiled GeoTIFF" in refusal(path)


def test_too_many_bands_and_complex_numbers_are_refused(tmp_path: Path) -> None:
    many = make_scene(tmp_path / "many.tif", data=np.ones((65, 4, 4), np.uint8), bands=())
    assert "65 bands, at most 64" in refusal(many)
    odd = make_scene(tmp_path / "odd.tif", data=np.ones((1, 4, 4), np.complex64), bands=("B02",))
    assert "complex" in refusal(odd)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("head_first", [True, False])
def test_a_truncated_file_is_a_bad_raster_wherever_it_ends(tmp_path: Path, share: float, head_first: bool) -> None:
    path = make_scene(tmp_path / "whole.tif", size=256, compress="deflate", COPY_SRC_OVERVIEWS=head_first)
    content = path.read_bytes()
    cut = tmp_path / "cut.tif"
    cut.write_bytes(content[: int(len(content) * share)])
    told = refusal(cut)
    assert told.startswith("cut.tif: cannot be read, it may be truncated or damaged")
    assert str(tmp_path) not in told


def test_a_lent_file_stays_open_until_it_changes(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "a.tif", seed=1)
    with lend_raster(path) as first, lend_raster(path) as second:
        assert first is second
        before = first.read(1)
    make_scene(path, seed=2)
    os.utime(path, ns=(1, 1))
    with lend_raster(path) as third:
        assert third is not first
        assert (third.read(1) != before).any()
    assert first.closed


def test_a_thread_keeps_a_few_files_open_and_its_own(tmp_path: Path) -> None:
    paths = [make_scene(tmp_path / f"{place}.tif", size=8) for place in range(geotiff.MAX_KEPT_OPEN + 1)]
    lent = []
    for path in paths:
        with lend_raster(path) as file:
            lent.append(file)
    assert [file.closed for file in lent] == [True] + [False] * geotiff.MAX_KEPT_OPEN
    elsewhere = []

    def borrow() -> None:
        with lend_raster(paths[-1]) as file:
            elsewhere.append(file)

    thread = threading.Thread(target=borrow)
    thread.start()
    thread.join()
    assert elsewhere[0] is not lent[-1]


def test_an_error_in_the_reader_s_own_work_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), open_raster(make_scene(tmp_path / "a.tif")):
        _ = 1 / 0
