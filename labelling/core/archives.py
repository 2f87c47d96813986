"""ZIP archives from outside: looked through before anything of them is unpacked."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from labelling.core.errors import BadInput

MAX_MEMBERS = 10_000
MAX_UNPACKED = 4_000_000_000
MAX_RATIO = 200
_ARCHIVES = (".zip", ".gz", ".bz2", ".xz", ".7z", ".tar", ".tgz", ".rar", ".kmz")
_CHUNK = 1 << 20


@contextmanager
def open_archive(path: Path) -> Iterator[ZipFile]:
    """Open an archive whose members have been checked.

    Args:
        path: absolute path of the archive.

    Raises:
        BadInput: damaged, encrypted, a name that leaves the archive, a link, a name twice, an archive within,
            too many files, or too large when unpacked.
    """
    try:
        with ZipFile(path) as archive:
            _check_members(archive.infolist())
            yield archive
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        msg = f"a ZIP archive that cannot be read, it may be damaged: {error}"
        raise BadInput(msg) from error


def unpack_member(archive: ZipFile, member: ZipInfo, target: Path) -> None:
    """Write a member to a file.

    Raises:
        BadInput: it is larger than the archive says.
    """
    # What the archive declares can be a lie, so the bytes are counted as they come.
    left = member.file_size
    with archive.open(member) as source, target.open("wb") as file:
        while piece := source.read(_CHUNK):
            left -= len(piece)
            if left < 0:
                msg = f"{member.filename[:80]!r} is larger than the archive says"
                raise BadInput(msg)
            file.write(piece)


def _check_members(members: list[ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        msg = f"{len(members)} files in the archive, at most {MAX_MEMBERS} are taken"
        raise BadInput(msg)
    if len({member.filename for member in members}) < len(members):
        msg = "a name stands twice in the archive"
        raise BadInput(msg)
    for member in members:
        _check_member(member)
    if sum(member.file_size for member in members) > MAX_UNPACKED:
        msg = f"more than {MAX_UNPACKED // 10**9} GB when unpacked"
        raise BadInput(msg)


def _check_member(member: ZipInfo) -> None:
    name = PurePosixPath(member.filename)
    faults = {
        "a name that leaves the archive": name.is_absolute() or ".." in name.parts or "\\" in member.filename,
        "a link": stat.S_ISLNK(member.external_attr >> 16),
        "an encrypted file": bool(member.flag_bits & 1),
        "an archive within the archive": name.suffix.lower() in _ARCHIVES,
        "a file too large when unpacked": member.file_size > MAX_RATIO * max(member.compress_size, 1) + _CHUNK,
    }
    fault = next((text for text, is_so in faults.items() if is_so), None)
    if fault:
        msg = f"{fault} in the archive: {member.filename[:80]!r}"
        raise BadInput(msg)
