"""What models think of types becomes proposals of open sites: append-only, said once, taken back when it changes."""

import pytest

from labelling.core.matching import ClaimSpec
from labelling.models import Proposal, Site, Source
from labelling.services.items import build_item
from labelling.services.joins import join_types, untyped_sites
from labelling.services.sites import place_claims
from labelling.services.type_offers import Offered, TypeOffer, offer_types
from tests.cast import Cast
from tests.mines import HERE, a_site, a_source, decide, some_sites, square


def a_thinker(name: str = "Type classifier: feature") -> Source:
    return Source.objects.get_or_create(name=name, defaults={"kind": "model"})[0]


def think(site: Site, *types: tuple[str, float]) -> Offered:
    return offer_types(source=a_thinker(), axis="feature", offers=[TypeOffer(site.pk, types, {"note": "a test"})])


def said(site: Site) -> list[tuple[int, list[list[object]]]]:
    rows = Proposal.objects.standing().filter(site=site, source=a_thinker()).order_by("pk")
    return [(one.revision, one.types["feature"]) for one in rows]


def test_an_offer_types_the_site_and_draws_nothing(cast: Cast) -> None:
    site = a_site()
    outline = site.footprint
    assert think(site, ("pond", 0.8), ("open_pit", 0.2)) == Offered(1, 0, 0, 0)
    site.refresh_from_db()
    assert (site.feature.code, site.state) == ("pond", Site.State.OPEN)  # type: ignore[union-attr]
    assert site.footprint.equals(outline)
    proposal = Proposal.objects.get(source=a_thinker())
    assert (proposal.geometry.geom_type, proposal.score) == ("Point", None)
    assert proposal.properties == {"note": "a test"}


def test_the_same_word_is_said_once_and_another_one_replaces_it(cast: Cast) -> None:
    site = a_site()
    think(site, ("pond", 0.8))
    assert think(site, ("pond", 0.81)) == Offered(0, 1, 0, 0)
    assert think(site, ("open_pit", 0.7)) == Offered(1, 0, 0, 0)
    assert said(site) == [(1, [["open_pit", 0.7]])]
    assert Proposal.objects.filter(source=a_thinker()).count() == 2
    site.refresh_from_db()
    assert site.feature.code == "open_pit"  # type: ignore[union-attr]


def test_a_word_can_be_taken_back_and_said_again(cast: Cast) -> None:
    site = a_site()
    think(site, ("pond", 0.8))
    assert think(site) == Offered(0, 0, 1, 0)
    site.refresh_from_db()
    assert (site.feature, said(site)) == (None, [])
    think(site, ("pond", 0.8))
    assert said(site) == [(1, [["pond", 0.8]])]


def test_what_people_have_decided_is_left_alone(cast: Cast) -> None:
    site = a_site()
    decide(cast.ana, site, "accept", types={"feature": "open_pit"})
    assert think(site, ("pond", 0.99)) == Offered(0, 0, 0, 1)
    site.refresh_from_db()
    assert site.feature.code == "open_pit"  # type: ignore[union-attr]
    assert not Proposal.objects.filter(source=a_thinker()).exists()


def test_a_type_of_another_axis_is_a_fault(cast: Cast) -> None:
    with pytest.raises(ValueError, match="no type copper on the axis feature"):
        think(a_site(), ("copper", 0.9))


def beside(metres: float, *, code: str | None = "pond", name: str = "LAMES", number: int = 1) -> None:
    """A typed seed so far east of the untyped site HERE."""
    lon = HERE[0] + 0.01 + metres / (111_320 * 0.939)
    types = {"feature": ((code, None),)} if code else {}
    spec = ClaimSpec(f"beside {number}", square(lon, side=0.002), types=types)
    place_claims(source=a_source(name), claims=[spec])


def test_a_typed_neighbour_proposes_its_type_with_the_distance(cast: Cast) -> None:
    site = a_site(source=a_source("Maus", kind="polygons"))
    beside(100)
    joined = join_types(axis="feature", site_ids=[site.pk])
    assert joined.offered.written == 1
    proposal = Proposal.objects.get(source__name="Typed neighbours: feature")
    assert proposal.types == {"feature": [["pond", 0.5]]}  # nobody knows yet how often such a neighbour is right
    assert proposal.properties["distance_m"] == pytest.approx(100, rel=0.02)
    assert proposal.properties["note"].startswith("pond of LAMES stands 100 m away; neighbours within 250 m")
    assert join_types(axis="feature", site_ids=[site.pk]).offered.known == 1


def test_the_card_says_why_a_model_thinks_so_and_keeps_what_seeds_wrote_to_itself(cast: Cast) -> None:
    spec = ClaimSpec("a", square(), types={"feature": (("open_pit", None),)}, properties={"note": "private"})
    [seed] = place_claims(source=a_source(), claims=[spec]).proposals
    think(Site.objects.get(pk=seed.site_id), ("pond", 0.8))
    item = build_item(user=cast.ana, site_id=seed.site_id, campaign=None)
    assert {one["source"]: one["note"] for one in item["proposals"]} == {
        a_source().name: "",
        a_thinker().name: "a test",
    }


def test_how_often_neighbours_are_right_becomes_the_probability(cast: Cast) -> None:
    site = a_site(source=a_source("Maus", kind="polygons"))
    step = 100 + 0.002 * 111_320 * 0.939
    for number, code in enumerate(["pond", "pond", "pond"]):
        beside(100 + number * step, code=code, number=number)
    joined = join_types(axis="feature", site_ids=[site.pk])
    rate = joined.rates["within 250 m"]
    assert (rate.right, rate.of) == (3, 3)
    assert Proposal.objects.get(source__name="Typed neighbours: feature").types["feature"][0][1] == pytest.approx(
        4 / 5, abs=1e-4
    )


def test_a_site_that_a_seed_has_typed_is_not_asked_about(cast: Cast) -> None:
    [typed] = some_sites(1, types={"feature": (("open_pit", None),)})
    beside(100)
    assert typed not in untyped_sites(axis="feature")
    assert join_types(axis="feature", site_ids=[typed.pk]).offered == Offered(0, 0, 0, 0)


def test_a_rejected_neighbour_says_nothing_and_a_verified_one_speaks_by_its_label(cast: Cast) -> None:
    site = a_site(source=a_source("Maus", kind="polygons"))
    beside(100)
    neighbour = Site.objects.exclude(pk=site.pk).get()
    decide(cast.ana, neighbour, "accept", types={"feature": "open_pit"})
    join_types(axis="feature", site_ids=[site.pk])
    proposal = Proposal.objects.standing().get(source__name="Typed neighbours: feature")
    assert (proposal.types["feature"][0][0], proposal.properties["source"]) == ("open_pit", "verified by people")
    decide(cast.lea, neighbour, "reject", reason="not_a_mine")
    assert join_types(axis="feature", site_ids=[site.pk]).offered.taken_back == 1
