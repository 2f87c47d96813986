"""What each verdict does to a site, and that nothing is lost, doubled or overwritten unseen."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from labelling.core.errors import BadInput, Conflict, KeyReused, NotFound
from labelling.models import Claim, Decision, Label, Site
from labelling.services.decisions import rebuild_labels
from labelling.services.queue import claim_sites
from tests.cast import Cast
from tests.mines import a_campaign, a_site, decide, drawn, some_sites

pytestmark = pytest.mark.django_db

TAILINGS: Mapping[str, tuple[tuple[str, float | None], ...]] = {"feature": (("tailings_storage_facility", None),)}


def test_an_accept_verifies_the_site_with_the_types_and_the_outline_that_it_has(cast: Cast) -> None:
    site = a_site(types=TAILINGS)
    receipt = decide(cast.ana, site)
    label = Label.objects.get(site=site)
    assert (receipt.created, receipt.version, receipt.settlement.state) == (True, 1, "verified")
    assert (label.state, label.types()) == ("verified", {"feature": "tailings_storage_facility"})
    assert label.geometry.equals(site.footprint)
    assert label.decision == receipt.decision
    site.refresh_from_db()
    assert (site.state, site.version) == ("verified", 1)


def test_a_fix_changes_outline_and_type_and_measures_the_area_anew(cast: Cast) -> None:
    site = a_site(types=TAILINGS)
    wider = drawn(side=0.02)
    decide(cast.ana, site, "fix", geometry=wider, types={"feature": "pond", "commodity": "iron"})
    before, site = site, Site.objects.get(pk=site.pk)
    assert site.types() == {"feature": "pond", "commodity": "iron"}
    assert site.footprint.equals(wider)
    assert site.area_ha == pytest.approx(4 * before.area_ha, rel=1e-3)
    assert site.footprint.contains(site.point)


def test_a_type_can_be_taken_away(cast: Cast) -> None:
    site = a_site(types=TAILINGS)
    decide(cast.ana, site, "fix", types={"feature": None})
    assert Label.objects.get(site=site).types() == {}


def test_a_rejection_needs_a_reason_and_keeps_it(cast: Cast) -> None:
    site = a_site(types=TAILINGS)
    with pytest.raises(BadInput, match="reason"):
        decide(cast.ana, site, "reject")
    receipt = decide(cast.ana, site, "reject", reason="cloud")
    label = Label.objects.get(site=site)
    assert (label.state, label.reason, label.types()) == ("rejected", "cloud", {})
    assert receipt.decision.types == {"feature": "tailings_storage_facility"}


def test_unsure_leaves_the_site_to_a_lead(cast: Cast) -> None:
    site = a_site()
    decide(cast.ana, site, "unsure", comment="pond or pit?")
    assert Label.objects.get(site=site).state == "contested"
    with pytest.raises(Conflict, match="a lead settles it"):
        decide(cast.ben, site)
    decide(cast.lea, site, "fix", types={"feature": "open_pit"})
    label = Label.objects.get(site=site)
    assert (label.state, label.types()) == ("verified", {"feature": "open_pit"})


def test_a_skip_changes_nothing_and_is_never_a_conflict(cast: Cast) -> None:
    site = a_site()
    receipt = decide(cast.ana, site, "skip", base_version=7)
    site.refresh_from_db()
    assert (site.state, site.version, receipt.decision.version) == ("open", 0, None)
    assert not receipt.decision.is_kept


def test_a_missed_mine_becomes_a_verified_site_with_its_drawing_as_proposal(cast: Cast) -> None:
    outline = drawn(10.0, 10.0)
    receipt = decide(cast.ana, None, "add", geometry=outline, types={"feature": "open_pit"})
    site = Site.objects.get(pk=receipt.decision.site_id)
    assert (site.state, site.version, site.types()) == ("verified", 1, {"feature": "open_pit"})
    assert site.footprint.equals(outline)
    proposal = site.proposals.get()
    assert (proposal.source.kind, proposal.external_id) == ("person", str(receipt.decision.key))


def test_a_missed_mine_on_a_finished_site_is_kept_and_shown_what_stands_there(cast: Cast) -> None:
    site = a_site()
    decide(cast.ben, site)
    with pytest.raises(Conflict, match="verified stands here already") as refused:
        decide(cast.ana, None, "add", geometry=drawn())
    assert refused.value.current["site"] == site.pk
    assert Decision.objects.get(verdict="add").is_kept
    assert Site.objects.count() == 1


def test_a_drawing_that_was_taken_back_goes_last_and_a_redraw_lands_on_it(cast: Cast) -> None:
    campaign = a_campaign()
    [waiting] = some_sites(1)
    first = decide(cast.ana, None, "add", geometry=drawn(10.0, 10.0))
    decide(cast.ana, first.decision.site_id, "undo", undoes=first.decision.key)
    assert Site.objects.get(pk=first.decision.site_id).state == "open"
    served = claim_sites(user=cast.ben, campaign=campaign, count=2)
    assert [claim.site_id for claim in served] == [waiting.pk, first.decision.site_id]
    again = decide(cast.ana, None, "add", geometry=drawn(10.0, 10.0, side=0.011))
    assert (again.decision.site_id, again.settlement.state) == (first.decision.site_id, "verified")


def test_the_same_submission_twice_counts_once_and_gets_the_same_answer(cast: Cast) -> None:
    site, key = a_site(), uuid4()
    first = decide(cast.ana, site, key=key, base_version=0)
    decide(cast.lea, site, "reject", reason="not_a_mine")
    again = decide(cast.ana, site, key=key, base_version=0)
    assert (again.created, again.decision.pk) == (False, first.decision.pk)
    assert (again.version, again.settlement.state, again.types) == (first.version, first.settlement.state, first.types)
    assert Decision.objects.count() == 2


def test_a_key_with_another_body_or_of_another_person_is_refused(cast: Cast) -> None:
    one, two = some_sites(2)
    key = decide(cast.ana, one).decision.key
    with pytest.raises(KeyReused):
        decide(cast.ana, two, key=key)
    with pytest.raises(KeyReused):
        decide(cast.ben, one, key=key, base_version=0)
    assert Decision.objects.count() == 1


def test_a_decision_on_an_old_version_is_kept_and_answered_with_the_newer_state(cast: Cast) -> None:
    site, key = a_site(), uuid4()
    decide(cast.ben, site, "reject", reason="not_a_mine")
    for _ in range(2):  # a repeat gets the same answer
        with pytest.raises(Conflict, match="has changed") as refused:
            decide(cast.ana, site, key=key, base_version=0)
        assert (refused.value.current["version"], refused.value.current["state"]) == (1, "rejected")
    kept = Decision.objects.get(key=key)
    assert kept.is_kept
    assert Label.objects.get(site=site).state == "rejected"
    assert [past["applied"] for past in refused.value.current["history"]] == [False, True]  # type: ignore[attr-defined]


def test_a_version_from_the_future_is_no_better(cast: Cast) -> None:
    site = a_site()
    with pytest.raises(Conflict):
        decide(cast.ana, site, base_version=3)
    site.refresh_from_db()
    assert (site.state, site.version) == ("open", 0)


def test_a_second_label_on_a_finished_site_is_refused_even_on_its_current_version(cast: Cast) -> None:
    site = a_site()
    decide(cast.ben, site)
    with pytest.raises(Conflict, match="verified already"):
        decide(cast.ana, site, "reject", reason="cloud")
    decide(cast.lea, site, "reject", reason="cloud")
    assert Label.objects.get(site=site).reason == "cloud"


def test_undo_goes_any_number_of_steps_back(cast: Cast) -> None:
    sites = some_sites(20, types=TAILINGS)
    receipts = [decide(cast.ana, site, "fix", types={"feature": "pond"}) for site in sites]
    for receipt in reversed(receipts):
        undo = decide(cast.ana, receipt.decision.site_id, "undo", undoes=receipt.decision.key)
        assert (undo.settlement.state, undo.version) == ("open", 2)
    assert not Label.objects.exists()
    assert {tuple(site.types().items()) for site in Site.objects.all()} == {(("feature", "tailings_storage_facility"),)}
    assert {site.version for site in Site.objects.all()} == {2}


def test_decide_undo_and_decide_again(cast: Cast) -> None:
    site = a_site()
    first = decide(cast.ana, site)
    decide(cast.ana, site, "undo", undoes=first.decision.key)
    decide(cast.ana, site, "reject", reason="not_a_mine")
    assert Label.objects.get(site=site).state == "rejected"


def test_a_rejected_site_shows_the_outline_that_was_rejected_once_a_fix_is_taken_back(cast: Cast) -> None:
    site = a_site()
    before, area = site.footprint, site.area_ha
    decide(cast.ana, site, "reject", reason="offset")
    site.refresh_from_db()
    fix = decide(cast.lea, site, "fix", geometry=drawn(side=0.03), base_version=site.version)
    site.refresh_from_db()
    assert (site.state, site.footprint) == ("verified", drawn(side=0.03))
    decide(cast.lea, site, "undo", undoes=fix.decision.key, base_version=site.version)
    site.refresh_from_db()
    assert (site.state, site.footprint, site.area_ha) == ("rejected", before, area)


def test_an_undo_is_not_undone_nor_repeated_nor_done_for_others(cast: Cast) -> None:
    site = a_site()
    accept = decide(cast.ana, site)
    with pytest.raises(NotFound):
        decide(cast.ben, site, "undo", undoes=accept.decision.key)
    undo = decide(cast.ana, site, "undo", undoes=accept.decision.key)
    with pytest.raises(BadInput, match="decide again"):
        decide(cast.ana, site, "undo", undoes=undo.decision.key)
    with pytest.raises(Conflict, match="undone already"):
        decide(cast.ana, site, "undo", undoes=accept.decision.key)
    assert Decision.objects.filter(verdict="undo").count() == 1


def test_a_lead_takes_back_anybodys_decision(cast: Cast) -> None:
    site = a_site()
    accept = decide(cast.ana, site)
    decide(cast.lea, site, "undo", undoes=accept.decision.key)
    site.refresh_from_db()
    assert site.state == "open"


def test_an_undo_beneath_a_later_decision_is_told_first_and_then_changes_nothing_of_it(cast: Cast) -> None:
    site = a_site()
    accept = decide(cast.ana, site)
    decide(cast.lea, site, "reject", reason="duplicate")
    with pytest.raises(Conflict, match="since"):
        decide(cast.ana, site, "undo", undoes=accept.decision.key, base_version=1)
    assert not Decision.objects.filter(verdict="undo").exists()
    decide(cast.ana, site, "undo", undoes=accept.decision.key)
    label = Label.objects.get(site=site)
    assert (label.state, label.reason, label.reviews) == ("rejected", "duplicate", 1)


def test_a_skip_can_be_undone_and_a_kept_decision_cannot(cast: Cast) -> None:
    site = a_site()
    skip = decide(cast.ana, site, "skip")
    decide(cast.ana, site, "undo", undoes=skip.decision.key)
    decide(cast.ben, site)
    key = uuid4()
    with pytest.raises(Conflict):
        decide(cast.ana, site, key=key, base_version=0)
    with pytest.raises(Conflict, match="nothing to undo"):
        decide(cast.ana, site, "undo", undoes=key)


def test_two_blind_opinions_settle_a_site_where_they_agree(cast: Cast) -> None:
    campaign = a_campaign(reviews_needed=2)
    agreed, disputed = some_sites(2, types=TAILINGS)
    for site in (agreed, disputed):
        decide(cast.ana, site, campaign_id=campaign.pk)
        site.refresh_from_db()
        assert (site.state, site.version) == ("open", 1)
    # Ben saw the sites before Ana had spoken; as nothing that he saw has changed, his word counts.
    decide(cast.ben, agreed, campaign_id=campaign.pk, base_version=0)
    decide(cast.ben, disputed, "fix", types={"feature": "pond"}, campaign_id=campaign.pk, base_version=0)
    assert Label.objects.get(site=agreed).reviews == 2
    assert [Label.objects.get(site=site).state for site in (agreed, disputed)] == ["verified", "contested"]


def test_nobody_gives_both_of_two_opinions(cast: Cast) -> None:
    campaign = a_campaign(reviews_needed=2)
    site = a_site()
    decide(cast.ana, site, campaign_id=campaign.pk)
    with pytest.raises(Conflict, match="decided on this site already"):
        decide(cast.ana, site, campaign_id=campaign.pk)
    assert not Label.objects.exists()


def test_a_decision_gives_claims_back(cast: Cast) -> None:
    campaign = a_campaign()
    some_sites(2)
    [mine] = claim_sites(user=cast.ana, campaign=campaign)
    [bens] = claim_sites(user=cast.ben, campaign=campaign)
    decide(cast.ana, mine.site)
    assert list(Claim.objects.all()) == [bens]
    decide(cast.ana, bens.site)  # opened from the map; Ben learns it from his heartbeat
    assert not Claim.objects.exists()


@pytest.mark.parametrize(
    ("verdict", "more", "said"),
    [
        ("like", {}, "unknown verdict"),
        ("accept", {"types": {"feature": "gold"}}, "unknown type 'gold' on the axis 'feature'"),
        ("accept", {"types": {"colour": "red"}}, "unknown axis"),
        ("accept", {"types": {"feature": "lava"}}, "unknown type"),
        ("accept", {"geometry": drawn()}, "send 'fix'"),
        ("accept", {"reason": "cloud"}, "reject"),
        ("accept", {"undoes": uuid4()}, "undoes"),
        ("accept", {"comment": "x" * 2001}, "2000"),
        ("fix", {}, "changes the outline"),
        ("undo", {}, "undoes"),
    ],
)
def test_bad_submissions_are_refused_with_what_to_change(
    cast: Cast, verdict: str, more: dict[str, Any], said: str
) -> None:
    site = a_site()
    with pytest.raises(BadInput, match=said):
        decide(cast.ana, site, verdict, **more)
    assert not Decision.objects.exists()


def test_a_missed_mine_needs_an_outline_and_no_site(cast: Cast) -> None:
    with pytest.raises(BadInput, match="outline"):
        decide(cast.ana, None, "add")
    with pytest.raises(BadInput, match="name the site"):
        decide(cast.ana, a_site(), "add", geometry=drawn())
    with pytest.raises(BadInput, match="draw a polygon"):
        decide(cast.ana, None, "add", geometry=drawn().centroid)


def test_what_is_not_there_or_not_yours_is_not_found(cast: Cast) -> None:
    closed_circle = a_campaign("Ben only", reviewers=[cast.ben])
    site = a_site()
    with pytest.raises(NotFound, match="campaign"):
        decide(cast.ana, site, campaign_id=closed_circle.pk)
    with pytest.raises(NotFound, match="scene"):
        decide(cast.ana, site, scene_id=99)
    with pytest.raises(NotFound, match="site"):
        decide(cast.ana, 999_999, base_version=0)


def test_labels_rebuilt_from_the_decisions_are_the_stored_ones(cast: Cast) -> None:
    twice = a_campaign(reviews_needed=2)
    sites = some_sites(8, types=TAILINGS)
    decide(cast.ana, sites[0])
    decide(cast.ana, sites[1], "fix", geometry=drawn(side=0.005), types={"feature": "pond"})
    decide(cast.ana, sites[2], "reject", reason="duplicate")
    decide(cast.ana, sites[3], "unsure")
    undone = decide(cast.ana, sites[4])
    decide(cast.ana, sites[4], "undo", undoes=undone.decision.key)
    for person in (cast.ana, cast.ben):
        decide(person, sites[5], campaign_id=twice.pk)
    decide(cast.ana, sites[6], campaign_id=twice.pk)
    decide(cast.ana, sites[7])
    decide(cast.lea, sites[7], "reject", reason="inactive")
    decide(cast.ben, None, "add", geometry=drawn(10, 10), types={"feature": "open_pit"})

    def everything() -> list[tuple[object, ...]]:
        rows = Site.objects.order_by("pk").values_list(
            "pk", "state", "footprint", "feature", "label__state", "label__geometry", "label__feature",
            "label__reason", "label__decision", "label__reviews", "label__decided_at",
        )  # fmt: skip
        return [tuple(getattr(value, "wkb", value) for value in row) for row in rows]

    stored = everything()
    ids = list(Site.objects.values_list("pk", flat=True))
    assert rebuild_labels(sites=ids) == 0
    assert everything() == stored
    Label.objects.all().delete()
    Site.objects.update(state="open")
    assert rebuild_labels(sites=ids[:1]) == 1
    assert rebuild_labels(sites=ids) == 6
    assert everything() == stored


def test_decisions_are_append_only(cast: Cast) -> None:
    decision = decide(cast.ana, a_site()).decision
    with pytest.raises(TypeError, match="append-only"):
        Decision.objects.filter(pk=decision.pk).update(comment="never said")
    with pytest.raises(TypeError, match="append-only"):
        decision.delete()
