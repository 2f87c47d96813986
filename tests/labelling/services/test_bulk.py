"""Acting on many sites at once: what is seen before is what is done, once, and can be taken back."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from labelling.core.errors import BadInput, Conflict, NotAllowed
from labelling.core.sites import PUT_FIRST
from labelling.models import BulkAction, BulkItem, Decision, Job, Site
from labelling.services.bulk import (
    MAX_SITES,
    Wish,
    draw_up_bulk,
    drawing,
    outcomes_of,
    phrase_of,
    preview_bulk,
    run_bulk,
    start_bulk,
    undo_bulk,
    work,
)
from labelling.services.bulk.acts import act_of
from labelling.services.decisions import rebuild_labels
from labelling.services.jobs import claim_job, request_cancel, run_job
from labelling.services.lifelines import life_of
from labelling.services.queue import claim_sites
from labelling.services.sites import refresh_site
from tests.cast import Cast
from tests.crowd import at_once
from tests.mines import a_campaign, decide, drawn, some_sites

CLOUD = Wish("reject", reason="cloud", comment="all under one cloud")
PIT = Wish("type", type="open_pit")
PITS = {"feature": (("open_pit", None),)}

pytestmark = pytest.mark.django_db


def sites_now(sites: list[Site]) -> QuerySet[Site]:
    return Site.objects.filter(pk__in=[site.pk for site in sites]).order_by("pk")


def states(sites: list[Site]) -> list[str]:
    return list(sites_now(sites).values_list("state", flat=True))


def drawn_up(user: User, wish: Wish, sites: list[Site]) -> BulkAction:
    return draw_up_bulk(user=user, wish=wish, sites=Site.objects.filter(pk__in=[site.pk for site in sites]))


def done(user: User, wish: Wish, sites: list[Site]) -> BulkAction:
    bulk = drawn_up(user, wish, sites)
    start_bulk(user=user, bulk=bulk)
    bulk.refresh_from_db()
    return bulk


def counts(bulk: BulkAction) -> dict[str, int]:
    return {outcome: count for outcome, count in outcomes_of(bulks=[bulk])[0].items() if count}


def notes(bulk: BulkAction) -> dict[int, str]:
    return dict(bulk.items.exclude(note="").values_list("site_id", "note"))


def test_a_preview_changes_nothing_and_says_what_would_happen(cast: Cast) -> None:
    sites = some_sites(5, types=PITS)
    decide(cast.ana, sites[0])
    decide(cast.ana, sites[1], "reject", reason="cloud")
    [claim] = claim_sites(user=cast.ben, campaign=a_campaign(), want=[sites[2].pk])
    seen = preview_bulk(bulk=drawn_up(cast.lea, CLOUD, sites))
    assert (seen.total, seen.to_do, seen.settled, seen.in_review) == (5, 4, 1, 1)
    assert seen.states == (("to review", 3), ("verified", 1))
    assert seen.types == (("open pit", 4),)
    assert seen.notes == (("rejected for this reason already", 1),)
    assert [site.pk for site in seen.sample] == [sites[index].pk for index in (0, 2, 3, 4)], "the most urgent first"
    assert states(sites) == ["verified", "rejected", "open", "open", "open"]
    assert Decision.objects.count() == 2
    assert claim.site_id == sites[2].pk


def test_many_are_rejected_and_the_whole_is_taken_back(cast: Cast) -> None:
    sites = some_sites(4)
    decide(cast.ana, sites[0])
    bulk = done(cast.lea, CLOUD, sites)
    assert counts(bulk) == {"done": 4}
    assert states(sites) == ["rejected"] * 4
    said = Decision.objects.filter(reviewer=cast.lea)
    assert set(said.values_list("verdict", "reason", "comment")) == {("reject", "cloud", CLOUD.comment)}
    undo_bulk(user=cast.lea, bulk=bulk)
    assert counts(bulk) == {"undone": 4}
    assert states(sites) == ["verified", "open", "open", "open"], "what ana had verified is verified again"
    assert rebuild_labels() == 0
    assert Decision.objects.count() == 9, "nothing is deleted: one of ana's, four, and four that take them back"


def test_many_are_verified_as_a_type(cast: Cast) -> None:
    sites = some_sites(4)
    decide(cast.ana, sites[0], types={"feature": "open_pit"})
    decide(cast.ana, sites[1], types={"feature": "pond"})
    decide(cast.ana, sites[2], "reject", reason="not_a_mine")
    bulk = done(cast.lea, PIT, sites)
    assert notes(bulk) == {
        sites[0].pk: "verified as this type already",
        sites[2].pk: "rejected: set it back to review first",
    }
    assert [site.types() for site in sites_now(sites)] == [{"feature": "open_pit"}] * 2 + [{}, {"feature": "open_pit"}]
    undo_bulk(user=cast.ada, bulk=bulk)
    assert [site.types() for site in sites_now(sites)][1] == {"feature": "pond"}
    assert states(sites) == ["verified", "verified", "rejected", "open"]


def test_what_was_decided_is_set_back_to_review_and_brought_back(cast: Cast) -> None:
    blind = a_campaign("Blind", reviews_needed=2)
    sites = some_sites(5, types=PITS)
    decide(cast.ana, sites[0], "fix", types={"feature": "pond"}, geometry=drawn(side=0.02))
    decide(cast.ana, sites[1], "reject", reason="inactive")
    decide(cast.ana, sites[2], campaign_id=blind.pk)
    decide(cast.ben, sites[2], "reject", reason="not_a_mine", campaign_id=blind.pk)
    decide(cast.ana, sites[3], campaign_id=blind.pk)
    before = list(sites_now(sites).values_list("state", "feature__code", "area_ha"))
    assert [state for state, *_ in before] == ["verified", "rejected", "contested", "open", "open"]
    bulk = done(cast.lea, Wish("reset"), sites)
    assert counts(bulk) == {"done": 3, "skipped": 2}
    assert states(sites) == ["open"] * 5
    assert Site.objects.get(pk=sites[0].pk).types() == {"feature": "open_pit"}, "as its source has it"
    [claim] = claim_sites(user=cast.ana, campaign=a_campaign("All"), want=[sites[0].pk])
    assert claim.site_id == sites[0].pk, "who had decided is asked again"
    undo_bulk(user=cast.lea, bulk=bulk)
    assert counts(bulk) == {"undone": 3, "skipped": 2}
    assert list(sites_now(sites).values_list("state", "feature__code", "area_ha")) == before
    assert rebuild_labels() == 0


def test_a_point_that_was_verified_comes_back_as_a_point(cast: Cast) -> None:
    [site] = some_sites(1)
    Site.objects.filter(pk=site.pk).update(footprint=site.point)
    decide(cast.ana, site, types={"commodity": "cobalt"})
    bulk = done(cast.lea, Wish("reset"), [site])
    undo_bulk(user=cast.lea, bulk=bulk)
    assert counts(bulk) == {"undone": 1}
    assert Site.objects.get(pk=site.pk).types() == {"commodity": "cobalt"}


def test_sites_come_first_in_every_queue_until_that_is_taken_back(cast: Cast) -> None:
    sites = some_sites(4)
    why = sites[2].why
    decide(cast.ana, sites[1])
    bulk = done(cast.lea, Wish("first"), sites[1:])
    assert notes(bulk) == {sites[1].pk: "not to review"}
    wanted = [claim.site_id for claim in claim_sites(user=cast.ana, campaign=a_campaign(), count=3)]
    assert wanted == [sites[2].pk, sites[3].pk, sites[0].pk], "first, in the order in which they stood"
    refresh_site(site=sites[2])
    again = Site.objects.get(pk=sites[2].pk)
    assert again.priority >= PUT_FIRST, "a new proposal does not change what a lead has said"
    assert again.why == "lea asked for it first"
    assert counts(done(cast.lea, Wish("first"), sites[2:])) == {"skipped": 2}
    undo_bulk(user=cast.lea, bulk=bulk)
    assert list(sites_now(sites[2:]).values_list("priority", "why")) == [(2.0, why), (1.0, why)]


def test_a_second_opinion_is_asked_for_and_no_more(cast: Cast) -> None:
    campaign = a_campaign()
    sites = some_sites(4)
    decide(cast.ana, sites[0], campaign_id=campaign.pk)
    decide(cast.lea, sites[1], campaign_id=campaign.pk)
    decide(cast.lea, sites[1], "reject", reason="cloud", campaign_id=campaign.pk)
    decide(cast.ana, sites[2], "unsure", campaign_id=campaign.pk)
    bulk = done(cast.lea, Wish("second"), sites)
    assert notes(bulk) == {sites[1].pk: "a lead has settled it", sites[2].pk: "contested: a lead settles it"}
    assert list(sites_now(sites).values_list("least_opinions", "due_again")) == [
        (2, True),
        (1, False),
        (1, False),
        (2, False),
    ]
    assert states(sites)[0] == "verified", "it stays so until somebody else has looked"
    undo_bulk(user=cast.lea, bulk=bulk)
    assert set(sites_now(sites).values_list("least_opinions", "due_again")) == {(1, False)}


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


def test_only_leads_act_on_many_and_only_their_author_starts(cast: Cast) -> None:
    sites = some_sites(1)
    with pytest.raises(NotAllowed):
        drawn_up(cast.ana, CLOUD, sites)
    bulk = drawn_up(cast.lea, CLOUD, sites)
    for somebody in (cast.ana, cast.ada):
        with pytest.raises(NotAllowed):
            start_bulk(user=somebody, bulk=bulk)
    with pytest.raises(NotAllowed):
        undo_bulk(user=cast.ana, bulk=bulk)
    with pytest.raises(BadInput, match="nothing was done"):
        undo_bulk(user=cast.lea, bulk=bulk)
    start_bulk(user=cast.lea, bulk=bulk)
    undo_bulk(user=cast.ada, bulk=bulk)
    with pytest.raises(BadInput, match="taken back"):
        start_bulk(user=cast.lea, bulk=bulk)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (Wish("reject"), "give a reason"),
        (Wish("type", type="castle"), "as which type"),
        (Wish("paint"), "unknown action"),
        (Wish("reset", comment="x" * 2001), "longer than"),
    ],
)
def test_what_cannot_be_done_is_refused(cast: Cast, wish: Wish, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        drawn_up(cast.lea, wish, some_sites(1))
    assert not BulkAction.objects.exists()


def test_none_and_too_many_are_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_SITES == 100_000
    for nothing in (Site.objects.none(), Site.objects.filter(name="nowhere")):
        with pytest.raises(BadInput, match="no site fits"):
            draw_up_bulk(user=cast.lea, wish=CLOUD, sites=nothing)
    monkeypatch.setattr(drawing, "MAX_SITES", 2)
    with pytest.raises(BadInput, match="narrow the filter"):
        drawn_up(cast.lea, CLOUD, some_sites(3))
    assert not BulkItem.objects.exists()


def test_a_draft_that_nobody_confirms_goes(cast: Cast) -> None:
    sites = some_sites(1)
    old, started = drawn_up(cast.lea, CLOUD, sites), done(cast.lea, Wish("first"), sites)
    BulkAction.objects.update(created_at=timezone.now() - timedelta(days=2))
    new = drawn_up(cast.lea, CLOUD, sites)
    assert set(BulkAction.objects.values_list("pk", flat=True)) == {started.pk, new.pk}
    assert old.pk not in BulkItem.objects.values_list("bulk", flat=True)


def test_one_s_own_first_opinion_is_not_said_twice(cast: Cast) -> None:
    blind = a_campaign("Blind", reviews_needed=2)
    [site] = some_sites(1)
    decide(cast.lea, site, campaign_id=blind.pk)
    for wish in (CLOUD, PIT):
        assert notes(drawn_up(cast.lea, wish, [site])) == {
            site.pk: "your own opinion stands on it, and it waits for another"
        }


def test_actions_say_what_they_do(cast: Cast) -> None:
    sites = some_sites(1)
    wishes = (CLOUD, PIT, Wish("reset"), Wish("first"), Wish("second"))
    assert [phrase_of(bulk=drawn_up(cast.lea, wish, sites)) for wish in wishes] == [
        "reject: cloud",
        "verify as open pit",
        "set back to review",
        "put first in the queues",
        "ask for a second opinion",
    ]


def test_the_life_of_a_site_tells_of_it(cast: Cast) -> None:
    *sites, other = some_sites(3)
    bulk = done(cast.lea, Wish("first"), sites)
    [told] = [event for event in life_of(site=sites[0], user=cast.lea) if event.what == "bulk"]
    assert told.title == "lea: put first in the queues, in bulk"
    assert told.href == f"/sites/bulk/{bulk.pk}/"
    undo_bulk(user=cast.ada, bulk=bulk)
    [told] = [event for event in life_of(site=sites[0], user=cast.ana) if event.what == "bulk"]
    assert told.lines == ("with 1 other site", "taken back by ada")
    assert not told.href, "the page of the action is for leads"
    assert not [event for event in life_of(site=other, user=cast.lea) if event.what == "bulk"]


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
    assert rebuild_labels() == 0


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
