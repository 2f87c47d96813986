"""Tables as files."""

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse


def csv_answer(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A table as a CSV file that a browser saves."""
    answer = HttpResponse(
        content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
    table = csv.writer(answer)
    table.writerow(head)
    table.writerows([_plain(cell) for cell in row] for row in rows)
    return answer


def _plain(cell: object) -> object:
    """A text that a spreadsheet would take for a formula is marked as text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
