"""XLSX read row by row; formulas are never worked out, their last value is taken."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from labelling.core.archives import open_archive
from labelling.core.errors import BadInput
from labelling.core.grids import CRS, Cells, read_grid
from labelling.core.vector import RawTable, Reading, check_column_count, check_row_count, choose_layer

MAX_BYTES = 200_000_000
MAX_CELL = 32_767


def read_spreadsheet(path: Path, reading: Reading) -> RawTable:
    """Read a sheet of a workbook.

    Args:
        path: the file, whose first bytes have been checked.
        reading: names the sheet, where there are several, and the number of header rows.

    Returns:
        Rows without geometries.

    Raises:
        BadInput: too large, damaged or hostile, no such sheet, or not a table.
    """
    if path.stat().st_size > MAX_BYTES:
        msg = f"an XLSX above {MAX_BYTES // 10**6} MB is not read: save it as CSV"
        raise BadInput(msg)
    from openpyxl import load_workbook

    with open_archive(path):
        pass
    try:
        with path.open("rb") as file:  # a path would stay open where it is no workbook
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            sheets = [sheet.title for sheet in book.worksheets]
            name = choose_layer(sheets, reading.layer)
            headers, rows = read_grid(_rows(book[name]), reading.header_rows)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, ParseError, OSError, EOFError) as error:
        msg = f"an XLSX that cannot be read, it may be damaged: {str(error)[:120]}"
        raise BadInput(msg) from error
    return RawTable(name, tuple(sheets), CRS, rows, Reading(name, header_rows=headers))


def _rows(sheet: Any) -> Iterator[Cells]:
    # The size that the sheet declares may be a lie, and a missing row costs as much as a full one.
    sheet.reset_dimensions()
    last = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        check_column_count(len(row))
        check_row_count(number)
        if any(cell is not None for cell in row):
            yield from [()] * (number - last - 1)
            last = number
            yield [_value(cell) for cell in row]


def _value(cell: Any) -> Any:
    if isinstance(cell, datetime.date | datetime.time | datetime.timedelta):
        return str(cell)
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return int(cell)
    return cell[:MAX_CELL] if isinstance(cell, str) else cell
