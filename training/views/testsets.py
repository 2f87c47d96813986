"""Test sets and the leaderboard. The truth of a test set is for leads and admins only: reviewers must not learn it."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from labelling.models import MineType
from training.core.errors import TrainingError
from training.forms.evaluations import EvaluationForm
from training.models import TestLabel, TestSet, TestWindow
from training.services.evaluation import THRESHOLD, enqueue_evaluation
from training.services.leaderboard import leaderboard_of

LABELS_SHOWN = 5000


@require_safe
@permission_required("inference.view_modelversion", raise_exception=True)
def models(request: HttpRequest) -> HttpResponse:
    testsets = list(TestSet.objects.all())
    chosen = next((each for each in testsets if each.name == request.GET.get("testset")), None)
    testset = chosen or (testsets[0] if testsets else None)
    board = leaderboard_of(testset=testset) if testset else None
    context = {"testsets": testsets, "testset": testset, "board": board, "threshold": THRESHOLD}
    return render(request, "training/models.html", context)


@require_safe
@permission_required("training.view_testset", raise_exception=True)
def testsets(request: HttpRequest) -> HttpResponse:
    return render(request, "training/testsets.html", {"testsets": TestSet.objects.all()})


@require_safe
@permission_required("training.view_testset", raise_exception=True)
def testset(request: HttpRequest, name: str) -> HttpResponse:
    found = get_object_or_404(TestSet, name=name)
    counts = found.counts.get("types", {})
    types = [(kind, counts[kind.code]) for kind in MineType.objects.filter(code__in=counts)]
    context = {"testset": found, "types": types, "map": _map(found), "labels_shown": LABELS_SHOWN}
    return render(request, "training/testset.html", context)


@require_POST
@permission_required("training.add_score", raise_exception=True)
def evaluate(request: HttpRequest, name: str) -> HttpResponse:
    found = get_object_or_404(TestSet, name=name)
    form = EvaluationForm(request.POST, testset=found)
    if not form.is_valid():
        messages.error(request, "Choose a model of this test set's axis, and a threshold from 0.01 to 0.99.")
    else:
        wanted = form.cleaned_data
        try:
            enqueue_evaluation(
                model=wanted["model"], testset=found, threshold=wanted["threshold"], user=cast(User, request.user)
            )
        except TrainingError as error:
            messages.error(request, str(error))
    return redirect(f"{reverse('models')}?testset={found.name}")


def _map(found: TestSet) -> dict[str, Any]:
    """Blocks, windows and truth as the map draws them."""
    blocks = list(found.blocks.select_related("region").defer("region__geom"))
    windows = TestWindow.objects.filter(block__testset=found).select_related("scene")
    labels = TestLabel.objects.filter(testset=found).select_related("mine_type")[:LABELS_SHOWN]
    scenes = {window.scene_id: window.scene for window in windows}
    return {
        "bounds": _extent([block.geometry.extent for block in blocks]),
        "blocks": [
            {"key": block.key, "region": block.region.name if block.region else "", "geometry": _json(block.geometry)}
            for block in blocks
        ],
        "windows": [_json(window.area) for window in windows],
        "labels": [
            {"type": label.mine_type.name, "color": label.mine_type.color, "geometry": _json(label.geometry)}
            for label in labels
        ],
        "scenes": [
            {
                "id": scene.pk,
                "version": scene.version,
                "bounds": list(scene.footprint.extent),
                "attribution": scene.attribution,
            }
            for scene in scenes.values()
        ],
    }


def _json(geometry: Any) -> dict[str, Any]:
    return {"type": geometry.geom_type, "coordinates": geometry.coords}


def _extent(extents: list[tuple[float, float, float, float]]) -> list[float]:
    west, south, east, north = zip(*extents, strict=True)
    return [min(west), min(south), max(east), max(north)]
