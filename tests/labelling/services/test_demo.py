import pytest

from labelling.core.oracle import Truth
from labelling.core.synthetic import Place, make_places
from labelling.models import Campaign, Decision, Label, Region, Scene, Site, Source
from labelling.services.demo import load_demo
from labelling.services.oracle import judge_next, review_as_oracle
from labelling.services.queue import upcoming_sites
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)
TITLE = "Synthetic test"


@pytest.fixture(scope="module")
def places() -> tuple[Place, ...]:
    return make_places(2, side=320)


@pytest.fixture
def campaign(cast: Cast, places: tuple[Place, ...]) -> Campaign:
    return load_demo(places=places, title=TITLE, say=lambda _line: None)


def test_everything_of_the_demonstration_is_called_synthetic(campaign: Campaign) -> None:
    assert Scene.objects.count() == 4
    assert not Scene.objects.filter(synthetic=False).exists()
    assert not Site.objects.filter(synthetic=False).exists()
    assert not Source.objects.filter(synthetic=False).exists()
    assert all("Synthetic" in name for name in Region.objects.values_list("name", flat=True))
    assert "Synthetic" in campaign.name


def test_loading_it_twice_adds_nothing(campaign: Campaign, places: tuple[Place, ...]) -> None:
    before = (Scene.objects.count(), Site.objects.count(), Region.objects.count(), Campaign.objects.count())
    load_demo(places=places, title=TITLE, say=lambda _line: None)
    assert before == (Scene.objects.count(), Site.objects.count(), Region.objects.count(), Campaign.objects.count())


def test_its_sites_lie_in_its_ecoregions_and_in_its_campaign(campaign: Campaign, cast: Cast) -> None:
    assert {site.region.name for site in Site.objects.select_related("region") if site.region} == {
        "Synthetic moist forest",
        "Synthetic dry savanna",
    }
    assert not Site.objects.filter(region=None).exists()
    assert len(upcoming_sites(user=cast.ana, campaign=campaign, count=5)) == 5


def test_an_oracle_leaves_the_truth_behind(campaign: Campaign, places: tuple[Place, ...], cast: Cast) -> None:
    truths = [Truth(mine.lonlat, mine.kind) for place in places for mine in place.mines]
    made = review_as_oracle(
        user=cast.lea, campaign=campaign, truths=truths, windows=[place.lonlat_bounds for place in places]
    )
    verified = Label.objects.filter(state=Label.State.VERIFIED)
    assert verified.count() == len(truths)
    assert sorted(label.types()["feature"] for label in verified) == sorted(truth.code for truth in truths)
    assert not Site.objects.filter(state=Site.State.OPEN).exists()
    assert Decision.objects.count() == sum(made.values()) - made["windows"]
    assert cast.lea.reviewed_areas.count() == 2
    assert "add" in made
    assert not Site.objects.filter(synthetic=False).exists(), "a mine drawn on a synthetic scene is synthetic too"


def test_an_oracle_takes_the_next_sites_in_the_order_of_the_queue(
    campaign: Campaign, places: tuple[Place, ...], cast: Cast
) -> None:
    truths = [Truth(mine.lonlat, mine.kind) for place in places for mine in place.mines]
    served = [one.site for one in upcoming_sites(user=cast.lea, campaign=campaign, count=4)]
    taken: set[int] = set()
    judged = judge_next(user=cast.lea, campaign=campaign, truths=truths, taken=taken, count=4)
    assert [site.pk for site, _ in judged] == served
    assert taken == {judgement.truth for _, judgement in judged if judgement.truth is not None}
    assert Decision.objects.count() == 4
    assert not set(served) & {one.site for one in upcoming_sites(user=cast.lea, campaign=campaign, count=50)}
