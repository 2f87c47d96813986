"""What a person may see of a site: where opinions are to be independent, nothing of what others decided."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

from django.contrib.auth.models import User

from labelling.core.review import LEADS, POSITIVE, Settlement, hides_others, settle
from labelling.models import Campaign, Claim, Comment, Decision, GoldLook, MineType, Proposal, Site, Source
from labelling.models.taxonomy import Axis
from labelling.services.opinions import SETTLED
from labelling.services.sites import as_proposed

SOMEBODY = "drawn by a reviewer"


@dataclass(frozen=True)
class Sight:
    """A site as one person may see it.

    Attributes:
        site: the row, or a copy of it, not to be saved, as it was before others decided.
        is_veiled: whether anything was left out.
        proposals: best first.
        history: newest first.
        comments: oldest first.
    """

    site: Site
    is_veiled: bool
    proposals: Sequence[Proposal]
    history: Sequence[Decision]
    comments: Sequence[Comment]


@dataclass(frozen=True)
class Told:
    """Everything that was said of some sites, by site."""

    proposals: Mapping[int, Sequence[Proposal]]
    history: Mapping[int, Sequence[Decision]]
    comments: Mapping[int, Sequence[Comment]]


def see_sites(*, user: User, sites: Sequence[Site], campaign: Campaign | None, told: Told) -> dict[int, Sight]:
    """Leave out what a person must not know, so that every opinion is their own.

    What others decided and said stays hidden on an open site that waits for several opinions, on a settled one
    that waits for one more, and on a gold site that was dealt to the person. Such a site shows the outline and
    types that its sources propose, and its version counts only what the person may know of. What another
    reviewer drew is shown where nothing else is known of the place, without name or type.

    Args:
        user: who looks.
        sites: from ``Site.objects.shown()``.
        campaign: in which they look, if any.
        told: what was said of them; proposals with their source, best first, decisions newest first.
    """
    gold = _dealt_as_gold(user, sites)
    again = _asked_again(user, sites)
    seen: dict[int, Sight] = {}
    for site in sites:
        history = told.history.get(site.pk, ())
        comments = told.comments.get(site.pk, ())
        proposals = told.proposals.get(site.pk, ())
        least = site.least_opinions
        asked = campaign.opinions_wanted(site.pk, least=least) if campaign else least
        is_open = site.pk in again or site.pk in gold
        wanted = [asked, *(one.reviews_needed for one in history)]
        if not is_open and not hides_others(state=site.state, wanted=wanted):
            seen[site.pk] = Sight(site, False, proposals, _without_gold(user, history), comments)
            continue
        own = [one for one in history if one.reviewer_id == user.pk]
        seen[site.pk] = Sight(
            copy(site), True, _own_or_bare(user, proposals), own, [one for one in comments if one.author_id == user.pk]
        )
        seen[site.pk].site.version = _version(history, user, is_gold=site.pk in gold)
    _take_back(told, seen, gold)
    return seen


def see_site(*, user: User, site: Site, campaign: Campaign | None) -> Site:
    """Give a site as a reviewer sees it: what an opinion that changes nothing agrees to."""
    proposals = list(Proposal.objects.standing().filter(site=site).select_related("source").order_by("-score", "id"))
    history = list(site.decisions.defer("geometry").select_related("undone_by").order_by("-id"))
    told = Told({site.pk: proposals}, {site.pk: history}, {})
    return see_sites(user=user, sites=[site], campaign=campaign, told=told)[site.pk].site


def is_asked_again(*, user: User, site: Site) -> bool:
    """Whether an opinion of this person on a settled site is one more, and not a ruling.

    A lead's word settles, unless the lead was served the site as a reviewer.
    """
    return site.pk in _asked_again(user, [site])


def is_served_as_open(*, user: User, site: Site) -> bool:
    """Whether a settled site is, for this person, one to decide on as if nobody had."""
    return bool(_asked_again(user, [site]) | _dealt_as_gold(user, [site]))


def _asked_again(user: User, sites: Iterable[Site]) -> set[int]:
    due = {site.pk for site in sites if site.due_again}
    if due and user.has_perm(LEADS):
        due = set(Claim.objects.filter(reviewer=user, again=True, site__in=due).values_list("site_id", flat=True))
    return due


def _dealt_as_gold(user: User, sites: Iterable[Site]) -> set[int]:
    settled = [site.pk for site in sites if site.state in SETTLED and not site.due_again]
    if not settled or user.has_perm(LEADS):
        return set()
    looks = GoldLook.objects.filter(
        reviewer=user, site__in=settled, site__gold__isnull=False, campaign__active=True, campaign__gold_share__gt=0
    )
    return set(looks.values_list("site_id", flat=True))


def _without_gold(user: User, history: Sequence[Decision]) -> Sequence[Decision]:
    """Nobody but leads learns from the answers of others that a site is gold."""
    if not any(one.gold for one in history) or user.has_perm(LEADS):
        return history
    return [one for one in history if not one.gold or one.reviewer_id == user.pk]


def _own_or_bare(user: User, proposals: Sequence[Proposal]) -> list[Proposal]:
    own_name = Source.of_person(user)
    heard = [one for one in proposals if one.source.kind != Source.Kind.PERSON or one.source.name == own_name]
    return heard or [_bare(one) for one in proposals]


def _bare(proposal: Proposal) -> Proposal:
    shown = copy(proposal)
    shown.types, shown.source = {}, Source(kind=proposal.source.kind, name=SOMEBODY, licence=proposal.source.licence)
    return shown


def _version(history: Iterable[Decision], user: User, *, is_gold: bool) -> int:
    if is_gold:
        mine = (one for one in history if one.gold and one.reviewer_id == user.pk)
        return sum(one.verdict != Decision.Verdict.SKIP for one in mine)
    known = (one for one in history if one.reviewer_id == user.pk or one.verdict == Decision.Verdict.UNDO)
    return max((one.version or 0 for one in known), default=0)


def _take_back(told: Told, seen: Mapping[int, Sight], gold: Collection[int]) -> None:
    """Let veiled sites show what their sources say, and gold sites what their reviewer said."""
    veiled = {pk: sight for pk, sight in seen.items() if sight.is_veiled}
    fewer = {pk for pk, sight in veiled.items() if not _are_same(sight.proposals, told.proposals.get(pk, ()))}
    changed = {pk: veiled[pk].proposals for pk in veiled if pk in fewer or veiled[pk].site.state != Site.State.OPEN}
    as_proposed(
        sites=[veiled[pk].site for pk in changed],
        proposals=changed,
        keep_turn=[pk for pk in changed if pk not in fewer],
    )
    for pk, sight in veiled.items():
        sight.site.state, sight.site.due_again = Site.State.OPEN, False
        if pk in gold:
            _show_answer(sight)


def _are_same(first: Sequence[Proposal], second: Sequence[Proposal]) -> bool:
    return len(first) == len(second) and all(one is other for one, other in zip(first, second, strict=True))


def gold_settlement(decisions: Iterable[Decision]) -> Settlement:
    """What one person's steps on a gold site would amount to if it were an ordinary one."""
    said = [replace(one.opinion(), applied=True, reviews_needed=1, as_lead=False) for one in decisions if one.gold]
    return settle(said)


def _show_answer(sight: Sight) -> None:
    settlement = gold_settlement(sight.history)
    site = sight.site
    site.state = settlement.state
    if settlement.state != "verified":
        return
    mine_types = MineType.objects.in_bulk(settlement.types.values(), field_name="code") if settlement.types else {}
    for axis in Axis.values:
        setattr(site, axis, mine_types.get(settlement.types.get(axis, "")))
    answer = next(one for one in sight.history if one.pk == settlement.outline)
    if answer.verdict in POSITIVE and answer.geometry is not None:
        site.footprint = answer.geometry
