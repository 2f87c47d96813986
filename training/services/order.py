"""The order of the queue: what teaches most comes first, weighed anew when claims or decisions have come in."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from heapq import heappush, heappushpop
from typing import Any, cast

from django.db.models import Count, QuerySet
from django.utils import timezone

from labelling.core.sites import PUT_FIRST, whole_reasons
from labelling.models import Campaign, Decision, Job, Label, MineType, Proposal, Region, Retirement, Site, Source
from labelling.models.site import SiteQuerySet
from labelling.models.taxonomy import Axis
from labelling.services.jobs import JobCancelled, JobHandle, beat_job, enqueue_if_new
from training.core.active_learning import WEIGHTS, Candidate, Turn, Voice, put_behind, weigh
from training.models import TestLabel

TASK = "training.refresh_order"
_BATCH = 800
_WRITTEN_AT_ONCE = 200
_PLACES = 100
"""So many open sites of each type have a place among their own; all others come after them."""
_SITE = ("pk", "priority", "why", "region_id", "created_at", *(f"{axis}_id" for axis in Axis.values))


@dataclass(frozen=True)
class OrderCounts:
    """What a pass over the queue did.

    Attributes:
        sites: open sites that were weighed.
        changed: those whose priority or reasons are now others.
    """

    sites: int
    changed: int


@dataclass(frozen=True)
class _Ground:
    """What is known beside the claims; as large as taxonomy and regions, however many sites there are."""

    now: datetime
    examples: Mapping[int, int]
    types: Mapping[int, str]
    decided: Mapping[int | None, int]
    regions: Mapping[int, str]


def refresh_order(*, campaign: Campaign | None = None, handle: JobHandle | None = None) -> OrderCounts:
    """Weigh the open sites and write their priority and why, in batches of constant memory.

    Claims stay as they are, and so does what was put at the end of the queue on purpose (below 0). A pass that
    is stopped halfway leaves each site with an old or a new turn; the next pass ends the work.

    Args:
        campaign: only its sites; None: all.
        handle: of the job that is kept alive, if there is one.

    Raises:
        JobCancelled: somebody asked to stop.
        LostJob: the job is no longer this worker's.
    """
    sites = _weighable()
    if campaign is not None:
        sites = sites.matching(campaign.conditions())
    ground, heads, total = _look_around(), _Heads(), sites.count()
    seen = changed = 0
    for batch in _batches(sites):
        changed += _write(_turned(map(heads.take, _weighed(batch, ground))))
        seen += len(batch)
        _beat(handle, seen / max(total, seen))
    return OrderCounts(seen, changed + _write(_turned(heads.rest())))


def order_if_due() -> Job | None:
    """Ask for a new order where claims or decisions have come in since the last, or a day has passed.

    Returns:
        The job, or None where there is nothing to do or it is being done.
    """
    mark = _mark()
    return enqueue_if_new(kind=TASK, title="order the queue", mark=mark) if mark["proposals"] else None


def run_order(*, handle: JobHandle) -> dict[str, Any]:
    """Do the work of a job, and drop the rows of earlier ones that were done: they come every few minutes.

    Returns:
        The counts, and the mark that tells the next look whether anything has changed.
    """
    mark = _mark()
    counts = refresh_order(handle=handle)
    Job.objects.filter(kind=TASK, state=Job.State.DONE).delete()
    return {**asdict(counts), "mark": mark}


def _mark() -> dict[str, Any]:
    """What the order depends on. Proposals and decisions are append-only: their counts tell every change."""
    return {
        "proposals": Proposal.objects.count(),
        "retired": Retirement.objects.count(),
        "decisions": Decision.objects.count(),
        "day": timezone.now().date().isoformat(),
        "weights": WEIGHTS.to_json(),
    }


def _weighable() -> SiteQuerySet:
    """Neither a drawing that was taken back nor what a lead has put first."""
    return Site.objects.filter(state=Site.State.OPEN, priority__gte=0, priority__lt=PUT_FIRST)


def _look_around() -> _Ground:
    # What is frozen in a test set never trains.
    verified = Label.objects.filter(state=Label.State.VERIFIED).exclude(site__in=TestLabel.objects.values("site"))
    examples: dict[int, int] = {}
    for axis in Axis.values:
        examples |= _counted(verified, axis)
    settled = Site.objects.exclude(state=Site.State.OPEN).order_by()
    return _Ground(
        now=timezone.now(),
        examples=examples,
        types=dict(MineType.objects.values_list("pk", "name")),
        decided=dict(settled.values("region_id").annotate(count=Count("pk")).values_list("region_id", "count")),
        regions=dict(Region.objects.values_list("pk", "name")),
    )


def _counted(rows: QuerySet[Any], axis: str) -> dict[int, int]:
    typed = rows.filter(**{f"{axis}__isnull": False}).order_by()
    return dict(typed.values(axis).annotate(count=Count("pk")).values_list(axis, "count"))


def _batches(sites: SiteQuerySet) -> Iterator[list[dict[str, Any]]]:
    """By key, not by offset or one long cursor: nothing is held open while the queue is at work."""
    last = 0
    while batch := list(sites.filter(pk__gt=last).order_by("pk").values(*_SITE)[:_BATCH]):
        last = batch[-1]["pk"]
        yield cast("list[dict[str, Any]]", batch)


@dataclass(frozen=True)
class _Weighed:
    """An open site, with its turn as the first of its rarest type."""

    site: Mapping[str, Any]
    rarest: int | None
    candidate: Candidate
    turn: Turn

    def behind(self, before: int) -> "_Weighed":
        return replace(self, turn=put_behind(self.turn, self.candidate, before=before))


class _Heads:
    """The sites of each type that are worth most: their places in the queue are known when all have been seen."""

    def __init__(self) -> None:
        self._heads: dict[int, list[tuple[float, int, _Weighed]]] = defaultdict(list)

    def take(self, one: _Weighed) -> _Weighed | None:
        """Keep a site for the end, or give one back that has no place."""
        if one.rarest is None:
            return one
        # Of equal worth by lot, so that neighbours on the ground do not come one after the other.
        entry = (one.turn.priority, one.site["pk"] * 48_271 % 2_147_483_647, one)
        head = self._heads[one.rarest]
        if len(head) < _PLACES:
            heappush(head, entry)
            return None
        *_, last = heappushpop(head, entry)
        return last.behind(_PLACES)

    def rest(self) -> Iterator[_Weighed]:
        """All that were kept, each in its place."""
        for head in self._heads.values():
            for place, (*_, one) in enumerate(sorted(head, reverse=True)):
                yield one.behind(place)


def _weighed(batch: Sequence[Mapping[str, Any]], ground: _Ground) -> Iterator[_Weighed]:
    voices = _voices([site["pk"] for site in batch])
    for site in batch:
        named = [pk for axis in Axis.values if (pk := site[f"{axis}_id"]) is not None]
        rarest = min(named, key=lambda pk: (ground.examples.get(pk, 0), pk), default=None)
        candidate = _candidate(site, voices[site["pk"]], rarest, ground)
        yield _Weighed(site, rarest, candidate, weigh(candidate))


def _turned(placed: Iterable[_Weighed | None]) -> list[Site]:
    """The sites whose turn is another one than it was."""
    return [
        Site(pk=one.site["pk"], priority=one.turn.priority, why=whole_reasons(one.turn.why))
        for one in placed
        if one and (one.site["priority"], one.site["why"]) != (one.turn.priority, whole_reasons(one.turn.why))
    ]


def _voices(site_ids: Sequence[int]) -> Mapping[int, list[Voice]]:
    found: dict[int, list[Voice]] = defaultdict(list)
    rows = Proposal.objects.standing().filter(site__in=site_ids).order_by("pk")
    for site, source, kind, is_mine, score, types, name in rows.values_list(
        "site_id", "source_id", "source__kind", "is_mine", "score", "types", "source__name"
    ):
        found[site].append(Voice(source, kind == Source.Kind.MODEL, is_mine, score, types, name))
    return found


def _candidate(site: Mapping[str, Any], voices: Sequence[Voice], rarest: int | None, ground: _Ground) -> Candidate:
    return Candidate(
        voices=voices,
        examples=None if rarest is None else ground.examples.get(rarest, 0),
        rarest="" if rarest is None else ground.types[rarest],
        decided=ground.decided.get(site["region_id"], 0),
        region=ground.regions.get(site["region_id"], ""),
        days=(ground.now - site["created_at"]).days,
    )


def _write(sites: Sequence[Site]) -> int:
    """Two columns and nothing else, and only of what is still open: a decision that came in between stands."""
    return _weighable().bulk_update(sites, ["priority", "why"], batch_size=_WRITTEN_AT_ONCE) if sites else 0


def _beat(handle: JobHandle | None, progress: float) -> None:
    if handle is not None and beat_job(handle=handle, phase="weighing open sites", progress=progress):
        msg = "stopped on request"
        raise JobCancelled(msg)
