"""The front page tells each person what to do next."""

import pytest
from django.test import Client
from shapely.geometry import box

from labelling.core.matching import ClaimSpec
from labelling.models import Job, Site, Source
from labelling.services.campaigns import Terms, create_campaign
from labelling.services.dashboard import survey_work
from labelling.services.decisions import check_if_due
from labelling.services.sites import place_claims
from labelling.tasks import check
from mad_web.first_steps import first_steps
from tests.cast import Cast
from tests.mines import decide


def home_of(user: object) -> str:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return str(client.get("/").text)


@pytest.fixture
def sites(cast: Cast) -> None:
    source = Source.objects.create(name="seeds", kind="labelled")
    place_claims(source=source, claims=[ClaimSpec("1", box(0, 0, 0.01, 0.01), {"feature": (("pond", None),)})])
    create_campaign(terms=Terms("ponds"))


def test_an_empty_installation_says_what_to_do_first(cast: Cast) -> None:
    page = home_of(cast.ada)
    assert "bring imagery in" in page
    assert "manage.py import_scenes" in page
    assert 'href="/imports/new/"' in page
    assert "manage.py import_scenes" not in home_of(cast.ana)


def test_somebody_without_a_role_is_told_so(cast: Cast) -> None:
    assert "no role yet" in home_of(cast.eve)


def test_a_reviewer_goes_on_by_one_key(sites: None, cast: Cast) -> None:
    page = home_of(cast.ana)
    assert "Go on reviewing ponds" in page
    assert 'href="/review/ponds/" data-enter' in page


def test_an_analyst_is_not_asked_to_review(sites: None, cast: Cast) -> None:
    page = home_of(cast.gus)
    assert "data-enter" not in page
    assert "Progress by type" in page


def test_steps_are_ticked_off(sites: None, cast: Cast) -> None:
    steps = first_steps(user=cast.ada, work=survey_work(user=cast.ada))
    assert [step.title for step in steps if step.done] == ["Bring seeds in"]
    assert first_steps(user=cast.ana, work=survey_work(user=cast.ana)) == ()


def test_the_plots_have_their_figures_as_csv(sites: None, cast: Cast) -> None:
    client = Client()
    client.force_login(cast.lea)
    days = client.get("/dashboard/decisions.csv")
    assert days["Content-Disposition"] == 'attachment; filename="decisions-a-day.csv"'
    assert days.text.splitlines()[0] == "day,everybody,you"
    assert len(days.text.splitlines()) == 15
    assert client.get("/dashboard/quality.csv").text.strip() == "model,status,testset,at,ap50,ap50_95,truths"


def test_the_session_tells_who_is_logged_in(cast: Cast) -> None:
    client = Client()
    assert client.get("/session/").json() == {"user": None}
    client.force_login(cast.ana)
    answer = client.get("/session/")
    assert answer.json() == {"user": cast.ana.pk}
    assert "no-store" in answer["Cache-Control"]
    assert "csrftoken" in answer.cookies


def test_a_lead_sees_the_daily_check_and_what_it_found(sites: None, cast: Cast) -> None:
    decide(cast.ana, Site.objects.get())
    job = check_if_due()
    assert job is not None
    check(f"{job.pk}")
    assert "1 decision on 1 site checked" in home_of(cast.lea)
    assert "checked" not in home_of(cast.ana)
    Site.objects.update(state="open")
    Job.objects.update(result={**Job.objects.get().result, "told": [{"site": Site.objects.get().pk}]})
    page = home_of(cast.lea)
    assert "1 site does not show what people decided" in page
    assert "is open, its decisions say verified" in page
    assert "manage.py check_decisions --rebuild" in page
    assert "check_decisions" not in home_of(cast.ana)
