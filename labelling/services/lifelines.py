"""The life of a site: everything that was said and done about it, in the order in which it happened."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q

from labelling.core.geometry import area_ha
from labelling.core.review import LEADS, hides_others
from labelling.models import BulkItem, Comment, Decision, MineType, Proposal, Retirement, Site, Source
from labelling.models.spatial import to_shapely
from labelling.services.blind import is_served_as_open
from labelling.services.bulk import outcomes_of, phrase_of

MAX_EVENTS = 500
DIGEST_LENGTH = 40
_REDRAW = (Decision.Verdict.FIX, Decision.Verdict.ADD)
_TOUCHED = (BulkItem.Outcome.DONE, BulkItem.Outcome.UNDONE, BulkItem.Outcome.KEPT)


@dataclass(frozen=True)
class Event:
    """One thing that happened to a site.

    Attributes:
        at: when.
        what: ``proposal``, ``decision``, ``comment``, ``bulk``, ``snapshot``, or what an upper room calls it.
        title: who did what.
        lines: more of it, each a short text.
        types: the types that it names.
        href: a page about it, or empty.
        state: colours its mark: ``ok``, ``no``, ``warn``, ``info`` or empty.
        geometry: GeoJSON of the outline that it brings, or None.
    """

    at: datetime
    what: str
    title: str
    lines: tuple[str, ...] = ()
    types: tuple[MineType, ...] = ()
    href: str = ""
    state: str = ""
    geometry: Mapping[str, Any] | None = field(default=None, repr=False)


Teller = Callable[[Site], Iterable[Event]]
_tellers: list[Teller] = []


def tell_also(teller: Teller) -> Teller:
    """Let an upper room add what it knows of a site, such as the models that it trained; call it at start."""
    if teller not in _tellers:
        _tellers.append(teller)
    return teller


def life_of(*, site: Site, user: User) -> list[Event]:
    """Tell the life of a site, oldest first, at most the newest ``MAX_EVENTS`` of each kind.

    Args:
        site: the site.
        user: who reads it; while a blind review is open, only a lead sees what others decided and said.
    """
    mine_types = MineType.objects.in_bulk(field_name="code")
    is_hidden = _is_hidden(site, site.decisions.only("reviews_needed"), user)
    events = [
        *(
            event
            for proposal in _proposals(site, by=user if is_hidden else None)
            for event in _of_proposal(proposal, mine_types)
        ),
        *(_of_decision(decision, mine_types, user) for decision in _decisions(site, user)),
        *(_of_comment(comment) for comment in _comments(site, user)),
    ]
    if not is_hidden:
        # What became of a label tells that there is one, and what leads did to it what it says.
        events += [*_of_bulks(site, user), *_of_snapshots(site)]
        events += [event for teller in _tellers for event in teller(site)]
    return sorted(events, key=lambda event: event.at)


def _proposals(site: Site, *, by: User | None) -> Iterable[Proposal]:
    """What sources said; of people who draw only what one of them drew, where one is given."""
    found = site.proposals.select_related("source", "scene", "seed_import", "retirement__seed_import")
    if by is not None:
        found = found.exclude(~Q(source__name=Source.of_person(by)), source__kind=Source.Kind.PERSON)
    return found.order_by("-pk")[:MAX_EVENTS]


def _decisions(site: Site, user: User) -> list[Decision]:
    history = list(site.decisions.select_related("reviewer", "campaign").order_by("-pk")[:MAX_EVENTS])
    if _is_hidden(site, history, user):
        return [decision for decision in history if decision.reviewer_id == user.pk]
    if user.has_perm(LEADS):
        return history
    return [decision for decision in history if not decision.gold or decision.reviewer_id == user.pk]


def _is_hidden(site: Site, history: Iterable[Decision], user: User) -> bool:
    """A lead sees everything."""
    if user.has_perm("labelling.change_campaign"):
        return False
    blind = hides_others(state=site.state, wanted=(decision.reviews_needed for decision in history))
    return blind or is_served_as_open(user=user, site=site)


def _comments(site: Site, user: User) -> list[Comment]:
    said = list(site.comments.select_related("author").order_by("-pk")[:MAX_EVENTS])
    if _is_hidden(site, site.decisions.only("reviews_needed"), user):
        return [comment for comment in said if comment.author_id == user.pk]
    return said


def _of_comment(comment: Comment) -> Event:
    return Event(
        at=comment.created_at,
        what="comment",
        title=f"{comment.author.get_username()} said",
        lines=tuple(comment.text.splitlines()),
    )


def _of_proposal(proposal: Proposal, mine_types: Mapping[str, MineType]) -> Iterable[Event]:
    yield _claimed(proposal, mine_types)
    if hasattr(proposal, "retirement"):
        yield _taken_back(proposal.source, proposal.retirement)


def _taken_back(source: Source, retirement: Retirement) -> Event:
    said = "took its claim back" if retirement.successor_id is None else "replaced its claim"
    why = "no longer has it" if retirement.successor_id is None else "says something else"
    lines = (f"the version in {retirement.seed_import.file_name} {why}",) if retirement.seed_import else ()
    return Event(retirement.created_at, "retirement", f"{source.name} {said}", lines, state="warn")


def _claimed(proposal: Proposal, mine_types: Mapping[str, MineType]) -> Event:
    source = proposal.source
    said = "proposed this place" if proposal.is_mine else "said that there is no mine here"
    codes = [code for offers in proposal.types.values() for code, _ in offers[:1]]
    lines = [
        source.get_kind_display(),
        # A digest of ours says nothing to people.
        f"identifier {proposal.external_id}" if len(proposal.external_id) < DIGEST_LENGTH else "",
        _outline_in_words(proposal.geometry),
        f"score {proposal.score:.2f}" if proposal.score is not None else "",
        f"file {proposal.seed_import.file_name}" if proposal.seed_import else "",
        f"seen on {proposal.scene.name}" if proposal.scene else "",
        f"licence {source.licence}" if source.licence else "",
    ]
    return Event(
        at=proposal.created_at,
        what="proposal",
        title=f"{source.name} {said}",
        lines=tuple(filter(None, lines)),
        types=_known(codes, mine_types),
        state="info" if proposal.is_mine else "warn",
        geometry=_geojson(proposal.geometry),
    )


def _of_decision(decision: Decision, mine_types: Mapping[str, MineType], user: User) -> Event:
    marks = {"accept": "ok", "fix": "ok", "add": "ok", "reject": "no"}
    lines = [
        decision.get_reason_display() if decision.reason else "",
        f"{'now' if decision.verdict in _REDRAW else 'on'} {_outline_in_words(decision.geometry)}"
        if decision.geometry
        else "",
        decision.comment,
        f"in {decision.campaign.name}" if decision.campaign else "",
        "kept, not applied: the site had changed meanwhile" if decision.is_kept else "",
        "on a gold site: scored, not applied" if decision.gold and decision.reviewer_id != user.pk else "",
    ]
    return Event(
        at=decision.created_at,
        what="decision",
        title=f"{decision.reviewer.get_username()}: {decision.get_verdict_display()}",
        lines=tuple(filter(None, lines)),
        types=_known(decision.types_said(), mine_types),
        state=marks.get(decision.verdict, ""),
        geometry=_geojson(decision.geometry) if decision.geometry else None,
    )


def _of_bulks(site: Site, user: User) -> list[Event]:
    """What leads did to it together with other sites."""
    found = site.bulk_items.filter(outcome__in=_TOUCHED).select_related("bulk__created_by", "bulk__undone_by")
    items = list(found.order_by("-pk")[:MAX_EVENTS])
    is_lead = user.has_perm(LEADS)
    outcomes = outcomes_of(bulks=[item.bulk for item in items])
    return [
        _of_bulk(item, others=sum(counts[outcome] for outcome in _TOUCHED) - 1, is_lead=is_lead)
        for item, counts in zip(items, outcomes, strict=True)
    ]


def _of_bulk(item: BulkItem, *, others: int, is_lead: bool) -> Event:
    bulk = item.bulk
    lines = [
        f"with {others} other site{'' if others == 1 else 's'}",
        f"taken back by {bulk.undone_by}" if item.outcome == BulkItem.Outcome.UNDONE else "",
        f"not taken back: {item.note}" if item.outcome == BulkItem.Outcome.KEPT else "",
    ]
    return Event(
        at=bulk.started_at or bulk.created_at,
        what="bulk",
        title=f"{bulk.created_by}: {phrase_of(bulk=bulk)}, in bulk",
        lines=tuple(filter(None, lines)),
        href=f"/sites/bulk/{bulk.pk}/" if is_lead else "",
    )


def _of_snapshots(site: Site) -> list[Event]:
    return [
        Event(
            snapshot.created_at, "snapshot", f"went into the snapshot {snapshot.name}", (f"format {snapshot.format}",)
        )
        for snapshot in site.snapshots.all()[:MAX_EVENTS]
    ]


def _known(codes: Iterable[Any], mine_types: Mapping[str, MineType]) -> tuple[MineType, ...]:
    return tuple(mine_types[code] for code in codes if code in mine_types)


def _outline_in_words(geometry: Any) -> str:
    if geometry.geom_type == "Point":
        return f"a point at {geometry.y:.5f}, {geometry.x:.5f}"
    return f"an outline of {area_ha(to_shapely(geometry)):.1f} ha"


def _geojson(geometry: Any) -> dict[str, Any]:
    return dict(to_shapely(geometry).__geo_interface__)
