"""Tables as files."""

from collections.abc import Iterable, Sequence

from django.http import HttpResponse

from labelling.core.tables import csv_text


def csv_answer(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A table as a CSV file that a browser saves."""
    saved = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(csv_text(head, rows), content_type="text/csv; charset=utf-8", headers=saved)
