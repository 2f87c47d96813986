"""The one way by which a decision comes in.

One transaction: a repeat is answered from what is stored; the site's row is locked, so that decisions on it
follow one another; the decision is appended, the label derived, the claim given back. Nothing is acknowledged
before the commit, and so nobody may wrap this in a transaction of their own.
"""

from dataclasses import dataclass
from uuid import uuid5

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from labelling.core.comments import names_mentioned
from labelling.core.errors import BadInput, Conflict, KeyReused, NotFound
from labelling.core.matching import ClaimSpec
from labelling.core.review import LEADS, Settlement, is_blind_to, refusal
from labelling.models import Campaign, Decision, Site, Source
from labelling.models.rows import insert_row
from labelling.models.site_rows import read_sites
from labelling.models.spatial import to_shapely
from labelling.services.blind import is_asked_again, see_site
from labelling.services.comments import add_comment
from labelling.services.decisions.labels import derive_label
from labelling.services.decisions.submission import (
    Receipt,
    Submission,
    Verdict,
    campaign_of,
    check_scene,
    check_submission,
    check_types,
    outline_left,
    settled_after,
    types_left,
)
from labelling.services.gold import gold_in_hand
from labelling.services.items import build_item
from labelling.services.opinions import SETTLED
from labelling.services.queue.leases import give_back
from labelling.services.sites import place_claims

_CHANGED = "this site has changed since you saw it: your decision is kept but not applied, choose between the two"


def submit_decision(*, user: User, submission: Submission, campaign: Campaign | None = None) -> Receipt:
    """Take one decision.

    What each verdict does, on the version of the site that the reviewer saw:

    - ``accept``: the outline as it stands, with the types sent over those that the site has.
    - ``fix``: another outline, other types or both. A point may be accepted or typed, but verifies no outline.
    - ``reject``: with a reason (``labelling.core.review`` says what each amounts to).
    - ``unsure``: the site becomes contested and waits for a lead.
    - ``skip``: changes nothing, is never a conflict; the site comes back last in this reviewer's queue.
    - ``add``: a missed mine, verified at once where one opinion is enough. Drawn on an open site of the same
      place it is an opinion on that one.
    - ``undo``: takes one of the reviewer's own decisions back (a lead may take anybody's), any number of steps;
      what remains is judged anew, so that what others decided later stands. An undo of an undo is refused:
      decide again instead.

    A site that is finished is changed only by an undo, or by a lead.

    Args:
        user: the reviewer, who may add decisions.
        submission: what was decided.
        campaign: that of the submission, where the caller has found it among the user's already.

    Returns:
        The receipt, after the commit; for a repeat of the same submission the same decision again.

    Raises:
        BadInput: a field that is wrong, nothing is stored.
        NotFound: no such site, campaign or scene, or nothing of yours to undo.
        KeyReused: the key has been used for something else.
        Conflict: the site has changed or is finished; the decision is stored but not applied (an undo is not
            stored), and ``current`` is the site as it is now.
    """
    try:
        with transaction.atomic(durable=True):
            receipt = _take(user, submission, campaign)
    except (IntegrityError, BadInput, NotFound):
        # The same key twice, perhaps at the same time: the other one was first, and its answer is ours.
        repeated = _repeated(user, submission)
        if repeated is None:
            raise
        receipt = repeated
    except _Stale as stale:
        raise Conflict(str(stale), current=_current(user, stale.site, stale.campaign)) from None
    if receipt.decision.is_kept:
        raise Conflict(_why_kept(user, receipt), current=_current(user, receipt.site, receipt.decision.campaign))
    return receipt


class _Stale(Exception):
    """An undo that cannot be applied; it is not stored, because nothing would be lost with it."""

    def __init__(self, reason: str, site: Site, campaign: Campaign | None) -> None:
        self.site, self.campaign = site, campaign
        super().__init__(reason)


@dataclass(frozen=True)
class _Desk:
    """What belongs to one submission while it is worked on."""

    user: User
    submission: Submission
    campaign: Campaign | None

    @property
    def is_lead(self) -> bool:
        return self.user.has_perm(LEADS)

    def opinions_wanted(self, site: Site) -> int:
        least = site.least_opinions
        return self.campaign.opinions_wanted(site.pk, least=least) if self.campaign else least

    def shown(self, site: Site) -> Site:
        """The site as the reviewer saw it, which is what an opinion that changes nothing agrees to."""
        nothing_to_hide = site.state == Site.State.OPEN and not site.version and self.opinions_wanted(site) == 1
        return site if nothing_to_hide else see_site(user=self.user, site=site, campaign=self.campaign)

    def finds_open(self, site: Site) -> bool:
        """Whether an opinion is one among others, and not a ruling on what is settled."""
        return site.state == Site.State.OPEN or is_asked_again(user=self.user, site=site)

    def answers_gold(self, site: Site) -> bool:
        if self.campaign is None or site.state not in SETTLED or self.is_lead:
            return False
        return bool(gold_in_hand(user=self.user, campaign=self.campaign, sites=[site.pk]))


def _repeated(user: User, submission: Submission) -> Receipt | None:
    stored = Decision.objects.select_related("site", "campaign").filter(key=submission.key).first()
    if stored is None:
        return None
    if stored.body_sha256 != submission.sha256(user):
        msg = "this key has been used for another decision: make a new key for each decision"
        raise KeyReused(msg)
    return Receipt(decision=stored, site=stored.site, settlement=settled_after(stored), created=False)


def _take(user: User, submission: Submission, campaign: Campaign | None) -> Receipt:
    check_submission(submission)
    check_types(submission.types)
    check_scene(submission.scene_id)
    if campaign is None or campaign.pk != submission.campaign_id:
        campaign = campaign_of(user, submission.campaign_id)
    desk = _Desk(user, submission, campaign)
    if submission.verdict == Verdict.UNDO:
        return _undo(desk)
    if submission.verdict == Verdict.ADD:
        return _add(desk)
    site = _held_site(submission.site_id or 0)
    if desk.answers_gold(site):
        return _finish(desk, site, _append(desk, site, version=None, gold=True))
    if submission.verdict == Verdict.SKIP:
        return _finish(desk, site, _append(desk, site, version=None))
    return _decide(desk, site, saw=submission.base_version)


def _held_site(site_id: int) -> Site:
    """Lock a site until the end of the transaction."""
    site = read_sites([site_id], lock=True).get(site_id)
    if site is None:
        msg = "no such site"
        raise NotFound(msg)
    return site


def _decide(desk: _Desk, site: Site, *, saw: int) -> Receipt:
    if _has_changed(desk, site, saw) or _refused(desk, site):
        # The same submission may have been what changed it.
        repeated = _repeated(desk.user, desk.submission)
        return repeated or _finish(desk, site, _append(desk, site, version=None))
    as_lead, shown = not desk.finds_open(site), desk.shown(site)
    _step(site)
    decision = _append(desk, site, shown=shown, version=site.version, as_lead=as_lead)
    return _finish(desk, site, decision, derive_label(site=site, made=decision))


def _has_changed(desk: _Desk, site: Site, saw: int) -> bool:
    if saw == site.version:
        return False
    if saw > site.version:
        return True
    since = site.decisions.filter(version__gt=saw)
    others = not since.filter(reviewer=desk.user).exists() and not since.filter(verdict=Verdict.UNDO).exists()
    state = Site.State.OPEN if desk.finds_open(site) else site.state
    return not is_blind_to(reviews_needed=desk.opinions_wanted(site), state=state, others_since=others)


def _refused(desk: _Desk, site: Site) -> str | None:
    finds_open = desk.finds_open(site)
    has_decided = (
        site.decisions.in_force().filter(reviewer=desk.user, version__isnull=False).exists()
        if finds_open and site.version
        else False
    )
    state = Site.State.OPEN if finds_open else site.state
    return refusal(state=state, is_lead=not finds_open and desk.is_lead, has_decided=has_decided)


def _step(site: Site) -> None:
    """Count up; the label's derivation writes it. Two decisions of one version are against a constraint."""
    site.version += 1


def _append(
    desk: _Desk,
    site: Site,
    *,
    version: int | None,
    shown: Site | None = None,
    as_lead: bool = False,
    undoes: Decision | None = None,
    gold: bool = False,
) -> Decision:
    sent = desk.submission
    says_something = sent.verdict not in {Verdict.SKIP, Verdict.UNDO}
    shown = shown or (desk.shown(site) if says_something else site)
    decision = Decision(
        key=sent.key,
        body_sha256=sent.sha256(desk.user),
        site=site,
        reviewer=desk.user,
        campaign=desk.campaign,
        verdict=sent.verdict,
        reason=sent.reason,
        types=types_left(sent, shown) if says_something else {},
        geometry=outline_left(sent, shown) if says_something else None,
        comment=sent.comment,
        base_version=sent.base_version,
        version=version,
        reviews_needed=desk.opinions_wanted(site),
        as_lead=as_lead,
        gold=gold,
        undoes=undoes,
        scene_id=sent.scene_id,
        client_time=sent.client_time,
    )
    insert_row(decision)
    if sent.tells and names_mentioned(sent.comment):
        add_comment(user=desk.user, site=site, key=uuid5(sent.key, "comment"), text=sent.comment)
    return decision


def _finish(desk: _Desk, site: Site, decision: Decision, settlement: Settlement | None = None) -> Receipt:
    """Give claims back: one's own, and everybody's where the site needs no more opinions."""
    is_over = site.state != Site.State.OPEN and not site.due_again and not decision.gold
    give_back(site_id=site.pk, user=None if is_over else desk.user)
    settlement = settlement or settled_after(decision)
    return Receipt(decision=decision, site=site, settlement=settlement, created=True)


def _add(desk: _Desk) -> Receipt:
    sent = desk.submission
    source, _ = Source.objects.get_or_create(name=Source.of_person(desk.user), defaults={"kind": Source.Kind.PERSON})
    spec = ClaimSpec(
        external_id=str(sent.key),
        geometry=to_shapely(outline_left(sent, Site())),
        types={axis: ((code, None),) for axis, code in types_left(sent, None).items()},
        scene_id=sent.scene_id,
    )
    placed = place_claims(source=source, claims=[spec])
    if not placed.proposals and (repeated := _repeated(desk.user, sent)):
        return repeated
    site = _held_site(placed.proposals[0].site_id)
    return _decide(desk, site, saw=site.version)


def _undo(desk: _Desk) -> Receipt:
    undoes = desk.submission.undoes
    target = Decision.objects.filter(key=undoes).first() if undoes else None
    if target is None or (target.reviewer_id != desk.user.pk and not desk.is_lead):
        msg = "no such decision of yours to undo"
        raise NotFound(msg)
    if target.verdict == Verdict.UNDO:
        msg = "an undo cannot be undone: decide again"
        raise BadInput(msg)
    if desk.submission.site_id not in {None, target.site_id}:
        msg = "that decision was made on another site"
        raise BadInput(msg)
    site = _held_site(target.site_id)
    if repeated := _repeated(desk.user, desk.submission):
        return repeated
    _check_undo(desk, site, target)
    if target.version is None:
        return _finish(desk, site, _append(desk, site, version=None, undoes=target, gold=target.gold))
    _step(site)
    decision = _append(desk, site, version=site.version, undoes=target)
    return _finish(desk, site, decision, derive_label(site=site, made=decision))


def _check_undo(desk: _Desk, site: Site, target: Decision) -> None:
    if target.is_kept:
        msg = "that decision was kept but never applied: there is nothing to undo"
        raise _Stale(msg, site, desk.campaign)
    if Decision.objects.filter(undoes=target).exists():
        msg = "that decision has been undone already"
        raise _Stale(msg, site, desk.campaign)
    if target.version is not None and _has_changed(desk, site, desk.submission.base_version):
        msg = "somebody has decided on this site since: look at it as it is now, then undo again"
        raise _Stale(msg, site, desk.campaign)


def _why_kept(user: User, receipt: Receipt) -> str:
    site, decision = receipt.site, receipt.decision
    if decision.verdict == Verdict.ADD:
        return f"a site that is {site.state} stands here already: your drawing is kept but not applied"
    if decision.base_version != site.version:
        return _CHANGED
    return _refused(_Desk(user, Submission(decision.key, decision.verdict), decision.campaign), site) or _CHANGED


def _current(user: User, site: Site, campaign: Campaign | None) -> dict[str, object]:
    return build_item(user=user, site_id=site.pk, campaign=campaign)
