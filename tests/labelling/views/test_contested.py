import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labelling.core.errors import BadInput
from labelling.models import Label, Site
from labelling.services.campaigns import Terms, create_campaign
from labelling.services.keymaps import save_keymap
from tests.cast import Cast
from tests.mines import a_campaign, a_site, decide, some_sites

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/review/contested/"
XSS = "<img src=x onerror=alert(1)>"


def at(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def site(cast: Cast) -> Site:
    site, twice = a_site(types={"feature": (("open_pit", None),)}), a_campaign("Twice", reviews_needed=2)
    decide(cast.ana, site, campaign_id=twice.pk, comment=XSS)
    decide(cast.ben, site, "reject", reason="inactive", campaign_id=twice.pk)
    return site


def form_of(page: Any, name: str) -> dict[str, str]:
    """What pressing the button beside an opinion sends."""
    fields = dict(re.findall(r'name="(key|base_version)" value="([^"]+)"', page.text))
    button = re.search(rf'name="decision" value="(\d+)" aria-label="Settle site \d+ as {name} says"', page.text)
    assert button
    return {**fields, "decision": button.group(1)}


def quarrels(cast: Cast, count: int) -> list[Site]:
    """The longest waiting first."""
    twice = a_campaign("Twice", reviews_needed=2)
    sites = some_sites(count)
    for one in sites:
        decide(cast.ana, one, campaign_id=twice.pk)
        decide(cast.ben, one, "reject", reason="inactive", campaign_id=twice.pk)
    return sites


def settle(lea: Client, path: str, site: Site) -> Any:
    """Settle a site of a page as ben says."""
    card = lea.get(path).text.split(f'id="site-{site.pk}"')[1].split("</section>")[0]
    fields = dict(re.findall(r'name="(key|base_version|next)" value="([^"]+)"', card))
    decision = re.search(r'value="(\d+)" aria-label="Settle site \d+ as ben says"', card)
    assert decision
    return lea.post(path, {**fields, "decision": decision.group(1)})


def test_a_lead_sees_who_said_what_when_and_why(cast: Cast, site: Site) -> None:
    page = at(cast.lea).get(PATH).text
    for words in ("ana", "ben", "accepted", "rejected: inactive", "in Twice", "open pit", "is it a mine?"):
        assert words in page
    assert len(re.findall(r"<time[^>]+>\d{4}-\d\d-\d\d \d\d:\d\d<", page)) == 2
    assert XSS not in page
    assert "&lt;img src=x" in page
    assert f'href="/review/twice/?site={site.pk}"' in page


def test_enter_in_the_words_of_a_lead_settles_nothing(cast: Cast, site: Site) -> None:
    """In a field of one line it would press the first button."""
    page = at(cast.lea).get(PATH).text
    assert re.findall(r'<(\w+)[^>]*name="comment"', page) == ["textarea"]


def test_pressing_settle_settles(cast: Cast, site: Site) -> None:
    lea = at(cast.lea)
    after = lea.post(PATH, form_of(lea.get(PATH), "ben") | {"comment": "no traces of work"}, follow=True)
    assert f"Site {site.pk} is rejected." in after.text
    assert "Nothing is contested" in after.text
    label = Label.objects.get()
    assert (label.state, label.reason, label.decision.comment) == ("rejected", "inactive", "no traces of work")


def test_two_leads_at_once_are_told(cast: Cast, site: Site) -> None:
    lea, ada = at(cast.lea), at(cast.ada)
    hers, theirs = form_of(lea.get(PATH), "ben"), form_of(ada.get(PATH), "ana")
    lea.post(PATH, hers)
    assert "has changed since you saw it" in ada.post(PATH, theirs, follow=True).text
    assert Label.objects.get().state == "rejected"


def test_an_opinion_that_is_gone_settles_nothing(cast: Cast, site: Site) -> None:
    lea = at(cast.lea)
    sent = form_of(lea.get(PATH), "ben") | {"decision": "9" * 12}
    assert "Nothing was settled: that opinion has been taken back." in lea.post(PATH, sent, follow=True).text


@pytest.mark.parametrize("field", ["decision", "key", "base_version"])
def test_a_form_without_its_fields_is_refused(cast: Cast, site: Site, field: str) -> None:
    lea = at(cast.lea)
    sent = form_of(lea.get(PATH), "ben") | {field: "x"}
    assert lea.post(PATH, sent).status_code == 400


def test_only_leads_are_led_there(cast: Cast, site: Site) -> None:
    for path in ("/", "/review/"):
        assert PATH in at(cast.lea).get(path).text
        assert PATH not in at(cast.ana).get(path).text


def test_no_campaign_takes_the_address(cast: Cast) -> None:
    with pytest.raises(BadInput, match="cannot be the name"):
        create_campaign(terms=Terms("Contested"))


def test_after_a_word_the_next_site_of_the_same_page_follows(cast: Cast) -> None:
    sites, lea = quarrels(cast, 12), at(cast.lea)
    path = f"{PATH}?page=2"
    answer = settle(lea, path, sites[10])
    ruling = Label.objects.get(state="rejected").decision.key
    assert answer["Location"] == f"{path}&settled={ruling}#site-{sites[11].pk}"
    last = settle(lea, answer["Location"], sites[11])
    assert "#" not in last["Location"], "after the last one of a page nothing follows yet"
    assert f"Site {sites[11].pk} is rejected." in lea.get(last["Location"]).text


def test_what_was_settled_last_is_taken_back_in_place(cast: Cast) -> None:
    sites, lea = quarrels(cast, 2), at(cast.lea)
    page = lea.get(settle(lea, PATH, sites[0])["Location"]).text
    assert f"Site {sites[0].pk} is rejected." in page
    bar = page.split('action="/review/contested/take-back/')[1]
    sent = dict(re.findall(r'name="(ruling|key)" value="([^"]+)"', bar))
    answer = lea.post(f"{PATH}take-back/", sent)
    assert answer["Location"] == f"{PATH}#site-{sites[0].pk}"
    after = lea.get(PATH).text
    assert f"Site {sites[0].pk} is contested again." in after
    assert "Take back" not in after
    again = lea.post(f"{PATH}take-back/", sent | {"key": str(uuid4())}, follow=True)
    assert "Nothing was taken back: that decision has been undone already." in again.text


def test_only_who_settled_is_offered_to_take_it_back(cast: Cast) -> None:
    (site,) = quarrels(cast, 1)
    place = settle(at(cast.lea), PATH, site)["Location"]
    assert "Take back" in at(cast.lea).get(place).text
    assert "Take back" not in at(cast.ada).get(place).text
    assert at(cast.lea).get(f"{PATH}?settled=x").status_code == 400


@pytest.mark.parametrize("field", ["ruling", "key"])
def test_taking_back_needs_its_fields(cast: Cast, field: str) -> None:
    sent = {"ruling": str(uuid4()), "key": str(uuid4())} | {field: "x"}
    assert at(cast.lea).post(f"{PATH}take-back/", sent).status_code == 400


def test_nothing_of_the_kind_is_said_to_be_nothing(cast: Cast) -> None:
    sent = {"ruling": str(uuid4()), "key": str(uuid4())}
    answer = at(cast.lea).post(f"{PATH}take-back/", sent, follow=True)
    assert "Nothing was taken back: you have settled nothing of the kind." in answer.text


def test_own_keys_are_on_the_page(cast: Cast, site: Site) -> None:
    save_keymap(user=cast.lea, keys={"forward": "KeyJ"})
    assert '"forward": "KeyJ"' in at(cast.lea).get(PATH).text


def test_one_site_can_be_asked_for(cast: Cast) -> None:
    sites, lea = quarrels(cast, 2), at(cast.lea)
    page = lea.get(f"{PATH}?site={sites[1].pk}").text
    assert (page.count('class="card dispute"'), "All contested" in page) == (1, True)
    assert settle(lea, f"{PATH}?site={sites[1].pk}", sites[1])["Location"].startswith(f"{PATH}?settled=")
    gone = lea.get(f"{PATH}?site={sites[1].pk}").text
    assert (gone.count('class="card dispute"'), "All contested" in gone) == (1, False), "it is settled: those that wait"


def test_the_page_of_a_site_leads_a_lead_to_its_settling(cast: Cast, site: Site) -> None:
    page = f"/sites/{site.pk}/"
    for way in (f"{PATH}?site={site.pk}", f"/review/twice/?site={site.pk}"):
        assert f'href="{way}"' in at(cast.lea).get(page).text
        assert f'href="{way}"' not in at(cast.ana).get(page).text
    at(cast.lea).post(PATH, form_of(at(cast.lea).get(PATH), "ana"))
    settled = at(cast.lea).get(page).text
    assert "Settle it" not in settled
    assert "Decide on the map" in settled


def test_a_lead_stays_in_the_campaign_that_was_asked_for(cast: Cast) -> None:
    sites, lea = quarrels(cast, 3), at(cast.lea)
    decide(cast.ana, some_sites(4)[-1], "unsure", campaign_id=a_campaign("Other").pk)
    path = f"{PATH}?campaign=twice"
    assert lea.get(path).text.count('class="card dispute"') == 3
    there = settle(lea, path, sites[0])["Location"]
    assert there.startswith(f"{path}&settled=")
    page = lea.get(there).text
    assert (page.count('class="card dispute"'), '<option value="twice" selected>' in page) == (2, True)
    assert 'action="/review/contested/take-back/?campaign=twice"' in page
    assert lea.get(f"{PATH}?campaign=nowhere").status_code == 400


def test_where_no_opinion_can_be_adopted_there_is_no_reason_to_write(cast: Cast) -> None:
    """It would go nowhere: the review screen has a field of its own."""
    decide(cast.ana, a_site(), "unsure", campaign_id=a_campaign("Minas").pk)
    page = at(cast.lea).get(PATH).text
    assert 'name="comment"' not in page
    assert "Decide on the map" in page
