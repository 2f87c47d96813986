"""Contested sites: what was said of each, side by side, and the word of a lead that settles it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet

from labelling.core.agreement import outline_iou
from labelling.core.errors import BadInput, NotAllowed, NotFound
from labelling.core.review import LEADS, POSITIVE
from labelling.models import Campaign, Comment, Decision, MineType, Site
from labelling.models.spatial import to_shapely
from labelling.models.taxonomy import Axis
from labelling.services.comments import comments_on
from labelling.services.decisions import Receipt, Submission, submit_decision
from labelling.services.pictures import Picture, take_pictures


@dataclass(frozen=True)
class Voice:
    """One opinion that stands.

    Attributes:
        decision: the row.
        types: what it names.
        path: its outline in the picture of the site, an SVG path.
    """

    decision: Decision
    types: tuple[MineType, ...]
    path: str

    @property
    def can_be_adopted(self) -> bool:
        """An opinion that is unsure settles nothing."""
        return self.decision.verdict != Decision.Verdict.UNSURE


@dataclass(frozen=True)
class Dispute:
    """A contested site.

    Attributes:
        site: from ``Site.objects.shown()``.
        about: what the opinions differ in, in words.
        voices: the opinions that stand, oldest first.
        picture: the ground with every outline.
        overlap: the least intersection over union of two outlines, or None.
        comments: the thread on the site, oldest first.
        campaign: the open one in which the last of them was given, or None.
    """

    site: Site
    about: str
    voices: tuple[Voice, ...]
    picture: Picture
    overlap: float | None
    comments: tuple[Comment, ...]
    campaign: Campaign | None

    @property
    def can_be_settled(self) -> bool:
        """Whether one of the opinions can be adopted; otherwise a lead looks for themselves."""
        return any(voice.can_be_adopted for voice in self.voices)


def contested_sites(*, campaign: Campaign | None = None) -> QuerySet[Site]:
    """The sites that wait for a lead, longest first; of one campaign those of which something was said in it."""
    found = Site.objects.shown().filter(state=Site.State.CONTESTED).order_by("label__decided_at", "pk")
    if campaign is None:
        return found
    said = Decision.objects.in_force().filter(site=OuterRef("pk"), campaign=campaign, version__isnull=False)
    return found.filter(Exists(said.order_by()))


def count_contested(*, user: User) -> int:
    """How many sites wait for this user: none unless the user may settle them."""
    return Site.objects.filter(state=Site.State.CONTESTED).count() if user.has_perm(LEADS) else 0


def describe_disputes(*, sites: Sequence[Site]) -> list[Dispute]:
    """Tell what was said of contested sites, in as many queries for many as for one."""
    said: dict[int, list[Decision]] = defaultdict(list)
    standing = Decision.objects.in_force().filter(site__in=[site.pk for site in sites], version__isnull=False)
    for decision in standing.select_related("reviewer", "campaign").order_by("id"):
        said[decision.site_id].append(decision)
    outlines = [(site, [site.footprint, *(one.geometry for one in said[site.pk])]) for site in sites]
    mine_types = MineType.objects.in_bulk(field_name="code")
    comments = comments_on(sites=[site.pk for site in sites])
    return [
        _dispute(site, said[site.pk], picture, mine_types, comments.get(site.pk, []))
        for site, picture in zip(sites, take_pictures(of=outlines), strict=True)
    ]


def _dispute(
    site: Site,
    said: Sequence[Decision],
    picture: Picture,
    mine_types: dict[str, MineType],
    comments: Sequence[Comment],
) -> Dispute:
    voices = tuple(
        Voice(one, tuple(mine_types[code] for code in one.types_said() if code in mine_types), path)
        for one, path in zip(said, picture.paths[1:], strict=True)
    )
    shapes = [to_shapely(one.geometry) for one in said if one.geometry and one.verdict in POSITIVE]
    overlaps = [outline_iou(*pair) for pair in combinations(shapes, 2)]
    overlap = min((one for one in overlaps if one is not None), default=None)
    campaign = next((one.campaign for one in reversed(said) if one.campaign and one.campaign.active), None)
    return Dispute(site, _about(said), voices, picture, overlap, tuple(comments), campaign)


def _about(said: Sequence[Decision]) -> str:
    verdicts = {"mine" if one.verdict in POSITIVE else one.verdict for one in said}
    if "unsure" in verdicts:
        return "somebody is unsure"
    if verdicts == {"mine", "reject"}:
        return "is it a mine?"
    if verdicts == {"reject"}:
        return "is the ground empty, or can it not be seen?"
    differs = [axis for axis in Axis.values if len({one.types[axis] for one in said if axis in one.types}) > 1]
    return f"which {' and which '.join('type' if axis == Axis.FEATURE else axis for axis in differs)}?"


def adopt_opinion(*, user: User, decision_id: int, key: UUID, base_version: int, comment: str = "") -> Receipt:
    """Settle a site by making one of its opinions the lead's own.

    Args:
        user: a lead.
        decision_id: the opinion.
        key: made with the page; sent twice it counts once.
        base_version: the version of the site that the lead saw.
        comment: why, at most 2000 characters; whom it mentions is told.

    Raises:
        NotAllowed: the user settles nothing.
        NotFound: no such opinion, or it has been taken back.
        BadInput: the opinion is unsure, or the comment too long.
        Conflict: the site has changed since.
    """
    if not user.has_perm(LEADS):
        raise NotAllowed("only a lead settles a contested site")
    opinion = Decision.objects.in_force().filter(pk=decision_id, version__isnull=False).first()
    if opinion is None:
        raise NotFound("that opinion has been taken back")
    if opinion.verdict == Decision.Verdict.UNSURE:
        raise BadInput("an opinion that is unsure settles nothing: choose another, or review the site")
    is_mine, outline = opinion.verdict in POSITIVE, opinion.geometry
    is_drawn = is_mine and opinion.verdict != Decision.Verdict.ACCEPT
    return submit_decision(
        user=user,
        submission=Submission(
            key=key,
            verdict=Decision.Verdict.FIX if is_drawn else opinion.verdict,
            site_id=opinion.site_id,
            base_version=base_version,
            types={axis: opinion.types.get(axis) for axis in Axis.values} if is_mine else {},
            geometry=outline if is_drawn and outline and outline.dims else None,
            reason=opinion.reason,
            comment=comment,
            campaign_id=opinion.campaign_id,
            tells=True,
        ),
    )


def ruling_of(*, user: User, key: UUID) -> Decision | None:
    """Find what a lead settled, by its key; None where it was taken back, or is not this lead's."""
    rulings = Decision.objects.in_force().filter(key=key, reviewer=user, as_lead=True)
    return rulings.select_related("site").first()


def take_back_ruling(*, user: User, ruling: UUID, key: UUID) -> Receipt:
    """Take back what a lead settled: what the others said stands again.

    Args:
        user: the lead who settled it.
        ruling: the key of the decision that settled it.
        key: made with the page; sent twice it counts once.

    Raises:
        NotFound: nothing of the kind was settled by this lead.
        Conflict: it was taken back already, or somebody has decided on the site since.
    """
    made = Decision.objects.filter(key=ruling, reviewer=user, as_lead=True).first()
    if made is None:
        raise NotFound("you have settled nothing of the kind")
    return submit_decision(
        user=user,
        submission=Submission(
            key=key,
            verdict=Decision.Verdict.UNDO,
            base_version=made.version or 0,
            campaign_id=made.campaign_id,
            undoes=ruling,
        ),
    )
