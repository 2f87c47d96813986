"""GeoTIFFs (and JPEG 2000), opened only after they were found to be what they say, since any file may be hostile."""

import os
import threading
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.enums import Interleaving
from rasterio.errors import NotGeoreferencedWarning, RasterioError

import labelling.core.gdal  # noqa: F401  # before rasterio, so that its drivers are the few we want
from labelling.core.errors import BadRaster
from labelling.core.hosts import RemoteFault, policy
from labelling.core.remote import Door, RemoteFile, is_remote
from labelling.core.s3 import is_s3, locate

# Whoever catalogues a file checks its transform and says so in an error of ours.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)

MAX_BANDS = 64
MAX_SIDE = 200_000
MAX_PIXELS = 4_000_000_000
MAX_BLOCK_PIXELS = 4096 * 4096
MAX_BLOCK_BYTES = 256 << 20
MAX_KEPT_OPEN = 32
"""Room for two scenes of a file a band."""
TIFF_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
JP2_MAGIC = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_HEAD = len(JP2_MAGIC)
_STAMPED = 1 << 16


def inside_path(path: str | Path, *, roots: tuple[Path, ...]) -> Path:
    """Make sure that a file or folder lies where imagery may be read from, before anything in it is looked at.

    Args:
        path: of it, whether it exists or not.
        roots: it must lie below one of these folders; empty for any.

    Returns:
        The path with symbolic links resolved.

    Raises:
        BadRaster: outside the roots.
    """
    real = Path(path).resolve()
    if roots and not any(real.is_relative_to(root.resolve()) for root in roots):
        msg = "lies outside the folders that imagery may be read from (MAD_SCENE_ROOTS)"
        raise BadRaster(msg, file=Path(path).name)
    return real


def checked_path(path: str | Path, *, roots: tuple[Path, ...] = ()) -> Path:
    """Make sure that a path is an ordinary TIFF file before GDAL sees it.

    Args:
        path: absolute path of an existing file.
        roots: the file must lie below one of these folders; empty for any.

    Returns:
        The path with symbolic links resolved.

    Raises:
        BadRaster: not absolute, not a file, outside the roots, or neither TIFF nor JPEG 2000 by its first bytes.
    """
    text, name = str(path), Path(path).name
    if not text.startswith("/") or text.startswith("/vsi") or any(mark in text for mark in "?<{\x00"):
        msg = "not an absolute path of a file"
        raise BadRaster(msg, file=name)
    real = inside_path(text, roots=roots)
    if not real.is_file():
        msg = "no such file"
        raise BadRaster(msg, file=name)
    with real.open("rb") as file:
        _driver_of(file.read(_HEAD), name)
    return real


def check_source(source: str | Path, *, roots: tuple[Path, ...] = ()) -> None:
    """Make sure that an image may be read, without opening it: a file of this machine or of another.

    Args:
        source: absolute path, ``https://...`` or ``s3://bucket/key``.
        roots: a file of this machine must lie below one of these folders; empty for any.

    Raises:
        BadRaster: as ``checked_path``, or its host or bucket is not among those that may be read.
    """
    if not is_remote(str(source)):
        checked_path(source, roots=roots)
        return
    try:
        policy().check(locate(str(source))[0] if is_s3(str(source)) else str(source))
    except RemoteFault as fault:
        raise BadRaster(str(fault), file=Path(source).name) from fault


def stamp_of(source: str | Path) -> tuple[str, bytes]:
    """What changes when a file does: its size and time (of a remote one: its tag), and its first 64 KB.

    Raises:
        BadRaster: a remote file cannot be read.
        OSError: a file of this machine cannot be read.
    """
    if is_remote(str(source)):
        try:
            remote = RemoteFile(str(source))
            return f"{remote.size} {remote.tag}", remote.read(0, _STAMPED)
        except RemoteFault as fault:
            raise BadRaster(str(fault), file=Path(source).name) from fault
    stat = Path(source).stat()
    with Path(source).open("rb") as file:
        return f"{stat.st_size} {stat.st_mtime_ns}", file.read(_STAMPED)


def _driver_of(head: bytes, name: str) -> str:
    if not head:
        msg = "the file is empty"
        raise BadRaster(msg, file=name)
    if head.startswith(TIFF_MAGIC):
        return "GTiff"
    if head.startswith(JP2_MAGIC):
        return "JP2OpenJPEG"
    msg = "not a GeoTIFF: its first bytes are not those of a TIFF file"
    raise BadRaster(msg, file=name)


@contextmanager
def open_raster(path: str | Path, *, roots: tuple[Path, ...] = ()) -> Iterator[Any]:
    """Open an image with the driver of its kind only, after its header was found to be sane.

    Args:
        path: absolute path of an existing file, ``https://...`` or ``s3://bucket/key``.
        roots: a file of this machine must lie below one of these folders; empty for any.

    Yields:
        The open rasterio dataset. What GDAL cannot read inside the block is a BadRaster as well.

    Raises:
        BadRaster: not a TIFF, truncated, a header that asks for too much, or not to be had from its server.
    """
    image = _find(path, roots)
    with _blaming(image), closing(_opened(image)) as dataset:
        yield dataset


@contextmanager
def lend_raster(path: str | Path, *, roots: tuple[Path, ...] = ()) -> Iterator[Any]:
    """Lend a dataset that this thread keeps open, for readers who come back to the same file.

    Args:
        path: absolute path of an existing file, ``https://...`` or ``s3://bucket/key``.
        roots: a file of this machine must lie below one of these folders; empty for any.

    Yields:
        The open rasterio dataset; it is not to be closed nor handed to another thread.

    Raises:
        BadRaster: as ``open_raster``.
    """
    image = _find(path, roots)
    with _blaming(image):
        try:
            yield _SHELF.take(image)
        except Exception:
            if image.is_remote:
                _SHELF.drop(image)
            raise


@dataclass(frozen=True)
class _Image:
    """An image that may be opened: a real path of this machine, or the address of another one's."""

    place: str
    is_remote: bool

    @property
    def name(self) -> str:
        return Path(self.place).name

    def state(self) -> tuple[int, ...]:
        """Changes when the file does. A remote one that changes is noticed as it is read."""
        if self.is_remote:
            return ()
        stat = Path(self.place).stat()
        return (stat.st_ino, stat.st_mtime_ns, stat.st_size)


def _find(path: str | Path, roots: tuple[Path, ...]) -> _Image:
    if is_remote(str(path)):
        return _Image(str(path), is_remote=True)
    return _Image(str(checked_path(path, roots=roots)), is_remote=False)


class _Shelf(threading.local):
    """Datasets that one thread keeps open, least recently used first; a file that changed is opened anew."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.kept: OrderedDict[str, tuple[tuple[int, ...], Any]] = OrderedDict()

    def take(self, image: _Image) -> Any:
        if self.pid != os.getpid():  # a fork shares file offsets with its parent
            self.__init__()  # type: ignore[misc]
        state = image.state()
        if image.place in self.kept and self.kept[image.place][0] != state:
            self.drop(image)
        if image.place not in self.kept:
            self.kept[image.place] = (state, _opened(image))
        self.kept.move_to_end(image.place)
        while len(self.kept) > MAX_KEPT_OPEN:
            self.kept.popitem(last=False)[1][1].close()
        return self.kept[image.place][1]

    def drop(self, image: _Image) -> None:
        if image.place in self.kept:
            self.kept.pop(image.place)[1].close()


class _Faults(threading.local):
    """What went wrong on the way to another machine while GDAL read: it can only tell that reading failed."""

    last: RemoteFault | None = None


_SHELF = _Shelf()
_FAULTS = _Faults()


def _opened(image: _Image) -> Any:
    dataset = _remote(image) if image.is_remote else _local(image)
    try:
        _check_header(dataset, image.name)
    except BadRaster:
        dataset.close()
        raise
    return dataset


def _local(image: _Image) -> Any:
    with Path(image.place).open("rb") as file:
        driver = _driver_of(file.read(_HEAD), image.name)
    return rasterio.open(image.place, driver=driver)


def _remote(image: _Image) -> Any:
    file = RemoteFile(image.place)
    driver = _driver_of(file.read(0, _HEAD), image.name)
    return rasterio.open("remote", driver=driver, opener=Door(file, "remote", _blame))


def _blame(fault: RemoteFault) -> None:
    _FAULTS.last = fault


@contextmanager
def _blaming(image: _Image) -> Iterator[None]:
    _FAULTS.last = None
    try:
        yield
    except RemoteFault as fault:
        raise BadRaster(str(fault), file=image.name) from fault
    except (RasterioError, CPLE_BaseError) as error:
        if _FAULTS.last:
            raise BadRaster(str(_FAULTS.last), file=image.name) from error
        # Rasterio says only that a read failed; GDAL's own words are behind it, with the full path in them.
        said = str(error.__cause__ or error).replace(image.place, "").replace(f"{image.name}:", "").strip(" :")
        msg = f"cannot be read, it may be truncated or damaged: {said}"
        raise BadRaster(msg, file=image.name) from error


def _check_header(dataset: Any, name: str) -> None:
    share = dataset.count if dataset.interleaving == Interleaving.pixel else 1
    block = max(rows * columns for rows, columns in dataset.block_shapes)
    block_bytes = block * share * max(np.dtype(dtype).itemsize for dtype in dataset.dtypes)
    faults = {
        f"{dataset.count} bands, at most {MAX_BANDS} are read": dataset.count > MAX_BANDS,
        f"{dataset.width} x {dataset.height} pixels, too many": max(dataset.width, dataset.height) > MAX_SIDE
        or dataset.width * dataset.height > MAX_PIXELS,
        "complex numbers": any(dtype.startswith("complex") for dtype in dataset.dtypes),
        "its bands have different types": len(set(dataset.dtypes)) > 1,
        f"blocks of {block_bytes >> 20} MB: write it as a tiled GeoTIFF": block > MAX_BLOCK_PIXELS
        or block_bytes > MAX_BLOCK_BYTES,
    }
    found = next((fault for fault, is_so in faults.items() if is_so), None)
    if found:
        raise BadRaster(found, file=name)
