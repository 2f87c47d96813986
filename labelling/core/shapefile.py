"""Shapefile, plain or in a ZIP archive."""

import struct
import tempfile
from pathlib import Path, PurePosixPath
from zipfile import ZipFile, ZipInfo

import shapely

import labelling.core.gdal  # noqa: F401  # before pyogrio, so that its drivers are the few we want
from labelling.core.archives import open_archive, unpack_member
from labelling.core.errors import BadInput
from labelling.core.vector import RawTable, Reading, check_row_count, choose_layer, raw_rows

PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def read_shapefile(path: Path, reading: Reading) -> RawTable:
    """Read a Shapefile whose parts lie beside it.

    Args:
        path: absolute path of the ``.shp``, whose first bytes have been checked.
        reading: a Shapefile is one layer; its stem is accepted.

    Raises:
        BadInput: a part is missing, damaged, or its text is not in the encoding that its ``.cpg`` names.
    """
    import pyogrio

    name = choose_layer([path.stem], reading.layer)
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
    rows = raw_rows(meta["fields"], columns, geometries)
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


def read_zipped_shapefile(path: Path, reading: Reading) -> RawTable:
    """Read the one Shapefile of a ZIP archive, unpacked by us and under names of ours.

    Args:
        path: absolute path of the archive.
        reading: the layer is the stem of the Shapefile.

    Raises:
        BadInput: the archive is hostile or damaged, or holds not exactly one Shapefile.
    """
    with open_archive(path) as archive, tempfile.TemporaryDirectory(prefix="mad-shp-") as folder:
        members = _parts(archive)
        stem = _only_stem(members)
        choose_layer([stem], reading.layer)
        for suffix, member in members[stem].items():
            unpack_member(archive, member, Path(folder, f"layer{suffix}"))
        table = read_shapefile(Path(folder, "layer.shp"), Reading())
        return RawTable(stem, (stem,), table.crs, table.rows)


def _parts(archive: ZipFile) -> dict[str, dict[str, ZipInfo]]:
    """The parts of each Shapefile: stem -> suffix -> member."""
    found: dict[str, dict[str, ZipInfo]] = {}
    for member in archive.infolist():
        name = PurePosixPath(member.filename)
        if name.suffix.lower() in PARTS and not member.is_dir():
            found.setdefault(str(name.with_suffix("")), {})[name.suffix.lower()] = member
    return found


def _only_stem(members: dict[str, dict[str, ZipInfo]]) -> str:
    stems = [stem for stem, parts in members.items() if ".shp" in parts]
    if len(stems) != 1:
        msg = f"{len(stems)} Shapefiles in the archive, exactly one is read"
        raise BadInput(msg)
    return stems[0]
