"""The rows behind the figures of agreement: pairs of opinions, answers to gold sites, decisions."""

from django.contrib.auth.models import User
from django.db.models import F, Q, QuerySet

from labelling.core.agreement import ANSWERS, EMPTY, UNSEEN, UNSURE, UNTYPED
from labelling.core.review import BACKGROUND_REASONS, POSITIVE
from labelling.models import Decision, Label, OpinionPair
from labelling.services.agreement.question import Question


def pair_rows(
    *,
    question: Question,
    reviewer: User | None = None,
    other: User | None = None,
    said: str = "",
    heard: str = "",
    names: str = "",
    apart: bool = False,
    drawn: bool = False,
) -> QuerySet[OpinionPair]:
    """Find pairs of blind opinions, the newest first.

    Args:
        question: as it was asked of the figures.
        reviewer: one of the two.
        other: the other one.
        said: what the reviewer said.
        heard: what the other one said.
        names: one of the two said this.
        apart: only where they said different things.
        drawn: only where outlines were compared.
    """
    found = question.pairs()
    asked = Q()
    for own, others in (("earlier", "later"), ("later", "earlier")):
        side = Q(**{f"{own}_by": reviewer}) if reviewer else Q()
        side &= Q(**{f"{others}_by": other}) if other else Q()
        side &= Q(**{f"{own}_said": said}) if said else Q()
        side &= Q(**{f"{others}_said": heard}) if heard else Q()
        asked |= side
    if reviewer or other or said or heard:
        found = found.filter(asked)
    if names:
        found = found.filter(Q(earlier_said=names) | Q(later_said=names))
    if apart:
        found = found.exclude(earlier_said=F("later_said"))
    if drawn:
        found = found.filter(overlap__isnull=False)
    return found.select_related("site", "earlier_by", "later_by", "campaign").order_by("-decided_at", "-id")


def gold_rows(
    *, question: Question, reviewer: User | None = None, truth: str = "", answer: str = ""
) -> QuerySet[Decision]:
    """Find answers to gold sites, the newest first.

    Args:
        question: as it was asked of the figures.
        reviewer: who answered.
        truth: what the label says: a type, or ``EMPTY``.
        answer: what was answered.
    """
    axis = question.asked_axis
    found = question.gold()
    if reviewer:
        found = found.filter(reviewer=reviewer)
    if truth:
        empty = Q(site__label__state=Label.State.REJECTED)
        found = found.filter(empty if truth == EMPTY else Q(**{f"site__label__{axis}__code": truth}) & ~empty)
    if answer:
        found = found.filter(_answered(answer, axis))
    return found.select_related(f"site__label__{axis}", "reviewer", "campaign").defer("geometry").order_by("-id")


def _answered(answer: str, axis: str) -> Q:
    """``answer_of`` as a condition."""
    mine, rejected = Q(verdict__in=POSITIVE), Q(verdict=Decision.Verdict.REJECT)
    if answer not in ANSWERS:
        return mine & Q(**{f"types__{axis}": answer})
    return {
        EMPTY: rejected & Q(reason__in=BACKGROUND_REASONS),
        UNSEEN: rejected & ~Q(reason__in=BACKGROUND_REASONS),
        UNSURE: Q(verdict=Decision.Verdict.UNSURE),
        UNTYPED: mine & ~Q(types__has_key=axis),
    }[answer]


def decision_rows(*, question: Question, reviewer: User | None = None, verdict: str = "") -> QuerySet[Decision]:
    """Find decisions that stand, the newest first.

    Args:
        question: as it was asked of the figures.
        reviewer: who decided.
        verdict: one of ``Decision.Verdict``; empty: all but skips.
    """
    found = question.decisions()
    if reviewer:
        found = found.filter(reviewer=reviewer)
    found = found.filter(verdict=verdict) if verdict else found.exclude(verdict=Decision.Verdict.SKIP)
    return found.select_related("site", "reviewer", "campaign").defer("geometry").order_by("-id")
