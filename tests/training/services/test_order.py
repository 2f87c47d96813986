"""The order of the queue: what is written to sites, when, and above all in which order reviewers receive them."""

import json
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from labelling.core.matching import ClaimSpec
from labelling.models import Campaign, Claim, Decision, Job, MineType, Site, Source
from labelling.services.jobs import JobCancelled, claim_job, request_cancel
from labelling.services.queue import claim_sites, upcoming_sites
from labelling.services.sites import place_claims
from tests.cast import Cast
from tests.crowd import at_once
from tests.mines import HERE, a_campaign, decide, square
from tests.truth import mines_along
from training.core.active_learning import WEIGHTS, weigh
from training.services import order
from training.services.order import OrderCounts, order_if_due, refresh_order
from training.services.testsets import freeze_testset
from training.tasks import keep_order
from training.tasks import order as order_task

pytestmark = pytest.mark.django_db


def a_model(name: str = "yolo-1") -> Source:
    return Source.objects.get_or_create(name=name, defaults={"kind": "model", "licence": "CC0"})[0]


def place(number: int) -> Any:
    return square(HERE[0] + 0.05 * number)


def propose(scores: dict[int, float], *, source: Source | None = None, code: str = "pond") -> list[int]:
    """Claims of a model, by the number of the place; the ids of their sites."""
    specs = [
        ClaimSpec(f"{number}", place(number), {"feature": ((code, 1.0),)}, score=score)
        for number, score in scores.items()
    ]
    placed = place_claims(source=source or a_model(), claims=specs)
    return [proposal.site_id for proposal in placed.proposals]


def queue(campaign: Campaign, user: User, count: int = 100) -> list[int]:
    return [one.site for one in upcoming_sites(user=user, campaign=campaign, count=count)]


def test_what_teaches_most_comes_first_and_says_why(cast: Cast) -> None:
    sure, unsure, split, denied = propose({0: 0.97, 1: 0.52, 2: 0.97, 3: 0.97})
    propose({2: 0.9}, source=a_model("yolo-2"), code="open_pit")
    seeds = Source.objects.create(name="look-alikes", kind="negatives")
    place_claims(source=seeds, claims=[ClaimSpec("n", place(3), is_mine=False)])
    counts = refresh_order()
    assert counts == OrderCounts(sites=4, changed=4)
    assert queue(a_campaign(), cast.ana) == [unsure, split, sure, denied]
    why = dict(Site.objects.values_list("pk", "why"))
    assert "sources disagree on whether this is a mine" in why[denied]
    assert "two sources disagree on the type: open pit (yolo-2 1.00) or pond (yolo-1 1.00)" in why[split]
    assert "the model is unsure (0.52)" in why[unsure]
    assert why[sure] == "no verified examples of pond yet; no decided sites outside of the known regions yet"


@pytest.mark.parametrize("name", ["open pit", "pond"])
def test_the_few_of_a_rare_type_do_not_wait_behind_all_others_nor_come_before_them(cast: Cast, name: str) -> None:
    """One pass gives a whole queue its turns: the types take turns in it, as far as each has sites.

    Two types of one name, as on two axes, are two types.
    """
    MineType.objects.filter(code="open_pit").update(name=name)
    ponds = propose(dict.fromkeys(range(12), 0.9), code="pond")
    pits = propose(dict.fromkeys(range(20, 24), 0.9), code="open_pit")
    refresh_order()
    served = queue(a_campaign(), cast.ana)
    for few in (2, 4):
        assert len(set(served[: 2 * few]) & set(pits)) == few
    assert set(served[8:]) < set(ponds)


def test_a_second_pass_changes_nothing_and_a_verdict_what_depends_on_it(cast: Cast) -> None:
    first, *others = propose(dict.fromkeys(range(3), 0.9))
    refresh_order()
    assert refresh_order() == OrderCounts(sites=3, changed=0)
    before = Site.objects.get(pk=others[0])
    decide(cast.ana, first, types={"feature": "pond"})
    assert refresh_order() == OrderCounts(sites=2, changed=2)
    after = Site.objects.get(pk=others[0])
    assert after.priority < before.priority
    assert "fewer than 2 verified examples of pond" in after.why
    assert after.version == before.version


def test_what_is_frozen_in_a_test_set_is_no_example_to_learn_from(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=5)
    [waiting] = propose({9: 0.9}, code="open_pit")
    refresh_order()
    assert "fewer than 10 verified examples of open pit" in Site.objects.get(pk=waiting).why
    freeze_testset(name="universal", block_m=2_000.0, buffer_m=500.0, share=0.5)
    refresh_order()
    assert "fewer than 5 verified examples of open pit" in Site.objects.get(pk=waiting).why


def test_only_open_sites_are_weighed_and_what_stands_at_the_end_stays_there(cast: Cast) -> None:
    verified, last, still = propose({0: 0.5, 1: 0.5, 2: 0.5})
    decide(cast.ana, verified, types={"feature": "pond"})
    Site.objects.filter(pk=last).update(priority=-1, why="taken back")
    told = Site.objects.get(pk=verified).why
    assert refresh_order().sites == 1
    assert Site.objects.get(pk=verified).why == told
    assert (Site.objects.get(pk=last).priority, Site.objects.get(pk=last).why) == (-1, "taken back")
    assert queue(a_campaign(), cast.ana) == [still, last]


def test_age_lets_the_older_of_two_equal_sites_go_first(cast: Cast) -> None:
    young, old = propose({0: 0.9, 1: 0.9})
    Site.objects.filter(pk=old).update(created_at=timezone.now() - timedelta(days=100))
    refresh_order()
    assert queue(a_campaign(), cast.ana) == [old, young]
    assert "it has waited for 98 days" in Site.objects.get(pk=old).why


def test_a_campaign_alone_is_weighed_where_asked_for(cast: Cast) -> None:
    propose({0: 0.5})
    [theirs] = propose({5: 0.5}, source=a_model("other"))
    campaign = a_campaign(conditions={"sources": ["other"]})
    assert refresh_order(campaign=campaign) == OrderCounts(sites=1, changed=1)
    assert Site.objects.get(why__contains="no verified examples of pond yet").pk == theirs


def test_small_batches_see_every_site_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "_BATCH", 3)
    propose(dict.fromkeys(range(7), 0.6))
    assert refresh_order() == OrderCounts(sites=7, changed=7)


def test_memory_and_queries_do_not_grow_with_the_queue(cast: Cast, django_assert_max_num_queries: Any) -> None:
    propose(dict.fromkeys(range(40), 0.6))
    with django_assert_max_num_queries(20):
        refresh_order()


def test_a_site_decided_while_the_pass_goes_on_keeps_what_the_decision_made(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    [site] = propose({0: 0.5})

    def meanwhile(candidate: Any) -> Any:
        Site.objects.filter(pk=site).update(state="verified", priority=7.5, why="as it was")
        return weigh(candidate)

    monkeypatch.setattr(order, "weigh", meanwhile)
    assert refresh_order() == OrderCounts(sites=1, changed=0)
    assert (Site.objects.get(pk=site).priority, Site.objects.get(pk=site).why) == (7.5, "as it was")


@pytest.mark.django_db(transaction=True)
def test_the_schedule_orders_when_there_is_news_and_rests_otherwise(cast: Cast) -> None:
    assert order_if_due() is None, "an empty house has nothing to order"
    sites = propose({0: 0.5, 1: 0.6})
    keep_order()
    [job] = Job.objects.all()
    assert (job.kind, job.queue, job.created_by) == ("training.refresh_order", "cpu", None)
    assert order_if_due() is None, "one is waiting"
    order_task(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert (job.result["sites"], job.result["changed"]) == (2, 2)
    assert order_if_due() is None, "nothing is new"
    decide(cast.ana, sites[0], types={"feature": "pond"})
    again = order_if_due()
    assert again is not None
    order_task(str(again.pk))
    assert [one.pk for one in Job.objects.filter(kind=order.TASK)] == [again.pk], "earlier ones do not pile up"


def test_new_weights_or_a_new_day_are_news(cast: Cast) -> None:
    propose({0: 0.5})
    for changed in ({"day": "2020-01-01"}, {"weights": {**WEIGHTS.to_json(), "age": 9.0}}):
        Job.objects.all().delete()
        Job.objects.create(kind=order.TASK, title="x", state="done", result={"mark": order._mark()})
        assert order_if_due() is None
        Job.objects.update(result={"mark": {**order._mark(), **changed}})
        assert order_if_due() is not None


def test_a_pass_stops_when_asked_to(cast: Cast) -> None:
    propose({0: 0.5})
    job = order_if_due()
    assert job is not None
    handle = claim_job(job_id=job.pk)
    job.refresh_from_db()
    request_cancel(job=job, user=cast.ada)
    with pytest.raises(JobCancelled):
        refresh_order(handle=handle)


def test_the_command_says_what_it_did(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    propose({0: 0.5})
    a_campaign()
    call_command("refresh_order", campaign="minas")
    assert capsys.readouterr().out == "weighed 1 open sites, 1 of them have a new turn\n"
    call_command("refresh_order")
    assert capsys.readouterr().out == "weighed 1 open sites, 0 of them have a new turn\n"
    with pytest.raises(CommandError, match="no campaign 'nowhere'"):
        call_command("refresh_order", campaign="nowhere")


# --- what reviewers receive -------------------------------------------------------------------------------------


def reviewers(count: int) -> list[User]:
    people = [User.objects.create_user(f"reviewer {number}") for number in range(count)]
    for person in people:
        person.groups.add(Group.objects.get(name="reviewer"))
    return people


def by_priority(sites: list[int]) -> list[int]:
    """The order as it is stated, not as any query of the program gives it."""
    turns = dict(Site.objects.filter(pk__in=sites).values_list("pk", "priority"))
    return sorted(sites, key=lambda pk: (-turns[pk], pk))


@pytest.mark.django_db(transaction=True)
def test_several_reviewers_at_once_receive_exactly_the_order(open_house: Cast) -> None:
    """Five people ask at the same moment, again and again. Each time, the five best that are free are served.

    In between they decide, skip, let a claim run out, and the order changes under their hands.
    """
    campaign, people = a_campaign(), reviewers(5)
    sites = propose({number: 0.5 + 0.012 * ((number * 7) % 40) for number in range(40)})
    refresh_order()
    assert len(set(Site.objects.values_list("priority", flat=True))) > 30, "an order, not one heap"
    waiting, done = by_priority(sites), []
    for turn in range(4):
        held = [
            claims[0] for claims in at_once([partial(claim_sites, user=person, campaign=campaign) for person in people])
        ]
        assert sorted(claim.site_id for claim in held) == sorted(waiting[:5]), f"round {turn}"
        lapsed, skipped, *rest = sorted(held, key=lambda claim: claim.pk)
        Claim.objects.filter(pk=lapsed.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        calls = [
            partial(decide, claim.reviewer, claim.site_id, types={"feature": "pond"}, campaign_id=campaign.pk)
            for claim in rest
        ]
        at_once([*calls, partial(decide, skipped.reviewer, skipped.site_id, "skip", campaign_id=campaign.pk)])
        decided = {claim.site_id for claim in rest}
        done += sorted(decided)
        # A second model speaks up about the last in the queue, and everything is weighed anew.
        propose({sites.index(waiting[-1]): 0.1}, source=a_model(f"yolo-{turn + 2}"), code="open_pit")
        refresh_order()
        waiting = by_priority([pk for pk in waiting if pk not in decided])
    assert len(done) == len(set(done)) == 12
    assert Decision.objects.filter(verdict="accept").count() == 12


@pytest.mark.django_db(transaction=True)
def test_a_crowd_works_the_queue_off_in_order_and_nobody_gets_what_another_has(open_house: Cast) -> None:
    """Nobody waits for anybody here: each gets the best that is free, so each one's own stream runs down the order."""
    campaign, people = a_campaign(), reviewers(4)
    sites = propose({number: 0.5 + 0.012 * ((number * 11) % 40) for number in range(32)})
    refresh_order()
    expected = by_priority(sites)

    def work(person: User) -> list[int]:
        received = []
        while claims := claim_sites(user=person, campaign=campaign):
            received.append(claims[0].site_id)
            decide(person, claims[0].site_id, types={"feature": "pond"}, campaign_id=campaign.pk)
        return received

    streams = at_once([partial(work, person) for person in people])
    place_of = {pk: number for number, pk in enumerate(expected)}
    for stream in streams:
        places = [place_of[site] for site in stream]
        assert places == sorted(places)
    served = sorted(site for stream in streams for site in stream)
    assert served == sorted(sites), "everything, and everything once"


@pytest.mark.django_db(transaction=True)
def test_over_http_each_card_comes_in_turn_and_says_why(open_house: Cast) -> None:
    campaign = a_campaign()
    sites = propose({number: 0.5 + 0.04 * number for number in (3, 0, 2, 1, 4, 5)})
    refresh_order()
    reasons = dict(Site.objects.values_list("pk", "why"))
    browsers = []
    for person in reviewers(2):
        browsers.append(Client())
        browsers[-1].force_login(person)

    def ask(browser: Client) -> Any:
        path, body = f"/api/v1/campaigns/{campaign.slug}/claims/", json.dumps({"count": 1, "ahead": 3})
        return browser.post(path, body, content_type="application/json").json()

    def settle(browser: Client, card: Any) -> int:
        body = {
            "key": f"00000000-0000-4000-8000-{card['site']:012d}",
            "site": card["site"],
            "base_version": card["version"],
            "verdict": "accept",
            "types": {"feature": "pond"},
            "campaign": campaign.slug,
        }
        return browser.post("/api/v1/decisions/", json.dumps(body), content_type="application/json").status_code

    expected = by_priority(sites)
    for turn in range(3):
        answers = at_once([partial(ask, browser) for browser in browsers])
        cards = [answer["items"][0] for answer in answers]
        assert sorted(card["site"] for card in cards) == sorted(expected[2 * turn : 2 * turn + 2])
        for card in cards:
            assert card["why"] == reasons[card["site"]] != ""
        looked_ahead = ask(browsers[0])["ahead"]
        assert [card["site"] for card in looked_ahead] == expected[2 * turn + 2 :][:3]
        assert [settle(browser, card) for browser, card in zip(browsers, cards, strict=True)] == [201, 201]
