import pytest
from django.test import Client

from labelling.models import Campaign
from labelling.services.suspects import find_suspects
from tests.cast import Cast
from tests.labelling.services.test_suspects import against, verified

pytestmark = pytest.mark.django_db
PATH = "/review/suspects/"


@pytest.fixture
def lea(client: Client, cast: Cast) -> Client:
    client.force_login(cast.lea)
    return client


def test_a_doubt_is_told_with_its_weight_and_the_way_to_decide(lea: Client, cast: Cast) -> None:
    site, *_ = verified(cast)
    find_suspects(doubts=against(site))
    page = lea.get(PATH).text
    assert "doubt 0.80" in page
    assert "Each doubt weighs 0 to 1" in page
    assert f'href="/review/suspect-labels/?site={site.pk}"' in page
    assert "is closed" not in page


def test_a_closed_queue_is_told_with_the_way_to_open_it(lea: Client, cast: Cast) -> None:
    find_suspects(doubts=against(verified(cast)[0]))
    Campaign.objects.update(active=False)
    page = lea.get(PATH).text
    assert "is closed, so nobody can decide on them" in page
    assert 'href="/review/suspect-labels/settings/"' in page
    assert "/review/suspect-labels/?site=" not in page


def test_where_nothing_is_suspect_a_closed_queue_hurts_nobody(lea: Client, cast: Cast) -> None:
    find_suspects(doubts=against(verified(cast)[0]))
    find_suspects()
    Campaign.objects.update(active=False)
    page = lea.get(PATH).text
    assert "No label looks wrong" in page
    assert "is closed" not in page
