"""Actions on many sites at work: stopped, killed, done twice, and beside reviewers."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from labelling.core.errors import BadInput, Conflict
from labelling.core.sites import PUT_FIRST
from labelling.models import BulkAction, Decision, Job, Site
from labelling.services.bulk import Wish, acts, run_bulk, start_bulk, undo_bulk, work
from labelling.services.bulk.acts import act_of
from labelling.services.decisions import check_decisions
from labelling.services.jobs import claim_job, request_cancel, run_job
from labelling.services.queue import claim_sites
from tests.bulks import CLOUD, PITS, counts, done, drawn_up, notes, sites_now, states
from tests.cast import Cast
from tests.crowd import at_once
from tests.mines import a_campaign, decide, some_sites

pytestmark = pytest.mark.django_db


def test_what_changed_since_the_preview_is_left_alone_and_listed(cast: Cast) -> None:
    sites = some_sites(4)
    bulk = drawn_up(cast.lea, CLOUD, sites)
    decide(cast.ana, sites[0])
    claim_sites(user=cast.ben, campaign=a_campaign(), want=[sites[1].pk])
    start_bulk(user=cast.lea, bulk=bulk)
    assert states(sites) == ["verified", "open", "rejected", "rejected"]
    assert notes(bulk) == {
        sites[0].pk: "somebody has decided on it since the preview",
        sites[1].pk: "ben is reviewing it",
    }
    assert not Decision.objects.filter(version=None).exists(), "nothing was sent that could not be applied"
    decide(cast.lea, sites[2], "accept")
    undo_bulk(user=cast.lea, bulk=bulk)
    assert states(sites) == ["verified", "open", "verified", "open"]
    assert notes(bulk)[sites[2].pk] == "somebody has decided on it since"
    assert counts(bulk) == {"skipped": 2, "kept": 1, "undone": 1}


@pytest.mark.parametrize("undo", [False, True])
def test_done_twice_it_counts_once(cast: Cast, undo: bool) -> None:
    """As after a worker's death: the decisions stand, and what was noted of them is lost."""
    sites = some_sites(3)
    bulk = done(cast.lea, CLOUD, sites)
    if undo:
        undo_bulk(user=cast.lea, bulk=bulk)
    made = Decision.objects.count()
    bulk.items.update(outcome="done" if undo else "waiting")
    (undo_bulk if undo else start_bulk)(user=cast.lea, bulk=bulk)
    assert Decision.objects.count() == made
    assert counts(bulk) == {"undone" if undo else "done": 3}


def test_a_reset_that_died_between_two_opinions_goes_on(cast: Cast) -> None:
    blind = a_campaign("Blind", reviews_needed=2)
    [site] = some_sites(1, types=PITS)
    decide(cast.ana, site, campaign_id=blind.pk)
    decide(cast.ben, site, campaign_id=blind.pk)
    bulk = done(cast.lea, Wish("reset"), [site])
    undone = Decision.objects.filter(verdict="undo")
    assert undone.count() == 2
    bulk.items.update(outcome="waiting")
    start_bulk(user=cast.lea, bulk=bulk)
    assert (counts(bulk), undone.count()) == ({"done": 1}, 2)


def test_many_sites_are_a_job_that_can_be_stopped_and_gone_on_with(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "AT_ONCE", 2)
    monkeypatch.setattr(work, "_CHUNK", 2)
    sites = some_sites(5)
    bulk = done(cast.lea, CLOUD, sites)
    job = bulk.job
    assert job
    assert (job.state, states(sites)) == ("queued", ["open"] * 5), "a worker does it"
    with pytest.raises(BadInput, match="at work"):
        start_bulk(user=cast.lea, bulk=bulk)
    with pytest.raises(BadInput, match="at work"):
        undo_bulk(user=cast.lea, bulk=bulk)

    acted = []

    def stopped_meanwhile(bulk: BulkAction, *, undo: bool) -> Any:
        def go(bulk: BulkAction, items: Any) -> None:
            act_of(bulk, undo=undo)(bulk, items)
            acted.append(len(items))
            request_cancel(job=job, user=cast.lea)

        return go

    monkeypatch.setattr(work, "act_of", stopped_meanwhile)
    run_job(job_id=job.pk, work=lambda job, handle: run_bulk(job=job, handle=handle))
    assert Job.objects.get(pk=job.pk).state == "cancelled"
    assert (acted, counts(bulk)) == ([2], {"done": 2, "waiting": 3})

    monkeypatch.setattr(work, "act_of", act_of)
    bulk.refresh_from_db()
    start_bulk(user=cast.lea, bulk=bulk)
    bulk.refresh_from_db()
    assert bulk.job
    run_job(job_id=bulk.job.pk, work=lambda job, handle: run_bulk(job=job, handle=handle))
    again = Job.objects.get(pk=bulk.job.pk)
    assert (again.state, again.result["done"]) == ("done", 5)
    undo_bulk(user=cast.lea, bulk=bulk)
    bulk.refresh_from_db()
    assert bulk.job
    assert bulk.job.title == "take back: reject: cloud, 5 sites"
    run_job(job_id=bulk.job.pk, work=lambda job, handle: run_bulk(job=job, handle=handle))
    assert states(sites) == ["open"] * 5


def test_a_job_whose_worker_died_may_be_taken_up(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "AT_ONCE", 0)
    bulk = done(cast.lea, CLOUD, some_sites(1))
    assert bulk.job
    assert claim_job(job_id=bulk.job.pk)
    assert BulkAction.objects.get(pk=bulk.pk).is_busy
    Job.objects.filter(pk=bulk.job.pk).update(heartbeat_at=timezone.now() - timedelta(days=1))
    assert not BulkAction.objects.get(pk=bulk.pk).is_busy


def test_reviewers_decide_while_it_runs_and_nothing_is_lost(open_house: Cast) -> None:
    sites = some_sites(24)
    bulk = drawn_up(open_house.lea, CLOUD, sites)

    def review(person: User, part: list[Site]) -> list[tuple[int, bool]]:
        found = []
        for site in part:
            try:
                decide(person, site, key=uuid4(), base_version=0)
            except Conflict:
                found.append((site.pk, False))
            else:
                found.append((site.pk, True))
        return found

    def act() -> list[tuple[int, bool]]:
        start_bulk(user=open_house.lea, bulk=bulk)
        return []

    people: list[Callable[[], list[tuple[int, bool]]]] = [
        act,
        partial(review, open_house.ana, sites[::-1]),
        partial(review, open_house.ben, sites[::2]),
    ]
    said = [one for part in at_once(people) for one in part]
    applied = {pk for pk, was_applied in said if was_applied}
    for site in sites_now(sites):
        standing = site.decisions.filter(version__isnull=False)
        assert (standing.count(), site.version) == (1, 1), "one decision a site, the first"
        item = bulk.items.get(site=site)
        by_lea = site.decisions.get(version=1).reviewer_id == open_house.lea.pk
        assert by_lea == (item.outcome == "done") == (site.pk not in applied)
        assert by_lea or item.note == "somebody has decided on it since the preview"
    kept = Decision.objects.filter(reviewer__in=[open_house.ana, open_house.ben])
    assert kept.count() == len(said) == 36, "each decision of a reviewer is on disk, applied or kept"
    assert check_decisions().faults == ()


def test_a_second_press_at_the_same_moment_changes_nothing(cast: Cast) -> None:
    sites = some_sites(2)
    before = list(sites_now(sites).values_list("priority", flat=True))
    bulk = drawn_up(cast.lea, Wish("first"), sites)
    one, other = list(bulk.items.all()), list(bulk.items.all())
    act_of(bulk, undo=False)(bulk, one)
    act_of(bulk, undo=False)(bulk, other)
    assert [item.before["priority"] for item in bulk.items.order_by("site") if item.before] == before
    start_bulk(user=cast.lea, bulk=bulk)
    undo_bulk(user=cast.lea, bulk=bulk)
    assert list(sites_now(sites).values_list("priority", flat=True)) == before


@pytest.mark.parametrize("wish", [CLOUD, Wish("first")])
def test_what_is_taken_back_while_it_is_done_is_taken_back_whole(
    cast: Cast, wish: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites = some_sites(3)
    bulk = drawn_up(cast.lea, wish, sites)
    write, asked = acts._write, list[bool]()

    def taken_back_first(items: Any) -> None:
        if not asked:
            asked.append(True)
            undo_bulk(user=cast.lea, bulk=BulkAction.objects.get(pk=bulk.pk))
        write(items)

    monkeypatch.setattr(acts, "_write", taken_back_first)
    start_bulk(user=cast.lea, bulk=bulk)
    assert (counts(bulk), len(asked)) == ({"undone": 3}, 1)
    assert states(sites) == ["open"] * 3
    assert not sites_now(sites).filter(priority__gte=PUT_FIRST).exists()
