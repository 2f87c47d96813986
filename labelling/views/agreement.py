"""How far reviewers agree: everybody's figures for leads, one's own for reviewers, and the rows behind them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from labelling.core.agreement import EMPTY, UNSEEN, Figure, answer_of
from labelling.core.review import LEADS
from labelling.forms.agreement import AgreementFilter, RowFilter
from labelling.models import Decision, Label, MineType
from labelling.models.taxonomy import Axis
from labelling.services.agreement import (
    ReviewerFigures,
    Survey,
    decision_rows,
    figures_of,
    gold_rows,
    missed_gold,
    pair_rows,
    survey_agreement,
)
from labelling.views.tables import csv_answer

PER_PAGE = 50


@require_safe
@permission_required("labelling.add_decision", raise_exception=True)
def agreement(request: HttpRequest) -> HttpResponse:
    """A lead sees everybody's figures, a reviewer their own."""
    user = cast(User, request.user)
    if not user.has_perm(LEADS):
        return _person(request, user)
    form = AgreementFilter.checked(request.GET)
    survey = survey_agreement(question=form.question())
    context = {
        "form": form,
        "survey": survey,
        "query": form.query(),
        "people": _told(survey.reviewers),
        "confusion": _confused(survey.gold.confusion, _names()),
        "missed": missed_gold(question=form.question()),
    }
    return render(request, "labelling/agreement.html", context)


@require_safe
@permission_required("labelling.add_decision", raise_exception=True)
def agreement_person(request: HttpRequest, username: str) -> HttpResponse:
    user = cast(User, request.user)
    if username != user.get_username() and not user.has_perm(LEADS):
        raise Http404
    return _person(request, get_object_or_404(User, username=username))


def _person(request: HttpRequest, person: User) -> HttpResponse:
    form = AgreementFilter.checked(request.GET)
    is_lead = request.user.has_perm(LEADS)
    # What a reviewer answers today would otherwise tell, by the figure that moves, which site was gold.
    gold_until = None if is_lead else timezone.now().date()
    found = figures_of(reviewer=person, question=form.question(), gold_until=gold_until)
    [(one, disagreement, confusion)] = _told([found])
    context = {
        "form": form,
        "one": one,
        "disagreement": disagreement,
        "confusion": confusion,
        "query": form.query(),
        "is_lead": is_lead,
    }
    return render(request, "labelling/agreement_person.html", context)


@dataclass(frozen=True)
class Said:
    """An answer as a page shows it and as a URL asks for it."""

    code: str
    name: str


Names = Callable[[str], Said]
Told = tuple[ReviewerFigures, tuple[Said, Said, int] | None, list[tuple[Said, Said, int]]]


def _told(people: Iterable[ReviewerFigures]) -> list[Told]:
    """Each reviewer with the most common disagreement and the answers to gold sites, in words."""
    names = _names()
    return [
        (
            one,
            (names(one.disagreement[0]), names(one.disagreement[1]), one.disagreement[2]) if one.disagreement else None,
            _confused(one.gold.confusion, names),
        )
        for one in people
    ]


def _confused(confusion: Mapping[tuple[str, str], int], names: Names) -> list[tuple[Said, Said, int]]:
    """What labels say and what was answered, in words; of each label the most common answer first."""
    ordered = sorted(confusion.items(), key=lambda row: (row[0][0], -row[1], row[0][1]))
    return [(names(truth), names(said), count) for (truth, said), count in ordered]


def _names() -> Names:
    names = {**dict(MineType.objects.values_list("code", "name")), UNSEEN: "(rejected for another reason)"}
    return lambda code: Said(code, names.get(code, code))


@require_safe
@permission_required("labelling.add_decision", raise_exception=True)
def agreement_rows(request: HttpRequest, kind: str) -> HttpResponse:
    """The rows that a figure comes from; a reviewer sees only those that they wrote themselves."""
    form = RowFilter.checked(request.GET)
    asked = form.cleaned_data
    user = cast(User, request.user)
    is_lead = user.has_perm(LEADS)
    if kind not in _ROWS or (kind == "gold" and not is_lead):
        raise Http404
    reviewer = asked["reviewer"] if is_lead else user
    rows = _ROWS[kind](form.question(), reviewer, asked)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    names = _names()
    context = {
        "page": page,
        "rows": [_row(kind, row, names) for row in page],
        "kind": kind,
        "noun": _NOUNS[kind],
        "form": form,
        "asked": asked,
        "reviewer": reviewer,
        "conditions": list(_conditions(kind, asked | {"reviewer": reviewer}, names)),
    }
    return render(request, "labelling/agreement_rows.html", context)


def _conditions(kind: str, asked: Mapping[str, Any], names: Names) -> Iterator[str]:
    """What rows were asked for, in words: a list of rows is read long after the link was followed."""
    first, second = f"{asked['reviewer'] or 'one'} said", f"{asked['other'] or 'the other'} said"
    if kind == "gold":
        first, second = "the label says", "the answer was"
    told: dict[str, Callable[[Any], str]] = {
        "campaign": lambda campaign: f"in {campaign.name}",
        "axis": lambda axis: "" if asked["campaign"] else f"axis {axis}",
        "since": lambda day: f"from {day:%Y-%m-%d}",
        "until": lambda day: f"to {day:%Y-%m-%d}",
        "verdict": lambda verdict: str(Decision.Verdict(verdict).label),
        "said": lambda code: f"{first} {names(code).name}",
        "heard": lambda code: f"{second} {names(code).name}",
        "names": lambda code: f"one of them said {names(code).name}",
        "apart": lambda _: "where they differ",
        "drawn": lambda _: "where an outline was drawn",
    }
    for name, words in told.items():
        if asked[name] and (text := words(asked[name])):
            yield text


def _row(kind: str, row: Any, names: Names) -> tuple[Any, Said | None, Said | None]:
    """A row, what the first said, and what the second said or the label says."""
    if kind == "pairs":
        return row, names(row.earlier_said), names(row.later_said)
    axis = row.campaign.axis if row.campaign else Axis.FEATURE.value
    said = names(answer_of(verdict=row.verdict, reason=row.reason, types=row.types, axis=axis))
    if kind == "decisions":
        return row, said, None
    label = row.site.label
    return row, said, names(EMPTY if label.state == Label.State.REJECTED else getattr(label, axis).code)


def _pairs(question: Any, reviewer: User | None, asked: dict[str, Any]) -> QuerySet[Any]:
    wish = {name: asked[name] for name in ("other", "said", "heard", "names", "apart", "drawn")}
    return pair_rows(question=question, reviewer=reviewer, **wish)


def _golds(question: Any, reviewer: User | None, asked: dict[str, Any]) -> QuerySet[Any]:
    return gold_rows(question=question, reviewer=reviewer, truth=asked["said"], answer=asked["heard"])


def _decisions(question: Any, reviewer: User | None, asked: dict[str, Any]) -> QuerySet[Any]:
    return decision_rows(question=question, reviewer=reviewer, verdict=asked["verdict"])


_ROWS: dict[str, Callable[..., QuerySet[Any]]] = {"pairs": _pairs, "gold": _golds, "decisions": _decisions}
_NOUNS = {"pairs": "pairs", "gold": "answers", "decisions": "decisions"}


@require_safe
@permission_required(LEADS, raise_exception=True)
def agreement_csv(request: HttpRequest, table: str) -> HttpResponse:
    """One of the tables of the page as a file."""
    if table not in _TABLES:
        raise Http404
    survey = survey_agreement(question=AgreementFilter.checked(request.GET).question())
    head, rows = _TABLES[table](survey)
    return csv_answer(f"agreement-{table}.csv", head, rows)


Table = tuple[Sequence[str], Iterable[Sequence[object]]]


def _figures(*figures: Figure) -> list[object]:
    return [cell for one in figures for cell in ("" if one.value is None else round(one.value, 4), one.n)]


def _reviewers_table(survey: Survey) -> Table:
    head = ["reviewer", "decisions", "an_hour", *_VERDICTS, *_with_n("alpha", "agreeing", "overlap", "gold")]
    return head, [_reviewer_row(one) for one in survey.reviewers]


_VERDICTS = ("accept", "fix", "add", "reject", "unsure", "skip")


def _with_n(*names: str) -> list[str]:
    return [cell for name in names for cell in (name, f"{name}_n")]


def _reviewer_row(one: ReviewerFigures) -> list[object]:
    counts = [one.verdicts.get(verdict, 0) for verdict in _VERDICTS]
    figures = _figures(one.alpha, one.agreeing, one.overlap, one.gold.accuracy)
    return [one.reviewer.get_username(), one.decisions, round(one.an_hour, 1), *counts, *figures]


def _types_table(survey: Survey) -> Table:
    head = ["type", *_with_n("alpha", "overlap")]
    return head, [[one.code, *_figures(one.alpha, one.overlap)] for one in survey.types]


def _duos_table(survey: Survey) -> Table:
    head = ["first", "second", *_with_n("alpha", "agreeing", "overlap")]
    return head, [
        [one.first.get_username(), one.second.get_username(), *_figures(one.alpha, one.agreeing, one.overlap)]
        for one in survey.duos
    ]


def _gold_table(survey: Survey) -> Table:
    return ["reviewer", "truth", "answer", "n"], [
        [one.reviewer.get_username(), truth, answer, count]
        for one in survey.reviewers
        for (truth, answer), count in sorted(one.gold.confusion.items())
    ]


_TABLES: dict[str, Callable[[Survey], Table]] = {
    "reviewers": _reviewers_table,
    "types": _types_table,
    "duos": _duos_table,
    "gold": _gold_table,
}
