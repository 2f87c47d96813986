"""Draw up an action on many sites: freeze which sites they are, and mark those that it would not touch."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from labelling.core.errors import BadInput, NotAllowed
from labelling.core.review import LEADS
from labelling.core.sites import PUT_FIRST
from labelling.models import BulkAction, BulkItem, Decision, MineType, Site
from labelling.models.site import SiteQuerySet
from labelling.services.decisions.submission import MAX_COMMENT

MAX_SITES = 100_000
_DRAFT_FOR = timedelta(days=1)
Kind = BulkAction.Kind
State = Site.State


@dataclass(frozen=True)
class Wish:
    """What is to be done to each site.

    Attributes:
        kind: one of ``BulkAction.Kind``.
        reason: of a rejection, one of ``Decision.Reason``.
        type: code of the type to verify.
        comment: goes with every decision.
    """

    kind: str
    reason: str = ""
    type: str = ""
    comment: str = ""


def phrase_of(*, bulk: BulkAction) -> str:
    """Say what an action does, as in ``reject: not a mine``."""
    if bulk.kind == Kind.REJECT:
        return f"reject: {Decision.Reason(bulk.params['reason']).label}"
    return f"verify as {bulk.params['name']}" if bulk.kind == Kind.TYPE else str(Kind(bulk.kind).label)


def draw_up_bulk(*, user: User, wish: Wish, sites: SiteQuerySet, asked: str = "") -> BulkAction:
    """Freeze an action on sites as they are now; nothing is done to them yet.

    Drafts that nobody confirmed for a day go.

    Args:
        user: a lead.
        wish: what is to be done.
        sites: to which; at most ``MAX_SITES``.
        asked: the filter that they came from, for those who look at the action later.

    Raises:
        NotAllowed: the user is no lead.
        BadInput: a wish that cannot be done, no site, or too many.
    """
    if not user.has_perm(LEADS):
        raise NotAllowed("only a lead acts on many sites at once")
    params = _params_of(wish)
    if len(wish.comment) > MAX_COMMENT:
        raise BadInput(f"the comment is longer than {MAX_COMMENT} characters")
    BulkAction.objects.filter(started_at=None, created_at__lt=timezone.now() - _DRAFT_FOR).delete()
    with transaction.atomic():
        bulk = BulkAction.objects.create(
            kind=wish.kind, params=params, comment=wish.comment, asked=asked, created_by=user
        )
        taken = _take_in(bulk, sites)
        if not taken:
            raise BadInput("no site fits: nothing to do")
        if taken > MAX_SITES:
            raise BadInput(f"more than {MAX_SITES} sites: narrow the filter, and act on one part after the other")
        for note, condition in _spared(bulk, user):
            spared = BulkItem.objects.filter(condition, bulk=bulk, outcome=BulkItem.Outcome.WAITING)
            spared.update(outcome=BulkItem.Outcome.SKIPPED, note=note)
    return bulk


def _params_of(wish: Wish) -> dict[str, str]:
    if wish.kind == Kind.REJECT:
        if wish.reason not in Decision.Reason.values:
            raise BadInput(f"give a reason for the rejection: {', '.join(Decision.Reason.values)}")
        return {"reason": wish.reason}
    if wish.kind == Kind.TYPE:
        mine_type = MineType.objects.filter(code=wish.type).first()
        if mine_type is None:
            raise BadInput("say as which type: use a code of the taxonomy")
        return {"axis": mine_type.axis, "code": mine_type.code, "name": mine_type.name}
    if wish.kind not in Kind.values:
        raise BadInput(f"unknown action {wish.kind!r}: use {', '.join(Kind.values)}")
    return {}


def _take_in(bulk: BulkAction, sites: SiteQuerySet) -> int:
    """One statement, so that all versions are of one moment."""
    try:
        chosen, values = sites.order_by().values("id", "version")[: MAX_SITES + 1].query.sql_with_params()
    except EmptyResultSet:
        return 0
    number = BulkAction._meta.pk.get_db_prep_value(bulk.pk, connection)
    sql = (
        f"INSERT INTO {BulkItem._meta.db_table} (bulk_id, site_id, version, outcome, note)"  # noqa: S608  # our names
        f" SELECT %s, chosen.id, chosen.version, %s, '' FROM ({chosen}) AS chosen ORDER BY chosen.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [number, BulkItem.Outcome.WAITING.value, *values])
        return int(cursor.rowcount)


def _spared(bulk: BulkAction, user: User) -> Iterator[tuple[str, Q | Exists]]:
    """Which sites the action leaves alone, and why, in the order in which the reasons are told."""
    mine = Decision.objects.in_force().filter(site=OuterRef("site"), reviewer=user, version__isnull=False)
    decided = Q(Exists(mine.order_by()), site__state=State.OPEN)
    if bulk.kind == Kind.REJECT:
        yield "rejected for this reason already", Q(site__label__reason=bulk.params["reason"])
        yield "your own opinion stands on it, and it waits for another", decided
    elif bulk.kind == Kind.TYPE:
        named = {f"site__label__{bulk.params['axis']}__code": bulk.params["code"]}
        yield "verified as this type already", Q(site__state=State.VERIFIED, **named)
        yield "rejected: set it back to review first", Q(site__state=State.REJECTED)
        yield "your own opinion stands on it, and it waits for another", decided
    elif bulk.kind == Kind.RESET:
        yield "to review already", Q(site__state=State.OPEN)
    elif bulk.kind == Kind.FIRST:
        yield "not to review", ~Q(site__state=State.OPEN)
        yield "first already", Q(site__priority__gte=PUT_FIRST)
    else:
        yield "contested: a lead settles it", Q(site__state=State.CONTESTED)
        yield "a lead has settled it", Q(site__label__decision__as_lead=True)
        yield "two opinions are asked for already", Q(site__least_opinions__gte=2)
