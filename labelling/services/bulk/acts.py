"""What each kind of action does to sites, and how it is taken back.

Verdicts go through ``submit_decision``, one by one, each with a key that follows from the action and the site:
done twice, as after a worker's death, they count once. On a site that somebody has decided on they are not applied.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid5

from django.contrib.auth.models import User
from django.contrib.gis.geos import GEOSGeometry
from django.db import connection, transaction
from django.utils import timezone

from labelling.core.errors import BadInput, Conflict
from labelling.core.outlines import AREAL
from labelling.core.sites import PUT_FIRST
from labelling.models import BulkAction, BulkItem, Claim, Decision, Label, Site
from labelling.models.taxonomy import Axis
from labelling.services.bulk.moving import move_outline
from labelling.services.decisions import Receipt, Submission, submit_decision

Kind = BulkAction.Kind
Outcome = BulkItem.Outcome
Verdict = Decision.Verdict
Act = Callable[[BulkAction, Sequence[BulkItem]], None]
CHANGED = "somebody has decided on it since the preview"
SINCE = "somebody has decided on it since"
_TURN, _OPINIONS = ("priority", "why"), ("least_opinions", "due_again")
MOVED = "another order has been asked for since"


def act_of(bulk: BulkAction, *, undo: bool) -> Act:
    """The function that does an action to items, or takes it back, and writes what became of each."""
    do, take_back = _ACTS[Kind(bulk.kind)]
    return take_back if undo else do


def _end(item: BulkItem, outcome: str, note: str = "") -> None:
    item.outcome, item.note = outcome, note[:160]


def _key(bulk: BulkAction, *parts: object) -> UUID:
    return uuid5(bulk.pk, "/".join(map(str, parts)))


@contextmanager
def _on_disk_together() -> Iterator[None]:
    """Let decisions reach the disk with what became of their items, not one by one, which takes half of the time.

    Each is a transaction of its own all the same, and nobody is told of one sooner: the commit of the items waits for
    all before it. What a crash takes away is done again, by the same keys.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
        try:
            yield
        finally:
            cursor.execute("RESET synchronous_commit")


def _submit(item: BulkItem, user: User, refused: tuple[str, str], **sent: Any) -> Receipt | None:
    """Submit a decision on an item's site; where it cannot be applied the item ends as ``refused``."""
    try:
        return submit_decision(user=user, submission=Submission(site_id=item.site_id, **sent))
    except Conflict:
        _end(item, *refused)
    except BadInput as error:
        _end(item, refused[0], str(error))
    return None


def _decide(bulk: BulkAction, items: Sequence[BulkItem]) -> None:
    keys = {_key(bulk, item.site_id): item for item in items}
    sent = dict(Decision.objects.filter(key__in=keys).values_list("key", "geometry"))
    free = _untouched(bulk, [item for key, item in keys.items() if key not in sent])
    said = _words(bulk, free)
    with _on_disk_together():
        for key, item in keys.items():
            if key in sent or item in free:
                words = said(item, sent.get(key))
                words |= {"key": key, "base_version": item.version, "comment": bulk.comment}
                if _submit(item, bulk.created_by, (Outcome.SKIPPED, CHANGED), **words):
                    _end(item, Outcome.DONE)
    _write(items)


def _words(bulk: BulkAction, items: Sequence[BulkItem]) -> Callable[[BulkItem, GEOSGeometry | None], dict[str, Any]]:
    """What is decided on each item, given the outline that was sent before, if it was."""
    if bulk.kind == Kind.REJECT:
        return lambda _item, _outline: {"verdict": Verdict.REJECT, "reason": bulk.params["reason"]}
    if bulk.kind == Kind.TYPE:
        return lambda _item, _outline: {"verdict": Verdict.FIX, "types": {bulk.params["axis"]: bulk.params["code"]}}
    standing = dict(Site.objects.filter(pk__in=[item.site_id for item in items]).values_list("pk", "footprint"))

    def moved(item: BulkItem, sent: GEOSGeometry | None) -> dict[str, Any]:
        # What was sent stands by now: moved again, it would be another decision.
        outline = move_outline(outline=standing[item.site_id], **bulk.params) if sent is None else sent
        return {"verdict": Verdict.FIX, "geometry": outline}

    return moved


def _untouched(bulk: BulkAction, items: Sequence[BulkItem]) -> list[BulkItem]:
    """Those that are as the preview saw them and in nobody's hands; the others end as skipped."""
    ids = [item.site_id for item in items]
    versions = dict(Site.objects.filter(pk__in=ids).values_list("pk", "version"))
    claims = Claim.objects.filter(site__in=ids, expires_at__gt=timezone.now()).exclude(reviewer=bulk.created_by)
    holders = dict(claims.values_list("site_id", "reviewer__username"))
    free = []
    for item in items:
        if versions[item.site_id] != item.version:
            _end(item, Outcome.SKIPPED, CHANGED)
        elif item.site_id in holders:
            _end(item, Outcome.SKIPPED, f"{holders[item.site_id]} is reviewing it")
        else:
            free.append(item)
    return free


def _take_back_decisions(bulk: BulkAction, items: Sequence[BulkItem]) -> None:
    made = dict(
        Decision.objects.filter(key__in=[_key(bulk, item.site_id) for item in items]).values_list("site_id", "version")
    )
    with _on_disk_together():
        for item in items:
            sent = {"key": _key(bulk, item.site_id, "undo"), "undoes": _key(bulk, item.site_id)}
            refused = (Outcome.KEPT, SINCE)
            if _submit(item, _who(bulk), refused, verdict=Verdict.UNDO, base_version=made[item.site_id], **sent):
                _end(item, Outcome.UNDONE)
    _write(items)


def _who(bulk: BulkAction) -> User:
    return bulk.undone_by or bulk.created_by


def _reset(bulk: BulkAction, items: Sequence[BulkItem]) -> None:
    """Take every opinion back that stands. What they amounted to is kept in the item first."""
    begun = [item for item in items if item.before is not None]
    fresh = _untouched(bulk, [item for item in items if item.before is None])
    labels = {label.site_id: label for label in Label.objects.filter(site__in=[item.site_id for item in fresh])}
    for item in fresh:
        item.before = _remembered(labels[item.site_id])
    BulkItem.objects.bulk_update(fresh, ["before"])
    for item in (*begun, *fresh):
        _reset_one(bulk, item)
    _write(items)


def _remembered(label: Label) -> dict[str, Any]:
    standing = label.site.decisions.in_force().filter(version__isnull=False)
    drawn = standing.filter(verdict__in=[Verdict.FIX, Verdict.ADD]).order_by("-id").first()
    outline = drawn or label.decision
    return {"state": label.state, "reason": label.reason, "types": label.types(), "outline": outline.pk}


def _reset_one(bulk: BulkAction, item: BulkItem) -> None:
    site = Site.objects.get(pk=item.site_id)
    standing = site.decisions.in_force().filter(version__lte=item.version).order_by("-id")
    version = site.version
    for decision in standing:
        sent = {"key": _key(bulk, item.site_id, decision.pk), "undoes": decision.key, "comment": bulk.comment}
        refused = (Outcome.SKIPPED, CHANGED)
        receipt = _submit(item, bulk.created_by, refused, verdict=Verdict.UNDO, base_version=version, **sent)
        if receipt is None:
            return
        version = receipt.version
    _end(item, Outcome.DONE)


def _restore(bulk: BulkAction, items: Sequence[BulkItem]) -> None:
    """Give each site the label back that stood, in the name of who takes the reset back: an undo is not undone."""
    for item in items:
        last = item.site.decisions.filter(verdict=Verdict.UNDO, reviewer=bulk.created_by).order_by("-id").first()
        sent = {"key": _key(bulk, item.site_id, "restored"), "base_version": last.version if last else item.version}
        comment = f"as it stood before it was set back to review. {bulk.comment}".strip()
        if _submit(item, _who(bulk), (Outcome.KEPT, SINCE), comment=comment, **sent, **_said_before(item.before or {})):
            _end(item, Outcome.UNDONE)
    _write(items)


def _said_before(before: Mapping[str, Any]) -> dict[str, Any]:
    if before["state"] == Label.State.REJECTED:
        return {"verdict": Verdict.REJECT, "reason": before["reason"]}
    types = {axis: before["types"].get(axis) for axis in Axis.values}
    if before["state"] == Label.State.CONTESTED:
        return {"verdict": Verdict.UNSURE, "types": types}
    outline = Decision.objects.get(pk=before["outline"]).geometry
    if outline is None or outline.geom_type not in AREAL:
        return {"verdict": Verdict.ACCEPT, "types": types}
    return {"verdict": Verdict.FIX, "types": types, "geometry": outline}


def _put_first(bulk: BulkAction, items: Sequence[BulkItem]) -> None:
    def change(item: BulkItem, site: Site) -> bool:
        if site.state != Site.State.OPEN:
            _end(item, Outcome.SKIPPED, CHANGED)
            return False
        item.before = {"priority": site.priority, "why": site.why}
        site.priority, site.why = PUT_FIRST + max(site.priority, 0.0), f"{bulk.created_by} asked for it first"
        _end(item, Outcome.DONE)
        return True

    _change(items, _TURN, change)


def _put_back(_: BulkAction, items: Sequence[BulkItem]) -> None:
    def change(item: BulkItem, site: Site) -> bool:
        before = item.before or {}
        if site.priority != PUT_FIRST + max(before["priority"], 0.0):
            _end(item, Outcome.KEPT, MOVED)
            return False
        site.priority, site.why = before["priority"], before["why"]
        _end(item, Outcome.UNDONE)
        return True

    _change(items, _TURN, change)


def _ask_second(_: BulkAction, items: Sequence[BulkItem]) -> None:
    labels = Label.objects.select_related("decision").in_bulk([item.site_id for item in items], field_name="site_id")

    def change(item: BulkItem, site: Site) -> bool:
        if site.version != item.version:
            _end(item, Outcome.SKIPPED, CHANGED)
            return False
        label = labels.get(site.pk)
        item.before = {"least_opinions": site.least_opinions, "due_again": site.due_again}
        site.least_opinions = 2
        site.due_again = label is not None and label.reviews < 2
        _end(item, Outcome.DONE)
        return True

    _change(items, _OPINIONS, change)


def _ask_no_second(_: BulkAction, items: Sequence[BulkItem]) -> None:
    def change(item: BulkItem, site: Site) -> bool:
        before = item.before or {}
        site.least_opinions, site.due_again = before["least_opinions"], site.due_again and before["due_again"]
        _end(item, Outcome.UNDONE)
        return True

    _change(items, _OPINIONS, change)


@transaction.atomic
def _change(items: Sequence[BulkItem], columns: tuple[str, ...], change: Callable[[BulkItem, Site], bool]) -> None:
    """Write columns of the sites, whose rows are ours meanwhile, where ``change`` says that it changed them."""
    held = _held(items)
    Site.objects.bulk_update([site for item, site in held if change(item, site)], columns)
    _write([item for item, _ in held])


def _held(items: Sequence[BulkItem]) -> list[tuple[BulkItem, Site]]:
    """Each item with its site, whose rows are ours until the end of the transaction; always in the same order.

    Items that a second press of the button has settled while we waited for them are left out.
    """
    same = BulkItem.objects.select_for_update().filter(pk__in=[item.pk for item in items], outcome=items[0].outcome)
    still = list(same.order_by("pk"))
    sites = Site.objects.select_for_update().order_by("pk").defer("footprint")
    held = {site.pk: site for site in sites.filter(pk__in=[item.site_id for item in still])}
    return [(item, held[item.site_id]) for item in still]


def _write(items: Sequence[BulkItem]) -> None:
    BulkItem.objects.bulk_update(items, ["outcome", "note", "before"])


_ACTS: dict[BulkAction.Kind, tuple[Act, Act]] = {
    Kind.REJECT: (_decide, _take_back_decisions),
    Kind.TYPE: (_decide, _take_back_decisions),
    Kind.RESET: (_reset, _restore),
    Kind.FIRST: (_put_first, _put_back),
    Kind.SECOND: (_ask_second, _ask_no_second),
    Kind.SHIFT: (_decide, _take_back_decisions),
}
