"""The whole loop on synthetic ground, as short as it can be: one epoch, few places."""

import io
import json

import pytest
from django.core.management import call_command

from inference.models import Detection, ModelVersion
from labelling.core.synthetic import make_places
from labelling.models import Label, Snapshot
from tests.cast import Cast
from training.models import Score
from training.services.demo import run_loop

pytestmark = [pytest.mark.worker, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_the_loop_goes_round(cast: Cast) -> None:
    lines: list[str] = []
    outcome = run_loop(places=make_places(14, side=384)[2:], epochs=1, say=lines.append)
    assert list(outcome)[:6] == ["import", "review", "freeze", "train", "judge", "detect"]
    assert outcome["review"]["verified"] == Label.objects.filter(state="verified").count() > 20
    assert outcome["train"]["epochs"] == 1
    assert set(ModelVersion.objects.values_list("name", flat=True)) == {"synthetic-1", "synthetic-1-untrained-1"}
    assert Score.objects.filter(slice_kind="all").count() == 2
    assert outcome["judge"]["trained"]["truths"] == outcome["freeze"]["labels"] > 0
    assert outcome["detect"]["windows"] > 0
    assert Detection.objects.count() == outcome["detect"]["proposed"]
    assert {snapshot.format for snapshot in Snapshot.objects.exclude(sha256="")} == {"yolo", "coco", "geojson"}
    assert any(line.startswith("train:") for line in lines)

    said = io.StringIO()
    call_command("summary", "--json", stdout=said)
    assert json.loads(said.getvalue())["models"] == {"candidate": 2}
