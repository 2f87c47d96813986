from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labelling.core.errors import BadInput, KeyReused
from labelling.models import Comment, Site
from labelling.services.comments import MAX_COMMENT, add_comment, comments_on, mentions_waiting
from labelling.services.items import build_item
from labelling.services.lifelines import life_of
from tests.cast import Cast
from tests.mines import a_campaign, a_site, decide, some_sites

pytestmark = pytest.mark.django_db(transaction=True)


def say(user: User, site: Site, text: str) -> Comment:
    return add_comment(user=user, site=site, key=uuid4(), text=text)


def told(user: User, site: Site) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.title, one.lines) for one in life_of(site=site, user=user) if one.what == "comment"]


def on_card(user: User, site: Site) -> list[str]:
    return [one["text"] for one in build_item(user=user, site_id=site.pk, campaign=None)["comments"]]


def test_a_comment_stands_in_the_life_of_its_site_and_on_the_card(cast: Cast) -> None:
    site, other = some_sites(2)
    say(cast.ana, site, "  Two ponds?\r\nOr one. ")
    assert told(cast.ben, site) == [("ana said", ("Two ponds?", "Or one."))]
    assert on_card(cast.ben, site) == ["Two ponds?\nOr one."]
    assert (told(cast.ben, other), on_card(cast.ben, other)) == ([], [])


def test_a_comment_is_never_changed(cast: Cast) -> None:
    comment = say(cast.ana, a_site(), "first")
    comment.text = "second"
    with pytest.raises(TypeError, match="append-only"):
        comment.save()
    with pytest.raises(TypeError, match="append-only"):
        Comment.objects.all().delete()


@pytest.mark.parametrize("text", ["", " \n ", "x" * (MAX_COMMENT + 1)])
def test_nothing_and_too_much_are_refused(cast: Cast, text: str) -> None:
    with pytest.raises(BadInput):
        say(cast.ana, a_site(), text)
    assert not Comment.objects.exists()


def test_sent_twice_it_counts_once_and_a_key_says_one_thing(cast: Cast) -> None:
    site, key = a_site(), uuid4()
    first = add_comment(user=cast.ana, site=site, key=key, text="@lea look")
    assert add_comment(user=cast.ana, site=site, key=key, text="@lea look") == first
    with pytest.raises(KeyReused):
        add_comment(user=cast.ana, site=site, key=key, text="another")
    with pytest.raises(KeyReused):
        add_comment(user=cast.ben, site=site, key=key, text="@lea look")
    assert Comment.objects.count() == 1


def test_who_is_mentioned_finds_it_until_they_answer(cast: Cast) -> None:
    site = a_site()
    asked = say(cast.ana, site, "A pit or a quarry, @lea? Or @nobody?")
    assert mentions_waiting(user=cast.lea, limit=5) == [asked]
    assert mentions_waiting(user=cast.ben, limit=5) == []
    say(cast.lea, site, "A quarry. @ana")
    assert mentions_waiting(user=cast.lea, limit=5) == []
    again = say(cast.ana, site, "Sure, @lea?")
    assert mentions_waiting(user=cast.lea, limit=5) == [again]
    decide(cast.lea, site, "reject", reason="not_a_mine")
    assert mentions_waiting(user=cast.lea, limit=5) == []


def test_nobody_is_asked_by_themselves_or_when_gone(cast: Cast) -> None:
    User.objects.filter(pk=cast.ben.pk).update(is_active=False)
    comment = say(cast.ana, a_site(), "@ana, @ben: remember")
    assert mentions_waiting(user=cast.ana, limit=5) == []
    assert set(comment.mentions.all()) == {cast.ana}


def test_what_is_said_stays_hidden_while_opinions_are_blind(cast: Cast) -> None:
    site, campaign = a_site(), a_campaign(reviews_needed=2)
    decide(cast.ana, site, campaign_id=campaign.pk)
    say(cast.ana, site, "surely a pit")
    site.refresh_from_db()
    assert (told(cast.ben, site), on_card(cast.ben, site)) == ([], [])
    assert len(told(cast.ana, site)) == len(told(cast.lea, site)) == len(on_card(cast.ana, site)) == 1
    decide(cast.ben, site, campaign_id=campaign.pk)
    site.refresh_from_db()
    assert len(told(cast.ben, site)) == len(on_card(cast.ben, site)) == 1


def test_threads_of_many_sites_are_one_query(cast: Cast) -> None:
    sites = some_sites(3)
    for site in sites:
        say(cast.ana, site, "one")
        say(cast.ben, site, "two")
    with CaptureQueriesContext(connection) as asked:
        found = comments_on(sites=[site.pk for site in sites])
    assert len(asked) == 1
    assert [[one.author.username for one in found[site.pk]] for site in sites] == [["ana", "ben"]] * 3
