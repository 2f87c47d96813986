from pathlib import Path

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon

from inference.core.errors import InferenceError, ModelMissing, ModelRefused
from inference.models import DispatchEntry, ModelVersion
from inference.services.dispatch import promote_model, retire_model, roll_back, routes_of
from labelling.core.blobs import blob_path
from labelling.models import MineType, Region
from tests.inference.catalogue import catalogued
from tests.inference.models import fake_model

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]


def real_model(folder: Path, name: str = "baseline") -> ModelVersion:
    """A model that may serve; nothing here loads its weights."""
    model = fake_model(folder, name=name)
    ModelVersion.objects.filter(pk=model.pk).update(engine="yolo")
    model.refresh_from_db()
    return model


def status(model: ModelVersion) -> str:
    model.refresh_from_db()
    return model.status


def test_promotion_and_the_way_back(tmp_path: Path) -> None:
    first, second = real_model(tmp_path), real_model(tmp_path)
    promote_model(model=first)
    entry = promote_model(model=second)
    assert (entry.model, entry.previous) == (second, first)
    assert (status(first), status(second)) == ("retired", "serving")
    entry = roll_back(entry=entry)
    assert (entry.model, entry.previous) == (first, second)
    assert (status(first), status(second)) == ("serving", "retired")
    assert roll_back(entry=entry).model == second
    assert DispatchEntry.objects.count() == 1


def test_promoting_what_serves_already_keeps_the_way_back(tmp_path: Path) -> None:
    first, second = real_model(tmp_path), real_model(tmp_path)
    promote_model(model=first)
    promote_model(model=second)
    assert promote_model(model=second).previous == first


def test_the_first_model_has_no_way_back(tmp_path: Path) -> None:
    entry = promote_model(model=real_model(tmp_path))
    with pytest.raises(InferenceError, match="no way back"):
        roll_back(entry=entry)


def test_a_model_for_tests_cannot_serve(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="for tests"):
        promote_model(model=fake_model(tmp_path))
    assert not DispatchEntry.objects.exists()


def test_a_model_without_its_weights_cannot_serve(tmp_path: Path, settings: object) -> None:
    model = real_model(tmp_path)
    blob = blob_path(settings.BLOB_ROOT, model.weights_sha256)  # type: ignore[attr-defined]
    content = blob.read_bytes()
    blob.unlink()
    with pytest.raises(ModelMissing):
        promote_model(model=model)
    assert status(model) == "candidate"
    blob.write_bytes(content)


def test_a_serving_model_is_not_retired_by_mistake(tmp_path: Path) -> None:
    serving, idle = real_model(tmp_path), real_model(tmp_path)
    promote_model(model=serving)
    with pytest.raises(InferenceError, match="promote another model first"):
        retire_model(model=serving)
    retire_model(model=idle)
    assert (status(serving), status(idle)) == ("serving", "retired")


def test_a_model_that_still_serves_another_line_stays_serving(tmp_path: Path) -> None:
    both, other = real_model(tmp_path), real_model(tmp_path)
    promote_model(model=both)
    DispatchEntry.objects.create(model=both, mine_type=MineType.objects.get(code="pond"))
    promote_model(model=other)
    assert (status(both), status(other)) == ("serving", "serving")


def test_each_scene_goes_to_the_models_of_its_region(tmp_path: Path) -> None:
    around = MultiPolygon(Polygon.from_bbox((-45.0, -21.5, -44.0, -20.5)), srid=4326)
    Region.objects.create(eco_id=42, name="Cerrado", biome_id=7, biome="Savannas", realm="Neotropic", geom=around)
    inside = catalogued(tmp_path / "inside.tif", [])
    outside = catalogued(tmp_path / "outside.tif", [], lon=27.3, lat=-10.7)
    general, special = real_model(tmp_path, "general"), real_model(tmp_path, "special")
    promote_model(model=general)
    DispatchEntry.objects.create(model=special, level="ecoregion", place=42)
    assert routes_of([inside, outside]) == [
        [(special, "every type, ecoregion 42")],
        [(general, "every type, everywhere")],
    ]


def test_an_empty_table_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InferenceError, match="promote one"):
        routes_of([])
