from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labelling.core.errors import BadInput, Conflict, NotAllowed, NotFound
from labelling.models import Campaign, Decision, Label, Site
from labelling.services.comments import mentions_waiting
from labelling.services.contested import (
    adopt_opinion,
    contested_sites,
    count_contested,
    describe_disputes,
    ruling_of,
    take_back_ruling,
)
from tests.cast import Cast
from tests.mines import HERE, a_campaign, a_site, decide, drawn, some_sites

pytestmark = pytest.mark.django_db(transaction=True)
PIT = {"feature": (("open_pit", None),)}


@pytest.fixture
def twice(cast: Cast) -> Campaign:
    return a_campaign("Twice", reviews_needed=2)


def quarrel(cast: Cast, twice: Campaign, site: Site) -> tuple[Decision, Decision]:
    """Ana says a pit, and draws it; Ben says that there is nothing."""
    outline = drawn(HERE[0], HERE[1], side=0.02)
    first = decide(cast.ana, site, "fix", geometry=outline, campaign_id=twice.pk, comment="benches")
    second = decide(cast.ben, site, "reject", reason="not_a_mine", campaign_id=twice.pk, comment="a quarry lake")
    return first.decision, second.decision


def adopt(cast: Cast, opinion: Decision, **more: object) -> Label:
    version = Site.objects.values_list("version", flat=True).get(pk=opinion.site_id)
    values = {"user": cast.lea, "key": uuid4(), "base_version": version, **more}
    adopt_opinion(decision_id=opinion.pk, **values)  # type: ignore[arg-type]
    return Label.objects.get(site=opinion.site_id)


def test_both_opinions_are_told_with_what_they_differ_in(cast: Cast, twice: Campaign) -> None:
    site = a_site(types=PIT)
    quarrel(cast, twice, site)
    (dispute,) = describe_disputes(sites=list(contested_sites()))
    assert (dispute.site, dispute.about) == (site, "is it a mine?")
    assert [(v.decision.reviewer.username, v.decision.comment) for v in dispute.voices] == [
        ("ana", "benches"),
        ("ben", "a quarry lake"),
    ]
    assert [kind.code for kind in dispute.voices[0].types] == ["open_pit"]
    assert len(dispute.picture.paths) == 3, "what stands, and each opinion's outline"
    assert dispute.overlap is None, "a rejection draws nothing to compare"


@pytest.mark.parametrize(
    ("first", "second", "about"),
    [
        ({"types": {"feature": "pond"}}, {"types": {"feature": "open_pit"}}, "which type?"),
        (
            {"types": {"feature": "pond", "commodity": "gold"}},
            {"types": {"feature": "open_pit", "commodity": "coal"}},
            "which type and which commodity?",
        ),
        ({}, {"verdict": "unsure"}, "somebody is unsure"),
        (
            {"verdict": "reject", "reason": "not_a_mine"},
            {"verdict": "reject", "reason": "cloud"},
            "is the ground empty, or can it not be seen?",
        ),
    ],
)
def test_the_quarrel_is_named(
    cast: Cast, twice: Campaign, first: dict[str, object], second: dict[str, object], about: str
) -> None:
    site = a_site(types=PIT)
    for person, said in ((cast.ana, first), (cast.ben, second)):
        decide(person, site, **{"verdict": "accept", "campaign_id": twice.pk, **said})  # type: ignore[arg-type]
    assert describe_disputes(sites=list(contested_sites()))[0].about == about


def test_outlines_that_differ_are_measured(cast: Cast, twice: Campaign) -> None:
    site = a_site(types=PIT)
    decide(cast.ana, site, "fix", geometry=drawn(side=0.02), types={"feature": "pond"}, campaign_id=twice.pk)
    decide(cast.ben, site, campaign_id=twice.pk)
    assert describe_disputes(sites=list(contested_sites()))[0].overlap == pytest.approx(0.25)


def test_a_lead_adopts_the_opinion_that_it_is_a_mine(cast: Cast, twice: Campaign) -> None:
    site = a_site(types=PIT)
    said, _ = quarrel(cast, twice, site)
    label = adopt(cast, said, comment="the benches settle it")
    assert (label.state, label.types(), label.decision.reviewer) == ("verified", {"feature": "open_pit"}, cast.lea)
    assert label.geometry.equals(said.geometry)
    assert (label.decision.as_lead, label.decision.comment) == (True, "the benches settle it")
    assert list(contested_sites()) == []


def test_a_lead_adopts_the_opinion_that_it_is_none(cast: Cast, twice: Campaign) -> None:
    _, said = quarrel(cast, twice, a_site(types=PIT))
    label = adopt(cast, said)
    assert (label.state, label.reason) == ("rejected", "not_a_mine")


def test_an_adopted_opinion_brings_its_types_and_no_others(cast: Cast, twice: Campaign) -> None:
    site = a_site(types={**PIT, "commodity": (("gold", None),)})
    said = decide(cast.ana, site, types={"feature": "pond", "commodity": None}, campaign_id=twice.pk).decision
    decide(cast.ben, site, campaign_id=twice.pk)
    assert adopt(cast, said).types() == {"feature": "pond"}


def test_sent_twice_it_counts_once(cast: Cast, twice: Campaign) -> None:
    said, _ = quarrel(cast, twice, a_site(types=PIT))
    key, version = uuid4(), 2
    for _ in range(2):
        adopt_opinion(user=cast.lea, decision_id=said.pk, key=key, base_version=version)
    assert Decision.objects.filter(reviewer=cast.lea).count() == 1


def test_nobody_but_a_lead_settles(cast: Cast, twice: Campaign) -> None:
    said, _ = quarrel(cast, twice, a_site(types=PIT))
    with pytest.raises(NotAllowed):
        adopt(cast, said, user=cast.ben)
    assert Label.objects.get().state == "contested"


def test_what_was_taken_back_or_unsure_cannot_be_adopted(cast: Cast, twice: Campaign) -> None:
    first, second = some_sites(2, types=PIT)
    said, _ = quarrel(cast, twice, first)
    decide(cast.ana, first, "undo", undoes=said.key)
    with pytest.raises(NotFound, match="taken back"):
        adopt(cast, said)
    doubt = decide(cast.ana, second, "unsure").decision
    with pytest.raises(BadInput, match="unsure"):
        adopt(cast, doubt)


def test_a_lead_who_is_late_settles_nothing(cast: Cast, twice: Campaign) -> None:
    said, other = quarrel(cast, twice, a_site(types=PIT))
    adopt(cast, said)
    with pytest.raises(Conflict):
        adopt(cast, other, user=cast.ada, base_version=2)
    assert Label.objects.get().state == "verified"


def test_only_who_settles_is_told_how_many_wait(cast: Cast, twice: Campaign) -> None:
    for site in some_sites(2, types=PIT):
        quarrel(cast, twice, site)
    assert [count_contested(user=person) for person in (cast.ana, cast.gus, cast.lea, cast.ada)] == [0, 0, 2, 2]


def test_the_longest_waiting_come_first_in_as_many_queries_for_many(cast: Cast, twice: Campaign) -> None:
    sites = some_sites(3, types=PIT)
    for site in reversed(sites):
        quarrel(cast, twice, site)
    counts = []
    for few in (1, 3):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            found = describe_disputes(sites=list(contested_sites()[:few]))
        counts.append(len(asked))
    assert [dispute.site for dispute in found] == sites[::-1]
    assert counts[0] == counts[1]


def test_an_adopted_opinion_brings_the_outline_that_it_was_given_on(cast: Cast, twice: Campaign) -> None:
    """Ana accepted the outline that was proposed; on the contested site stands the one that Ben drew since."""
    site = a_site(types=PIT)
    said = decide(cast.ana, site, types={"feature": "pond"}, campaign_id=twice.pk).decision
    decide(cast.ben, site, "fix", geometry=drawn(side=0.02), campaign_id=twice.pk)
    label = adopt(cast, said)
    assert label.types() == {"feature": "pond"}
    assert label.geometry.equals(said.geometry)
    assert Site.objects.get().footprint.equals(said.geometry)


def test_a_rejection_names_no_type(cast: Cast, twice: Campaign) -> None:
    """It keeps the types that were proposed, and is for none of them."""
    quarrel(cast, twice, a_site(types=PIT))
    (dispute,) = describe_disputes(sites=list(contested_sites()))
    assert dispute.voices[1].decision.types == {"feature": "open_pit"}
    assert dispute.voices[1].types == ()


def test_whom_the_reason_mentions_is_told(cast: Cast, twice: Campaign) -> None:
    site = a_site(types=PIT)
    _, said = quarrel(cast, twice, site)
    adopt(cast, said, comment="@ana a lake has no benches")
    assert [(one.site, one.text) for one in mentions_waiting(user=cast.ana, limit=9)] == [
        (site, "@ana a lake has no benches")
    ]


def test_a_ruling_is_taken_back_once_and_by_who_made_it(cast: Cast, twice: Campaign) -> None:
    site = a_site(types=PIT)
    said, other = quarrel(cast, twice, site)
    ruling = adopt(cast, said).decision.key
    assert (found := ruling_of(user=cast.lea, key=ruling)) is not None
    assert found.site == site
    assert ruling_of(user=cast.ada, key=ruling) is None
    for nobody, key in ((cast.ada, ruling), (cast.lea, other.key)):
        with pytest.raises(NotFound):
            take_back_ruling(user=nobody, ruling=key, key=uuid4())
    key = uuid4()
    for _ in range(2):
        assert take_back_ruling(user=cast.lea, ruling=ruling, key=key).settlement.state == "contested"
    assert Label.objects.get().state == "contested"
    assert ruling_of(user=cast.lea, key=ruling) is None
    with pytest.raises(Conflict, match="undone already"):
        take_back_ruling(user=cast.lea, ruling=ruling, key=uuid4())
    assert [voice.decision for voice in describe_disputes(sites=[site])[0].voices] == [said, other]


def test_a_ruling_that_was_overruled_is_not_taken_back_unseen(cast: Cast, twice: Campaign) -> None:
    site = a_site(types=PIT)
    ruling = adopt(cast, quarrel(cast, twice, site)[0]).decision.key
    decide(cast.ada, site, "reject", reason="cloud")
    with pytest.raises(Conflict, match="decided on this site since"):
        take_back_ruling(user=cast.lea, ruling=ruling, key=uuid4())
    assert Label.objects.get().reason == "cloud"


def test_a_closed_campaign_is_no_place_to_decide(cast: Cast, twice: Campaign) -> None:
    quarrel(cast, twice, a_site(types=PIT))
    assert describe_disputes(sites=list(contested_sites()))[0].campaign == twice
    Campaign.objects.update(active=False)
    assert describe_disputes(sites=list(contested_sites()))[0].campaign is None


def test_those_of_one_campaign_are_found(cast: Cast, twice: Campaign) -> None:
    here, there = some_sites(2, types=PIT)
    other = a_campaign("Other")
    quarrel(cast, twice, here)
    decide(cast.ana, there, "unsure", campaign_id=other.pk)
    assert set(contested_sites()) == {here, there}
    assert list(contested_sites(campaign=twice)) == [here]
    assert list(contested_sites(campaign=other)) == [there]
