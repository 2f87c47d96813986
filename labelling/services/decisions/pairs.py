"""Pairs of blind opinions on a site: derived like its label, so that agreement is summed up by the database."""

from collections.abc import Sequence
from itertools import combinations

from labelling.core.agreement import answer_of, outline_iou, pattern_of
from labelling.core.review import POSITIVE, standing
from labelling.models import Decision, OpinionPair, Site
from labelling.models.spatial import to_shapely
from labelling.models.taxonomy import Axis

_DRAWN = {Decision.Verdict.FIX, Decision.Verdict.ADD}


def pair_opinions(*, site: Site, decisions: Sequence[Decision]) -> None:
    """Write anew which opinions on a site stand beside which. The caller holds the site's row.

    What a lead ruled is left out: who rules has read the opinions of the others.

    Args:
        site: the site.
        decisions: all on it, oldest first, each with its campaign.
    """
    if len(decisions) < 2:
        return
    rows = {decision.pk: decision for decision in decisions}
    voices = [rows[one.id] for one in standing([one.opinion() for one in decisions]) if not one.as_lead]
    OpinionPair.objects.filter(site=site).delete()
    if len(voices) > 1:
        axis = voices[-1].campaign.axis if voices[-1].campaign else Axis.FEATURE.value
        said = {one.pk: _answer(one, axis) for one in voices}
        pattern = pattern_of(said.values())
        OpinionPair.objects.bulk_create(
            OpinionPair(
                site=site,
                earlier=first,
                later=second,
                axis=axis,
                campaign=second.campaign,
                earlier_by_id=first.reviewer_id,
                later_by_id=second.reviewer_id,
                earlier_said=said[first.pk],
                later_said=said[second.pk],
                pattern=pattern,
                overlap=_overlap(first, second),
                decided_at=second.created_at,
            )
            for first, second in combinations(voices, 2)
        )


def _answer(decision: Decision, axis: str) -> str:
    return answer_of(verdict=decision.verdict, reason=decision.reason, types=decision.types, axis=axis)


def _overlap(first: Decision, second: Decision) -> float | None:
    """Of outlines of which at least one was drawn: two who accept the same outline have drawn nothing to compare."""
    both_see_a_mine = {first.verdict, second.verdict} <= POSITIVE
    if not both_see_a_mine or not {first.verdict, second.verdict} & _DRAWN:
        return None
    if first.geometry is None or second.geometry is None:
        return None
    return outline_iou(to_shapely(first.geometry), to_shapely(second.geometry))
