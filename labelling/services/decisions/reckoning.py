"""Whether every decision is still there, and every site shows what its decisions say: reckoned anew each day."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from labelling.core.review import settle
from labelling.models import Decision, Job, Label, Site
from labelling.models.taxonomy import Axis
from labelling.services.decisions.labels import label_of, written_in
from labelling.services.jobs import JobCancelled, JobHandle, beat_job, enqueue_if_new

TASK = "labelling.check_decisions"
MOST_TOLD = 20
_BATCH = 500


@dataclass(frozen=True)
class Fault:
    """What is wrong with a site.

    Attributes:
        site: its id.
        text: what is wrong.
        is_loss: decisions are missing, so that nothing can be derived from those that are left.
    """

    site: int
    text: str
    is_loss: bool = False


@dataclass(frozen=True)
class Reckoning:
    """What was looked at, and what is wrong.

    Attributes:
        sites: how many sites somebody has decided on.
        decisions: how many decisions there are on them, with those that were kept, skipped and undone.
        faults: by site.
    """

    sites: int
    decisions: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Checked:
    """What the last daily check found.

    Attributes:
        at: when it ended.
        sites: how many sites it looked at.
        decisions: how many decisions.
        faults: how many it found.
        told: those of the first ``MOST_TOLD`` that are still wrong now.
    """

    at: datetime
    sites: int
    decisions: int
    faults: int
    told: tuple[Fault, ...]


def check_decisions(*, handle: JobHandle | None = None) -> Reckoning:
    """Hold every site against its decisions.

    A site counts the decisions that were applied to it: as many must be there, with every number once. What they
    amount to (``labelling.core.review.settle``) must be the site's state, its label, and what it shows.

    Args:
        handle: of the job that this is, kept alive meanwhile.

    Raises:
        JobCancelled: somebody asked to stop.
    """
    applied = Decision.objects.filter(site=OuterRef("pk"), version__isnull=False).order_by()
    decided = Site.objects.filter(Q(version__gt=0) | ~Q(state=Site.State.OPEN) | Exists(applied)).order_by("pk")
    ids = list(decided.values_list("pk", flat=True))
    faults: list[Fault] = []
    decisions = 0
    for first in range(0, len(ids), _BATCH):
        if handle is not None and beat_job(handle=handle, phase="reading decisions", progress=first / len(ids)):
            msg = "cancelled while decisions were read"
            raise JobCancelled(msg)
        count, doubtful = _look_at(ids[first : first + _BATCH])
        decisions += count
        # Somebody may have decided between two statements: what is told is seen with the site held.
        faults += still_wrong(sites=doubtful)
    return Reckoning(sites=len(ids), decisions=decisions, faults=tuple(faults))


def still_wrong(*, sites: Iterable[int]) -> list[Fault]:
    """Look again at single sites, each held meanwhile."""
    return [fault for site in sites if (fault := _look_again(site)) is not None]


@transaction.atomic
def _look_again(site_id: int) -> Fault | None:
    site = Site.objects.select_for_update().filter(pk=site_id).first()
    return None if site is None else _fault_of(site, list(site.decisions.order_by("id")), _label_on(site))


def _label_on(site: Site) -> Label | None:
    return Label.objects.filter(site=site).first()


def _look_at(ids: Sequence[int]) -> tuple[int, list[int]]:
    """Count the decisions on some sites, and name the sites on which something looks wrong."""
    sites = Site.objects.in_bulk(ids)
    labels = {label.site_id: label for label in Label.objects.filter(site__in=ids)}
    decisions: dict[int, list[Decision]] = defaultdict(list)
    for decision in Decision.objects.filter(site__in=ids).order_by("id"):
        decisions[decision.site_id].append(decision)
    wrong = [pk for pk, site in sites.items() if _fault_of(site, decisions[pk], labels.get(pk))]
    return sum(map(len, decisions.values())), wrong


def _fault_of(site: Site, decisions: Sequence[Decision], label: Label | None) -> Fault | None:
    numbers = sorted(decision.version for decision in decisions if decision.version is not None)
    if numbers != list(range(1, site.version + 1)):
        text = f"counts {site.version} applied decisions, {len(numbers)} are there"
        return Fault(site.pk, text, is_loss=True)
    difference = _difference(site, decisions, label)
    return Fault(site.pk, difference) if difference else None


def _difference(site: Site, decisions: Sequence[Decision], label: Label | None) -> str | None:
    settlement = settle([decision.opinion() for decision in decisions])
    if settlement.state != site.state:
        return f"is {site.state}, its decisions say {settlement.state}"
    if settlement.state == "open":
        return None if label is None else "has a label, its decisions settle nothing"
    expected = label_of(site, settlement, {decision.pk: decision for decision in decisions})
    if label is None or written_in(label) != written_in(expected):
        return "has a label that is not what its decisions say"
    if label.state == Label.State.VERIFIED and any(
        getattr(site, f"{axis}_id") != getattr(label, f"{axis}_id") for axis in Axis.values
    ):
        return "shows other types than its label"
    if label.state != Label.State.CONTESTED and label.geometry != site.footprint:
        return "shows another outline than its label"
    return None


def check_if_due() -> Job | None:
    """Ask for the check of today, where nobody has yet.

    Returns:
        The job, or None where it is done or being done, or nobody has decided anything.
    """
    if not Decision.objects.exists():
        return None
    mark = {"day": f"{timezone.now():%Y-%m-%d}"}
    return enqueue_if_new(kind=TASK, title="check that every decision is there and shown", mark=mark)


def run_check(*, handle: JobHandle) -> dict[str, Any]:
    """Do the work of a job, and drop the rows of earlier ones that were done."""
    day = f"{timezone.now():%Y-%m-%d}"
    found = check_decisions(handle=handle)
    Job.objects.filter(kind=TASK, state=Job.State.DONE).delete()
    told = [asdict(fault) for fault in found.faults[:MOST_TOLD]]
    return {
        "mark": {"day": day},
        "sites": found.sites,
        "decisions": found.decisions,
        "faults": len(found.faults),
        "told": told,
    }


def last_check() -> Checked | None:
    """The last daily check, with what of it is still wrong; None before the first."""
    job = Job.objects.filter(kind=TASK, state=Job.State.DONE).order_by("-created_at").first()
    if job is None or job.finished_at is None:
        return None
    figures = {name: job.result[name] for name in ("sites", "decisions", "faults")}
    told = still_wrong(sites=[fault["site"] for fault in job.result["told"]])
    return Checked(at=job.finished_at, told=tuple(told), **figures)
