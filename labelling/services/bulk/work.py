"""Work an action off, at once where it is small and by a worker where it is large, and take it back the same way."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from labelling.core.errors import BadInput, NotAllowed
from labelling.core.review import LEADS
from labelling.models import BulkAction, BulkItem, Job
from labelling.services.bulk.acts import act_of
from labelling.services.bulk.drawing import phrase_of
from labelling.services.jobs import JobCancelled, JobHandle, beat_job, enqueue_job

TASK = "labelling.bulk"
AT_ONCE = 25
"""So many sites are done while their author waits."""
_CHUNK = 100
_ATTEMPTS = 3
Outcome = BulkItem.Outcome


def start_bulk(*, user: User, bulk: BulkAction) -> None:
    """Do what was drawn up, or go on with it where it stopped.

    Args:
        user: who drew it up, for it is that person's word.
        bulk: the action.

    Raises:
        NotAllowed: somebody else, or no lead any more.
        BadInput: it has been taken back, or is at work already.
    """
    if bulk.created_by_id != user.pk or not user.has_perm(LEADS):
        raise NotAllowed("only the lead who drew this up can start it: it is done in that name")
    with transaction.atomic():
        held = BulkAction.objects.select_for_update(of=("self",)).select_related("job").get(pk=bulk.pk)
        if held.undone_at is not None:
            raise BadInput("this was taken back: draw up another")
        _begin(held, user, started_at=held.started_at or timezone.now())
    _work_now_if_small(bulk)


def undo_bulk(*, user: User, bulk: BulkAction) -> None:
    """Take the whole action back, as far as nobody has decided since; what was still to do is not done.

    Args:
        user: a lead, not only its author.
        bulk: an action that was started.

    Raises:
        NotAllowed: the user is no lead.
        BadInput: it was never started, or is at work just now.
    """
    if not user.has_perm(LEADS):
        raise NotAllowed("only a lead takes an action on many sites back")
    with transaction.atomic():
        held = BulkAction.objects.select_for_update(of=("self",)).select_related("job").get(pk=bulk.pk)
        if held.started_at is None:
            raise BadInput("nothing was done yet")
        _begin(held, held.undone_by or user, undone_at=held.undone_at or timezone.now())
    _work_now_if_small(bulk)


def _begin(bulk: BulkAction, user: User, **stamp: Any) -> None:
    if bulk.is_busy:
        raise BadInput("it is at work: wait for its end, or cancel it")
    undo = "undone_at" in stamp
    if undo:
        bulk.undone_by = user
    for name, value in stamp.items():
        setattr(bulk, name, value)
    count = _left(bulk).count()
    bulk.job = None
    if count > AT_ONCE:
        verb = "take back" if undo else "in bulk"
        bulk.job = enqueue_job(
            kind=TASK,
            title=f"{verb}: {phrase_of(bulk=bulk)}, {count} sites",
            params={"bulk": str(bulk.pk)},
            user=user,
            max_attempts=_ATTEMPTS,
        )
    bulk.save(update_fields=["job", "undone_by", *stamp])


def _work_now_if_small(bulk: BulkAction) -> None:
    """Do it; what somebody takes back meanwhile finds only what is noted as done, so the rest is taken back here."""
    bulk.refresh_from_db()
    if bulk.job is None:
        _work_off(bulk, None)
        if bulk.undone_at is None and BulkAction.objects.filter(pk=bulk.pk, undone_at__isnull=False).exists():
            _work_now_if_small(bulk)


def run_bulk(*, job: Job, handle: JobHandle) -> dict[str, Any]:
    """The work of an action's job. It can stop after any site, and be taken up again.

    Raises:
        JobCancelled: somebody asked to stop.
    """
    bulk = BulkAction.objects.select_related("created_by", "undone_by").get(pk=job.params["bulk"])
    _work_off(bulk, handle)
    items = BulkItem.objects.filter(bulk=bulk)
    return {outcome.value: items.filter(outcome=outcome).count() for outcome in Outcome}


def _left(bulk: BulkAction) -> QuerySet[BulkItem]:
    """The items that are still to be done, or to be taken back."""
    left = Q(outcome=Outcome.WAITING if bulk.undone_at is None else Outcome.DONE)
    return BulkItem.objects.filter(left, bulk=bulk).select_related("site").defer("site__footprint")


def _work_off(bulk: BulkAction, handle: JobHandle | None) -> None:
    act = act_of(bulk, undo=bulk.undone_at is not None)
    total = _left(bulk).count()
    done = 0
    while items := list(_left(bulk).order_by("id")[:_CHUNK]):
        phase = f"{done} of {total} sites"
        if handle and beat_job(handle=handle, phase=phase, progress=done / total):
            raise JobCancelled(phase)
        act(bulk, items)
        done += len(items)
