"""GeoParquet, read in small pieces: a few bytes of it can stand for gigabytes."""

import datetime
import decimal
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from labelling.core.errors import BadInput
from labelling.core.geojson import CRS84
from labelling.core.vector import RawRow, RawTable, Reading, check_column_count, check_row_count
from labelling.core.wkb import read_wkb

MAGIC = b"PAR1"
MAX_READ = 2_000_000_000
_BATCH = 1024


def read_geoparquet(path: Path, reading: Reading) -> RawTable:
    """Read the primary geometry and the plain columns.

    Args:
        path: absolute path of the file, whose first bytes have been checked.
        reading: GeoParquet has no layers.

    Raises:
        BadInput: damaged, no GeoParquet, a geometry that is not WKB, or too large.
    """
    import pyarrow
    from pyarrow import parquet

    if reading.layer is not None:
        msg = f"no layer {reading.layer!r}: a GeoParquet file is one layer, leave --layer out"
        raise BadInput(msg)
    try:
        # Not memory-mapped, and no page index: only what the file itself holds is followed.
        with parquet.ParquetFile(path, memory_map=False, thrift_string_size_limit=100_000_000) as file:
            column, crs = _geometry(file.schema_arrow)
            check_row_count(file.metadata.num_rows)
            check_column_count(len(file.schema_arrow.names))
            names = [field.name for field in file.schema_arrow if not pyarrow.types.is_nested(field.type)]
            rows = list(_rows(file, column, names))
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        msg = f"a GeoParquet file that cannot be read, it may be damaged: {str(error)[:120]}"
        raise BadInput(msg) from error
    return RawTable("", (), crs, rows)


def _geometry(schema: Any) -> tuple[str, str | None]:
    """The column of the geometry, and its CRS."""
    try:
        geo = json.loads((schema.metadata or {})[b"geo"])
        column = geo["primary_column"]
        about = geo["columns"][column]
        encoding = about["encoding"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        msg = "a Parquet file that says nothing of a geometry: it is no GeoParquet"
        raise BadInput(msg) from error
    if column not in schema.names:
        msg = f"no column {str(column)[:80]!r}, which should hold the geometry"
        raise BadInput(msg)
    if encoding != "WKB":
        msg = f"its geometries are stored as {str(encoding)[:40]!r}: write them as WKB"
        raise BadInput(msg)
    crs = about.get("crs", CRS84)
    return column, json.dumps(crs) if isinstance(crs, Mapping) else crs


def _rows(file: Any, column: str, names: list[str]) -> Iterator[RawRow]:
    read = 0
    for batch in file.iter_batches(batch_size=_BATCH, columns=names, use_threads=False):
        read += sum(_size(values) for values in batch.columns)
        if read > MAX_READ:
            msg = f"more than {MAX_READ // 10**6} MB when unpacked: split the file"
            raise BadInput(msg)
        for values in batch.to_pylist():
            blob = values.pop(column)
            yield None if blob is None else read_wkb(blob), {name: _plain(value) for name, value in values.items()}


def _size(values: Any) -> int:
    """Bytes of a column once every row has a value of its own: Arrow may hold those that repeat only once."""
    import pyarrow
    from pyarrow import compute

    if not pyarrow.types.is_dictionary(values.type) or pyarrow.types.is_primitive(values.type.value_type):
        return int(values.nbytes)
    return compute.sum(compute.binary_length(values.dictionary).take(values.indices)).as_py() or 0


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return None
    if isinstance(value, decimal.Decimal):
        return float(value)
    return str(value) if isinstance(value, datetime.date | datetime.time | datetime.timedelta) else value
