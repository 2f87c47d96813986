"""One's own steps in the order in which they were made, for undo and for going back."""

from django.contrib.auth.models import User

from labelling.models import Campaign, Decision, ReviewedArea

Step = Decision | ReviewedArea


def own_steps(*, user: User, limit: int, campaign: Campaign | None = None) -> list[Step]:
    """A person's newest decisions and windows said to be complete, newest first.

    Args:
        user: whose steps.
        limit: the most that are given.
        campaign: only what was done in it; None: everything.

    Returns:
        Decisions without the undos themselves, and windows, also those that were taken back.
    """
    decisions = Decision.objects.filter(reviewer=user).exclude(verdict=Decision.Verdict.UNDO)
    decisions = decisions.select_related("undone_by").defer("geometry", "undone_by__geometry")
    areas = ReviewedArea.objects.filter(reviewer=user).defer("geometry")
    if campaign is not None:
        decisions, areas = decisions.filter(campaign=campaign), areas.filter(campaign=campaign)
    newest: list[Step] = [*decisions.order_by("-id")[:limit], *areas.order_by("-id")[:limit]]
    return sorted(newest, key=lambda step: step.created_at, reverse=True)[:limit]
