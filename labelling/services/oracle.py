"""An oracle that works through a campaign by the same services as the review screen."""

from collections import Counter
from collections.abc import Sequence
from uuid import uuid4

from django.contrib.auth.models import User
from shapely.geometry import Polygon

from labelling.core.oracle import Judgement, Truth, judge_outline
from labelling.models import Campaign, Scene, Site
from labelling.models.spatial import to_geos, to_shapely
from labelling.services.decisions import Submission, complete_area, submit_decision
from labelling.services.queue import claim_sites

_AT_ONCE = 20


def review_as_oracle(
    *, user: User, campaign: Campaign, truths: Sequence[Truth], windows: Sequence[Polygon]
) -> dict[str, int]:
    """Judge every site of a campaign, draw what is missing, and call the windows complete.

    Args:
        user: in whose name.
        campaign: its queue is worked through to the end.
        truths: all that stands in the windows, EPSG:4326.
        windows: the areas that are complete afterwards, EPSG:4326.

    Returns:
        How many decisions of each verdict were made, and ``windows``.
    """
    made: Counter[str] = Counter()
    taken: set[int] = set()
    while judged := judge_next(user=user, campaign=campaign, truths=truths, taken=taken, count=_AT_ONCE):
        made.update(judgement.verdict for _, judgement in judged)
    for index, truth in enumerate(truths):
        if index not in taken:
            submit_decision(user=user, submission=_missed(campaign, truth))
            made["add"] += 1
    for window in windows:
        complete_area(user=user, key=uuid4(), geometry=to_geos(window), axis=campaign.axis, campaign=campaign)
    return {**made, "windows": len(windows)}


def judge_next(
    *, user: User, campaign: Campaign, truths: Sequence[Truth], taken: set[int], count: int
) -> list[tuple[Site, Judgement]]:
    """Take the next sites of a campaign's queue and decide each by the truth.

    Args:
        user: in whose name.
        campaign: whose queue.
        truths: all that stands on its ground, EPSG:4326.
        taken: indexes of truths that a site is already; those found now are added.
        count: how many sites, at most.

    Returns:
        The sites in the order of the queue, each with what was said of it; none where the queue is empty.
    """
    judged = []
    for claim in claim_sites(user=user, campaign=campaign, count=count):
        judgement = _judge(claim.site, campaign.axis, truths, taken)
        if judgement.truth is not None:
            taken.add(judgement.truth)
        submit_decision(user=user, submission=_submission(claim.site, campaign, judgement, truths))
        judged.append((claim.site, judgement))
    return judged


def _judge(site: Site, axis: str, truths: Sequence[Truth], taken: set[int]) -> Judgement:
    return judge_outline(to_shapely(site.footprint), site.types().get(axis), truths, taken=taken)


def _submission(site: Site, campaign: Campaign, judgement: Judgement, truths: Sequence[Truth]) -> Submission:
    truth = truths[judgement.truth] if judgement.truth is not None and judgement.verdict != "reject" else None
    return Submission(
        key=uuid4(),
        verdict=judgement.verdict,
        site_id=site.pk,
        base_version=site.version,
        types={campaign.axis: truth.code} if truth else {},
        geometry=to_geos(truth.outline) if truth and judgement.redraw else None,
        reason=judgement.reason,
        campaign_id=campaign.pk,
    )


def _missed(campaign: Campaign, truth: Truth) -> Submission:
    seen_on = Scene.objects.covering(to_geos(truth.outline)).first()
    return Submission(
        key=uuid4(),
        verdict="add",
        site_id=None,
        base_version=0,
        types={campaign.axis: truth.code},
        geometry=to_geos(truth.outline),
        campaign_id=campaign.pk,
        scene_id=seen_on.pk if seen_on else None,
    )
