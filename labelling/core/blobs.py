"""Files that are whole or absent, addressed by what is in them."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from labelling.core.errors import BadInput

_CHUNK = 1 << 20
KEPT_FREE = 500_000_000


def sha256_of(path: Path) -> str:
    """Hash a file's content, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a temporary path beside the target; at the end flush it and rename it into place.

    Args:
        target: the file that is to appear whole or not at all; its folder is made where needed.

    Yields:
        The path to write to, with the target's suffix. It is removed where the block raises.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-", suffix=target.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
        _flush_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder beside the target for what is needed on the way to it; it is removed at the end."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.stem}-") as folder:
        yield Path(folder)


def remove_scratch(target: Path) -> None:
    """Remove what a process that was killed has left beside a target, and nothing of a target with a longer name."""
    ours = re.compile(rf"\.{re.escape(target.stem)}-[a-z0-9_]{{8}}(\..*)?")  # as tempfile names them
    for left in target.parent.iterdir() if target.parent.is_dir() else ():
        if not ours.fullmatch(left.name):
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def blob_path(root: Path, sha256: str) -> Path:
    """The place of a blob below its root: ``ab/abcd...``."""
    return root / sha256[:2] / sha256


@dataclass(frozen=True)
class Received:
    """A file that has come in whole and is not among the blobs yet.

    Attributes:
        root: folder of the blobs.
        path: where it lies meanwhile.
        sha256: of its content, its address among the blobs.
        size: bytes.
    """

    root: Path
    path: Path
    sha256: str
    size: int

    def keep(self) -> None:
        """Put it among the blobs; the same content twice is one file."""
        target = blob_path(self.root, self.sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        self.path.replace(target)
        _flush_folder(target.parent)


@contextmanager
def receive_file(root: Path, pieces: Iterable[bytes], *, most: int) -> Iterator[Received]:
    """Take in what comes in pieces, without ever holding all of it.

    Args:
        root: folder of the blobs.
        pieces: the content.
        most: bytes; more are refused.

    Yields:
        The file, flushed to the disk. At the end of the block it is removed where it was not kept.

    Raises:
        BadInput: too large, or the disk is nearly full; nothing is left behind.
    """
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=root, prefix=".upload-", delete=False) as file:
        path = Path(file.name)
        try:
            sha256, size = _write(pieces, file, most)
            yield Received(root, path, sha256, size)
        finally:
            path.unlink(missing_ok=True)


def _write(pieces: Iterable[bytes], file: IO[bytes], most: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        size += len(piece)
        if size > most:
            msg = f"more than {most // 10**6} MB, which is all that is taken here"
            raise BadInput(msg)
        if shutil.disk_usage(file.name).free < KEPT_FREE:
            msg = "the disk of the server is nearly full: nothing was kept"
            raise BadInput(msg)
        digest.update(piece)
        file.write(piece)
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest(), size


def store_blob(root: Path, source: Path) -> str:
    """Copy a file among the blobs.

    Args:
        root: folder of the blobs.
        source: the file to keep.

    Returns:
        Its SHA-256, which is its address. Storing the same content twice keeps one copy.
    """
    sha256 = sha256_of(source)
    target = blob_path(root, sha256)
    if not target.exists():
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)
            if sha256_of(temporary) != sha256:
                msg = f"{source.name} changed while it was copied"
                raise OSError(msg)
    return sha256
