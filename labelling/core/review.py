"""What the decisions on a site amount to: a state machine without a database.

A site is ``open`` until as many reviewers have spoken as its campaign asked for. Then it is ``verified`` or
``rejected`` where they agree, and ``contested`` where they do not or where one of them was unsure; a contested
site waits for a lead, whose word settles it. An undo takes one opinion away and what remains is judged anew.

What the reasons of a rejection amount to:

- ``not_a_mine``: there is no mine here. The only reason that teaches background.
- ``duplicate``: the mine is another site. ``inactive``: it was one. ``wrong_type``: it is one, but not of the
  types that were proposed, and the reviewer cannot say which (who can, sets the type instead).
  ``offset``, ``cloud``, ``bad_imagery``: this imagery cannot show it.

All of these but the first are rejected without saying that the ground is empty: such a place teaches nothing,
neither mine nor background, and must be masked or left out wherever background is taken.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["open", "verified", "rejected", "contested"]
POSITIVE = frozenset({"accept", "fix", "add"})
OPINIONS = POSITIVE | {"reject", "unsure"}
BACKGROUND_REASONS = frozenset({"not_a_mine"})
UNSEEN_REASONS = frozenset({"offset", "cloud", "bad_imagery"})
"""The imagery cannot show what is there."""
LEADS = "labelling.change_label"
"""The permission of who settles what others left contested: a lead."""
SHARE_STEPS = 1_000_003  # a prime
_GOLDEN_STEP = 618_036
_CAMPAIGN_STEP = 414_214


@dataclass(frozen=True)
class Opinion:
    """One decision, as far as the state of its site depends on it.

    Attributes:
        id: grows with time.
        reviewer: who decided.
        verdict: accept, fix, add, reject, unsure, skip or undo.
        reason: of a rejection.
        types: axis -> code, as the reviewer left them.
        reviews_needed: how many opinions its campaign asked for when it was made.
        as_lead: made with a lead's right to settle what others left contested or finished.
        applied: False where it was kept but came too late (the site had changed).
        undoes: id of the decision that it takes back.
    """

    id: int
    reviewer: int
    verdict: str
    reason: str = ""
    types: Mapping[str, str] = field(default_factory=dict)
    reviews_needed: int = 1
    as_lead: bool = False
    applied: bool = True
    undoes: int | None = None


@dataclass(frozen=True)
class Settlement:
    """What the opinions amount to.

    Attributes:
        state: of the site.
        types: axis -> code; on a contested site those on which nobody disagrees, on a rejected one none.
        reason: of a rejection.
        outline: id of the decision whose outline stands; None where open.
        settled_by: id of the decision that settled it; None where open.
        reviews: how many opinions stand.
    """

    state: State
    types: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    outline: int | None = None
    settled_by: int | None = None
    reviews: int = 0


def share_place(site: Any, *, campaign: int) -> Any:
    """Place a site between 0 and ``SHARE_STEPS``: below ``share * SHARE_STEPS`` it gets a second, blind opinion.

    Steps of the golden section spread the sites of any share evenly; the answer is the same each time, another
    in each campaign, and a larger share holds every site of a smaller one. Source: D. E. Knuth, The Art of Computer
    Programming 3, section 6.4, Fibonacci hashing.

    Args:
        site: its id, or an expression of a query that stands for it.
        campaign: its id.
    """
    return (site % SHARE_STEPS * _GOLDEN_STEP + campaign * _CAMPAIGN_STEP) % SHARE_STEPS


def share_place_sql(site: str, *, campaign: int) -> str:
    """``share_place`` in SQL; ``site`` is an expression for the id."""
    return f"(({site} % {SHARE_STEPS} * {_GOLDEN_STEP} + {campaign * _CAMPAIGN_STEP}) % {SHARE_STEPS})"


def standing(opinions: Sequence[Opinion]) -> tuple[Opinion, ...]:
    """Keep the opinions that were applied and not taken back, oldest first."""
    undone = {opinion.undoes for opinion in opinions if opinion.undoes is not None}
    kept = (one for one in opinions if one.applied and one.verdict in OPINIONS and one.id not in undone)
    return tuple(sorted(kept, key=lambda one: one.id))


def settle(opinions: Sequence[Opinion]) -> Settlement:
    """Judge all decisions on one site.

    Args:
        opinions: every decision on the site, in any order.

    Returns:
        The state and, unless open, the types, the outline and the decision that settled it.
    """
    stand = standing(opinions)
    rulings = [opinion for opinion in stand if opinion.as_lead]
    needed = max((opinion.reviews_needed for opinion in stand), default=1)
    if not rulings and len(stand) < needed:
        return Settlement(state="open", reviews=len(stand))
    voices = rulings[-1:] or stand
    state = _state_of(voices)
    drawn = [voice for voice in voices if voice.verdict in {"fix", "add"}]
    return Settlement(
        state=state,
        types={} if state == "rejected" else _agreed_types(voices),
        reason=voices[-1].reason if state == "rejected" else "",
        outline=(drawn or voices)[-1].id,
        settled_by=voices[-1].id,
        reviews=len(stand),
    )


def _state_of(voices: Sequence[Opinion]) -> State:
    if all(voice.verdict in POSITIVE for voice in voices):
        return "contested" if _disputed_axes(voices) else "verified"
    if all(voice.verdict == "reject" for voice in voices):
        # "No mine" and "cannot be seen" are two answers, not one.
        empty = {voice.reason in BACKGROUND_REASONS for voice in voices}
        return "rejected" if len(empty) == 1 else "contested"
    return "contested"


def _codes(voices: Sequence[Opinion]) -> dict[str, set[str]]:
    codes: dict[str, set[str]] = {}
    for voice in voices:
        for axis, code in voice.types.items() if voice.verdict in POSITIVE else ():
            codes.setdefault(axis, set()).add(code)
    return codes


def _disputed_axes(voices: Sequence[Opinion]) -> set[str]:
    return {axis for axis, codes in _codes(voices).items() if len(codes) > 1}


def _agreed_types(voices: Sequence[Opinion]) -> dict[str, str]:
    return {axis: next(iter(codes)) for axis, codes in sorted(_codes(voices).items()) if len(codes) == 1}


def refusal(*, state: str, is_lead: bool, has_decided: bool) -> str | None:
    """Say why an opinion cannot be applied to a site as it stands.

    An undo and a skip are never refused for the state of the site.

    Args:
        state: of the site, as seen by the reviewer and unchanged since.
        is_lead: whether the reviewer may settle.
        has_decided: whether an opinion of the reviewer already stands on the site.

    Returns:
        The reason, or None where it can be applied.
    """
    if state == "open":
        return "you have decided on this site already: undo that decision to decide again" if has_decided else None
    if is_lead:
        return None
    if state == "contested":
        return "this site is contested: a lead settles it"
    return f"this site is {state} already: only a lead can change that, or its reviewer by an undo"


def hides_others(*, state: str, wanted: Iterable[int]) -> bool:
    """Whether what others say of a site stays hidden, so that each opinion is the reviewer's own.

    Args:
        state: of the site.
        wanted: how many opinions are asked for, by the campaign at hand and by each decision so far.
    """
    return state == "open" and any(needed > 1 for needed in wanted)


def is_blind_to(*, reviews_needed: int, state: str, others_since: bool) -> bool:
    """Whether a decision on an older version may stand because nothing that the reviewer saw has changed.

    Where several blind opinions are wanted, an opinion that settles nothing changes neither outline nor
    types; the next reviewer saw the same site, only its version has moved.

    Args:
        reviews_needed: of the campaign in which the decision was made.
        state: of the site now.
        others_since: whether everything since the older version is an opinion of somebody else.
    """
    return reviews_needed > 1 and state == "open" and others_since
