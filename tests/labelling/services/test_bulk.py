"""Acting on many sites at once: what is seen before is what is done, once, and can be taken back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from labelling.core.errors import BadInput, NotAllowed
from labelling.core.sites import PUT_FIRST
from labelling.models import BulkAction, BulkItem, Decision, OpinionPair, Site
from labelling.services.bulk import (
    MAX_SITES,
    Wish,
    acts,
    draw_up_bulk,
    drawing,
    phrase_of,
    preview_bulk,
    start_bulk,
    undo_bulk,
)
from labelling.services.decisions import check_decisions
from labelling.services.lifelines import life_of
from labelling.services.queue import claim_sites
from labelling.services.sites import refresh_site
from tests.bulks import CLOUD, PIT, PITS, counts, done, drawn_up, notes, sites_now, states
from tests.cast import Cast
from tests.mines import a_campaign, decide, drawn, some_sites

pytestmark = pytest.mark.django_db


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


def test_setting_back_tells_whose_opinions_go_and_what_an_undo_leaves(cast: Cast) -> None:
    twice, [quarrel, agreed, still_open] = a_campaign(reviews_needed=2), some_sites(3)
    decide(cast.ana, quarrel, campaign_id=twice.pk)
    decide(cast.ben, quarrel, "reject", reason="not_a_mine", campaign_id=twice.pk)
    decide(cast.ana, agreed)
    decide(cast.ana, still_open, "skip")
    bulk = drawn_up(cast.lea, Wish("reset"), [quarrel, agreed, still_open])
    seen = preview_bulk(bulk=bulk)
    assert (seen.to_do, seen.contested, seen.opinions, seen.people) == (2, 1, 3, 2)
    assert preview_bulk(bulk=drawn_up(cast.lea, CLOUD, [agreed])).opinions == 0, "a rejection takes none back"
    assert OpinionPair.objects.count() == 1
    start_bulk(user=cast.lea, bulk=bulk)
    assert not OpinionPair.objects.exists(), "they no longer count in agreement"
    undo_bulk(user=cast.lea, bulk=bulk)
    assert states([quarrel, agreed]) == ["contested", "verified"]
    assert not OpinionPair.objects.exists(), "the opinions stay taken back"
    assert [one.verdict for one in quarrel.decisions.in_force().filter(version__isnull=False)] == ["unsure"]


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
    assert check_decisions().faults == ()
    assert Decision.objects.count() == 9, "nothing is deleted: one of ana's, four, and four that take them back"


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="the database of this run is not PostGIS")
def test_what_became_of_items_is_written_when_their_decisions_are_on_disk(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[tuple[str, str]] = []

    def spied(name: str) -> Callable[..., Any]:
        real = getattr(acts, name)

        def spy(*args: Any, **more: Any) -> Any:
            with connection.cursor() as cursor:
                cursor.execute("SHOW synchronous_commit")
                waits.append((name, cursor.fetchall()[0][0]))
            return real(*args, **more)

        return spy

    for name in ("submit_decision", "_write"):
        monkeypatch.setattr(acts, name, spied(name))
    undo_bulk(user=cast.lea, bulk=done(cast.lea, CLOUD, some_sites(2)))
    assert waits == [*[("submit_decision", "off")] * 2, ("_write", "on")] * 2


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
    assert check_decisions().faults == ()


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
