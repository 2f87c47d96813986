"""What is looked for in a STAC catalogue, apart from how: the pages that ask need no library for it."""

import math
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from labelling.core.errors import BadInput

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class StacSearch:
    """What is looked for in a STAC catalogue.

    Attributes:
        url: of the API's landing page or of a ``catalog.json``; or the path of the latter on this machine.
        collections: ids; empty for all.
        bbox: west, south, east, north in degrees; west may lie east of east, across 180 degrees. None: everywhere.
        since, until: of the acquisition; None: without end.
        max_cloud: highest cloud cover, per cent; items that do not say theirs are left out. None: any.
        most: so many items at most.
    """

    url: str
    collections: tuple[str, ...] = ()
    bbox: Bounds | None = None
    since: datetime | None = None
    until: datetime | None = None
    max_cloud: float | None = None
    most: int = 100_000

    def to_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        times = {key: value and value.isoformat() for key, value in (("since", self.since), ("until", self.until))}
        return asdict(self) | times

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> "StacSearch":
        """The search of ``to_json``."""
        times = {key: datetime.fromisoformat(said[key]) for key in ("since", "until") if said.get(key)}
        box = tuple(said["bbox"]) if said.get("bbox") else None
        return cls(**{**said, **times, "collections": tuple(said["collections"]), "bbox": box})

    @staticmethod
    def box_of(text: str) -> Bounds | None:
        """Understand ``west,south,east,north``; empty for everywhere.

        Raises:
            BadInput: not four numbers in range, or south is not below north.
        """
        if not text.strip():
            return None
        try:
            west, south, east, north = (float(part) for part in text.split(","))
        except ValueError:
            west = south = east = north = math.nan
        if not (-180 <= west <= 180 and -180 <= east <= 180 and west != east and -90 <= south < north <= 90):
            msg = f"{text[:60]!r} is not west,south,east,north in degrees, such as -44.7,-21.2,-44.5,-21.0"
            raise BadInput(msg)
        return west, south, east, north
