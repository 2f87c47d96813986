"""Files of other machines, read in pieces through our own door: GDAL is handed a Python file and never an address."""

import io
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from rasterio.abc import FileContainer

from labelling.core.fetch import NO_SIGNER, Signer, fetch
from labelling.core.hosts import RemoteFault
from labelling.core.s3 import is_s3, locate, s3_address, told

CHUNK = 1 << 18
MAX_AT_ONCE = 32 * CHUNK
MAX_KEPT = 256
"""Chunks that a process keeps: 64 MB."""
MAX_SIZE = 1 << 40


def is_remote(text: str) -> bool:
    """Whether a reference leads to another machine."""
    return is_s3(text) or text.lower().startswith(("http://", "https://"))


class RemoteFile:
    """A file of another machine, read by ranges of whole chunks, which are kept.

    Args:
        address: ``https://...``, ``http://...`` or ``s3://bucket/key``.

    Raises:
        RemoteFault: it may not be asked for, is not there, or its server gives no parts of files.
    """

    def __init__(self, address: str) -> None:
        """Ask for the first chunk, which also tells size and version."""
        self.address = s3_address(address) if is_s3(address) else address
        self.url, self.signer = locate(self.address) if is_s3(self.address) else (address, NO_SIGNER)
        first, self.tag, self.size = _range(self.url, self.signer, 0, CHUNK)
        if len(first) != min(CHUNK, self.size):
            msg = "its server sends another part of the file than it was asked for"
            raise RemoteFault(msg)
        self.key = (self.address, self.tag, self.size)
        _CHUNKS.keep((*self.key, 0), first)

    def read(self, start: int, length: int) -> bytes:
        """Read bytes [start, start + length), fewer at the end of the file.

        Raises:
            RemoteFault: they did not come as they should.
        """
        end = min(start + length, self.size)
        if end <= start:
            return b""
        first = start // CHUNK
        pieces = b"".join(self._chunks(first, (end - 1) // CHUNK))
        return pieces[start - first * CHUNK : end - first * CHUNK]

    def _chunks(self, first: int, last: int) -> list[bytes]:
        found = {number: _CHUNKS.find((*self.key, number)) for number in range(first, last + 1)}
        missing = [number for number, chunk in found.items() if chunk is None]
        while missing:
            run = [missing.pop(0)]
            while missing and missing[0] == run[-1] + 1 and len(run) * CHUNK < MAX_AT_ONCE:
                run.append(missing.pop(0))
            start, end = run[0] * CHUNK, min((run[-1] + 1) * CHUNK, self.size)
            came, tag, size = _range(self.url, self.signer, start, end)
            if (tag, size) != (self.tag, self.size) or len(came) != end - start:
                msg = "it changed, or came broken, while it was read: import it again"
                raise RemoteFault(msg)
            for number in run:
                found[number] = came[(number * CHUNK) - start :][:CHUNK]
                _CHUNKS.keep((*self.key, number), found[number] or b"")
        return [chunk or b"" for chunk in found.values()]


def _range(url: str, signer: Signer, start: int, end: int) -> tuple[bytes, str, int]:
    """Bytes [start, end) of a file, its tag, and its size."""
    reply = fetch(url, limit=end - start, headers={"Range": f"bytes={start}-{end - 1}"}, signer=signer)
    if reply.status == 416 and start == 0:
        msg = "the file is empty"
        raise RemoteFault(msg)
    if reply.status == 200:
        msg = "its server gives no parts of files (range requests): copy the file here instead"
        raise RemoteFault(msg)
    if reply.status != 206:
        raise RemoteFault(told(reply.status))
    begin, _, total = reply.headers.get("content-range", "").removeprefix("bytes ").partition("/")
    if begin.partition("-")[0] != str(start) or not total.isdigit() or not 0 < int(total) <= MAX_SIZE:
        msg = "its server does not say which part of the file it sends"
        raise RemoteFault(msg)
    return reply.body, reply.headers.get("etag") or reply.headers.get("last-modified", ""), int(total)


class _Chunks:
    """Chunks of remote files that a process keeps, least recently used first."""

    def __init__(self) -> None:
        self.kept: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()
        self.lock = threading.Lock()

    def find(self, key: tuple[Any, ...]) -> bytes | None:
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
            return self.kept.get(key)

    def keep(self, key: tuple[Any, ...], chunk: bytes) -> None:
        with self.lock:
            self.kept[key] = chunk
            self.kept.move_to_end(key)
            while len(self.kept) > MAX_KEPT:
                self.kept.popitem(last=False)


_CHUNKS = _Chunks()


class Door(FileContainer):
    """Opens one remote file, and only it, for GDAL.

    An error must not leave a callback of GDAL, or the interpreter is left in disorder: the file then reads as if
    it had ended, and ``blame`` hears why.
    """

    def __init__(self, file: RemoteFile, name: str, blame: Callable[[RemoteFault], None]) -> None:
        """Keep the file that was opened already; GDAL knows it by a name without an address."""
        self.file, self.name, self.blame = file, name, blame

    def open(self, path: str, mode: str = "rb", **_: Any) -> io.RawIOBase:
        """The file, with a place of its own."""
        if path != self.name or mode not in ("r", "rb"):
            raise FileNotFoundError(path)
        return _Reader(self.file, self.blame)

    def size(self, path: str) -> int:
        """Its size in bytes."""
        if path != self.name:
            raise FileNotFoundError(path)
        return self.file.size

    def isfile(self, path: str) -> bool:
        """Whether it is that file."""
        return path == self.name

    def isdir(self, path: str) -> bool:
        """There are no folders."""
        del path
        return False

    def ls(self, path: str) -> list[str]:
        """Nothing is listed."""
        del path
        return []

    def mtime(self, path: str) -> int:
        """Not known."""
        del path
        return 0

    def rm(self, path: str) -> None:
        """Nothing is removed."""
        raise PermissionError(path)


class _Reader(io.RawIOBase):
    def __init__(self, file: RemoteFile, blame: Callable[[RemoteFault], None]) -> None:
        self.file, self.blame, self.place = file, blame, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self.place, os.SEEK_END: self.file.size}[whence]
        self.place = max(0, start + offset)
        return self.place

    def read(self, size: int | None = -1) -> bytes:
        length = self.file.size if size is None or size < 0 else size
        try:
            came = self.file.read(self.place, length)
        except RemoteFault as fault:
            self.blame(fault)
            return b""
        self.place += len(came)
        return came
