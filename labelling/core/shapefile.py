"""Shapefile, plain or in a ZIP archive."""

import stat
import struct
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import shapely

import labelling.core.gdal  # noqa: F401  # before pyogrio, so that its drivers are the few we want
from labelling.core.errors import BadInput
from labelling.core.vector import RawTable, check_row_count, choose_layer

PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
MAX_MEMBERS = 10_000
MAX_UNPACKED = 4_000_000_000
MAX_RATIO = 200
_ARCHIVES = (".zip", ".gz", ".bz2", ".xz", ".7z", ".tar", ".tgz", ".rar")
_CHUNK = 1 << 20


def read_shapefile(path: Path, layer: str | None = None) -> RawTable:
    """Read a Shapefile whose parts lie beside it.

    Args:
        path: absolute path of the ``.shp``, whose first bytes have been checked.
        layer: a Shapefile is one layer; its stem is accepted.

    Raises:
        BadInput: a part is missing, damaged, or its text is not in the encoding that its ``.cpg`` names.
    """
    import pyogrio

    name = choose_layer([path.stem], layer)
    for suffix, use in ((".shx", "the index of its rows"), (".dbf", "its table"), (".prj", "its CRS")):
        if not path.with_suffix(suffix).is_file():
            msg = f"{path.stem}{suffix} ({use}) is missing beside it"
            raise BadInput(msg)
    _check_lengths(path)
    try:
        check_row_count(int(pyogrio.read_info(path)["features"]))
        meta, _, blobs, columns = pyogrio.raw.read(path, datetime_as_string=True, force_2d=True)
        geometries = shapely.from_wkb(blobs)
    except UnicodeDecodeError as error:
        msg = f"its text is not {error.encoding}: correct {path.stem}.cpg"
        raise BadInput(msg) from error
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, shapely.errors.GEOSException) as error:
        msg = f"a Shapefile that cannot be read, it may be damaged: {error}"
        raise BadInput(msg) from error
    fields = [str(field) for field in meta["fields"]]
    rows = [
        (geometry, dict(zip(fields, values, strict=True)))
        for geometry, values in zip(geometries, _across(columns, len(geometries)), strict=True)
    ]
    return RawTable(name, (name,), meta["crs"], rows)


def _check_lengths(path: Path) -> None:
    """Compare each part with the length that its header gives: GDAL reads a table that is cut off as empty."""
    with path.open("rb") as file:
        words = int.from_bytes(file.read(28)[24:28], "big")
    table = path.with_suffix(".dbf")
    with table.open("rb") as file:
        head = file.read(12).ljust(12, b"\x00")
    rows, header, width = struct.unpack("<4xIHH", head)
    for part, length in ((path, words * 2), (table, max(header + rows * width, 33))):
        if part.stat().st_size < length:
            msg = f"{part.name} is cut off: it has {part.stat().st_size} of {length} bytes"
            raise BadInput(msg)


def _across(columns: list[Any], count: int) -> Any:
    return zip(*columns, strict=True) if columns else [()] * count


def read_zipped_shapefile(path: Path, layer: str | None = None) -> RawTable:
    """Read the one Shapefile of a ZIP archive, unpacked by us and under names of ours.

    Args:
        path: absolute path of the archive.
        layer: stem of the Shapefile, or None.

    Raises:
        BadInput: damaged, encrypted, a name that leaves the archive, a link, a name twice, an archive within,
            too large when unpacked, or not exactly one Shapefile.
    """
    try:
        with ZipFile(path) as archive, tempfile.TemporaryDirectory(prefix="mad-shp-") as folder:
            members = _checked_members(archive)
            stem = _only_stem(members)
            choose_layer([stem], layer)
            for suffix, member in members[stem].items():
                _unpack(archive, member, Path(folder, f"layer{suffix}"))
            table = read_shapefile(Path(folder, "layer.shp"))
            return RawTable(stem, (stem,), table.crs, table.rows)
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        msg = f"a ZIP archive that cannot be read, it may be damaged: {error}"
        raise BadInput(msg) from error


def _checked_members(archive: ZipFile) -> dict[str, dict[str, ZipInfo]]:
    """The parts of each Shapefile: stem -> suffix -> member."""
    everything = archive.infolist()
    if len(everything) > MAX_MEMBERS:
        msg = f"{len(everything)} files in the archive, at most {MAX_MEMBERS} are taken"
        raise BadInput(msg)
    if len({member.filename for member in everything}) < len(everything):
        msg = "a name stands twice in the archive"
        raise BadInput(msg)
    found: dict[str, dict[str, ZipInfo]] = {}
    for member in everything:
        _check_member(member)
        name = PurePosixPath(member.filename)
        if name.suffix.lower() in PARTS and not member.is_dir():
            found.setdefault(str(name.with_suffix("")), {})[name.suffix.lower()] = member
    return found


def _check_member(member: ZipInfo) -> None:
    name = PurePosixPath(member.filename)
    faults = {
        "a name that leaves the archive": name.is_absolute() or ".." in name.parts or "\\" in member.filename,
        "a link": stat.S_ISLNK(member.external_attr >> 16),
        "an encrypted file": bool(member.flag_bits & 1),
        "an archive within the archive": name.suffix.lower() in _ARCHIVES,
        "a file too large when unpacked": member.file_size > MAX_UNPACKED
        or member.file_size > MAX_RATIO * max(member.compress_size, 1) + _CHUNK,
    }
    fault = next((text for text, is_so in faults.items() if is_so), None)
    if fault:
        msg = f"{fault} in the archive: {member.filename[:80]!r}"
        raise BadInput(msg)


def _only_stem(members: dict[str, dict[str, ZipInfo]]) -> str:
    stems = [stem for stem, parts in members.items() if ".shp" in parts]
    if len(stems) != 1:
        msg = f"{len(stems)} Shapefiles in the archive, exactly one is read"
        raise BadInput(msg)
    return stems[0]


def _unpack(archive: ZipFile, member: ZipInfo, target: Path) -> None:
    # What the archive declares can be a lie, so the bytes are counted as they come.
    left = member.file_size
    with archive.open(member) as source, target.open("wb") as file:
        while piece := source.read(_CHUNK):
            left -= len(piece)
            if left < 0:
                msg = f"{member.filename[:80]!r} is larger than the archive says"
                raise BadInput(msg)
            file.write(piece)
