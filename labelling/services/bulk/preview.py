"""What an action on many sites would do, before it is done and while it is."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from labelling.models import BulkAction, BulkItem, Claim, Decision, MineType, Site
from labelling.models.taxonomy import Axis

SAMPLE = 12
_UNTYPED = "no type named"
Outcome = BulkItem.Outcome


@dataclass(frozen=True)
class Preview:
    """An action in figures.

    Attributes:
        total: sites that it was drawn up for.
        counts: how many by outcome.
        states: of the sites still to do, by state, in words, most first.
        types: of the sites still to do, by type, most first; a site with two types counts for both.
        notes: why sites were skipped or not taken back, most first.
        sample: some of the sites still to do, the most urgent first.
        in_review: sites still to do that somebody else holds just now.
        settled: sites still to do whose label would change.
        contested: sites still to do that wait for a lead.
        opinions: that setting the sites back to review would take back; 0 for any other action.
        people: whose opinions these are.
    """

    total: int
    counts: dict[str, int]
    states: tuple[tuple[str, int], ...]
    types: tuple[tuple[str, int], ...]
    notes: tuple[tuple[str, int], ...]
    sample: tuple[Site, ...]
    in_review: int
    settled: int
    contested: int
    opinions: int
    people: int

    @property
    def to_do(self) -> int:
        """Sites that it will still touch."""
        return self.counts[Outcome.WAITING]


def outcomes_of(*, bulks: Sequence[BulkAction]) -> list[dict[str, int]]:
    """Count the sites of each action by outcome, in one query."""
    found = {bulk.pk: dict.fromkeys(Outcome.values, 0) for bulk in bulks}
    items = BulkItem.objects.filter(bulk__in=bulks).order_by()
    for bulk, outcome, count in items.values_list("bulk", "outcome").annotate(count=Count("pk")):
        found[bulk][outcome] = count
    return [found[bulk.pk] for bulk in bulks]


def preview_bulk(*, bulk: BulkAction) -> Preview:
    """Count an action's sites by what becomes of them, and those still to do by state and type."""
    items = BulkItem.objects.filter(bulk=bulk).order_by()
    [counts] = outcomes_of(bulks=[bulk])
    waiting = items.filter(outcome=Outcome.WAITING)
    # Both from one look at the sites, of which there may be a hundred thousand.
    groups = list(waiting.values_list("site__state", *(f"site__{axis}" for axis in Axis.values)).annotate(Count("pk")))
    states: Counter[str] = Counter()
    for state, *_, count in groups:
        states[state] += count
    held = Claim.objects.filter(site=OuterRef("site"), expires_at__gt=timezone.now()).exclude(reviewer=bulk.created_by)
    # Sorted without their outlines.
    first = list(waiting.order_by("-site__priority", "site_id").values_list("site_id", flat=True)[:SAMPLE])
    sample = Site.objects.shown().filter(pk__in=first).order_by("-priority", "pk")
    notes = items.exclude(note="").values_list("note").annotate(count=Count("pk"))
    opinions, people = _taken_back(waiting) if bulk.kind == BulkAction.Kind.RESET else (0, 0)
    return Preview(
        total=sum(counts.values()),
        counts=counts,
        states=_most_first({str(Site.State(state).label): count for state, count in states.items()}),
        types=_types((kinds, count) for _, *kinds, count in groups),
        notes=_most_first(dict(notes)),
        sample=tuple(sample),
        in_review=waiting.filter(Exists(held)).count() if counts[Outcome.WAITING] else 0,
        settled=sum(count for state, count in states.items() if state in {Site.State.VERIFIED, Site.State.REJECTED}),
        contested=states[Site.State.CONTESTED],
        opinions=opinions,
        people=people,
    )


def _taken_back(waiting: QuerySet[BulkItem]) -> tuple[int, int]:
    """How many opinions stand on sites, and of how many people."""
    opinions = Decision.objects.in_force().filter(version__isnull=False, site__in=waiting.values("site"))
    counted = opinions.order_by().aggregate(opinions=Count("pk"), people=Count("reviewer", distinct=True))
    return counted["opinions"], counted["people"]


def _types(groups: Iterable[tuple[Sequence[int | None], int]]) -> tuple[tuple[str, int], ...]:
    """Count the types of sites, which come as the types of each axis and how many sites have these."""
    names = dict(MineType.objects.values_list("pk", "name"))
    found: Counter[str] = Counter()
    for kinds, count in groups:
        for name in [names[kind] for kind in kinds if kind is not None] or [_UNTYPED]:
            found[name] += count
    return _most_first(found)


def _most_first(counted: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counted.items(), key=lambda one: (-one[1], one[0])))
