"""FlatGeobuf."""

from pathlib import Path

import shapely

import labelling.core.gdal  # noqa: F401  # before pyogrio, so that its drivers are the few we want
from labelling.core.errors import BadInput
from labelling.core.vector import RawTable, Reading, check_column_count, check_row_count, choose_layer, raw_rows

MAGIC = b"fgb\x03fgb"


def read_flatgeobuf(path: Path, reading: Reading) -> RawTable:
    """Read the one layer of a FlatGeobuf.

    Args:
        path: absolute path of the file, whose first bytes have been checked.
        reading: a FlatGeobuf is one layer; its name is accepted.

    Raises:
        BadInput: damaged, or too many rows or columns.
    """
    import pyogrio

    try:
        info = pyogrio.read_info(path)
        if info["driver"] != "FlatGeobuf":
            msg = "it does not begin as a FlatGeobuf does"
            raise BadInput(msg)
        name = choose_layer([str(info["layer_name"])], reading.layer)
        check_row_count(int(info["features"]))
        check_column_count(len(info["fields"]))
        meta, _, blobs, columns = pyogrio.raw.read(path, datetime_as_string=True, force_2d=True)
        geometries = shapely.from_wkb(blobs)
    except UnicodeDecodeError as error:
        msg = "a text in it is not UTF-8"
        raise BadInput(msg) from error
    # One that is cut off after its header leaves pyogrio with fewer rows than it counted on.
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        shapely.errors.GEOSException,
        IndexError,
    ) as error:
        msg = f"a FlatGeobuf that cannot be read, it may be damaged: {str(error)[:120]}"
        raise BadInput(msg) from error
    rows = raw_rows(meta["fields"], columns, geometries)
    return RawTable(name, (name,), meta["crs"], rows)
