"""Which model looks at which ground: the most special line of the dispatch table that fits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ECOREGION, BIOME, EVERYWHERE = "ecoregion", "biome", "everywhere"


@dataclass(frozen=True)
class Line:
    """One line of the dispatch table.

    Attributes:
        model: primary key of the model version.
        mine_type: code of the type that it is a specialist of; None for a model of every type.
        level: ``ecoregion``, ``biome`` or ``everywhere``.
        place: number of the ecoregion or biome; 0 for everywhere.
    """

    model: int
    mine_type: str | None = None
    level: str = EVERYWHERE
    place: int = 0

    @property
    def name(self) -> str:
        """How the line is called where a proposal says which route it came by."""
        where = self.level if self.level == EVERYWHERE else f"{self.level} {self.place}"
        return f"{self.mine_type or 'every type'}, {where}"


@dataclass(frozen=True)
class Ground:
    """Where a scene lies.

    Attributes:
        ecoregion: its number; None where none is known.
        biome: its number; None where none is known.
    """

    ecoregion: int | None = None
    biome: int | None = None


def line_for(lines: Iterable[Line], mine_type: str | None, ground: Ground) -> Line | None:
    """Find the line for a type on some ground.

    The order of fallback: type and ecoregion, type and biome, type, ecoregion, biome, generalist.

    Args:
        lines: the dispatch table; at most one line for each type, level and place.
        mine_type: code of a type, or None for the models of every type alone.
        ground: where the scene lies.

    Returns:
        The most special line that fits, or None.
    """
    table = {(line.mine_type, line.level, line.place): line for line in lines}
    for kind in dict.fromkeys((mine_type, None)):
        for level, place in ((ECOREGION, ground.ecoregion), (BIOME, ground.biome), (EVERYWHERE, 0)):
            found = None if place is None else table.get((kind, level, place))
            if found:
                return found
    return None


def lines_for(lines: Sequence[Line], ground: Ground) -> dict[int, Line]:
    """Find all models that look at some ground: one of every type, and the specialists that there are.

    Args:
        lines: the dispatch table.
        ground: where the scene lies.

    Returns:
        The line for each model, by the model's primary key.
    """
    kinds = dict.fromkeys([None, *(line.mine_type for line in lines)])
    chosen = (line_for(lines, kind, ground) for kind in kinds)
    found: dict[int, Line] = {}
    for line in chosen:
        if line is not None:
            found.setdefault(line.model, line)
    return found
