"""What the front page says, counted from the rows that it came from."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from shapely.geometry import box

from labelling.core.matching import ClaimSpec
from labelling.models import Decision, Job, Site, Source
from labelling.services.campaigns import Terms, create_campaign
from labelling.services.dashboard import DAYS, survey_work
from labelling.services.decisions import Submission, submit_decision
from labelling.services.sites import place_claims
from tests.cast import Cast


def place_sites(*codes: str | None) -> list[Site]:
    source, _ = Source.objects.get_or_create(name="seeds", defaults={"kind": "labelled"})
    claims = [
        ClaimSpec(f"{code}-{row}", box(row, 0, row + 0.01, 0.01), {"feature": ((code, None),)} if code else {})
        for row, code in enumerate(codes)
    ]
    return [proposal.site for proposal in place_claims(source=source, claims=claims).proposals]


@pytest.mark.django_db
def test_an_empty_place_has_nothing_to_go_on_with(cast: Cast) -> None:
    work = survey_work(user=cast.ana)
    assert work.sites.total == 0
    assert work.sites.settled == 0
    assert work.next_campaign is None
    assert work.by_type == work.by_region == ()
    assert [day.everybody for day in work.days] == [0] * DAYS


@pytest.mark.django_db(transaction=True)
def test_sites_are_counted_by_type_and_state(cast: Cast) -> None:
    first, second, _third, _untyped = place_sites("open_pit", "open_pit", "pond", None)
    submit_decision(user=cast.ana, submission=Submission(key=uuid4(), verdict="accept", site_id=first.pk))
    reject = Submission(key=uuid4(), verdict="reject", site_id=second.pk, reason="not_a_mine")
    submit_decision(user=cast.ben, submission=reject)
    submit_decision(user=cast.ben, submission=Submission(key=uuid4(), verdict="skip", site_id=second.pk))

    work = survey_work(user=cast.ana)
    assert (work.sites.open, work.sites.verified, work.sites.rejected) == (2, 1, 1)
    assert work.sites.settled == 0.5
    assert sum(part.total for part in work.by_type) == sum(part.total for part in work.by_region) == 4
    assert work.by_type[-1].name == "no type yet"
    assert next(part for part in work.by_type if part.name == "pond").open == 1
    assert (work.days[-1].everybody, work.days[-1].mine) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_what_was_undone_is_not_throughput(cast: Cast) -> None:
    site = place_sites("pond")[0]
    key = uuid4()
    submit_decision(user=cast.ana, submission=Submission(key=key, verdict="accept", site_id=site.pk))
    undo = Submission(key=uuid4(), verdict="undo", site_id=site.pk, base_version=1, undoes=key)
    submit_decision(user=cast.ana, submission=undo)
    assert Decision.objects.count() == 2
    assert survey_work(user=cast.ana).days[-1].everybody == 0


@pytest.mark.django_db(transaction=True)
def test_one_goes_on_where_most_is_left(cast: Cast) -> None:
    place_sites("pond", "pond", "open_pit")
    create_campaign(terms=Terms("ponds", conditions={"types": ["pond"]}))
    create_campaign(terms=Terms("pits", conditions={"types": ["open_pit"]}))
    create_campaign(terms=Terms("for Ben", reviewers=[cast.ben]))
    going_on = survey_work(user=cast.ana).next_campaign
    assert going_on
    assert (going_on[0].name, going_on[1].total) == ("ponds", 2)


@pytest.mark.django_db
def test_jobs_show_while_they_wait_or_run(cast: Cast) -> None:
    for state in Job.State.values:
        Job.objects.create(kind="x", title=state, state=state, heartbeat_at=timezone.now() - timedelta(seconds=1))
    assert {job.title for job in survey_work(user=cast.ada).jobs} == {"queued", "running"}
