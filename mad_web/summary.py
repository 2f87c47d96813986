"""What there is, counted over all rooms."""

from typing import Any

from django.db.models import Count, QuerySet

from inference.models import DetectionRun, ModelVersion
from labelling.models import Decision, Label, Proposal, Region, Scene, Site, Snapshot
from labelling.models.taxonomy import Axis
from training.models import Experiment, TestSet

Counts = dict[str, int]


def summarise() -> dict[str, int | Counts]:
    """Count the rows of every room: plain numbers, or numbers by state, type, source or verdict."""
    sites = Site.objects.order_by()
    return {
        "scenes": _by(Scene.objects.all(), "kind"),
        "regions": Region.objects.count(),
        "sites": sites.count(),
        "sites by state": _by(sites, "state"),
        **{f"sites by {axis}": _by(sites, f"{axis}__code") for axis in Axis.values},
        "proposals": _by(Proposal.objects.all(), "source__name"),
        "decisions": _by(Decision.objects.all(), "verdict"),
        "labels": _by(Label.objects.all(), "state"),
        "snapshots": Snapshot.objects.count(),
        "models": _by(ModelVersion.objects.all(), "status"),
        "runs": _by(DetectionRun.objects.all(), "job__state"),
        "test sets": TestSet.objects.count(),
        "experiments": Experiment.objects.count(),
    }


def _by(rows: "QuerySet[Any]", column: str) -> Counts:
    counted = rows.order_by().values_list(column).annotate(rows=Count("pk")).order_by("-rows", column)
    return {value or "none": count for value, count in counted}
