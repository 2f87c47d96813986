"""Tables as text that spreadsheets read."""

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table as CSV; a text that a spreadsheet would take for a formula is marked as text.

    Args:
        head: names of the columns.
        rows: of cells; numbers stay numbers.
    """
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(head)
    table.writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue()


def _plain(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
