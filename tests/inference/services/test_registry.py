from pathlib import Path

import pytest
from django.conf import settings

from inference.core.errors import ModelMissing, ModelRefused
from inference.core.model_version import ModelSpec
from inference.core.preparation import Preparation
from inference.models import ModelVersion
from inference.services.registry import model_named, register_model, weights_of
from labelling.core.blobs import blob_path, sha256_of
from labelling.models import Source
from tests.inference.models import PREPARATION, fake_model, fake_weights

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]


def test_a_registered_model_has_all_that_is_needed_to_use_it(tmp_path: Path) -> None:
    weights = fake_weights(tmp_path)
    model = fake_model(tmp_path, name="baseline")
    weights.unlink()
    model = ModelVersion.objects.get(pk=model.pk)
    assert (model.name, model.status, model.types) == ("baseline-1", "candidate", ["open_pit", "pond"])
    assert Preparation.from_json(model.preparation) == PREPARATION
    assert model.bands == ["B04", "B03"]
    assert (model.source.kind, model.source.name, model.source.licence) == ("model", "baseline-1", "AGPL-3.0")
    assert sha256_of(weights_of(model)) == model.weights_sha256


def test_the_same_name_again_gets_the_next_number_and_the_same_weights_are_kept_once(tmp_path: Path) -> None:
    first, second = fake_model(tmp_path, name="baseline"), fake_model(tmp_path, name="baseline")
    assert (first.name, second.name) == ("baseline-1", "baseline-2")
    assert weights_of(first) == weights_of(second)


def test_the_name_of_a_seed_source_is_not_taken_over(tmp_path: Path) -> None:
    Source.objects.create(name="maus-1", kind="polygons")
    assert fake_model(tmp_path, name="maus-1").name == "maus-2"


@pytest.mark.parametrize("types", [("open_pit", "no_such_type"), ("gold",)])
def test_a_type_that_is_not_on_the_axis_is_refused(tmp_path: Path, types: tuple[str, ...]) -> None:
    with pytest.raises(ModelRefused, match=f"no type {types[-1]} on the axis feature"):
        fake_model(tmp_path, types=types)
    assert not Source.objects.exists()


@pytest.mark.parametrize("content", [None, b""])
def test_weights_that_are_absent_or_empty_are_refused(tmp_path: Path, content: bytes | None) -> None:
    weights = tmp_path / "best.pt"
    if content is not None:
        weights.write_bytes(content)
    with pytest.raises(ModelRefused, match=r"no weights at best\.pt"):
        register_model(name="x", weights=weights, spec=ModelSpec("yolo11n", "feature", ("pond",), PREPARATION))


def test_weights_that_are_gone_are_missed_by_name(tmp_path: Path) -> None:
    model = fake_model(tmp_path)
    blob = blob_path(settings.BLOB_ROOT, model.weights_sha256)
    content = blob.read_bytes()
    blob.unlink()
    with pytest.raises(ModelMissing, match="the weights of blobs-1 are gone"):
        weights_of(model)
    blob.write_bytes(content)


def test_a_model_is_found_by_its_name_or_the_others_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="train one first"):
        model_named("nobody-1")
    model = fake_model(tmp_path)
    assert model_named("blobs-1") == model
    with pytest.raises(ModelMissing, match="no model is called nobody-1; there are blobs-1"):
        model_named("nobody-1")
