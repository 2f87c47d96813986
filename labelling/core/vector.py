"""What the readers of vector files have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadInput

MAX_ROWS = 1_000_000
MAX_COLUMNS = 1_000
RawRow = tuple[BaseGeometry | str | None, Mapping[str, Any]]
"""A geometry in the file's CRS (or why it is none, or None where the file has none there), and the properties."""


@dataclass(frozen=True)
class Reading:
    """What a person has said of how to read a file; empty values are found out from the file.

    Attributes:
        layer: its layer or sheet, needed where there are several.
        encoding: of a text file, a name that Python knows.
        delimiter: of a text file, one character.
        header_rows: rows above the first row of data; the last of them names the columns.
        crs: ``EPSG:n``, instead of the one that the file declares.
        swapped: latitude stands where longitude belongs.
    """

    layer: str | None = None
    encoding: str = ""
    delimiter: str = ""
    header_rows: int | None = None
    crs: str = ""
    swapped: bool = False


@dataclass(frozen=True)
class RawTable:
    """A layer as the file has it.

    Attributes:
        layer: its name; empty where the format has none.
        layers: names of all layers.
        crs: ``EPSG:n`` or WKT; None where the file does not say.
        rows: in the order of the file.
        reading: how a table of text was read; None for a format that leaves no doubt.
        encodings: others in which it could be read, the likeliest first.
    """

    layer: str
    layers: tuple[str, ...]
    crs: str | None
    rows: Sequence[RawRow]
    reading: Reading | None = None
    encodings: tuple[str, ...] = ()

    @property
    def first_row(self) -> int:
        """The number of the first row, as a person finds it: a spreadsheet counts the headers."""
        return 1 + (self.reading.header_rows or 0 if self.reading else 0)


class ManyLayers(BadInput):
    """A file of several layers, of which none was chosen.

    Attributes:
        layers: their names.
    """

    layers: tuple[str, ...] = ()


def choose_layer(layers: Sequence[str], wanted: str | None) -> str:
    """Find the layer to read.

    Raises:
        BadInput: there is none of that name.
        ManyLayers: there are several, and none was chosen.
    """
    if wanted is not None and wanted not in layers:
        msg = f"no layer {wanted!r}; it has {', '.join(layers) or 'none'}"
        raise BadInput(msg)
    if wanted is None and not layers:
        msg = "it has no layer"
        raise BadInput(msg)
    if wanted is None and len(layers) > 1:
        error = ManyLayers(f"it has the layers {', '.join(layers)}: choose one with --layer")
        error.layers = tuple(layers)
        raise error
    return wanted if wanted is not None else layers[0]


def check_row_count(count: int) -> None:
    """Refuse a file with too many rows.

    Raises:
        BadInput: more than ``MAX_ROWS``.
    """
    if count > MAX_ROWS:
        msg = f"{count} rows, at most {MAX_ROWS} are read: split the file"
        raise BadInput(msg)


def check_column_count(count: int) -> None:
    """Refuse a file with too many columns.

    Raises:
        BadInput: more than ``MAX_COLUMNS``.
    """
    if count > MAX_COLUMNS:
        msg = f"{count} columns, at most {MAX_COLUMNS} are read: leave out those that nobody needs"
        raise BadInput(msg)


def raw_rows(names: Sequence[Any], columns: Sequence[Any], geometries: Sequence[Any]) -> list[RawRow]:
    """Turn columns into rows.

    Args:
        names: of the columns; perhaps none.
        columns: for each an array of as many values as there are geometries.
        geometries: one a row, or None where a row has none.
    """
    fields = [str(name) for name in names]
    across = zip(*columns, strict=True) if columns else [()] * len(geometries)
    return [
        (geometry, dict(zip(fields, values, strict=True))) for geometry, values in zip(geometries, across, strict=True)
    ]
