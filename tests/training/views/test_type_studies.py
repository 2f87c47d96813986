"""The pages of studies: the list and its form, the report, the figures as CSV."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from labelling.models import Job
from labelling.services.suspects import find_suspects
from tests.cast import Cast
from tests.labelling.services.test_suspects import against, verified
from tests.mines import decide, some_sites
from tests.training.core.test_type_figures import judged
from training.core.type_figures import report_of
from training.models import TypeOpinion, TypeStudy

pytestmark = pytest.mark.django_db
FORM = {"axis": "feature", "truth": "verified", "families": ["shape"], "limit": "100"}


def a_study(cast: Cast, **report: Any) -> TypeStudy:
    codes = ("open_pit", "pond", "waste_rock_dump")
    job = Job.objects.create(kind="training.propose_types", title="Propose types", state="done", created_by=cast.ada)
    figures = report_of(judged(200), codes=codes, regions=["Cerrado"] * 120 + ["Caatinga"] * 80)
    more = {
        "codes": codes,
        "left_out": {"heap_leach_pad": 3},
        "features": ["log_area"],
        "folds": 5,
        "tested": 2,
        "with_imagery": 0,
        "unseen_regions": None,
        "rates": {"within 250 m": [3, 4]},
        "weights_sha256": "",
    }
    settings = {"truth": "verified", "families": ["shape"], "block_m": 20000, "buffer_m": 2000, "architecture": ""}
    return TypeStudy.objects.create(
        name="types-feature-1", axis="feature", settings=settings, job=job, report={**figures, **more, **report},
        counts={"examples": 200, "classifier": 7, "neighbours": 2, "unchanged": 0, "suspects": 4},
    )  # fmt: skip


def test_a_report_shows_its_figures_beside_the_majority(cast: Cast, client: Client) -> None:
    study = a_study(cast)
    client.force_login(cast.lea)
    page = client.get(f"/training/types/{study.pk}/").content.decode()
    overall = study.report["overall"]
    for share in (overall["accuracy"], overall["majority"]):
        assert f"{share * 100:.1f}\N{NARROW NO-BREAK SPACE}%" in page
    assert f"{overall['ece']:.3f}" in page
    assert "No imagery." in page
    assert "heap_leach_pad is left out: 3 examples" in page
    assert page.count('class="dot"') == sum(1 for one in study.report["bins"] if one["count"])
    assert all(name in page for name in ("Cerrado", "Caatinga", "open pit", "within 250 m"))
    assert "types-feature-1" in client.get("/training/types/").content.decode()


def test_a_study_that_runs_shows_its_job_and_nothing_else(cast: Cast, client: Client) -> None:
    job = Job.objects.create(kind="training.propose_types", title="Propose types", state="running", phase="measuring")
    study = TypeStudy.objects.create(name="types-feature-1", axis="feature", settings={}, job=job)
    client.force_login(cast.lea)
    page = client.get(f"/training/types/{study.pk}/").content.decode()
    assert "hx-trigger" in page
    assert "measuring" in page
    assert "Reliability" not in page


def test_every_held_out_prediction_is_in_the_csv(cast: Cast, client: Client) -> None:
    study = a_study(cast)
    [site] = some_sites(1)
    TypeOpinion.objects.create(
        study=study, site=site, given="pond", fold=2, odds=[["pond", 0.9], ["open_pit", 0.1]], quality=0.9
    )
    client.force_login(cast.lea)
    answer = client.get(f"/training/types/{study.pk}/held-out.csv")
    [row] = csv.DictReader(io.StringIO(answer.content.decode()))
    assert row == {
        "site": str(site.pk), "given": "pond", "fold": "2", "label_quality": "0.9", "is_issue": "0",
        "open_pit": "0.1", "pond": "0.9", "waste_rock_dump": "0",
    }  # fmt: skip


def test_an_admin_starts_a_study_and_a_lead_does_not(cast: Cast, client: Client) -> None:
    for number, site in enumerate(some_sites(16)):
        decide(cast.ana, site, "accept", types={"feature": "pond" if number % 2 else "open_pit"})
    client.force_login(cast.lea)
    assert client.post("/training/types/", FORM).status_code == 403
    client.force_login(cast.ada)
    answer = client.post("/training/types/", FORM)
    study = TypeStudy.objects.get()
    assert answer.headers["Location"] == f"/training/types/{study.pk}/"
    assert (study.settings["families"], study.job.created_by, study.job.queue) == (["shape"], cast.ada, "cpu")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, "two types with 8 examples each are needed"),
        ({"families": ["embedding"]}, "embedding needs the name of a network"),
        ({"families": []}, "This field is required"),
        ({"limit": "-1"}, "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_studied_is_said_on_the_form(
    cast: Cast, client: Client, change: dict[str, Any], told: str
) -> None:
    client.force_login(cast.ada)
    answer = client.post("/training/types/", {**FORM, **change})
    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert not Job.objects.exists()


def test_leads_find_the_suspects_with_their_reasons(cast: Cast, client: Client) -> None:
    client.force_login(cast.lea)
    assert "No label looks wrong" in client.get("/review/suspects/").content.decode()
    site, *_ = verified(cast)
    find_suspects(doubts=against(site))
    page = client.get("/review/suspects/").content.decode()
    assert "a classifier calls it open_pit" in page
    assert f'href="/review/suspect-labels/?site={site.pk}"' in page
    assert "accepted by ana" in page
    assert '<span class="pill pill-warn">1</span> Suspect' in client.get("/review/").content.decode()
    client.force_login(cast.ana)
    assert client.get("/review/suspects/").status_code == 403
    assert client.get("/review/suspect-labels/").status_code == 404
