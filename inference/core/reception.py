"""What became of a model's proposals under review, without a database."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from labelling.core.review import UNSEEN_REASONS

BANDS = 10
"""Scores from 0 to 1 fall into so many bands; each holds its lower end, and the last one both."""
WAITING, CONTESTED, ACCEPTED, AMENDED, RETYPED = "waiting", "contested", "accepted", "amended", "retyped"


class Outcome(NamedTuple):
    """Sites of one band of score to which the same thing happened.

    Attributes:
        band: 0 to ``BANDS - 1``; None where the model gave no score.
        what: ``WAITING``, ``CONTESTED``, ``ACCEPTED``, ``AMENDED`` or ``RETYPED``, or the reason of a rejection.
        sites: how many.
    """

    band: int | None
    what: str
    sites: int


@dataclass(frozen=True)
class Tally:
    """Sites that a model has proposed, by what their labels say today.

    Attributes:
        waiting: not settled.
        contested: reviewers disagree, or one was unsure.
        accepted: verified as the model proposed them.
        amended: verified with its type, and another outline or types on other axes.
        retyped: verified as another type, or as none.
        rejected: by reason, the most frequent first.
    """

    waiting: int = 0
    contested: int = 0
    accepted: int = 0
    amended: int = 0
    retyped: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> "Tally":
        """Add outcomes up."""
        counts: Counter[str] = Counter()
        for outcome in outcomes:
            counts[outcome.what] += outcome.sites
        known = {what: counts.pop(what, 0) for what in (WAITING, CONTESTED, ACCEPTED, AMENDED, RETYPED)}
        return cls(**known, rejected=dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))))

    @property
    def verified(self) -> int:
        """Sites where there is a mine."""
        return self.accepted + self.amended + self.retyped

    @property
    def refused(self) -> int:
        """Rejected sites, whatever the reason."""
        return sum(self.rejected.values())

    @property
    def total(self) -> int:
        """All of them."""
        return self.waiting + self.contested + self.verified + self.refused

    @property
    def unseen(self) -> int:
        """Rejected because the imagery cannot show them, which speaks neither for the model nor against it."""
        return sum(self.rejected.get(reason, 0) for reason in UNSEEN_REASONS)

    @property
    def decided(self) -> int:
        """Sites that speak for the model or against it."""
        return self.verified + self.refused - self.unseen

    @property
    def precision(self) -> float | None:
        """The share of the decided sites that are mines, 0 to 1; None where nothing is decided."""
        return self.verified / self.decided if self.decided else None

    @property
    def accepted_share(self) -> float | None:
        """The share of the decided sites that needed no change, 0 to 1; None where nothing is decided."""
        return self.accepted / self.decided if self.decided else None


@dataclass(frozen=True)
class Band:
    """Sites by the model's score.

    Attributes:
        low: least score, 0 to 1.
        high: the scores lie below; in the last band up to it.
        tally: what became of the sites.
    """

    low: float
    high: float
    tally: Tally


@dataclass(frozen=True)
class Reception:
    """How what a model proposes is received.

    Attributes:
        proposals: how many stand. Several may speak of one site.
        tally: of the sites, each once.
        bands: by the highest score that the model gave a site; the surest band first, none that is empty.
    """

    proposals: int
    tally: Tally
    bands: tuple[Band, ...]


def sum_up(outcomes: Iterable[Outcome], *, proposals: int) -> Reception:
    """Make one account of all outcomes.

    Args:
        outcomes: in any order.
        proposals: how many stand.
    """
    rows = list(outcomes)
    found = sorted({row.band for row in rows if row.band is not None}, reverse=True)
    bands = (
        Band(band / BANDS, (band + 1) / BANDS, Tally.of(row for row in rows if row.band == band)) for band in found
    )
    return Reception(proposals, Tally.of(rows), tuple(bands))
