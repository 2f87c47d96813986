"""What a reviewer sends, checked as far as that goes without the site."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.contrib.gis.geos import GEOSGeometry

from labelling.core.errors import BadInput, NotFound
from labelling.core.outlines import AREAL, check_outline
from labelling.core.review import POSITIVE, Settlement, settle
from labelling.models import Campaign, Decision, MineType, Scene, Site
from labelling.models.spatial import to_geos, to_shapely
from labelling.models.taxonomy import Axis
from labelling.services.blind import gold_settlement

Verdict = Decision.Verdict
MAX_COMMENT = 2000
DRAWN = frozenset({Verdict.FIX, Verdict.ADD})


@dataclass(frozen=True)
class Submission:
    """One decision as it leaves the browser.

    Attributes:
        key: made in the browser; sent twice it counts once.
        verdict: one of ``Decision.Verdict``.
        site_id: the site; None for ``add``, and optional for ``undo``.
        base_version: the version of the site that the reviewer saw; without meaning for ``add`` and ``skip``.
        types: axis -> code; None as a code takes the type of that axis away. An axis that is not named keeps
            the type that the site has.
        geometry: EPSG:4326, a new outline; only with ``fix`` and ``add``.
        reason: one of ``Decision.Reason``; only with ``reject``.
        comment: free text, at most 2000 characters.
        campaign_id: the campaign in which it was made.
        scene_id: the scene that was on screen.
        undoes: key of the decision to take back; only with ``undo``.
        client_time: the browser's clock; information only.
        tells: whom the comment mentions is told of it: it stands in the thread of the site too.
    """

    key: UUID
    verdict: str
    site_id: int | None = None
    base_version: int = 0
    types: Mapping[str, str | None] = field(default_factory=dict)
    geometry: GEOSGeometry | None = None
    reason: str = ""
    comment: str = ""
    campaign_id: int | None = None
    scene_id: int | None = None
    undoes: UUID | None = None
    client_time: datetime | None = None
    tells: bool = False

    def sha256(self, user: User) -> str:
        """Hash what was asked and by whom; the browser's clock is no part of it."""
        body = [
            user.pk,
            self.verdict,
            self.site_id,
            self.base_version,
            sorted(self.types.items()),
            self.geometry.wkb.hex() if self.geometry is not None else None,
            self.reason,
            self.comment,
            self.campaign_id,
            self.scene_id,
            str(self.undoes) if self.undoes else None,
        ]
        return hashlib.sha256(json.dumps(body).encode()).hexdigest()


@dataclass(frozen=True)
class Receipt:
    """Proof that a decision is on disk.

    Attributes:
        decision: the row.
        site: its site as it stands now.
        settlement: what the decisions on the site amounted to right after this one, however often it is sent.
        created: False where the same decision had been sent before.
    """

    decision: Decision
    site: Site
    settlement: Settlement
    created: bool

    @property
    def version(self) -> int:
        """The version of the site that the decision made, or left as it was."""
        made, seen = self.decision.shown_version, self.decision.base_version
        return seen if made is None else made

    @property
    def types(self) -> Mapping[str, str]:
        """The types of the site where it is settled, else those that the reviewer left."""
        return self.settlement.types if self.settlement.state == "verified" else self.decision.types


def settled_after(decision: Decision) -> Settlement:
    """Judge the decisions on a site up to and with one of them."""
    known = Decision.objects.filter(site=decision.site_id, pk__lte=decision.pk).defer("geometry").order_by("id")
    if decision.gold:
        return gold_settlement(known.filter(reviewer=decision.reviewer_id))
    return settle([one.opinion() for one in known])


def check_submission(submission: Submission) -> None:
    """Check what can be checked without the site.

    Raises:
        BadInput: a field that is wrong or does not go with the verdict; the text says which.
        BadGeometry: an outline that cannot be taken.
    """
    if submission.verdict not in Verdict.values:
        raise BadInput(f"unknown verdict {submission.verdict!r}: use {', '.join(Verdict.values)}")
    if len(submission.comment) > MAX_COMMENT:
        raise BadInput(f"the comment is longer than {MAX_COMMENT} characters")
    _check_presence(submission)
    _check_reason(submission)
    if submission.geometry is not None:
        outline = check_outline(to_shapely(submission.geometry))
        if outline.geom_type not in AREAL:
            raise BadInput(f"a {outline.geom_type}: draw a polygon")


def _check_presence(submission: Submission) -> None:
    verdict = submission.verdict
    if (submission.site_id is None) != (verdict == Verdict.ADD) and verdict != Verdict.UNDO:
        raise BadInput("name the site, or send null with the verdict 'add'")
    if (submission.undoes is None) != (verdict != Verdict.UNDO):
        raise BadInput("name in 'undoes' the key of the decision to take back, and only with the verdict 'undo'")
    if submission.geometry is not None and verdict not in DRAWN:
        raise BadInput(f"an outline does not go with {verdict!r}: send 'fix' to change it")
    if verdict == Verdict.ADD and submission.geometry is None:
        raise BadInput("a missed mine needs its outline")
    if verdict == Verdict.FIX and submission.geometry is None and not submission.types:
        raise BadInput("a fix changes the outline, a type or both: send one of them, or 'accept'")


def _check_reason(submission: Submission) -> None:
    if submission.verdict == Verdict.REJECT:
        if submission.reason not in Decision.Reason.values:
            raise BadInput(f"give a reason for the rejection: {', '.join(Decision.Reason.values)}")
    elif submission.reason:
        raise BadInput("a reason goes with the verdict 'reject' only")


def check_types(types: Mapping[str, str | None]) -> None:
    """Check that each code stands on the axis under which it was sent.

    Raises:
        BadInput: an unknown axis or code, or a code of another axis.
    """
    codes = [code for code in types.values() if code]
    axis_of = dict(MineType.objects.filter(code__in=codes).values_list("code", "axis")) if codes else {}
    for axis, code in types.items():
        if axis not in Axis.values:
            raise BadInput(f"unknown axis {axis!r}: use {', '.join(Axis.values)}")
        if code and axis_of.get(code) != axis:
            raise BadInput(f"unknown type {code!r} on the axis {axis!r}: use a code of the taxonomy")


def types_left(submission: Submission, site: Site | None) -> dict[str, str]:
    """Work out the types as the reviewer left them: those sent over those that the site has."""
    left: dict[str, str | None] = {**(site.types() if site else {}), **submission.types}
    return {axis: code for axis, code in sorted(left.items()) if code}


def outline_left(submission: Submission, site: Site) -> GEOSGeometry:
    """Give the outline as the reviewer left it: the drawn one, or the one that stood."""
    if submission.geometry is None or submission.verdict not in POSITIVE:
        standing: GEOSGeometry = site.footprint
        return standing
    return to_geos(check_outline(to_shapely(submission.geometry)))


def campaign_of(user: User, campaign_id: int | None) -> Campaign | None:
    """Find the campaign of a submission; one that has been closed still takes what was decided in it.

    Raises:
        NotFound: no such campaign, or not one of the user's.
    """
    if campaign_id is None:
        return None
    found = Campaign.objects.find(user, column="id", value=campaign_id)
    if found is None:
        raise NotFound("no such campaign")
    return found


def check_scene(scene_id: int | None) -> None:
    """Check that the scene is there.

    Raises:
        NotFound: it is not.
    """
    if scene_id is not None and not Scene.objects.filter(pk=scene_id).exists():
        raise NotFound("no such scene")
