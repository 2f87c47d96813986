"""Files that are not what they say. Each attack is real: ``test_the_attacks_are_real`` shows one at work."""

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from labelling.core.errors import BadInput, BadRaster
from labelling.core.formats import read_vector
from labelling.core.gdal import SKIPPED_VECTOR_DRIVERS
from labelling.core.raster import open_raster

GRID = Affine(10, 0, 0, 0, -10, 0)
SECRET = b"root:x:0:0:top secret of the server...."


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "passwd"
    path.write_bytes(SECRET)
    return path


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """A server that must not be asked for anything: its address, and what it was asked for."""
    asked: list[str] = []

    class Canary(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Canary)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def raw_vrt(target: str) -> str:
    """A VRT whose pixels are the bytes of another file."""
    return (
        f'<VRTDataset rasterXSize="{len(SECRET)}" rasterYSize="1"><VRTRasterBand dataType="Byte" band="1" '
        f'subClass="VRTRawRasterBand"><SourceFilename relativeToVRT="0">{target}</SourceFilename>'
        "<ImageOffset>0</ImageOffset><PixelOffset>1</PixelOffset><LineOffset>1</LineOffset>"
        "</VRTRasterBand></VRTDataset>"
    )


def mrf(data_file: Path) -> str:
    """An MRF that caches into a file of its author's choosing."""
    return (
        "<MRF_META><CachedSource><Source>missing.tif</Source></CachedSource><Raster>"
        f'<Size x="64" y="64" c="1"/><DataFile>{data_file}</DataFile></Raster></MRF_META>'
    )


def ogr_vrt(source: str) -> str:
    layer = f'<OGRVRTLayer name="a"><SrcDataSource>{source}</SrcDataSource></OGRVRTLayer>'
    return f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>"


def in_a_fresh_process(code: str, *arguments: str, hardened: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run code in a process whose GDAL has registered no drivers yet."""
    before = (
        "import labelling.core.gdal\n"
        if hardened
        else "import os; os.environ['GDAL_VRT_RAWRASTERBAND_ALLOWED_SOURCE'] = 'ALL'\n"
    )
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", before + code, *arguments],
        env=kept,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


OPEN_ANYTHING = "import sys, rasterio; print(bytes(rasterio.open(sys.argv[1]).read().tobytes()).decode())"


def test_the_attacks_are_real(tmp_path: Path, secret: Path) -> None:
    evil = tmp_path / "scene.tif"
    evil.write_text(raw_vrt(str(secret)))
    assert SECRET.decode() in in_a_fresh_process(OPEN_ANYTHING, str(evil), hardened=False).stdout


def test_a_vrt_named_tif_reads_no_secret_even_where_no_check_stands_before_gdal(tmp_path: Path, secret: Path) -> None:
    evil = tmp_path / "scene.tif"
    evil.write_text(raw_vrt(str(secret)))
    seen = in_a_fresh_process(OPEN_ANYTHING, str(evil))
    assert seen.returncode != 0
    assert "top secret" not in seen.stdout


@pytest.mark.parametrize("what", ["vrt", "mrf", "json", "html", "nothing", "png"])
def test_what_is_not_a_tiff_is_refused_by_its_first_bytes(tmp_path: Path, secret: Path, what: str) -> None:
    pwned = tmp_path / "pwned.bin"
    content = {
        "vrt": raw_vrt(str(secret)),
        "mrf": mrf(pwned),
        "json": '{"type": "STACTA"}',
        "html": "<html>",
        "nothing": "",
        "png": "\x89PNG",
    }[what]
    evil = tmp_path / "scene.tif"
    evil.write_text(content)
    with pytest.raises(BadRaster, match=r"scene\.tif: (not a GeoTIFF|the file is empty)"), open_raster(evil):
        pytest.fail("opened")
    assert not pwned.exists()


def test_an_mrf_writes_nothing_even_where_no_check_stands_before_gdal(tmp_path: Path) -> None:
    evil, pwned = tmp_path / "scene.tif", tmp_path / "pwned.bin"
    evil.write_text(mrf(pwned))
    assert in_a_fresh_process(OPEN_ANYTHING, str(evil)).returncode != 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scene.tif"]


def paths_that_are_more_than_paths(url: str, secret: Path) -> list[str]:
    return [
        f"/vsicurl/{url}/scene.tif",
        f"/vsicurl?header_file={secret}&url={url}/scene.tif",
        f"/vsicurl_streaming/{url}/scene.tif",
        "/vsizip//tmp/scene.zip/scene.tif",
        "/vsis3/bucket/scene.tif",
        f"vrt://{secret}",
        f"GTIFF_DIR:1:{secret}",
        f"{url}/scene.tif",
        "scene.tif",
        '{"driver": "GTiff"}',
        "<VRTDataset/>",
    ]


def test_only_absolute_paths_of_files_are_paths(canary: tuple[str, list[str]], secret: Path) -> None:
    url, asked = canary
    for path in paths_that_are_more_than_paths(url, secret):
        with pytest.raises(BadRaster), open_raster(path):
            pytest.fail(f"opened {path}")
    assert asked == []


def test_gdal_fetches_nothing_even_where_no_check_stands_before_it(canary: tuple[str, list[str]], secret: Path) -> None:
    url, asked = canary
    code = "import json, sys, rasterio, pyogrio\nfor path in json.loads(sys.argv[1]):\n" + "".join(
        f"    try: {attempt}\n    except Exception: pass\n"
        for attempt in ("rasterio.open(path, driver='GTiff')", "rasterio.open(path)", "pyogrio.read_info(path)")
    )
    done = in_a_fresh_process(code, json.dumps(paths_that_are_more_than_paths(url, secret)))
    assert (done.returncode, asked) == (0, [])


def test_a_path_outside_the_allowed_folders_is_refused_also_through_a_link(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
    write_tiff(outside / "scene.tif")
    (inside / "link.tif").symlink_to(outside / "scene.tif")
    for path in (outside / "scene.tif", inside / "link.tif", inside / ".." / "outside" / "scene.tif"):
        with pytest.raises(BadRaster, match="outside the folders"), open_raster(path, roots=(inside,)):
            pytest.fail("opened")


def write_tiff(path: Path) -> None:
    profile = {"driver": "GTiff", "width": 8, "height": 8, "count": 1, "dtype": "uint8", "crs": "EPSG:32721"}
    with rasterio.open(path, "w", transform=GRID, **profile) as file:
        file.write(np.ones((1, 8, 8), np.uint8))


def test_a_tiff_that_declares_more_than_it_is_worth_is_refused_unread(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.tif"
    profile = {"driver": "GTiff", "width": 190_000, "height": 190_000, "count": 1, "dtype": "uint8"}
    with rasterio.open(bomb, "w", tiled=True, sparse_ok=True, crs="EPSG:32721",
                       transform=GRID, blockxsize=4096, blockysize=4096, **profile):  # fmt: skip
        pass
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(BadRaster, match="too many"), open_raster(bomb):
        pytest.fail("opened")


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp", ".json"])
def test_an_ogr_vrt_is_refused_whatever_it_is_called(
    tmp_path: Path, secret: Path, canary: tuple[str, list[str]], suffix: str
) -> None:
    url, asked = canary
    for source in (f"CSV:{secret}", f"/vsicurl/{url}/a.geojson"):
        evil = tmp_path / f"seeds{suffix}"
        evil.write_text(ogr_vrt(source))
        with pytest.raises(BadInput, match="first bytes"):
            read_vector(evil)
    assert asked == []


def test_an_ogr_vrt_reads_no_table_even_where_no_check_stands_before_gdal(tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("name,salary\nana,1\n")
    evil = tmp_path / "seeds.geojson"
    evil.write_text(ogr_vrt(str(table)).replace('name="a"', 'name="people"'))
    code = "import sys, pyogrio; print(pyogrio.read_dataframe(sys.argv[1], read_geometry=False))"
    seen = in_a_fresh_process(code, str(evil))
    assert seen.returncode != 0
    assert "salary" not in seen.stdout


@pytest.mark.parametrize("body", [b"{" * 1000, b'{"type": "FeatureCollection", "features": ' + b"[" * 5000])
def test_deep_nesting_is_bad_input_not_a_crash(tmp_path: Path, body: bytes) -> None:
    deep = tmp_path / "deep.geojson"
    deep.write_bytes(body)
    with pytest.raises(BadInput):
        read_vector(deep)


def test_drivers_are_skipped_by_comma() -> None:
    assert " " not in SKIPPED_VECTOR_DRIVERS, "with spaces nothing at all is skipped"


def test_the_drivers_that_remain_are_few() -> None:
    code = "import json, rasterio, pyogrio; from rasterio.drivers import raster_driver_extensions\n"
    code += "with rasterio.Env() as env: print(json.dumps([*env.drivers(), *pyogrio.list_drivers()]))"
    names = set(json.loads(in_a_fresh_process(code).stdout))
    assert {"GTiff", "GPKG"} <= names
    assert not names & {"VRT", "MRF", "OGR_VRT", "WFS", "OAPIF", "GMLAS", "WMS", "STACIT", "STACTA", "HTTP", "KML"}
