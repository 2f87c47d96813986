from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from inference.models import DispatchEntry, ModelVersion
from inference.services.dispatch import promote_model
from tests.cast import Cast
from tests.inference.models import fake_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(cast: Cast, tmp_path: Path) -> ModelVersion:
    return real(tmp_path)


def real(folder: Path) -> ModelVersion:
    model = fake_model(folder, name="baseline")
    ModelVersion.objects.filter(pk=model.pk).update(engine="yolo")
    model.refresh_from_db()
    return model


def test_the_page_of_a_model_says_what_it_finds_and_sees(client: Client, cast: Cast, model: ModelVersion) -> None:
    client.force_login(cast.lea)
    html = client.get(reverse("model", args=[model.name])).content.decode()
    for text in ("baseline-1", "candidate", "open pit", "pond", "B04", "64 px", model.weights_sha256, "Nowhere"):
        assert text in html
    assert "Let it serve" not in html


def test_an_admin_lets_a_model_serve_and_takes_it_back(
    client: Client, cast: Cast, model: ModelVersion, tmp_path: Path
) -> None:
    second = real(tmp_path)
    client.force_login(cast.ada)
    for each in (model, second):
        assert "Let it serve" in client.get(reverse("model", args=[each.name])).content.decode()
        client.post(reverse("model-promote", args=[each.name]))
    entry = DispatchEntry.objects.get()
    assert entry.model == second
    html = client.get(reverse("dispatch")).content.decode()
    assert "Back to baseline-1" in html
    client.post(reverse("dispatch-rollback", args=[entry.pk]))
    entry.refresh_from_db()
    assert entry.model == model
    assert "every type, everywhere" in client.get(reverse("model", args=[model.name])).content.decode()


def test_a_serving_model_cannot_be_put_aside_and_the_page_says_why(
    client: Client, cast: Cast, model: ModelVersion
) -> None:
    promote_model(model=model)
    client.force_login(cast.ada)
    response = client.post(reverse("model-retire", args=[model.name]), follow=True)
    assert "promote another model first" in response.content.decode()
    model.refresh_from_db()
    assert model.status == "serving"


def test_an_idle_model_is_put_aside(client: Client, cast: Cast, model: ModelVersion) -> None:
    client.force_login(cast.ada)
    client.post(reverse("model-retire", args=[model.name]))
    model.refresh_from_db()
    assert model.status == "retired"


def test_a_lead_looks_but_changes_nothing(client: Client, cast: Cast, model: ModelVersion) -> None:
    client.force_login(cast.lea)
    for name in ("model-promote", "model-retire"):
        assert client.post(reverse(name, args=[model.name])).status_code == 403
    assert not DispatchEntry.objects.exists()


def test_an_empty_table_says_what_to_do_first(client: Client, cast: Cast) -> None:
    client.force_login(cast.ada)
    assert "No model serves yet" in client.get(reverse("dispatch")).content.decode()


def test_a_model_that_is_not_there_is_not_found(client: Client, cast: Cast) -> None:
    client.force_login(cast.ada)
    assert client.get("/models/nobody-1/").status_code == 404
