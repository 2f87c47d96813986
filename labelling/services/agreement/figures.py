"""Figures of agreement, each with the number of its cases."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User

from labelling.core.agreement import Figure
from labelling.models import Decision, Site


@dataclass(frozen=True)
class TypeFigures:
    """How far reviewers agree on one type: whether a site is of it, and where its outline runs."""

    code: str
    name: str
    color: str
    sites: int
    alpha: Figure
    overlap: Figure


@dataclass(frozen=True)
class DuoFigures:
    """How far two reviewers agree with each other."""

    first: User
    second: User
    alpha: Figure
    agreeing: Figure
    overlap: Figure


@dataclass(frozen=True)
class GoldFigures:
    """What was answered to gold sites.

    Attributes:
        accuracy: share of the answers that name what the label says.
        confusion: what the label says, what was answered -> how often.
    """

    accuracy: Figure
    confusion: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class MissedGold:
    """A gold site that many miss: its label may be what is wrong.

    Attributes:
        site: with its name.
        missed: answers that name something else than the label.
        answers: all of them.
    """

    site: Site
    missed: int
    answers: int


@dataclass(frozen=True)
class ReviewerFigures:
    """What one reviewer did, and how far it agrees with others and with gold sites.

    Attributes:
        reviewer: the person.
        verdicts: decisions that stand, by verdict.
        an_hour: decisions in an hour of work; a minute counts as work where at least one was made in it.
        alpha: of this reviewer's opinions beside those of all others.
        agreeing: share of the pairs in which both say the same.
        overlap: mean intersection over union of the outlines.
        gold: answers to gold sites.
        disagreement: what this reviewer said most often where another said something else, and how often; or None.
    """

    reviewer: User
    verdicts: Mapping[str, int]
    an_hour: float
    alpha: Figure
    agreeing: Figure
    overlap: Figure
    gold: GoldFigures
    disagreement: tuple[str, str, int] | None

    @property
    def decisions(self) -> int:
        """All that stand, without skips."""
        return sum(count for verdict, count in self.verdicts.items() if verdict != Decision.Verdict.SKIP)


@dataclass(frozen=True)
class Survey:
    """Everybody's figures."""

    alpha: Figure
    agreeing: Figure
    overlap: Figure
    gold: GoldFigures
    types: tuple[TypeFigures, ...]
    duos: tuple[DuoFigures, ...]
    reviewers: tuple[ReviewerFigures, ...]
