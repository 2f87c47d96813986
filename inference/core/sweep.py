"""What goes into a sweep of a model over scenes, and what comes out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from labelling.core.raster import SceneRef


@dataclass(frozen=True)
class SweepSettings:
    """How a model is led over a scene.

    Attributes:
        min_score: boxes below this score are dropped.
        overlap: share of a window's side that it has in common with the next.
        batch: windows looked at together.
        merge_iou: two boxes of one type that overlap by at least this much are one.
    """

    min_score: float = 0.25
    overlap: float = 0.2
    batch: int = 8
    merge_iou: float = 0.5

    def __post_init__(self) -> None:
        """Refuse settings that make no sense.

        Raises:
            ValueError: a setting out of its range.
        """
        if not 0 <= self.min_score <= 1:
            msg = f"the least score lies between 0 and 1, not {self.min_score}"
            raise ValueError(msg)
        if not 0 <= self.overlap <= 0.9:
            msg = f"windows overlap by 0 to 0.9 of their side, not {self.overlap}"
            raise ValueError(msg)
        if not 0 < self.merge_iou <= 1:
            msg = f"the IoU for merging lies above 0 and up to 1, not {self.merge_iou}"
            raise ValueError(msg)
        if self.batch < 1:
            msg = f"a batch has at least one window, not {self.batch}"
            raise ValueError(msg)

    def to_json(self) -> dict[str, Any]:
        """The JSON form, as a run keeps it."""
        return asdict(self)


@dataclass(frozen=True)
class SweepTarget:
    """A scene to look at.

    Attributes:
        key: the caller's name for it; comes back with the result.
        ref: the scene.
        area: only boxes that touch this are wanted, EPSG:4326; None for the whole scene.
    """

    key: str
    ref: SceneRef
    area: BaseGeometry | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON form, for the child process."""
        return {"key": self.key, "ref": asdict(self.ref), "area": None if self.area is None else self.area.wkt}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "SweepTarget":
        """Read the JSON form."""
        lists = {key: tuple(value) for key, value in data["ref"].items() if isinstance(value, list)}
        area = None if data["area"] is None else shapely.from_wkt(data["area"])
        return cls(data["key"], SceneRef(**{**data["ref"], **lists}), area)


@dataclass(frozen=True)
class Box:
    """A find: a box in pixels of the scene (columns and rows, not whole), its score 0 to 1, and its type."""

    x0: float
    y0: float
    x1: float
    y1: float
    score: float
    type_code: str


@dataclass(frozen=True)
class SweepResult:
    """What was found in one target.

    Attributes:
        key: the target's.
        boxes: best score first.
        windows: how many windows the model looked at; those without data are not counted.
        error: why the scene could not be read, or empty.
    """

    key: str
    boxes: Sequence[Box]
    windows: int
    error: str = ""
