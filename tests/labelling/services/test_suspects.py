"""Labels that look wrong: who is asked about them, in which order, and what settles it."""

from labelling.core.matching import ClaimSpec
from labelling.core.suspects import Doubt
from labelling.models import Campaign, Site, Suspect
from labelling.services.campaigns import campaigns_of
from labelling.services.queue import claim_sites, progress_of, upcoming_sites
from labelling.services.queue.suspects import count_suspects_of
from labelling.services.sites import place_claims
from labelling.services.suspects import count_suspects, describe_suspects, find_suspects, waiting_suspects
from tests.cast import Cast
from tests.mines import HERE, a_source, decide, some_sites, square


def verified(cast: Cast, count: int = 3, code: str = "pond") -> list[Site]:
    sites = some_sites(count)
    for site in sites:
        decide(cast.ana, site, "accept", types={"feature": code})
    return sites


def against(site: Site, code: str = "open_pit", weight: float = 0.8) -> dict[int, list[Doubt]]:
    return {site.pk: [Doubt("classifier", weight, f"a classifier calls it {code}", f"classifier feature {code}")]}


def seed(site_number: int, code: str, name: str = "Other seeds") -> None:
    spec = ClaimSpec("one", square(HERE[0] + 0.05 * site_number), types={"feature": ((code, None),)})
    place_claims(source=a_source(name), claims=[spec])


def queue_of(cast: Cast) -> Campaign:
    return Campaign.objects.get(slug="suspect-labels")


def served(cast: Cast) -> list[int]:
    return [one.site for one in upcoming_sites(user=cast.lea, campaign=queue_of(cast), count=10)]


def test_labels_that_nothing_contradicts_are_left_in_peace(cast: Cast) -> None:
    verified(cast)
    found = find_suspects()
    assert (found.labels, found.suspects) == (3, 0)
    assert not Campaign.objects.filter(slug="suspect-labels").exists()


def test_the_strongest_doubt_is_served_first_and_says_why(cast: Cast) -> None:
    weak, fine, strong = verified(cast)
    seed(0, "open_pit")
    found = find_suspects(doubts=against(strong))
    assert (found.suspects, found.fresh) == (2, 2)
    assert served(cast) == [strong.pk, weak.pk]
    assert [one.site_id for one in waiting_suspects()] == [strong.pk, weak.pk]
    why = dict(Site.objects.values_list("pk", "why"))
    assert why[strong.pk] == "a classifier calls it open_pit"
    assert "Other seeds says open pit, the label says pond" in why[weak.pk]
    assert not Suspect.objects.filter(site=fine).exists()
    [case, _] = describe_suspects(suspects=list(waiting_suspects()))
    assert (case.site, case.label.state, case.picture.mosaic) == (strong, "verified", None)


def test_a_lead_who_confirms_settles_it_until_there_is_new_evidence(cast: Cast) -> None:
    site, *_ = verified(cast)
    find_suspects(doubts=against(site))
    [claim] = claim_sites(user=cast.lea, campaign=queue_of(cast))
    assert claim.site_id == site.pk
    receipt = decide(cast.lea, site, "accept", types={"feature": "pond"}, campaign_id=queue_of(cast).pk)
    assert (receipt.decision.as_lead, receipt.settlement.state) == (True, "verified")
    assert served(cast) == []
    assert find_suspects(doubts=against(site)).suspects == 0
    again = find_suspects(doubts=against(site, "waste_rock_dump"))
    assert (again.suspects, again.fresh) == (1, 1)
    assert [doubt["words"] for doubt in Suspect.objects.get().doubts] == ["a classifier calls it waste_rock_dump"]


def test_a_lead_who_follows_the_doubt_is_not_asked_again(cast: Cast) -> None:
    site, *_ = verified(cast)
    find_suspects(doubts=against(site))
    decide(cast.lea, site, "fix", types={"feature": "open_pit"})
    site.refresh_from_db()
    assert site.feature.code == "open_pit"  # type: ignore[union-attr]
    assert find_suspects().suspects == 0


def test_what_is_undone_waits_again(cast: Cast) -> None:
    site, *_ = verified(cast)
    find_suspects(doubts=against(site))
    made = decide(cast.lea, site, "accept", types={"feature": "pond"})
    decide(cast.lea, site, "undo", undoes=made.decision.key)
    assert served(cast) == [site.pk]


def test_evidence_that_is_gone_takes_the_suspicion_with_it(cast: Cast) -> None:
    site, *_ = verified(cast)
    find_suspects(doubts=against(site))
    assert find_suspects().suspects == 0
    assert not Suspect.objects.exists()


def test_who_skips_gets_it_last_and_one_lead_holds_it(cast: Cast) -> None:
    one, other, _ = verified(cast)
    find_suspects(doubts={**against(one, weight=0.9), **against(other, weight=0.5)})
    assert served(cast) == [one.pk, other.pk]
    decide(cast.lea, one, "skip")
    assert served(cast) == [other.pk, one.pk]
    claim_sites(user=cast.lea, campaign=queue_of(cast), count=1)
    assert [one.site for one in upcoming_sites(user=cast.ada, campaign=queue_of(cast), count=5)] == [one.pk]


def test_the_queue_is_for_leads_alone(cast: Cast) -> None:
    site, *_ = verified(cast)
    find_suspects(doubts=against(site))
    campaign = queue_of(cast)
    assert campaign not in campaigns_of(user=cast.ana)
    assert campaign in campaigns_of(user=cast.lea)
    assert claim_sites(user=cast.ana, campaign=campaign) == []
    assert (count_suspects(user=cast.ana), count_suspects(user=cast.lea)) == (0, 1)


def test_progress_counts_what_is_settled(cast: Cast) -> None:
    one, other, _ = verified(cast)
    find_suspects(doubts={**against(one), **against(other)})
    conditions = queue_of(cast).conditions()
    assert count_suspects_of(conditions=conditions) == (0, 2)
    decide(cast.lea, one, "accept", types={"feature": "pond"})
    assert count_suspects_of(conditions=conditions) == (1, 2)
    progress = progress_of(user=cast.lea, campaign=queue_of(cast))
    assert (progress.done, progress.total, progress.mine_today) == (1, 2, 1)


def test_a_rejected_site_that_two_seeds_claim(cast: Cast) -> None:
    [site] = some_sites(1)
    seed(0, "pond")
    decide(cast.ana, site, "reject", reason="not_a_mine")
    assert find_suspects().suspects == 1
    assert "say that there is a mine here" in Site.objects.get(pk=site.pk).why
    decide(cast.lea, site, "reject", reason="cloud")
    assert find_suspects().suspects == 0
