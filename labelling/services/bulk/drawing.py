"""Draw up an action on many sites: freeze which sites they are, and mark those that it would not touch."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

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
MAX_SHIFT_M = 1000.0
"""Imagery is off by tens of metres, rarely hundreds; what is farther away is another place."""
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
        east: metres that outlines move; below zero to the west.
        north: likewise; below zero to the south.
    """

    kind: str
    reason: str = ""
    type: str = ""
    comment: str = ""
    east: float = 0.0
    north: float = 0.0


def phrase_of(*, bulk: BulkAction) -> str:
    """Say what an action does, as in ``reject: not a mine``."""
    if bulk.kind == Kind.REJECT:
        return f"reject: {Decision.Reason(bulk.params['reason']).label}"
    if bulk.kind == Kind.TYPE:
        return f"verify as {bulk.params['name']}"
    return f"move {_way(**bulk.params)}" if bulk.kind == Kind.SHIFT else str(Kind(bulk.kind).label)


def _way(*, east: float, north: float) -> str:
    ways = ((east, "east", "west"), (north, "north", "south"))
    return " and ".join(f"{abs(metres):g} m {there if metres > 0 else back}" for metres, there, back in ways if metres)


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


def _params_of(wish: Wish) -> dict[str, Any]:
    if wish.kind == Kind.REJECT:
        if wish.reason not in Decision.Reason.values:
            raise BadInput(f"give a reason for the rejection: {', '.join(Decision.Reason.values)}")
        return {"reason": wish.reason}
    if wish.kind == Kind.TYPE:
        mine_type = MineType.objects.filter(code=wish.type).first()
        if mine_type is None:
            raise BadInput("say as which type: use a code of the taxonomy")
        return {"axis": mine_type.axis, "code": mine_type.code, "name": mine_type.name}
    if wish.kind == Kind.SHIFT:
        if not (math.isfinite(wish.east) and math.isfinite(wish.north)) or not (wish.east or wish.north):
            raise BadInput("say how many metres east or north the outlines move")
        if max(abs(wish.east), abs(wish.north)) > MAX_SHIFT_M:
            raise BadInput(f"outlines move by at most {MAX_SHIFT_M:g} metres")
        return {"east": wish.east, "north": wish.north}
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
    elif bulk.kind == Kind.SHIFT:
        yield "to review: reviewers see to its outline", Q(site__state=State.OPEN)
        yield "contested: settle it first", Q(site__state=State.CONTESTED)
        offset = Q(site__label__reason=Decision.Reason.OFFSET)
        yield "rejected, and not as offset", Q(site__state=State.REJECTED) & ~offset
        yield "a point has no outline", Q(site__area_ha=0)
    else:
        yield "contested: a lead settles it", Q(site__state=State.CONTESTED)
        yield "a lead has settled it", Q(site__label__decision__as_lead=True)
        yield "two opinions are asked for already", Q(site__least_opinions__gte=2)
