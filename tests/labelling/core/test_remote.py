"""Images of other machines: read by ranges, from allowed hosts only, whole and in time or not at all."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.windows import Window

from labelling.core.errors import BadRaster
from labelling.core.fetch import fetch
from labelling.core.geotiff import check_source
from labelling.core.hosts import RemoteFault, RemotePolicy
from labelling.core.raster import SceneRef, open_raster, read_grid, read_window
from labelling.core.remote import CHUNK, RemoteFile
from tests.scenes import made_up_ground, make_scene, ref_of
from tests.servers import FileServer, Handler, drips, file_server, hangs, redirects_to


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A server that the admin has allowed, with a scene of 1.1 MB."""
    ground = made_up_ground(4, 380, 380)
    make_scene(tmp_path / "store" / "scene.tif", size=380, data=ground, tiled=True, blockxsize=128, blockysize=128)
    with file_server(tmp_path / "store") as server:
        monkeypatch.setenv("MAD_REMOTE_HOSTS", server.origin)
        monkeypatch.setenv("MAD_REMOTE_NETWORKS", "127.0.0.0/8")
        monkeypatch.setenv("MAD_REMOTE_TIMEOUT_S", "30")
        yield server


def there(files: FileServer, name: str = "scene.tif") -> SceneRef:
    return replace(ref_of(files.root / "scene.tif"), path=files.url(name))


def test_a_remote_scene_reads_like_the_file(files: FileServer) -> None:
    here = ref_of(files.root / "scene.tif")
    window = Window(40, 30, 100, 90)
    assert (read_window(here, window).data == read_window(there(files), window).data).all()
    grid: Any = {"crs": here.crs, "transform": here.affine, "width": 50, "height": 60}
    assert (read_grid(here, **grid).data == read_grid(there(files), **grid).data).all()


def test_only_the_parts_that_are_needed_are_fetched_and_only_once(files: FileServer) -> None:
    ref = there(files)
    read_window(ref, Window(0, 0, 64, 64), bands=("B02",))
    first = list(files.requests)
    read_window(ref, Window(0, 0, 64, 64), bands=("B02",))
    assert files.requests == first
    size = (files.root / "scene.tif").stat().st_size
    assert len(first) * CHUNK < size < 6 * CHUNK
    assert all(method == "GET" and asked.startswith("bytes=") for method, _, asked in first)
    assert {path for _, path, _ in first} == {"/scene.tif"}  # no sidecar and no folder is asked for


def test_a_file_that_changes_meanwhile_is_a_fault_and_is_opened_anew_after(files: FileServer) -> None:
    path = files.root / "scene.tif"
    ref = there(files)
    read_window(ref, Window(0, 0, 32, 32), bands=("B02",))
    make_scene(path, size=380, data=made_up_ground(4, 380, 380, seed=5), tiled=True, blockxsize=128, blockysize=128)
    with pytest.raises(BadRaster, match="changed, or came broken"):
        read_window(ref, Window(150, 150, 64, 64), bands=("B08",))
    again = read_window(ref, Window(150, 150, 64, 64), bands=("B08",))
    assert (again.data == read_window(ref_of(path), Window(150, 150, 64, 64), bands=("B08",)).data).all()


def test_a_truncated_remote_file_is_refused(files: FileServer) -> None:
    whole = (files.root / "scene.tif").read_bytes()
    (files.root / "cut.tif").write_bytes(whole[: len(whole) // 3])
    ref = there(files, "cut.tif")
    with pytest.raises(BadRaster, match="truncated or damaged"):
        read_window(ref, Window(0, 0, 380, 380))


def test_what_is_no_image_is_refused_by_its_first_bytes(files: FileServer) -> None:
    (files.root / "evil.tif").write_text("<VRTDataset rasterXSize='5' rasterYSize='5'></VRTDataset>")
    (files.root / "empty.tif").write_bytes(b"")
    with pytest.raises(BadRaster, match="first bytes"), open_raster(files.url("evil.tif")):
        pass
    with pytest.raises(BadRaster, match="the file is empty"), open_raster(files.url("empty.tif")):
        pass
    with pytest.raises(BadRaster, match="it is not there"), open_raster(files.url("none.tif")):
        pass


@pytest.mark.parametrize("bad", [hangs, drips])
def test_a_server_that_hangs_or_drips_costs_seconds(
    files: FileServer, monkeypatch: pytest.MonkeyPatch, bad: object
) -> None:
    monkeypatch.setenv("MAD_REMOTE_TIMEOUT_S", "1")
    files.bad = bad  # type: ignore[assignment]
    started = time.monotonic()
    with pytest.raises(BadRaster, match="no whole answer within 1 s"), open_raster(files.url("scene.tif")):
        pass
    assert time.monotonic() - started < 15


def test_a_lying_length_is_found_out(files: FileServer) -> None:
    def promises_more(handler: Handler) -> bool:
        handler.answer(206, b"II*\x00" * 100, {"Content-Range": "bytes 0-262143/500000"}, length=CHUNK)
        handler.close_connection = True
        return True

    files.bad = promises_more
    with pytest.raises(BadRaster, match="fewer bytes than it had said"), open_raster(files.url("scene.tif")):
        pass


def test_an_endless_answer_is_cut_off(files: FileServer) -> None:
    def floods(handler: Handler) -> bool:
        handler.answer(206, b"x" * (CHUNK + 1), {"Content-Range": f"bytes 0-{CHUNK}/500000"})
        return True

    files.bad = floods
    with pytest.raises(BadRaster, match="more than the 262144 bytes"), open_raster(files.url("scene.tif")):
        pass


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (200, {}, "no parts of files"),
        (206, {}, "which part of the file"),
        (206, {"Content-Range": "bytes 7-10/500"}, "which part of the file"),
        (206, {"Content-Range": "bytes 0-3/99999999999999"}, "which part of the file"),
        (206, {"Content-Range": "bytes 0-3/500"}, "another part"),
        (206, {"Content-Range": "bytes 0-3/4", "Content-Encoding": "gzip"}, "packed"),
        (403, {}, "does not let this key read it"),
    ],
)
def test_answers_that_make_no_sense_are_refused(
    files: FileServer, status: int, headers: dict[str, str], said: str
) -> None:
    def answers(handler: Handler) -> bool:
        handler.answer(status, b"II*\x00", headers)
        return True

    files.bad = answers
    with pytest.raises(RemoteFault, match=said):
        RemoteFile(files.url("scene.tif"))


def test_a_busy_server_is_asked_again(files: FileServer) -> None:
    answers = [503, 429]

    def is_busy(handler: Handler) -> bool:
        if answers:
            handler.answer(answers.pop(), b"")
            return True
        return False

    files.bad = is_busy
    assert fetch(files.url("scene.tif"), limit=1 << 22).status == 200
    assert len(files.requests) == 3


@pytest.mark.parametrize(
    "address",
    ["http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "http://127.0.0.1:1/", "https://example.org/x",
     "ftp://127.0.0.1/x", "//169.254.169.254/x", ""],
)  # fmt: skip
def test_a_redirect_leads_nowhere_else(files: FileServer, address: str) -> None:
    files.bad = redirects_to(address)
    with pytest.raises(RemoteFault):
        fetch(files.url("scene.tif"), limit=100)
    assert len(files.requests) <= 4


def test_a_redirect_to_an_allowed_host_is_followed_but_not_in_circles(files: FileServer) -> None:
    def moved_once(handler: Handler) -> bool:
        return handler.path == "/old.tif" and redirects_to("/scene.tif")(handler)

    files.bad = moved_once
    assert fetch(files.url("old.tif"), limit=1 << 22).body == (files.root / "scene.tif").read_bytes()
    files.bad = redirects_to("/scene.tif")
    with pytest.raises(RemoteFault, match="without end"):
        fetch(files.url("scene.tif"), limit=100)


@pytest.mark.parametrize(
    "address",
    [
        "http://2130706433:{port}/scene.tif",
        "http://0x7f000001:{port}/scene.tif",
        "http://0177.0.0.1:{port}/scene.tif",
        "http://[::ffff:127.0.0.1]:{port}/scene.tif",
        "http://localhost:{port}/scene.tif",
        "http://127.0.0.1@evil.example:{port}/scene.tif",
        "http://user:word@127.0.0.1:{port}/scene.tif",
        "http://127.0.0.1.:{port}/scene.tif",
        "http://127.1:{port}/scene.tif",
        "http://127.0.0.1:1/scene.tif",
        "https://127.0.0.1:{port}/scene.tif",
        "HTTPS://EXAMPLE.ORG/scene.tif",
        "http://127.0.0.1\\@evil.example/scene.tif",
    ],
)
def test_other_spellings_of_a_host_are_not_the_host(files: FileServer, address: str) -> None:
    port = files.origin.rpartition(":")[2]
    source = address.format(port=port)
    with pytest.raises(BadRaster), open_raster(source):
        pass
    with pytest.raises(BadRaster):
        check_source(source)
    assert files.requests == []


def test_a_private_address_is_asked_only_where_its_network_is_named(
    files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAD_REMOTE_NETWORKS")
    with pytest.raises(BadRaster, match="MAD_REMOTE_NETWORKS"), open_raster(files.url("scene.tif")):
        pass
    monkeypatch.delenv("MAD_REMOTE_HOSTS")
    with pytest.raises(BadRaster, match="MAD_REMOTE_HOSTS"), open_raster(files.url("scene.tif")):
        pass
    assert files.requests == []


def test_a_name_that_points_home_later_is_not_looked_up_twice(
    files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = files.origin.rpartition(":")[2]
    monkeypatch.setenv("MAD_REMOTE_HOSTS", f"http://rebound.example:{port}")
    looked_up, truly = [], socket.getaddrinfo

    def resolve(host: str, *args: object, **more: object) -> object:
        if host != "rebound.example":
            return truly(host, *args, **more)  # type: ignore[arg-type]
        looked_up.append(host)
        return [(2, 1, 6, "", ("127.0.0.1" if len(looked_up) == 1 else "169.254.169.254", int(port)))]

    monkeypatch.setattr("labelling.core.hosts.socket.getaddrinfo", resolve)
    assert fetch(f"http://rebound.example:{port}/scene.tif", limit=1 << 22).status == 200
    assert looked_up == ["rebound.example"]


def test_the_clouds_own_address_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = RemotePolicy.from_environment(
        {"MAD_REMOTE_HOSTS": "http://169.254.169.254", "MAD_REMOTE_NETWORKS": "0.0.0.0/0"}
    )
    with pytest.raises(RemoteFault, match="private network"):
        rules.resolve(rules.check("http://169.254.169.254/latest"))


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"MAD_REMOTE_HOSTS": "ftp://x"}, "MAD_REMOTE_HOSTS"),
        ({"MAD_REMOTE_HOSTS": "example.org/path"}, "MAD_REMOTE_HOSTS"),
        ({"MAD_REMOTE_HOSTS": "example.org:99999"}, "MAD_REMOTE_HOSTS"),
        ({"MAD_REMOTE_NETWORKS": "10.0.0.1/8"}, "MAD_REMOTE_NETWORKS"),
        ({"MAD_REMOTE_TIMEOUT_S": "0"}, "MAD_REMOTE_TIMEOUT_S"),
        ({"MAD_REMOTE_TIMEOUT_S": "soon"}, "MAD_REMOTE_TIMEOUT_S"),
        ({"MAD_S3_BUCKETS": "Not A Bucket"}, "MAD_S3_BUCKETS"),
        ({"MAD_S3_BUCKETS": "a-bucket", "AWS_ACCESS_KEY_ID": "x"}, "AWS_SECRET_ACCESS_KEY"),
        ({"MAD_S3_BUCKETS": "a-bucket", "AWS_ENDPOINT_URL_S3": "nowhere!"}, "AWS_ENDPOINT_URL_S3"),
    ],
)
def test_a_wrong_setting_is_named(variables: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RemotePolicy.from_environment(variables)


def test_hosts_are_named_alone_with_a_port_or_all_below_a_name() -> None:
    rules = RemotePolicy.from_environment({"MAD_REMOTE_HOSTS": "a.example, *.b.example ,http://c.example:8080"})
    for fine in ("https://a.example/x", "HTTPS://A.EXAMPLE/x", "https://q.b.example/", "http://c.example:8080/y?z=1"):
        assert rules.check(fine).url.startswith(("https://", "http://"))
    for bad in ("http://a.example/x", "https://b.example/", "https://xb.example/", "https://a.example.evil.org/"):
        with pytest.raises(RemoteFault):
            rules.check(bad)


def test_reading_in_many_threads_gives_the_same_pixels(files: FileServer) -> None:
    here, remote = ref_of(files.root / "scene.tif"), there(files)
    windows = [Window(x, y, 60, 60) for x in (0, 100, 200, 300) for y in (0, 150, 310)]
    with ThreadPoolExecutor(6) as pool:
        read = list(pool.map(lambda window: read_window(remote, window).data, windows))
    for window, data in zip(windows, read, strict=True):
        assert np.array_equal(data, read_window(here, window).data)
