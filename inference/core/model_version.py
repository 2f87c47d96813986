"""All that is needed to use a model's weights rightly, apart from the weights."""

import re
from dataclasses import dataclass

from inference.core.preparation import Preparation

_NUMBERED = re.compile(r"^(?P<stem>.+)-(?P<number>\d+)$")


@dataclass(frozen=True)
class ModelSpec:
    """What a set of weights finds, and in what.

    Attributes:
        architecture: what was trained, such as ``yolo11n``.
        axis: axis of the taxonomy that its classes are on.
        types: type codes in the order of the model's classes.
        preparation: how pixels became the model's input in training, and become it in detection.
        engine: name of the detector engine that loads the weights.
        task: ``detect`` or ``segment``.
        licence: licence of the weights.
    """

    architecture: str
    axis: str
    types: tuple[str, ...]
    preparation: Preparation
    engine: str = "yolo"
    task: str = "detect"
    licence: str = "AGPL-3.0"

    def __post_init__(self) -> None:
        """Refuse a model that could find nothing, or the same thing twice.

        Raises:
            ValueError: no types, or one of them twice.
        """
        if not self.types or len(set(self.types)) < len(self.types):
            msg = f"a model needs at least one type and each only once, not {', '.join(self.types) or 'none'}"
            raise ValueError(msg)


def free_name(wanted: str, taken: set[str]) -> str:
    """Give a model a name that no other has: ``baseline`` becomes ``baseline-1``, then ``baseline-2``.

    Args:
        wanted: a stem such as ``baseline``, or a numbered name, which is kept where it is free.
        taken: names in use.

    Returns:
        A numbered name that is not taken.
    """
    numbered = _NUMBERED.match(wanted)
    if numbered and wanted not in taken:
        return wanted
    stem = numbered["stem"] if numbered else wanted
    used = [int(match["number"]) for name in taken if (match := _NUMBERED.match(name)) and match["stem"] == stem]
    return f"{stem}-{max(used, default=0) + 1}"


class ModelName:
    """The names that models have, as a part of a URL: a slug and a number, unlike any other page's."""

    regex = r"[-a-zA-Z0-9_]+-[0-9]+"

    def to_python(self, value: str) -> str:
        """The name as it stands in the URL."""
        return value

    def to_url(self, value: str) -> str:
        """The name as it stands in the database."""
        return value
