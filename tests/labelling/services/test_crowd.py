"""Barrier tests with real threads: what must hold when many act in the same moment."""

import json
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client

from labelling.core.errors import Conflict
from labelling.models import Claim, Decision, Label, ReviewedArea, Site
from labelling.services.decisions import check_decisions, complete_area
from labelling.services.queue import claim_sites, hold_ahead
from tests.cast import Cast
from tests.crowd import at_once
from tests.mines import a_campaign, a_site, decide, drawn, some_sites

pytestmark = pytest.mark.django_db(transaction=True)


def reviewers(count: int) -> list[User]:
    people = [User.objects.create_user(f"reviewer {number}") for number in range(count)]
    for person in people:
        person.groups.add(Group.objects.get(name="reviewer"))
    return people


@pytest.mark.parametrize("verdict", ["accept", "skip", "add"])
def test_eight_equal_requests_make_one_decision(open_house: Cast, verdict: str) -> None:
    site, key = a_site(), uuid4()
    drawing = {"geometry": drawn(20, 20), "base_version": 0} if verdict == "add" else {"base_version": 0}
    target = None if verdict == "add" else site
    receipts = at_once([partial(decide, open_house.ana, target, verdict, key=key, **drawing)] * 8)
    assert sorted(receipt.created for receipt in receipts) == [False] * 7 + [True]
    assert len({(receipt.decision.pk, receipt.version, receipt.settlement.state) for receipt in receipts}) == 1
    assert Decision.objects.count() == 1
    assert Site.objects.count() == (2 if verdict == "add" else 1)


def test_of_two_reviewers_on_one_site_one_is_first_and_nothing_vanishes(open_house: Cast) -> None:
    sites = some_sites(20)
    for site in sites:
        outcomes = at_once([partial(outcome, open_house.ana, site), partial(outcome, open_house.ben, site)])
        assert sorted(outcomes) == ["applied", "conflict"]
    assert Label.objects.count() == len(sites)
    assert Decision.objects.filter(version=1).count() == Decision.objects.filter(version=None).count() == len(sites)
    assert set(Site.objects.values_list("version", flat=True)) == {1}
    assert check_decisions().faults == ()


def test_over_http_one_is_created_and_the_others_get_the_same_answer_or_the_choice(open_house: Cast) -> None:
    same, disputed = some_sites(2)
    browsers = [Client() for _ in range(8)]
    for browser in browsers:
        browser.force_login(open_house.ana)
    answers = at_once([partial(send, browser, same, UUID(int=7)) for browser in browsers])
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({body for _, body in answers}) == 1
    browsers[0].force_login(open_house.ben)
    answers = at_once([partial(send, browser, disputed, uuid4()) for browser in browsers[:2]])
    assert sorted(status for status, _ in answers) == [201, 409]


def send(browser: Client, site: Site, key: UUID) -> tuple[int, bytes]:
    body = {"key": str(key), "site": site.pk, "base_version": 0, "verdict": "accept"}
    response = browser.post("/api/v1/decisions/", json.dumps(body), content_type="application/json")
    return response.status_code, response.content


def test_nobody_wraps_a_decision_in_a_transaction_of_their_own(open_house: Cast) -> None:
    site = a_site()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        decide(open_house.ana, site)
    assert not Decision.objects.exists()


def outcome(user: User, site: Site) -> str:
    try:
        decide(user, site, base_version=0)
    except Conflict:
        return "conflict"
    return "applied"


def test_eight_reviewers_do_fifty_sites_each_exactly_once(open_house: Cast) -> None:
    campaign = a_campaign()
    sites = some_sites(50)
    people = reviewers(8)

    def work(user: User) -> list[int]:
        done: list[int] = []
        while claims := claim_sites(user=user, campaign=campaign):
            decide(user, claims[0].site, base_version=claims[0].site.version, campaign_id=campaign.pk)
            done.append(claims[0].site_id)
        return done

    done = at_once([partial(work, person) for person in people])
    assert sorted(pk for part in done for pk in part) == sorted(site.pk for site in sites)
    assert Decision.objects.count() == 50
    assert not Claim.objects.exists()


def test_what_eight_reviewers_claim_at_once_is_eight_sites(open_house: Cast) -> None:
    campaign = a_campaign()
    some_sites(20)
    people = reviewers(8)
    held = at_once([partial(claim_sites, user=person, campaign=campaign, count=2) for person in people])
    ids = [claim.site_id for part in held for claim in part]
    assert len(ids) == len(set(ids)) == 16


def test_what_eight_reviewers_hold_ahead_at_once_is_held_by_one_each(open_house: Cast) -> None:
    campaign = a_campaign()
    some_sites(80)
    people = reviewers(8)
    found = at_once([partial(hold_ahead, user=person, campaign=campaign, count=8, hold=4) for person in people])
    held = [claim.site_id for ahead in found for claim in ahead.claims]
    assert len(held) == len(set(held)) == 32


def test_two_blind_opinions_at_once_are_both_counted(open_house: Cast) -> None:
    campaign = a_campaign(reviews_needed=2)
    for site in some_sites(10):
        go = partial(decide, verdict="accept", base_version=0, campaign_id=campaign.pk)
        at_once([partial(go, open_house.ana, site), partial(go, open_house.ben, site)])
        label = Label.objects.get(site=site)
        assert (label.state, label.reviews) == ("verified", 2)
    assert check_decisions().faults == ()


def test_two_undos_of_one_decision_at_once_undo_it_once(open_house: Cast) -> None:
    site = a_site()
    key = decide(open_house.ana, site).decision.key

    def undo() -> str:
        try:
            decide(open_house.ana, site, "undo", undoes=key, base_version=1)
        except Conflict:
            return "conflict"
        return "undone"

    assert sorted(at_once([undo, undo])) == ["conflict", "undone"]
    site.refresh_from_db()
    assert (site.state, site.version) == ("open", 2)


def test_a_window_completed_eight_times_at_once_is_one(open_house: Cast) -> None:
    key, window = uuid4(), drawn()
    call = partial(complete_area, user=open_house.ana, key=key, geometry=window, axis="feature")
    assert len({area.pk for area in at_once([call] * 8)}) == 1
    assert ReviewedArea.objects.count() == 1
