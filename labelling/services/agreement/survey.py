"""Sum up how far reviewers agree.

The database does it in a handful of grouped queries, so that the time does not grow with the figures that are shown.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from django.contrib.auth.models import User
from django.db.models import CharField, Count, Q, Sum
from django.db.models.functions import Cast, Substr

from labelling.core.agreement import (
    EMPTY,
    Figure,
    Pattern,
    about_type,
    alpha_of,
    answer_of,
    figure,
    naming,
    read_pattern,
    share_agreeing,
)
from labelling.models import Decision, Label, MineType, Site
from labelling.services.agreement.figures import (
    DuoFigures,
    GoldFigures,
    MissedGold,
    ReviewerFigures,
    Survey,
    TypeFigures,
)
from labelling.services.agreement.question import Question, midnight

Verdict = Decision.Verdict
LEAST_MISSES = 2
MOST_MISSED = 10
_MINUTE = len("2026-11-22 19:10")


@dataclass
class _Tally:
    """Pairs of opinions, summed up.

    ``directed`` counts (what the one said, what the other said) from the side of the person it is kept for.
    """

    patterns: Counter[Pattern] = field(default_factory=Counter)
    directed: Counter[tuple[str, str]] = field(default_factory=Counter)
    overlap: float = 0.0
    overlaps: int = 0

    def add(self, own: str, other: str, count: int, overlap: float, overlaps: int) -> None:
        self.patterns[tuple(sorted((own, other)))] += count
        self.directed[own, other] += count
        self.overlap += overlap
        self.overlaps += overlaps

    def mean_overlap(self) -> Figure:
        return figure(self.overlap / self.overlaps if self.overlaps else None, self.overlaps)


def overall_agreement(*, question: Question) -> Figure:
    """Krippendorff's alpha over all sites that several people judged, blind to each other."""
    return alpha_of(_patterns(question))


def survey_agreement(*, question: Question) -> Survey:
    """Sum up everybody's figures."""
    patterns, pairs, gold = _patterns(question), _pairs(question), _gold(question)
    names = _names([*(pk for duo in pairs for pk in duo[:2]), *gold, *_verdicts(question)])
    everything = _Tally()
    duos: defaultdict[tuple[int, int], _Tally] = defaultdict(_Tally)
    by_type: defaultdict[str, _Tally] = defaultdict(_Tally)
    for one, other, said, heard, count, overlap, overlaps in pairs:
        duo, answers = ((one, other), (said, heard)) if one < other else ((other, one), (heard, said))
        for tally in (everything, duos[duo], *([by_type[said]] if said == heard else [])):
            tally.add(*answers, count, overlap, overlaps)
    return Survey(
        alpha=alpha_of(patterns),
        agreeing=share_agreeing(patterns),
        overlap=everything.mean_overlap(),
        gold=_score(Counter[tuple[str, str]](sum(gold.values(), Counter()))),
        types=_types(question, patterns, by_type),
        duos=tuple(
            DuoFigures(
                names[one], names[other], alpha_of(tally.patterns), share_agreeing(tally.patterns), tally.mean_overlap()
            )
            for (one, other), tally in sorted(duos.items(), key=lambda item: -item[1].patterns.total())
        ),
        reviewers=_reviewers(question, names, pairs, gold),
    )


def figures_of(*, reviewer: User, question: Question, gold_until: date | None = None) -> ReviewerFigures:
    """Sum up one reviewer's figures.

    Args:
        reviewer: the person.
        question: what is asked.
        gold_until: gold sites answered on later days are left out: a figure that moves with the last answer would
            tell which site was gold.
    """
    asked = Q(earlier_by=reviewer) | Q(later_by=reviewer)
    pairs = _pairs(question, asked)
    gold = _gold(
        question, Q(reviewer=reviewer, created_at__lt=midnight(gold_until)) if gold_until else Q(reviewer=reviewer)
    )
    found = _reviewers(question, {reviewer.pk: reviewer}, pairs, gold, Q(reviewer=reviewer))
    return found[0]


def _patterns(question: Question) -> Counter[Pattern]:
    rows = question.pairs().values_list("pattern").annotate(Count("site", distinct=True))
    return Counter({read_pattern(pattern): count for pattern, count in rows})


_PairRow = tuple[int, int, str, str, int, float, int]


def _pairs(question: Question, asked: Q | None = None) -> list[_PairRow]:
    pairs = question.pairs().filter(asked or Q())
    rows = pairs.values_list("earlier_by", "later_by", "earlier_said", "later_said")
    counted = rows.annotate(Count("pk"), Sum("overlap", default=0.0), Count("overlap"))
    return list(counted)


def _types(
    question: Question, patterns: Mapping[Pattern, int], by_type: Mapping[str, _Tally]
) -> tuple[TypeFigures, ...]:
    found = []
    named = {answer for pattern in patterns for answer in pattern}
    for one in MineType.objects.filter(code__in=named).order_by("axis", "rank", "code"):
        sites = naming(patterns, one.code)
        alpha = alpha_of(about_type(patterns, one.code))
        tally = by_type.get(one.code, _Tally())
        found.append(TypeFigures(one.code, one.name, one.color, sites, _of_enough(alpha, sites), tally.mean_overlap()))
    return tuple(found)


def _of_enough(alpha: Figure, sites: int) -> Figure:
    """A type that hardly anybody names has no figure, however many sites are not of it."""
    few = figure(alpha.value, sites)
    return few if few.value is None and not alpha.note else Figure(alpha.value, sites, alpha.note)


def _reviewers(
    question: Question,
    names: Mapping[int, User],
    pairs: Iterable[_PairRow],
    gold: Mapping[int, Counter[tuple[str, str]]],
    asked: Q | None = None,
) -> tuple[ReviewerFigures, ...]:
    tallies: defaultdict[int, _Tally] = defaultdict(_Tally)
    for one, other, said, heard, count, overlap, overlaps in pairs:
        tallies[one].add(said, heard, count, overlap, overlaps)
        tallies[other].add(heard, said, count, overlap, overlaps)
    verdicts, minutes = _verdicts(question, asked), _minutes(question, asked)
    people = sorted(names.values(), key=lambda person: person.get_username())
    return tuple(
        _reviewer(person, verdicts.get(person.pk, Counter()), minutes.get(person.pk, 0), tallies[person.pk], gold)
        for person in people
    )


def _reviewer(
    person: User,
    verdicts: Counter[str],
    minutes: int,
    tally: _Tally,
    gold: Mapping[int, Counter[tuple[str, str]]],
) -> ReviewerFigures:
    apart = Counter({answers: count for answers, count in tally.directed.items() if answers[0] != answers[1]})
    worst = apart.most_common(1)
    decided = verdicts.total() - verdicts[Verdict.SKIP]
    return ReviewerFigures(
        reviewer=person,
        verdicts=dict(verdicts),
        an_hour=60 * decided / minutes if minutes else 0.0,
        alpha=alpha_of(tally.patterns),
        agreeing=share_agreeing(tally.patterns),
        overlap=tally.mean_overlap(),
        gold=_score(gold.get(person.pk, Counter())),
        disagreement=(*worst[0][0], worst[0][1]) if worst else None,
    )


def _names(people: Iterable[int]) -> dict[int, User]:
    return User.objects.in_bulk(set(people))


def _verdicts(question: Question, asked: Q | None = None) -> dict[int, Counter[str]]:
    rows = question.decisions().filter(asked or Q()).values_list("reviewer", "verdict").annotate(Count("pk"))
    found: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for reviewer, verdict, count in rows:
        found[reviewer][verdict] += count
    return dict(found)


def _minutes(question: Question, asked: Q | None = None) -> dict[int, int]:
    """In how many minutes each reviewer decided something. Cut from the text: to truncate dates is slow in SQLite."""
    minute = Substr(Cast("created_at", CharField()), 1, _MINUTE)
    decided = question.decisions().filter(asked or Q()).exclude(verdict=Verdict.SKIP)
    return dict(decided.values_list("reviewer").annotate(minutes=Count(minute, distinct=True)))


def missed_gold(*, question: Question) -> list[MissedGold]:
    """Find the gold sites that half of their reviewers or more miss, and two at least, the most missed first."""
    found = [
        MissedGold(Site(pk=site), missed, confusion.total())
        for site, confusion in _gold(question, by="site").items()
        if (missed := _missed(confusion)) >= LEAST_MISSES and 2 * missed >= confusion.total()
    ]
    worst = sorted(found, key=lambda one: (-one.missed, one.answers, one.site.pk))[:MOST_MISSED]
    sites = Site.objects.only("name").in_bulk([one.site.pk for one in worst])
    return [replace(one, site=sites[one.site.pk]) for one in worst]


def _missed(confusion: Mapping[tuple[str, str], int]) -> int:
    return sum(count for (truth, answer), count in confusion.items() if truth != answer)


def _gold(question: Question, asked: Q | None = None, *, by: str = "reviewer") -> dict[int, Counter[tuple[str, str]]]:
    """Reviewer, or site -> (what the label says, what was answered) -> how often."""
    axis = question.asked_axis
    truth, answer = f"site__label__{axis}__code", f"types__{axis}"
    columns = (by, "site__label__state", truth, "verdict", "reason", answer)
    found: defaultdict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    for key, state, code, verdict, reason, said, count in (
        question.gold().filter(asked or Q()).values_list(*columns).annotate(Count("pk"))
    ):
        types = {axis: said} if said else {}
        answered = answer_of(verdict=verdict, reason=reason, types=types, axis=axis)
        found[key][EMPTY if state == Label.State.REJECTED else code, answered] += count
    return dict(found)


def _score(confusion: Counter[tuple[str, str]]) -> GoldFigures:
    n = confusion.total()
    return GoldFigures(figure((n - _missed(confusion)) / n if n else None, n), dict(confusion))
