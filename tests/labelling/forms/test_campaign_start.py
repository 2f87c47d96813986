"""What a campaign takes over from a filter of the sites page: the same sites, or a word about what is left out."""

import pytest
from django.http import QueryDict
from shapely.geometry import box

from labelling.core.campaigns import CampaignFilter
from labelling.core.matching import ClaimSpec
from labelling.forms import campaign_start
from labelling.forms.campaign_start import CampaignStart, start_from
from labelling.forms.sites import SiteFilter
from labelling.models import Site
from labelling.services.sites import place_claims
from tests.cast import Cast
from tests.mines import a_source, decide, square
from tests.truth import region

pytestmark = pytest.mark.django_db
POND, GOLD = ("feature", "pond"), ("commodity", "gold")
PLACES = {
    "a gold pond": (-44.0, "usgs", (POND, GOLD), None),
    "a pond": (-43.9, "usgs", (POND,), None),
    "a gold mine": (-43.8, "anm", (GOLD,), 0.625),
    "a far pond": (-30.0, "anm", (POND,), 0.9),
    "a nameless place": (-29.9, "anm", (), None),
}


@pytest.fixture
def mines(cast: Cast) -> dict[str, Site]:
    region(10, "Cerrado", box(-45, -21, -40, -19))
    region(11, "Caatinga", box(-31, -21, -25, -19))
    region(12, "Campos without a site", box(0, 0, 1, 1))
    found = {}
    for name, (west, source, types, score) in PLACES.items():
        said = {axis: ((code, None),) for axis, code in types}
        claim = ClaimSpec(name, square(west, -20), types=said, score=score, name=name)
        found[name] = place_claims(source=a_source(source), claims=[claim]).proposals[0].site
    decide(cast.ana, found["a pond"])
    twice = ClaimSpec("seen again", square(-30.0, -20), score=0.95)
    place_claims(source=a_source("a model"), claims=[twice])
    return found


def start(query: str) -> CampaignStart:
    return start_from(SiteFilter.checked(QueryDict(query)))


@pytest.mark.parametrize(
    ("query", "conditions", "taken"),
    [
        ("", CampaignFilter(), ()),
        ("feature=pond", CampaignFilter(types=("pond",)), ("Feature: pond",)),
        (
            "commodity=gold&source=anm",
            CampaignFilter(types=("gold",), sources=("anm",)),
            ("Commodity: gold", "Source: anm"),
        ),
        ("score_from=0", CampaignFilter(min_score=0), ("Score from: 0.0",)),
        ("score_to=0.625", CampaignFilter(max_score=0.625), ("Score to: 0.625",)),
        (
            "score_from=0.625&source=anm",
            CampaignFilter(sources=("anm",), min_score=0.625),
            ("Source: anm", "Score from: 0.625"),
        ),
        (
            "score_to=0.92&source=anm",
            CampaignFilter(sources=("anm",), max_score=0.92),
            ("Source: anm", "Score to: 0.92"),
        ),
        ("region=caat", CampaignFilter(regions=(11,)), ("Region, biome or realm: caat",)),
        ("region=tropical+grass", CampaignFilter(regions=(11, 10)), ("Region, biome or realm: tropical grass",)),
        (
            "region=NEOTROPIC&feature=pond",
            CampaignFilter(types=("pond",), regions=(11, 10)),
            ("Feature: pond", "Region, biome or realm: NEOTROPIC"),
        ),
    ],
)
def test_the_campaign_fits_the_sites_of_the_page(
    mines: dict[str, Site], query: str, conditions: CampaignFilter, taken: tuple[str, ...]
) -> None:
    begun = start(query)
    assert begun == CampaignStart(conditions, taken=taken)
    listed = SiteFilter.checked(QueryDict(query)).sites()
    assert set(Site.objects.matching(begun.conditions)) == set(listed) != set()


def test_what_every_campaign_does_needs_no_condition(mines: dict[str, Site]) -> None:
    assert start("state=open&page=2&bbox=0,0,1,1") == CampaignStart(CampaignFilter(), taken=("State: to review",))


@pytest.mark.parametrize(
    ("query", "what", "why", "found"),
    [
        ("q=pond", "Name or number: pond", "names or numbers", 3),
        ("state=verified", "State: verified", "set back to review", 1),
        ("feature=none", "Feature: not named", "the types that sites have", 2),
        ("region=campos", "Region, biome or realm: campos", "no ecoregion with sites", 0),
        ("region=atlantis", "Region, biome or realm: atlantis", "no ecoregion with sites", 0),
    ],
)
def test_what_a_campaign_cannot_ask_for_is_said(
    mines: dict[str, Site], query: str, what: str, why: str, found: int
) -> None:
    begun = start(f"{query}&source=")
    ((said, because),) = begun.left_out
    assert said == what
    assert why in because
    assert (begun.conditions, begun.taken, begun.found) == (CampaignFilter(), (), found)


def test_one_type_is_taken_over_and_the_other_is_named(mines: dict[str, Site]) -> None:
    begun = start("feature=pond&commodity=gold&source=usgs")
    assert begun.conditions == CampaignFilter(types=("pond",), sources=("usgs",))
    assert begun.taken == ("Feature: pond", "Source: usgs")
    assert [what for what, _ in begun.left_out] == ["Commodity: gold"]
    names = Site.objects.matching(begun.conditions).order_by("pk").values_list("name", flat=True)
    assert list(names) == ["a gold pond", "a pond"], "more than were asked for, never fewer"
    assert begun.found == 1


def test_a_range_of_scores_is_taken_over(mines: dict[str, Site]) -> None:
    begun = start("score_from=0.5&score_to=0.8")
    assert begun.conditions == CampaignFilter(min_score=0.5, max_score=0.8)
    assert (begun.taken, begun.left_out) == (("Score from: 0.5", "Score to: 0.8"), ())
    assert Site.objects.matching(begun.conditions).count() == 1


def test_more_regions_than_a_campaign_names_are_left_out(
    mines: dict[str, Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_start, "MAX_VALUES", 1)
    assert start("region=cerrado").conditions == CampaignFilter(regions=(10,))
    begun = start("region=neotropic&q=pond&state=rejected&method=none&feature=pond")
    assert begun.conditions == CampaignFilter(types=("pond",))
    assert [what.partition(":")[0] for what, _ in begun.left_out] == [
        "Name or number", "State", "Method", "Region, biome or realm",
    ]  # fmt: skip
    assert "2 ecoregions" in begun.left_out[-1].why
