"""Tables of cells without a geometry of their own: which rows are headers, and what the columns are called."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from labelling.core.errors import BadInput
from labelling.core.geojson import CRS84
from labelling.core.vector import RawRow, check_column_count, check_row_count

MAX_HEADER_ROWS = 8
MAX_NAME = 120
Cells = Sequence[Any]
# What people type into a cell that they leave empty.
EMPTY = frozenset({"", "-", "--", "n/a", "#n/a", "nan"})
CRS = CRS84
_MOST = 0.6


def read_grid(rows: Iterable[Cells], header_rows: int | None) -> tuple[int, list[RawRow]]:
    """Tell headers from data and name the columns.

    Args:
        rows: cells of each row, as text, numbers or None.
        header_rows: rows above the data; None: found out.

    Returns:
        The number of header rows, and the rows below them without a geometry. A row of empty cells stays, so that
        rows keep the numbers that a person sees.

    Raises:
        BadInput: too many rows or columns, or none.
    """
    everything: list[Cells] = []
    for row in rows:
        check_column_count(len(row))
        everything.append(row)
        check_row_count(len(everything) - MAX_HEADER_ROWS)
    headers = _header_rows(everything) if header_rows is None else header_rows
    if headers >= len(everything):
        msg = f"{len(everything)} rows, and {headers} of them are headers: there is no data"
        raise BadInput(msg)
    names = _names(everything[:headers], max(map(len, everything)))
    used = {index for row in everything for index, cell in enumerate(row) if not is_empty(cell)}
    columns = [(index, names[index]) for index in sorted(used)]
    return headers, [(None, {name: _cell(row, index) for index, name in columns}) for row in everything[headers:]]


def _header_rows(rows: Sequence[Cells]) -> int:
    """The number of the row that is fullest of words, the first of equals; 0 where there is none."""
    top = rows[: MAX_HEADER_ROWS + 1]
    words = [sum(_is_word(cell) for cell in row) for row in top]
    if len(top) < 2 or not max(words):
        return 0
    filled = [sum(not is_empty(cell) for cell in row) for row in top]
    # The names of columns differ from each other and are no numbers; a row of data is neither for long.
    named = [
        index
        for index, row in enumerate(top[:-1])
        if words[index] == filled[index] and _differ(row) and filled[index] >= max(filled) / 2
    ]
    return max(named, key=lambda index: (filled[index], -index)) + 1 if named else 0


def is_empty(cell: Any) -> bool:
    """Whether a cell says nothing."""
    return cell is None or str(cell).strip().casefold() in EMPTY


def _is_word(cell: Any) -> bool:
    return isinstance(cell, str) and not is_empty(cell) and not cell.strip()[:1].isdigit() and cell.strip()[:1] != "-"


def _differ(row: Cells) -> bool:
    texts = [str(cell).strip().casefold() for cell in row if not is_empty(cell)]
    return len(set(texts)) >= _MOST * len(texts)


def _names(headers: Sequence[Cells], width: int) -> list[str]:
    """The names of the last header row; one that stands twice takes the group above it along."""
    rows = [[_clean(row[index]) if index < len(row) else "" for index in range(width)] for row in headers]
    names = rows[-1] if rows else [""] * width
    groups = _spread(rows[-2]) if len(rows) > 1 else [""] * width
    seen = Counter(names)
    named = [
        f"{group} / {name}" if name and group and seen[name] > 1 else name or f"column {index}"
        for index, (name, group) in enumerate(zip(names, groups, strict=True), start=1)
    ]
    used: Counter[str] = Counter()
    found = []
    for name in named:
        used[name] += 1
        found.append(name if used[name] == 1 else f"{name} ({used[name]})")
    return found


def _spread(groups: Sequence[str]) -> list[str]:
    """A heading over several columns stands in the first of them."""
    found, last = [], ""
    for group in groups:
        last = group or last
        found.append(last)
    return found


def _clean(cell: Any) -> str:
    text = " ".join("".join(mark if mark.isprintable() else " " for mark in str(cell or "")).split())
    return text[:MAX_NAME]


def _cell(row: Cells, index: int) -> Any:
    return None if index >= len(row) or is_empty(row[index]) else row[index]
