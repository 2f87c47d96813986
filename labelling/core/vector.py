"""What the readers of vector files have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadInput

MAX_ROWS = 1_000_000
RawRow = tuple[BaseGeometry | str | None, Mapping[str, Any]]
"""A geometry in the file's CRS (or why it is none, or None where the file has none there), and the properties."""


@dataclass(frozen=True)
class RawTable:
    """A layer as the file has it.

    Attributes:
        layer: its name; empty where the format has none.
        layers: names of all layers.
        crs: ``EPSG:n`` or WKT; None where the file does not say.
        rows: in the order of the file.
    """

    layer: str
    layers: tuple[str, ...]
    crs: str | None
    rows: Sequence[RawRow]


def choose_layer(layers: Sequence[str], wanted: str | None) -> str:
    """Find the layer to read.

    Raises:
        BadInput: there is none of that name, or several and none was chosen.
    """
    if wanted is not None and wanted not in layers:
        msg = f"no layer {wanted!r}; it has {', '.join(layers) or 'none'}"
        raise BadInput(msg)
    if wanted is None and len(layers) != 1:
        msg = f"it has the layers {', '.join(layers)}: choose one with --layer" if layers else "it has no layer"
        raise BadInput(msg)
    return wanted if wanted is not None else layers[0]


def check_row_count(count: int) -> None:
    """Refuse a file with too many rows.

    Raises:
        BadInput: more than ``MAX_ROWS``.
    """
    if count > MAX_ROWS:
        msg = f"{count} rows, at most {MAX_ROWS} are read: split the file"
        raise BadInput(msg)
