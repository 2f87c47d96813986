"""Hostile images, each refused by a reader process in bounded time and memory, with nothing half written."""

import os
import struct
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from labelling.core.errors import BadRaster
from labelling.core.intake import Candidate, ImportOrder, read_candidate, uris_of
from labelling.core.scene_mapping import SceneMapping
from labelling.services.children import listen_to_child
from tests.safe_folders import write_jp2
from tests.scenes import make_scene

MINUTE = 60


def tiff(path: Path, *, width: int, height: int, offset: int = 0, count: int = 1) -> Path:
    """A header of a strip TIFF that claims what it does not have."""
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1),
               (273, 4, count, offset), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, count, 0xFFFFFFF0)]  # fmt: skip
    head = b"II*\x00" + struct.pack("<IH", 8, len(entries))
    path.write_bytes(head + b"".join(struct.pack("<HHII", *entry) for entry in entries) + struct.pack("<I", 8))
    return path


def hostile(folder: Path) -> dict[str, str]:
    """Files that lie, by name, and what is said of each."""
    whole = make_scene(folder / "truncated.tif", size=512, compress="deflate")
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    tiff(folder / "bomb.tif", width=100_000, height=100_000)
    tiff(folder / "wider.tif", width=0xFFFFFFFF, height=1)
    tiff(folder / "circular.tif", width=64, height=64, offset=8, count=0xFFFFFF)
    (folder / "vrt.tif").write_text('<VRTDataset rasterXSize="9" rasterYSize="9"><SourceFilename>/etc/passwd'
                                    "</SourceFilename></VRTDataset>")  # fmt: skip
    (folder / "mrf.tif").write_text("<MRF_META><Raster><Size x='9' y='9'/></Raster></MRF_META>")
    (folder / "json.tif").write_text('{"type": "gdal_virtual_file", "url": "http://127.0.0.1:1/"}')
    (folder / "zip.tif").write_bytes(b"PK\x03\x04" + b"\x00" * 200)
    (folder / "empty.tif").write_bytes(b"")
    (folder / "noise.tif").write_bytes(b"II*\x00" + os.urandom(4096))
    write_jp2(folder / "good.jp2", np.full((64, 64), 2000, np.uint16), 10)
    cut = (folder / "good.jp2").read_bytes()
    (folder / "good.jp2").unlink()
    (folder / "cut.jp2").write_bytes(cut[: len(cut) // 3])
    shape: dict[str, Any] = {"width": 60_000, "height": 60_000, "count": 1, "dtype": "uint16"}
    shape |= {"crs": "EPSG:32629", "transform": (10, 0, 5e5, 0, -10, 5e6)}
    with rasterio.open(folder / "sparse.tif", "w", driver="GTiff", tiled=True, SPARSE_OK=True, **shape) as file:
        file.scales, file.offsets = (0.0001,), (0,)
        file.set_band_description(1, "B02")
    first, none = "first bytes", "truncated or damaged"
    return {
        "truncated.tif": none, "bomb.tif": "", "wider.tif": "", "circular.tif": "", "vrt.tif": first, "mrf.tif": first,
        "json.tif": first, "zip.tif": first, "empty.tif": "the file is empty", "noise.tif": "", "cut.jp2": "",
    }  # fmt: skip


def read_apart(folder: Path, keys: list[str]) -> dict[str, dict[str, Any]]:
    spec = {
        "candidates": [{"key": key} for key in keys],
        "order": ImportOrder(mapping=SceneMapping(bands=None)).to_json(),
        "roots": [str(folder)],
        "store": str(folder / "copies"),
    }
    events = listen_to_child(handle=None, module="labelling.core.intake", spec=spec, log=folder / "log.txt")
    with closing(events):
        return {Path(keys[event["at"]]).name: event for event in events}


def test_hostile_images_are_refused_in_time_and_the_reader_lives(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    reasons = hostile(folder)
    make_scene(folder / "z_good.tif")
    secret = tmp_path / "secret.tif"
    make_scene(secret)
    (folder / "link.tif").symlink_to(secret)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    keys = [str(folder / name) for name in (*reasons, "sparse.tif", "link.tif", "../secret.tif", "z_good.tif")]
    keys += ["/vsicurl/http://127.0.0.1:1/x.tif", "/vsizip/x.zip/a.tif", "https://127.0.0.1/x.tif", "s3://b/x.tif"]
    started = time.monotonic()
    told = read_apart(folder, keys)
    assert time.monotonic() - started < MINUTE
    for name, reason in reasons.items():
        assert told[name]["event"] == "refused", name
        assert reason in told[name]["reason"], name
        assert str(tmp_path) not in told[name]["reason"]
    assert "MAD_SCENE_ROOTS" in told["link.tif"]["reason"]
    assert "MAD_SCENE_ROOTS" in told["secret.tif"]["reason"]
    assert told["z_good.tif"]["values"]["bands"] == ["B02", "B03", "B04", "B08"]
    assert {told[name]["event"] for name in ("x.tif", "a.tif")} == {"refused"}
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir() if path.name != "log.txt"} == before


def test_a_copy_that_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "a.tif", size=600, compress="deflate")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.9)])
    told = read_apart(tmp_path, [str(path)])
    assert told["a.tif"]["event"] == "refused"
    with pytest.raises(Exception, match=r"truncated|damaged"):
        read_candidate(Candidate(str(path)), ImportOrder(convert=True), roots=(tmp_path,), store=tmp_path / "copies")
    assert not list(tmp_path.glob("copies/*"))


def test_an_order_comes_back_from_json_as_it_was() -> None:
    mapping = SceneMapping(bands=("B02", "B03"), offset=-0.1, acquired_at=datetime(2022, 1, 2, tzinfo=UTC))
    order = ImportOrder("composite", "sentinel-2", "L2A", mapping, synthetic=True, convert=True)
    assert ImportOrder.from_json(order.to_json()) == order


def test_the_copy_of_a_source_has_one_place_and_others_have_others(tmp_path: Path) -> None:
    here, copy = uris_of(str(tmp_path / "x" / ".." / "a.tif"), tmp_path)
    assert here == str(tmp_path / "a.tif")
    assert uris_of(here, tmp_path)[1] == copy
    assert len({uris_of(f"{place}a.tif", tmp_path)[1] for place in ("/x/", "/y/", "s3://x/", "https://x/")}) == 4


def test_nothing_outside_the_roots_is_looked_at(tmp_path: Path) -> None:
    roots, store = (tmp_path / "in",), tmp_path / "in" / "copies"
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a_SCL.tif").write_text("no classification at all")
    inside = make_scene(tmp_path / "in" / "a.tif")
    order = ImportOrder(mapping=SceneMapping(scl="../out/a_SCL.tif"))
    with pytest.raises(BadRaster, match=r"a_SCL\.tif: lies outside the folders"):
        read_candidate(Candidate(str(inside)), order, roots=roots, store=store)
    outside = make_scene(tmp_path / "out" / "b.tif")
    (tmp_path / "out" / "b.tif.json").write_text("no mapping at all")
    with pytest.raises(BadRaster, match=r"b\.tif: lies outside the folders"):
        read_candidate(Candidate(str(outside)), ImportOrder(), roots=roots, store=store)
    (tmp_path / "out" / "c.SAFE").mkdir()
    with pytest.raises(BadRaster, match=r"c\.SAFE: lies outside the folders"):
        read_candidate(Candidate(str(tmp_path / "out" / "c.SAFE")), ImportOrder(), roots=roots, store=store)


@pytest.mark.parametrize(
    "asset", [{"raster:bands": [{"scale": [1]}]}, {"raster:bands": {"scale": 1}}, {"eo:bands": 5}, {"roles": 5}]
)
def test_an_item_of_strange_json_is_refused_and_ends_nothing(asset: dict[str, Any], tmp_path: Path) -> None:
    image = {"href": str(make_scene(tmp_path / "a.tif", bands=("B02",))), "type": "image/tiff", **asset}
    said = {"id": "a", "properties": {"datetime": "2022-05-01T00:00:00Z"}, "assets": {"B02": image}}
    with pytest.raises(BadRaster, match="STAC item is not written as STAC asks"):
        read_candidate(Candidate(str(tmp_path / "a.json"), said), ImportOrder(), roots=(tmp_path,), store=tmp_path)
