"""The pages of agreement: who sees what, that figures lead to their rows, and that nothing tells which site is gold."""

import csv
import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labelling.models import Gold, GoldLook, Label
from tests.cast import Cast
from tests.labelling.services.test_agreement import BEN, GERRY, both_say, with_answers
from tests.mines import a_campaign, decide, drawn, some_sites

pytestmark = pytest.mark.django_db(transaction=True)


def page(client: Client, user: User, path: str, status: int = 200) -> str:
    client.force_login(user)
    answer = client.get(path)
    assert answer.status_code == status, path
    return unescape(answer.content.decode())


def links(html: str) -> list[str]:
    return [link for link in re.findall(r'href="(/agreement/[^"]*)"', html) if ".csv" not in link]


def test_a_lead_sees_everybody_and_every_figure_leads_to_its_rows(cast: Cast, client: Client) -> None:
    both_say(cast, BEN, GERRY)
    html = page(client, cast.lea, "/agreement/?campaign=minas")
    assert "0.69" in html
    assert "75" in html
    for name in ("ana", "ben"):
        assert f'href="/agreement/people/{name}/?campaign=minas"' in html
    seen = [page(client, cast.lea, link) for link in links(html)]
    assert len(seen) > 20
    assert any("Opinions side by side" in one and "pond" in one for one in seen)
    assert not page(client, cast.lea, "/agreement/?until=2020-01-01").count("0.69")


def test_a_reviewer_sees_own_figures_and_own_rows_alone(cast: Cast, client: Client) -> None:
    both_say(cast, BEN, GERRY)
    html = page(client, cast.ana, "/agreement/")
    assert "Your figures" in html
    assert "0.69" in html
    for link in links(html):
        page(client, cast.ana, link)
    page(client, cast.ana, "/agreement/people/ben/", 404)
    page(client, cast.ana, "/agreement/rows/gold/", 404)
    assert ">12 decisions of ana<" in page(client, cast.ana, "/agreement/rows/decisions/?reviewer=ben")
    assert "Nothing decided here" in page(client, cast.ada, "/agreement/people/gus/")


def test_gold_is_told_to_leads_at_once_and_to_reviewers_the_next_day(cast: Cast, client: Client) -> None:
    with_answers(cast, "aaaaaaaaab", "aaaaaaaabb")
    everybody = page(client, cast.lea, "/agreement/")
    assert "90" in everybody
    hers = page(client, cast.ana, "/agreement/")
    assert "None yet" in hers
    assert "added at midnight" in hers
    rows = page(client, cast.lea, "/agreement/rows/gold/?reviewer=ana&said=open_pit&heard=pond")
    assert rows.count("<tr>") == 2


def test_answers_to_gold_sites_are_summed_over_everybody(cast: Cast, client: Client) -> None:
    """A row for each reviewer would make a page of many hundreds; theirs stand on their own pages."""
    campaign, sites = with_answers(cast, "aaaaaaaaab", "aaaaaaaabb")
    for site in sites[:3]:
        GoldLook.objects.create(campaign=campaign, reviewer=cast.ben, site=site)
        decide(cast.ben, site, types={"feature": "pond"}, campaign_id=campaign.pk)
    rows = gold_table(page(client, cast.lea, "/agreement/"))
    assert rows == [("open pit", "open pit", "8"), ("open pit", "pond", "4"), ("pond", "pond", "1")]
    assert "their labels may be what is wrong" not in page(client, cast.lea, "/agreement/")
    assert gold_table(page(client, cast.lea, "/agreement/people/ben/")) == [("open pit", "pond", "3")]


def test_a_gold_site_that_many_miss_is_named_to_leads_alone(cast: Cast, client: Client) -> None:
    campaign, [site] = with_answers(cast, "a", "b")
    GoldLook.objects.create(campaign=campaign, reviewer=cast.ben, site=site)
    decide(cast.ben, site, types={"feature": "pond"}, campaign_id=campaign.pk)
    told = page(client, cast.lea, "/agreement/").split("their labels may be what is wrong")[1]
    assert f'href="/sites/{site.pk}/"' in told
    assert "missed by 2 of 2" in told
    for path in ("/agreement/", "/agreement/people/ana/"):
        assert "missed by" not in page(client, cast.ana, path)


def gold_table(html: str) -> list[tuple[str, ...]]:
    """What the label says, what was answered, how often."""
    table = html.split('aria-label="Gold sites"')[1].split("</table>", maxsplit=1)[0]
    rows = [re.sub(r"\s*<[^>]+>\s*", "|", row) for row in table.split("<tr>")[2:]]
    return [tuple(filter(None, row.split("|"))) for row in rows]


def test_the_verdicts_of_a_reviewer_add_up(cast: Cast, client: Client) -> None:
    sites = some_sites(3)
    decide(cast.ana, sites[0])
    decide(cast.ana, sites[1], "reject", reason="cloud")
    decide(cast.ana, sites[2], "skip")
    decide(cast.ana, None, "add", geometry=drawn(10, 10))
    row = page(client, cast.lea, "/agreement/").split('<a href="/agreement/people/ana/')[1].split("</tr>")[0]
    decisions, _, *verdicts = re.findall(r'class="num">(?:<a [^>]+>)?(\d+)<', row)
    assert (decisions, verdicts) == ("3", ["1", "0", "1", "1", "0"])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("pairs/", "12 pairs</span>"),
        ("pairs/?axis=feature&apart=on", "3 pairs · axis feature · where they differ"),
        ("pairs/?campaign=minas&axis=feature&since=2020-01-31", "12 pairs · in Minas · from 2020-01-31"),
        (
            "pairs/?reviewer=ana&other=ben&said=open_pit&heard=(rejected)&drawn=on",
            "0 pairs of ana and ben · ana said open pit · ben said (rejected for another reason)"
            " · where an outline was drawn",
        ),
        ("pairs/?names=pond&until=2020-01-31", "0 pairs · to 2020-01-31 · one of them said pond"),
        ("gold/?said=pond&heard=open_pit", "0 answers · the label says pond · the answer was open pit"),
        ("decisions/?reviewer=ana&verdict=fix", "12 decisions of ana · fixed"),
    ],
)
def test_rows_tell_what_was_asked_for(cast: Cast, client: Client, asked: str, words: str) -> None:
    both_say(cast, BEN, GERRY)
    assert words in page(client, cast.lea, f"/agreement/rows/{asked}")


@pytest.mark.parametrize("kind", ["pairs", "decisions", "gold"])
def test_many_rows_are_read_in_as_many_queries_as_few(cast: Cast, client: Client, kind: str) -> None:
    counts = []
    if kind == "gold":
        _, sites = with_answers(cast, "aaaa", "aaab")
        for site in sites:
            decide(cast.lea, site, types={"commodity": "gold", "method": "surface"})
    else:
        both_say(cast, BEN, GERRY)
    for until in ("2020-01-01", "2999-01-01"):
        with CaptureQueriesContext(connection) as asked:
            page(client, cast.lea, f"/agreement/rows/{kind}/?until={until}")
        counts.append(len(asked))
    assert counts[1] <= counts[0] + 1, "the rows themselves"


def test_tables_come_as_csv_for_leads(cast: Cast, client: Client) -> None:
    both_say(cast, BEN, GERRY)
    tables = {
        name: list(csv.DictReader(page(client, cast.lea, f"/agreement/{name}.csv").splitlines()))
        for name in ("reviewers", "types", "duos", "gold")
    }
    assert [(row["reviewer"], row["fix"], row["alpha"], row["alpha_n"]) for row in tables["reviewers"]] == [
        ("ana", "12", "0.692", "12"),
        ("ben", "12", "0.692", "12"),
    ]
    assert [(row["first"], row["second"], row["agreeing"]) for row in tables["duos"]] == [("ana", "ben", "0.75")]
    assert {row["type"] for row in tables["types"]} >= {"open_pit", "pond"}
    assert tables["gold"] == []


@pytest.mark.parametrize("wrong", ["since=yesterday", "campaign=nowhere", "axis=up"])
def test_what_cannot_be_asked_is_refused(cast: Cast, client: Client, wrong: str) -> None:
    page(client, cast.lea, f"/agreement/?{wrong}", 400)


def test_a_lead_marks_gold_on_the_page_of_a_site(cast: Cast, client: Client) -> None:
    site, still_open = some_sites(2)
    decide(cast.ana, site)
    assert "Mark as gold" not in page(client, cast.lea, f"/sites/{still_open.pk}/")
    assert "Mark as gold" not in page(client, cast.ana, f"/sites/{site.pk}/")
    assert "Mark as gold" in page(client, cast.lea, f"/sites/{site.pk}/")
    client.post(f"/sites/{site.pk}/gold/", {"mark": "1"})
    assert Gold.objects.get().site == site
    assert "Not gold" in page(client, cast.lea, f"/sites/{site.pk}/")
    client.post(f"/sites/{site.pk}/gold/", {"unmark": "1"})
    client.post(f"/sites/{still_open.pk}/gold/", {"mark": "1"})
    assert not Gold.objects.exists()


def test_the_page_of_a_dealt_gold_site_says_nothing_of_its_label(cast: Cast, client: Client) -> None:
    campaign, [site] = a_campaign(gold_share=0.5), some_sites(1, types={"feature": (("pond", None),)})
    decide(cast.ada, site, "fix", geometry=drawn(side=0.03), types={"feature": "open_pit"}, comment="a secret")
    Gold.objects.create(site=site, marked_by=cast.lea)
    before = page(client, cast.ana, f"/sites/{site.pk}/")
    assert "a secret" in before
    GoldLook.objects.create(campaign=campaign, reviewer=cast.ana, site=site)
    html = page(client, cast.ana, f"/sites/{site.pk}/")
    for told in ("a secret", "ada:", "open pit", 'data-state="verified"'):
        assert told not in html
    assert "pond" in html
    # Neither she nor others learn from her answer that it was one.
    decide(cast.ana, site, base_version=0, campaign_id=campaign.pk)
    assert "gold" not in page(client, cast.ana, f"/sites/{site.pk}/").replace("gold>", "")
    assert "ana:" not in page(client, cast.ben, f"/sites/{site.pk}/")
    assert "scored, not applied" in page(client, cast.lea, f"/sites/{site.pk}/")
    assert Label.objects.get().feature is not None


def test_the_dashboard_tells_the_same_alpha(cast: Cast, client: Client) -> None:
    assert "agreement" not in page(client, cast.gus, "/").lower()
    both_say(cast, BEN, GERRY)
    html = page(client, cast.ana, "/")
    assert re.search(r"<b>0\.69</b>\s*<span><a href=\"/agreement/\">agreement", html)
