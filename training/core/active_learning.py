"""Which open site teaches most: a stated mix of five terms, each from 0 to 1, and the words that a reviewer reads.

priority = sum of weight x term, with the weights of ``Weights`` (the only place where they stand):

- rarity: few verified examples of its type, those that come before it in the queue counted along, as far as its
  sources agree that it is a mine.
- uncertainty: a score near one half, two types nearly as likely as each other, or a type that nobody names.
- disagreement: sources contradict each other on whether this is a mine, on its type, or models on how sure they are.
- coverage: few sites decided in its ecoregion.
- age: how long it has waited.

Uncertainty is that of least confidence and of the smallest margin (Settles 2009, "Active Learning Literature
Survey", section 3.1), disagreement that of a committee (section 3.2). A whole queue gets its turns at once: the next
example of a type is worth less the more of that type stand before it, as in a batch that is chosen greedily where
returns diminish (Wei, Iyer and Bilmes 2015, "Submodularity in Data Subset Selection and Active Learning"). Verified
examples and days enter by steps, so that one more does not move half of a large queue. The scale is that of
``labelling.core.sites``, whose first guess stands until a site is weighed here.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from labelling.core.taxonomy import in_words

Offers = Sequence[tuple[str, float | None]]
"""(type code, probability or None), best first."""

# Below these many examples of a type, or decided sites of a region, half of the term is left.
HALF_EXAMPLES = 10
HALF_DECIDED = 20
HALF_DAYS = 30
# A type that nobody names is a question, but less of one than two that are equally likely.
UNNAMED = 0.7
# Sources that agree on the mine and not on its type disagree on less than those that deny it.
TYPE_SPLIT = 0.75
STEPS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
DAYS_A_STEP = 7
# A term is worth a word from this part of itself upwards.
TELLING = 0.5
FIRST_LOOK = "it waits for a first look"
NO_MINE = "its source says that there is no mine here"
_NOUNS = {"feature": "type", "commodity": "commodity", "method": "method"}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Weights:
    """How much each term counts; at least 0, in sum the highest priority that there is."""

    rarity: float = 4.0
    uncertainty: float = 2.5
    disagreement: float = 1.5
    coverage: float = 1.0
    age: float = 0.5

    def to_json(self) -> dict[str, float]:
        """Name every weight, so that an order can say by which it was made."""
        return asdict(self)


WEIGHTS = Weights()


@dataclass(frozen=True)
class Voice:
    """What one claim says of a site.

    Attributes:
        source: tells sources apart; of several claims of one source the last counts.
        is_model: whether it is a model that speaks.
        is_mine: False where it says that there is no mine.
        score: how sure it is, 0 to 1; None where it does not say.
        types: axis -> offers.
        name: what people call the source; empty where it does not matter.
    """

    source: int
    is_model: bool = False
    is_mine: bool = True
    score: float | None = None
    types: Mapping[str, Offers] | None = None
    name: str = ""

    def offers(self, axis: str) -> Offers:
        """What it offers on an axis; nothing where it sees no mine."""
        return (self.types or {}).get(axis, ()) if self.is_mine else ()


@dataclass(frozen=True)
class Candidate:
    """An open site, as far as its turn depends on it.

    Attributes:
        voices: what is claimed, oldest first.
        examples: verified labels of its rarest current type; None where it has none.
        rarest: name of that type.
        decided: sites decided in its region, or of those without one.
        region: name of the region; empty for none.
        days: whole days that it has waited.
    """

    voices: Sequence[Voice]
    examples: int | None = None
    rarest: str = ""
    decided: int = 0
    region: str = ""
    days: int = 0


@dataclass(frozen=True)
class Term:
    """One reason: how strong it is, 0 to 1, and in words; no words where there is nothing to say."""

    value: float = 0.0
    words: str = ""


@dataclass(frozen=True)
class Turn:
    """The place of a site in the queue.

    Attributes:
        priority: higher comes first, 0 to the sum of the weights.
        why: the telling reasons, the weightiest first.
        terms: name of the term -> term.
    """

    priority: float
    why: str
    terms: Mapping[str, Term]


def weigh(candidate: Candidate, *, weights: Weights = WEIGHTS) -> Turn:
    """Give a site its turn, as the first of its type in the queue.

    Args:
        candidate: the site.
        weights: of the terms.

    Returns:
        Its priority, rounded to four digits, and why it has it.
    """
    terms = {
        "disagreement": disagreement(candidate.voices),
        "uncertainty": uncertainty(candidate.voices),
        "rarity": _rarity_behind(candidate, 0),
        "coverage": coverage(candidate.decided, candidate.region),
        "age": age(candidate.days),
    }
    return _sum_up(candidate, terms, weights)


def put_behind(first: Turn, candidate: Candidate, *, before: int, weights: Weights = WEIGHTS) -> Turn:
    """Give a site its turn behind others of its type.

    Args:
        first: its turn as the first of them.
        candidate: the site.
        before: open sites of its type that come before it among their own.
        weights: of the terms.
    """
    return _sum_up(candidate, {**first.terms, "rarity": _rarity_behind(candidate, before)}, weights)


def _rarity_behind(candidate: Candidate, before: int) -> Term:
    return rarity(candidate.examples, candidate.rarest, before=before, odds=_odds(candidate.voices))


def _sum_up(candidate: Candidate, terms: Mapping[str, Term], weights: Weights) -> Turn:
    shares = {name: weight * terms[name].value for name, weight in weights.to_json().items()}
    told = [name for name, term in terms.items() if term.value >= TELLING and term.words and shares[name] > 0]
    reasons = [terms[name].words for name in sorted(told, key=lambda name: -shares[name])]
    if candidate.voices and not any(voice.is_mine for voice in candidate.voices):
        reasons.insert(0, NO_MINE)
    return Turn(round(math.fsum(shares.values()), 4), "; ".join(reasons) or FIRST_LOOK, terms)


def disagreement(voices: Sequence[Voice]) -> Term:
    """How far the sources contradict each other: the strongest of three ways to do so."""
    last = _last_words(voices)
    sayings = [voice.is_mine for voice in last]
    if len(set(sayings)) > 1:
        return Term(1.0, "sources disagree on whether this is a mine")
    terms = [_split(axis, last) for axis in _NOUNS]
    scores = [voice.score for voice in last if voice.is_model and voice.score is not None]
    if len(scores) > 1:
        low, high = min(scores), max(scores)
        terms.append(Term(high - low, f"models disagree on how sure it is ({low:.2f} to {high:.2f})"))
    return max(terms, key=lambda term: term.value)


def _last_words(voices: Iterable[Voice]) -> list[Voice]:
    return list({voice.source: voice for voice in voices}.values())


def _split(axis: str, voices: Iterable[Voice]) -> Term:
    """The share of sources outside of the largest camp, 1 where each names a type of its own.

    Camps weigh by the surest of their voices: a model that is less sure contradicts less.
    """
    speaking = [voice for voice in voices if voice.offers(axis)]
    camps = Counter(voice.offers(axis)[0][0] for voice in speaking)
    said = camps.total()
    if len(camps) < 2:
        return Term()
    outside = (1 - max(camps.values()) / said) / (1 - 1 / said)
    surest = {code: max(_sure(voice, axis) for voice in speaking if voice.offers(axis)[0][0] == code) for code in camps}
    conviction = sorted(surest.values())[-2]
    # That they differ at all is telling; how many differ moves the rest.
    names = " or ".join(_camp(code, axis, speaking) for code in sorted(camps)[:3])
    count = _NUMBERS[said] if said < len(_NUMBERS) else str(said)
    value = TYPE_SPLIT * (0.7 + 0.3 * outside) * (0.75 + 0.25 * conviction)
    return Term(value, f"{count} sources disagree on the {_NOUNS[axis]}: {names}")


def _sure(voice: Voice, axis: str) -> float:
    share = voice.offers(axis)[0][1]
    return 1.0 if share is None else share


def _camp(code: str, axis: str, voices: Iterable[Voice]) -> str:
    """A type, and who says so: ``pond (Typed neighbours 0.81)``."""
    theirs = [voice for voice in voices if voice.name and voice.offers(axis)[0][0] == code]
    told = [
        voice.name if (share := voice.offers(axis)[0][1]) is None else f"{voice.name} {share:.2f}" for voice in theirs
    ]
    others = " and others" if len(told) > 2 else ""
    return f"{in_words(code)} ({', '.join(told[:2])}{others})" if told else in_words(code)


def uncertainty(voices: Sequence[Voice]) -> Term:
    """The most doubtful of the scores and of the type probabilities; nothing where no source sees a mine."""
    last = [voice for voice in _last_words(voices) if voice.is_mine]
    if not last:
        return Term()
    terms = [_doubt(voice.score) for voice in last if voice.score is not None]
    terms += [_narrow(axis, voice.offers(axis)) for voice in last for axis in _NOUNS]
    if not any(voice.offers(axis) for voice in last for axis in _NOUNS):
        terms.append(Term(UNNAMED, "no source names its type"))
    return max(terms, key=lambda term: term.value)


def _doubt(score: float) -> Term:
    return Term(1 - abs(2 * score - 1), f"the model is unsure ({score:.2f})")


def _narrow(axis: str, offers: Offers) -> Term:
    """One minus the margin between the two likeliest; what is left of 1 counts as one more type."""
    odds = [(code, share) for code, share in offers if share is not None]
    if not odds:
        return Term()
    rest = ("another one", max(0.0, 1 - sum(share for _, share in odds)))
    (first, most), (second, next_most) = sorted([*odds, rest], key=lambda one: -one[1])[:2]
    named = [in_words(code) for code in (first, second)]
    words = f"it is unclear which {_NOUNS[axis]}: {named[0]} {most:.2f} or {named[1]} {next_most:.2f}"
    return Term(min(1.0, max(0.0, 1 - (most - next_most))), words)


def rarity(examples: int | None, name: str = "", *, before: int = 0, odds: float = 1.0) -> Term:
    """How few verified examples of a type there will be when it is this site's turn; nothing for one without a type.

    Args:
        examples: verified so far.
        name: of the type.
        before: open sites of the type that come before this one among their own.
        odds: that the site is a mine at all.
    """
    if examples is None:
        return Term()
    value = _fade(_step(examples) + before, HALF_EXAMPLES) * odds
    return Term(value, _few(examples, f"verified examples of {name or 'its type'}"))


def _odds(voices: Sequence[Voice]) -> float:
    """The share of sources that see a mine."""
    last = _last_words(voices)
    return sum(voice.is_mine for voice in last) / len(last) if last else 1.0


def coverage(decided: int, region: str = "") -> Term:
    """How few sites of a region have been decided."""
    where = f"in {region}" if region else "outside of the known regions"
    return Term(_fade(_step(decided), HALF_DECIDED), _few(decided, f"decided sites {where}"))


def age(days: int) -> Term:
    """How long a site has waited; it grows for ever and never reaches 1."""
    waited = max(0, days) // DAYS_A_STEP * DAYS_A_STEP
    return Term(1 - _fade(waited, HALF_DAYS), f"it has waited for {waited} days")


def _fade(count: int, half: int) -> float:
    return 1 / (1 + count / half)


def _step(count: int) -> int:
    return max(step for step in STEPS if step <= max(0, count))


def _few(count: int, what: str) -> str:
    """The count up to the next step, so that the words change as rarely as the figure."""
    above = next((step for step in STEPS if step > count), None)
    if count <= 0:
        return f"no {what} yet"
    return f"fewer than {above} {what}" if above else ""
