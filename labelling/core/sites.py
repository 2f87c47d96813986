"""What the claims on a place amount to while nobody has judged them: its outline, types, and turn in the queue."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from labelling.core.geometry import area_ha, inner_point
from labelling.core.matching import Types

# Whom to believe first where sources speak of the same thing: a person, then sets that people labelled.
TRUST: Mapping[str, int] = {"person": 5, "labelled": 4, "cobalt": 3, "model": 2, "polygons": 1, "negatives": 0}
RARE_BELOW = 20
PUT_FIRST = 1000.0
"""From this priority on a lead has put a site first: no other reason for an order counts."""
WHY_LENGTH = 300
"""Characters that a site keeps of the reasons for its turn."""
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Evidence:
    """One claim on a place, as the rules below need it.

    Attributes:
        source_id: tells claims of different sources apart.
        kind: of the source, a key of ``TRUST``.
        geometry: EPSG:4326.
        types: axis -> (code, score), best first.
        score: how sure the source is, 0 to 1; None for a seed.
        is_mine: False where the source says that there is no mine.
        name: what the source calls the place.
    """

    source_id: int
    kind: str
    geometry: BaseGeometry
    types: Types = field(default_factory=dict)
    score: float | None = None
    is_mine: bool = True
    name: str = ""


@dataclass(frozen=True)
class Standing:
    """What a site is, as far as its claims say.

    Attributes:
        footprint: the most telling outline, EPSG:4326.
        point: a point inside it.
        area_ha: geodesic area, hectares.
        types: axis -> code.
        score: the highest of its claims, or None.
        name: the first that a source gives.
        priority: place in the queue, higher comes first.
        why: the reasons for it, in words.
    """

    footprint: BaseGeometry
    point: Point
    area_ha: float
    types: Mapping[str, str]
    score: float | None
    name: str
    priority: float
    why: str


def judge_site(evidence: Sequence[Evidence], *, rare: Collection[str] = ()) -> Standing:
    """Sum up the claims on one place, oldest first.

    Args:
        evidence: at least one claim.
        rare: codes of which few verified examples exist.

    Returns:
        What the site is. Outlines beat points and trusted sources beat others; the older claim wins a draw.
    """
    footprint = max(evidence, key=lambda claim: (claim.geometry.geom_type != "Point", _trust(claim))).geometry
    types = _best_types(evidence)
    scores = [claim.score for claim in evidence if claim.score is not None]
    priority, why = _turn(evidence, types, rare)
    return Standing(
        footprint=footprint,
        point=inner_point(footprint),
        area_ha=area_ha(footprint),
        types=types,
        score=max(scores, default=None),
        name=next((claim.name for claim in evidence if claim.name), ""),
        priority=priority,
        why=why,
    )


def whole_reasons(why: str) -> str:
    """Keep of the reasons for a turn, "a; b; c", as many whole ones as a site has room for.

    Args:
        why: the reasons, the weightiest first.
    """
    if len(why) <= WHY_LENGTH:
        return why
    return why[: WHY_LENGTH + len("; ")].rpartition("; ")[0] or f"{why[: WHY_LENGTH - 1]}…"


def _trust(claim: Evidence) -> int:
    return TRUST.get(claim.kind, 0)


def _best_types(evidence: Sequence[Evidence]) -> dict[str, str]:
    best: dict[str, tuple[int, float, str]] = {}
    for claim in evidence:
        for axis, offers in claim.types.items():
            if not claim.is_mine or not offers:
                continue
            code, score = offers[0]
            offer = (_trust(claim), 1.0 if score is None else score, code)
            if axis not in best or offer[:2] > best[axis][:2]:
                best[axis] = offer
    return {axis: code for axis, (_, _, code) in best.items()}


def _turn(evidence: Sequence[Evidence], types: Mapping[str, str], rare: Collection[str]) -> tuple[float, str]:
    """The place in the queue. Each rule adds its weight and says its reason; the weightiest comes first."""
    reasons = [*_disagreements(evidence), *_doubts(evidence, types, rare)]
    reasons.sort(key=lambda reason: -reason[0])
    if not reasons:
        return 0.0, "it waits for a first look"
    return sum(weight for weight, _ in reasons), "; ".join(text for _, text in reasons)


def _disagreements(evidence: Sequence[Evidence]) -> list[tuple[float, str]]:
    reasons = []
    for_mine = {claim.source_id for claim in evidence if claim.is_mine}
    against = {claim.source_id for claim in evidence if not claim.is_mine}
    if for_mine and against:
        reasons.append((4.0, "sources disagree on whether this is a mine"))
    for axis, noun in (("feature", "type"), ("commodity", "commodity"), ("method", "method")):
        camps = _camps(evidence, axis)
        if camps > 1:
            count = _NUMBERS[camps] if camps < len(_NUMBERS) else str(camps)
            reasons.append((3.0, f"{count} sources disagree on the {noun}"))
    return reasons


def _camps(evidence: Sequence[Evidence], axis: str) -> int:
    """How many sources name something on the axis that no other one names; 0 where they agree."""
    said: dict[int, set[str]] = {}
    for claim in evidence:
        if claim.is_mine and claim.types.get(axis):
            said.setdefault(claim.source_id, set()).add(claim.types[axis][0][0])
    alone = [
        source
        for source, codes in said.items()
        if all(codes.isdisjoint(others) for other, others in said.items() if other != source)
    ]
    return len(alone) if len(said) > 1 else 0


def _doubts(evidence: Sequence[Evidence], types: Mapping[str, str], rare: Collection[str]) -> list[tuple[float, str]]:
    if not any(claim.is_mine for claim in evidence):
        return [(0.5, "its source says that there is no mine here")]
    reasons: list[tuple[float, str]] = []
    if not types:
        reasons.append((2.0, "no source names its type"))
    scores = [claim.score for claim in evidence if claim.score is not None]
    if scores and (unsure := 1 - 2 * min(abs(score - 0.5) for score in scores)) > 0.5:
        nearest = min(scores, key=lambda score: abs(score - 0.5))
        reasons.append((2.0 * unsure, f"the model is unsure ({nearest:.2f})"))
    if any(code in rare for code in types.values()):
        reasons.append((1.0, "few verified examples of its type"))
    return reasons
