"""The daily check: it finds what somebody changed behind the decisions, and nothing where nobody did."""

from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F

from labelling.models import Decision, Job, Label, MineType, Site
from labelling.services.decisions import check_decisions, check_if_due, last_check, reckoning
from labelling.services.jobs import JobCancelled, claim_job, request_cancel
from labelling.tasks import check, keep_checked
from tests.cast import Cast
from tests.mines import a_campaign, a_site, decide, drawn, some_sites

pytestmark = pytest.mark.django_db

POND = {"feature": "pond"}


def verified(cast: Cast) -> Site:
    site = a_site()
    decide(cast.ana, site, "fix", types=POND, geometry=drawn(side=0.02))
    return Site.objects.get(pk=site.pk)


def said_of(site: Site) -> str:
    [fault] = check_decisions().faults
    assert fault.site == site.pk
    return fault.text


def test_nothing_is_found_where_people_alone_were_at_work(cast: Cast) -> None:
    twice = a_campaign(reviews_needed=2)
    sites = some_sites(8)
    decide(cast.ana, sites[0], types=POND)
    decide(cast.lea, sites[0], "reject", reason="inactive")
    decide(cast.ana, sites[1], "fix", geometry=drawn(side=0.005))
    decide(cast.ana, sites[2], "unsure")
    undone = decide(cast.ana, sites[3])
    decide(cast.ana, sites[3], "undo", undoes=undone.decision.key)
    decide(cast.ana, sites[4], "skip")
    decide(cast.ana, sites[5], types=POND, campaign_id=twice.pk)
    decide(cast.ben, sites[5], "reject", reason="cloud", campaign_id=twice.pk)
    decide(cast.ana, sites[6], campaign_id=twice.pk)
    decide(cast.ben, None, "add", geometry=drawn(10, 10), types=POND)
    found = check_decisions()
    assert found.faults == ()
    # The skipped site and the one nobody touched have nothing to show.
    assert (found.sites, found.decisions) == (7, Decision.objects.count() - 1)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda: Site.objects.update(state="open"), "is open, its decisions say verified"),
        (lambda: Label.objects.all().delete(), "has a label that is not what its decisions say"),
        (lambda: Label.objects.update(feature=None), "has a label that is not what its decisions say"),
        (lambda: Label.objects.update(geometry=drawn(5, 5)), "has a label that is not what its decisions say"),
        (lambda: Site.objects.update(feature=MineType.objects.get(code="open_pit")), "shows other types than"),
        (lambda: Site.objects.update(footprint=drawn(5, 5)), "shows another outline than its label"),
    ],
)
def test_what_was_changed_past_the_decisions_is_found_and_rebuilt(
    cast: Cast, change: Callable[[], object], text: str
) -> None:
    site = verified(cast)
    change()
    assert text in said_of(site)
    with pytest.raises(CommandError, match="--rebuild"):
        call_command("check_decisions")
    call_command("check_decisions", "--rebuild")
    assert check_decisions().faults == ()
    now = Site.objects.get(pk=site.pk)
    assert (now.state, now.types()) == ("verified", POND)
    assert now.footprint == site.footprint
    assert now.area_ha == pytest.approx(site.area_ha)


def test_a_label_that_nothing_settles_is_found_and_removed(cast: Cast) -> None:
    site = verified(cast)
    decide(cast.ana, site, "undo", undoes=Decision.objects.get().key)
    Label.objects.create(
        site=site, state="verified", geometry=site.footprint, decision=Decision.objects.earliest("id"),
        decided_at=Decision.objects.earliest("id").created_at,
    )  # fmt: skip
    assert said_of(site) == "has a label, its decisions settle nothing"
    call_command("check_decisions", "--rebuild")
    assert not Label.objects.exists()


def test_a_missing_decision_is_found_and_never_papered_over(cast: Cast) -> None:
    site = verified(cast)
    decide(cast.lea, site, "fix", types={"feature": "open_pit"})
    with connection.cursor() as cursor:  # whoever does this does not go through our models
        cursor.execute("DELETE FROM labelling_decision WHERE version = 1")
    assert said_of(site) == "counts 2 applied decisions, 1 are there"
    with pytest.raises(CommandError, match="1 sites miss decisions: bring them back from a backup"):
        call_command("check_decisions", "--rebuild")
    assert check_decisions().faults[0].is_loss


def test_a_decision_that_comes_in_meanwhile_is_no_fault(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    site = verified(cast)
    look = reckoning._fault_of

    def meanwhile(*seen: object) -> object:
        monkeypatch.setattr(reckoning, "_fault_of", look)
        decide(cast.lea, site, "reject", reason="cloud")
        return reckoning.Fault(site.pk, "was read half before and half after")

    monkeypatch.setattr(reckoning, "_fault_of", meanwhile)
    assert check_decisions().faults == ()


@pytest.mark.django_db(transaction=True)
def test_it_is_done_once_a_day_and_its_faults_are_told_until_they_are_mended(cast: Cast) -> None:
    assert check_if_due() is None, "nobody has decided anything"
    site = verified(cast)
    assert last_check() is None
    Site.objects.update(version=F("version") + 1)
    keep_checked()
    [job] = Job.objects.all()
    check(f"{job.pk}")
    assert check_if_due() is None, "today's is done"
    found = last_check()
    assert found is not None
    assert (found.sites, found.decisions, found.faults) == (1, 1, 1)
    assert [fault.site for fault in found.told] == [site.pk]
    Site.objects.update(version=F("version") - 1)
    mended = last_check()
    assert mended is not None
    assert mended.told == ()
    Job.objects.update(result={**Job.objects.get().result, "mark": {"day": "2020-01-01"}})
    again = check_if_due()
    assert again is not None
    check(f"{again.pk}")
    assert [one.pk for one in Job.objects.all()] == [again.pk], "earlier ones do not pile up"


def test_it_stops_when_asked_to(cast: Cast) -> None:
    verified(cast)
    job = check_if_due()
    assert job is not None
    handle = claim_job(job_id=job.pk)
    job.refresh_from_db()
    request_cancel(job=job, user=cast.ada)
    with pytest.raises(JobCancelled):
        check_decisions(handle=handle)
