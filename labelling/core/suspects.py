"""What speaks against a label: claims that contradict it or each other, in words and with figures."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from shapely.geometry.base import BaseGeometry

from labelling.core.agreement import outline_iou
from labelling.core.taxonomy import in_words

LOW_IOU = 0.3
"""Outlines of two sources that overlap by less speak of two things, or one of them is shifted."""
NO_MINE_ON_VERIFIED = 0.8
TYPE_AGAINST_LABEL = 0.5
TYPE_WITH_COMPANY = 0.3
SEEDS_ON_REJECTED = 0.5
OUTLINES_APART = 0.4
_NOUNS = {"feature": "type", "commodity": "commodity", "method": "method"}


@dataclass(frozen=True)
class Doubt:
    """One thing that speaks against a label.

    Attributes:
        kind: ``negative``, ``type``, ``seeds``, ``outline``, ``classifier`` or ``sighting``.
        weight: how strongly, 0 to 1.
        words: why, with the figures.
        token: what makes the evidence one and the same: a doubt that was answered comes back only under another.
    """

    kind: str
    weight: float
    words: str
    token: str

    def to_json(self) -> dict[str, Any]:
        """As it is kept with the site."""
        return {**asdict(self), "weight": round(self.weight, 4)}


@dataclass(frozen=True)
class Word:
    """What a seed or a person claims of a site; models are not asked here.

    Attributes:
        source: its name.
        kind: of the source.
        geometry: EPSG:4326.
        types: axis -> code.
        is_mine: False where it says that there is no mine.
    """

    source: str
    kind: str
    geometry: BaseGeometry
    types: Mapping[str, str] = field(default_factory=dict)
    is_mine: bool = True


def doubts_of(words: Sequence[Word], *, is_verified: bool, types: Mapping[str, str]) -> list[Doubt]:
    """Hold what seeds claim against what people decided.

    Args:
        words: the claims that stand, oldest first.
        is_verified: the label says that this is a mine; otherwise that there is none.
        types: axis -> code of the label.

    Returns:
        The doubts, none where everything fits.
    """
    if not is_verified:
        return _mines_on_rejected(words)
    return [*_no_mine(words), *(one for axis in _NOUNS for one in _types(axis, words, types.get(axis))), *_apart(words)]


def _no_mine(words: Iterable[Word]) -> list[Doubt]:
    names = sorted({word.source for word in words if not word.is_mine})
    return [
        Doubt("negative", NO_MINE_ON_VERIFIED, f"{name} says that there is no mine here", f"negative {name}")
        for name in names
    ]


def _mines_on_rejected(words: Iterable[Word]) -> list[Doubt]:
    """One source that is wrong is why a site is rejected at all; two that agree are worth a second look."""
    names = sorted({word.source for word in words if word.is_mine})
    if len(names) < 2:
        return []
    weight = 1 - (1 - SEEDS_ON_REJECTED) ** (len(names) - 1)
    return [Doubt("seeds", weight, f"{_listed(names)} say that there is a mine here", f"seeds {' '.join(names)}")]


def _types(axis: str, words: Sequence[Word], label: str | None) -> list[Doubt]:
    said = {word.source: word.types[axis] for word in words if word.is_mine and axis in word.types}
    against = {source: code for source, code in sorted(said.items()) if code != label}
    if not label or not against:
        return []
    agrees = sorted(source for source, code in said.items() if code == label)
    told = ", ".join(f"{source} says {in_words(code)}" for source, code in against.items())
    noun = _NOUNS[axis]
    company = f", as {_listed(agrees)} does" if len(agrees) == 1 else f", as {_listed(agrees)} do" if agrees else ""
    words_ = f"typed seeds contradict the {noun}: {told}, the label says {in_words(label)}{company}"
    base = TYPE_WITH_COMPANY if agrees else TYPE_AGAINST_LABEL
    token = f"{axis} " + " ".join(f"{source}={code}" for source, code in against.items())
    return [Doubt("type", 1 - (1 - base) ** len(against), words_, token)]


def _apart(words: Sequence[Word]) -> list[Doubt]:
    outlines = {word.source: word.geometry for word in words if word.is_mine and word.geometry.geom_type != "Point"}
    names = sorted(outlines)
    found = []
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            iou = outline_iou(outlines[one], outlines[other])
            if iou is not None and iou < LOW_IOU:
                told = f"the outlines of {one} and {other} have only {iou:.0%} in common"
                found.append(
                    Doubt("outline", OUTLINES_APART * (1 - iou / LOW_IOU), told, f"outline {one} {other} {iou:.1f}")
                )
    return found


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def strength(doubts: Iterable[Doubt]) -> float:
    """How strong doubts are together: 1 - the product of what each leaves, as if they were independent."""
    return round(1 - math.prod(1 - min(max(doubt.weight, 0.0), 1.0) for doubt in doubts), 4)


def ranked(doubts: Iterable[Doubt]) -> list[Doubt]:
    """The strongest first."""
    return sorted(doubts, key=lambda doubt: (-doubt.weight, doubt.token))


def is_news(doubts: Iterable[Doubt], settled: Collection[str]) -> bool:
    """Whether anything among the doubts has not been answered by a decision."""
    return any(doubt.token not in settled for doubt in doubts)
