import html
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from inference.models import DispatchEntry, ModelVersion
from inference.services.dispatch import promote_model
from tests.cast import Cast
from tests.inference.models import fake_model, proposed
from tests.mines import decide

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


def told(client: Client, model: ModelVersion) -> str:
    """What the page says that reviewers said, in words alone."""
    section = re.search(r'<section[^>]*"said".*?</section>', client.get(f"/models/{model.name}/").text, re.S)
    assert section
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", section[0])).split())


def test_the_page_says_what_reviewers_said_and_leads_to_the_sites(
    client: Client, cast: Cast, model: ModelVersion
) -> None:
    sites = proposed(model, 0.95, 0.92, 0.45, 0.42, 0.3)
    decide(cast.ana, sites[0])
    decide(cast.ana, sites[1], "fix", types={"feature": "pond"})
    decide(cast.ana, sites[2], "reject", reason="not_a_mine")
    decide(cast.ana, sites[3], "reject", reason="bad_imagery")
    client.force_login(cast.lea)
    said = told(client, model)
    assert "5 proposals of it stand on 5 sites" in said
    assert "67 % of the 3 decided are mines" in said
    assert "1 accepted as proposed, 0 fixed with its type kept, 1 as another type" in said
    assert "rejected 2 1 bad imagery, 1 not a mine" in said
    assert "an offset (1): not counted as decided" in said
    assert "no figure of a test set" in said
    page = client.get(f"/models/{model.name}/").text
    links = [html.unescape(link) for link in re.findall(r'href="(/sites/[^"]+)"', page)]
    assert [len(client.get(link).context["page"]) for link in links] == [1, 2, 2, 0, 2, 2, 1]
    assert links[4:] == [
        f"/sites/?source=baseline-1&score_from={low}&score_to={high}"
        for low, high in (("0.9", "1.0"), ("0.4", "0.5"), ("0.3", "0.4"))
    ]


def test_before_the_first_decision_no_share_is_made_up(client: Client, cast: Cast, model: ModelVersion) -> None:
    proposed(model, 0.9)
    client.force_login(cast.lea)
    said = told(client, model)
    assert "1 proposal of it stands on 1 site. None of them says yet whether it was right." in said
    assert "%" not in said


def test_a_model_that_proposed_nothing_says_what_to_do_first(client: Client, cast: Cast, model: ModelVersion) -> None:
    for person, way in ((cast.ada, True), (cast.lea, False)):
        client.force_login(person)
        assert "It has proposed nothing yet" in told(client, model)
        assert ("Start a run" in told(client, model)) is way


def test_who_may_not_see_sites_is_led_to_none(client: Client, cast: Cast, model: ModelVersion) -> None:
    proposed(model, 0.9)
    cast.eve.user_permissions.add(Permission.objects.get(codename="view_modelversion"))
    client.force_login(cast.eve)
    assert "0.9 to 1.0 1 0 0 0" in told(client, model)
    assert "/sites/" not in client.get(f"/models/{model.name}/").text
