from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labelling.models import Job
from labelling.services.jobs import claim_job, enqueue_job, log_of
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def asked_by(user: object, **more: object) -> Job:
    job = enqueue_job(kind="labelling.nothing", title="Convert chip 7", params={}, user=user)  # type: ignore[arg-type]
    Job.objects.filter(pk=job.pk).update(**more)
    job.refresh_from_db()
    return job


def page(client: Client, job: Job) -> str:
    response = client.get(reverse("job", args=[job.pk]))
    assert response.status_code == 200
    return response.content.decode()


def test_who_started_a_job_sees_it_and_an_admin_sees_all(client: Client, cast: Cast) -> None:
    job = asked_by(cast.ana)
    for person in (cast.ana, cast.ada):
        client.force_login(person)
        assert "Convert chip 7" in page(client, job)
        assert "Convert chip 7" in client.get(reverse("jobs")).content.decode()


def test_a_foreign_job_is_answered_like_a_missing_one(client: Client, cast: Cast) -> None:
    job = asked_by(cast.ada)
    client.force_login(cast.ben)
    assert "Convert chip 7" not in client.get(reverse("jobs")).content.decode()
    foreign, missing = (client.get(reverse("job", args=[pk])) for pk in (job.pk, uuid4()))
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert client.post(reverse("job-cancel", args=[job.pk])).status_code == 404
    job.refresh_from_db()
    assert not job.cancel_requested


def test_a_running_job_moves_and_can_be_stopped(client: Client, cast: Cast) -> None:
    started = timezone.now() - timedelta(minutes=2)
    job = asked_by(cast.ana)
    claim_job(job_id=job.pk)
    Job.objects.filter(pk=job.pk).update(phase="scene 3 of 12", progress=0.25, started_at=started)
    client.force_login(cast.ana)
    html = page(client, job)
    assert "scene 3 of 12" in html
    assert 'value="0.25"' in html
    assert "about 6 min" in html.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{THIN SPACE}", " ")
    assert 'hx-trigger="every 2s"' in html
    response = client.post(reverse("job-cancel", args=[job.pk]), {"next": "/scenes/"})
    assert response.headers["Location"] == "/scenes/"
    job.refresh_from_db()
    assert job.cancel_requested
    assert "Stopping" in page(client, job)


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_cancelling_never_leads_away(client: Client, cast: Cast, back: str) -> None:
    job = asked_by(cast.ana)
    client.force_login(cast.ana)
    response = client.post(reverse("job-cancel", args=[job.pk]), {"next": back})
    assert response.headers["Location"] == reverse("job", args=[job.pk])


def test_a_job_that_is_over_polls_no_more_and_has_no_cancel_button(client: Client, cast: Cast) -> None:
    job = asked_by(cast.ana, state="failed", error="no imagery: import scenes first")
    client.force_login(cast.ana)
    html = page(client, job)
    assert "no imagery: import scenes first" in html
    assert "hx-trigger" not in html
    assert "cancel-job" not in html


def test_a_dead_worker_is_said_at_once_even_where_no_reaper_runs(client: Client, cast: Cast) -> None:
    job = asked_by(cast.ana)
    claim_job(job_id=job.pk)
    silent = timezone.now() - timedelta(seconds=settings.JOB_DEAD_AFTER_S + 5)
    Job.objects.filter(pk=job.pk).update(heartbeat_at=silent)
    client.force_login(cast.ana)
    html = page(client, job)
    assert "Its worker is dead" in html
    assert 'data-state="failed"' in html
    assert "cancel-job" not in html


def test_a_job_that_nobody_takes_says_how_to_start_a_worker(client: Client, cast: Cast) -> None:
    job = asked_by(cast.ana, queue="gpu")
    client.force_login(cast.ana)
    assert "celery" not in page(client, job)
    Job.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(seconds=31))
    assert "celery -A mad_web worker -Q gpu" in page(client, job)


def test_the_end_of_the_log_is_shown_as_text(client: Client, cast: Cast) -> None:
    job = asked_by(cast.ana)
    log_of(job).parent.mkdir(parents=True, exist_ok=True)
    log_of(job).write_bytes(b"<script>alert(1)</script>\nepoch 1: 10%\repoch 1: 100%\n\x1b[31mred\x1b[0m\n\xff\n")
    client.force_login(cast.ana)
    html = page(client, job)
    assert "&lt;script&gt;alert(1)" in html
    assert "epoch 1: 100%\nred\n" in html
    assert "10%\r" not in html


def test_the_list_is_filtered_by_its_url(client: Client, cast: Cast) -> None:
    asked_by(cast.ana, title="done one", state="done")
    asked_by(cast.ana, title="queued one", queue="gpu")
    client.force_login(cast.ana)

    def shown(query: str) -> tuple[bool, bool]:
        html = client.get(reverse("jobs") + query).content.decode()
        return "done one" in html, "queued one" in html

    assert shown("") == (True, True)
    assert shown("?state=done") == (True, False)
    assert shown("?queue=gpu") == (False, True)
    assert shown("?state=nonsense") == (False, False)
