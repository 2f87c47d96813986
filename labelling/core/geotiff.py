"""GeoTIFFs, opened only after they were found to be what they say, since any file may be hostile."""

import os
import threading
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.enums import Interleaving
from rasterio.errors import NotGeoreferencedWarning, RasterioError

import labelling.core.gdal  # noqa: F401  # before rasterio, so that its drivers are the few we want
from labelling.core.errors import BadRaster

# Whoever catalogues a file checks its transform and says so in an error of ours.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)

MAX_BANDS = 64
MAX_SIDE = 200_000
MAX_PIXELS = 4_000_000_000
MAX_BLOCK_PIXELS = 4096 * 4096
MAX_BLOCK_BYTES = 256 << 20
MAX_KEPT_OPEN = 8
TIFF_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


def checked_path(path: str | Path, *, roots: tuple[Path, ...] = ()) -> Path:
    """Make sure that a path is an ordinary TIFF file before GDAL sees it.

    Args:
        path: absolute path of an existing file.
        roots: the file must lie below one of these folders; empty for any.

    Returns:
        The path with symbolic links resolved.

    Raises:
        BadRaster: not absolute, not a file, outside the roots, or not a TIFF by its first bytes.
    """
    text, name = str(path), Path(path).name
    if not text.startswith("/") or text.startswith("/vsi") or any(mark in text for mark in "?<{\x00"):
        msg = "not an absolute path of a file"
        raise BadRaster(msg, file=name)
    real = Path(text).resolve()
    if not real.is_file():
        msg = "no such file"
        raise BadRaster(msg, file=name)
    if roots and not any(real.is_relative_to(root.resolve()) for root in roots):
        msg = "lies outside the folders that imagery may be read from (MAD_SCENE_ROOTS)"
        raise BadRaster(msg, file=name)
    with real.open("rb") as file:
        head = file.read(4)
    if not head:
        msg = "the file is empty"
        raise BadRaster(msg, file=name)
    if head not in TIFF_MAGIC:
        msg = "not a GeoTIFF: its first bytes are not those of a TIFF file"
        raise BadRaster(msg, file=name)
    return real


@contextmanager
def open_raster(path: str | Path, *, roots: tuple[Path, ...] = ()) -> Iterator[Any]:
    """Open a GeoTIFF with the GeoTIFF driver only, after its header was found to be sane.

    Args:
        path: absolute path of an existing file.
        roots: the file must lie below one of these folders; empty for any.

    Yields:
        The open rasterio dataset. What GDAL cannot read inside the block is a BadRaster as well.

    Raises:
        BadRaster: not a TIFF, truncated, or a header that asks for too much.
    """
    real = checked_path(path, roots=roots)
    with _blaming(real), closing(_opened(real)) as dataset:
        yield dataset


@contextmanager
def lend_raster(path: str | Path, *, roots: tuple[Path, ...] = ()) -> Iterator[Any]:
    """Lend a dataset that this thread keeps open, for readers who come back to the same file.

    Args:
        path: absolute path of an existing file.
        roots: the file must lie below one of these folders; empty for any.

    Yields:
        The open rasterio dataset; it is not to be closed nor handed to another thread.

    Raises:
        BadRaster: as ``open_raster``.
    """
    real = checked_path(path, roots=roots)
    with _blaming(real):
        yield _SHELF.take(real)


class _Shelf(threading.local):
    """Datasets that one thread keeps open, least recently used first; a file that changed is opened anew."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.kept: OrderedDict[Path, tuple[tuple[int, int, int], Any]] = OrderedDict()

    def take(self, path: Path) -> Any:
        if self.pid != os.getpid():  # a fork shares file offsets with its parent
            self.__init__()  # type: ignore[misc]
        stat = path.stat()
        state = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if path in self.kept and self.kept[path][0] != state:
            self.kept.pop(path)[1].close()
        if path not in self.kept:
            self.kept[path] = (state, _opened(path))
        self.kept.move_to_end(path)
        while len(self.kept) > MAX_KEPT_OPEN:
            self.kept.popitem(last=False)[1][1].close()
        return self.kept[path][1]


_SHELF = _Shelf()


def _opened(real: Path) -> Any:
    dataset = rasterio.open(str(real), driver="GTiff")
    try:
        _check_header(dataset, real.name)
    except BadRaster:
        dataset.close()
        raise
    return dataset


@contextmanager
def _blaming(real: Path) -> Iterator[None]:
    try:
        yield
    except (RasterioError, CPLE_BaseError) as error:
        # Rasterio says only that a read failed; GDAL's own words are behind it, with the full path in them.
        said = str(error.__cause__ or error).replace(str(real), "").replace(f"{real.name}:", "").strip(" :")
        msg = f"cannot be read, it may be truncated or damaged: {said}"
        raise BadRaster(msg, file=real.name) from error


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
