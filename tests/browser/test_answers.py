"""Answers that are none: what stands between settles nothing, and one sick decision stops no other."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.browser.server import Stage
from tests.browser.stage import STORM

DECISIONS = "**/api/v1/decisions/"
PATIENCE = {"Retry-After": "-99999999999"}  # from a proxy that is out of its mind
TRY_NOW = "dispatchEvent(new Event('online'))"
PAGE = "<html>Accept the terms of this network</html>"


def made_since(stage: Stage, count: int) -> list[tuple[int, str]]:
    return [(one["site"], one["verdict"]) for one in stage.decisions(STORM)[count:]]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, PAGE, "what answered is not MAD Web, perhaps the log-in page of the network"),
        (404, PAGE, "the server answered 404"),
        (413, PAGE, "the server answered 413"),
        (409, '{"error": "this site has ch', "the server answered 409"),
        (201, '{"key": "6e4', "what answered is not MAD Web"),
        (429, PAGE, "the server answered 429"),
    ],
    ids=["portal", "proxy", "too large", "cut choice", "cut receipt", "throttle"],
)
def test_only_the_server_itself_settles_a_decision(
    visit: Visit, stage: Stage, status: int, body: str, said: str
) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review(STORM)
    before = len(stage.decisions(STORM))
    visit.expect_trouble("Failed to load resource")
    page.route(DECISIONS, lambda route: route.fulfill(status=status, body=body, headers=PATIENCE))
    site = visit.open_site()
    visit.press("a")
    visit.expect_moved_on(site)
    expect(page.locator("#saved")).to_have_text("1 not yet saved · server trouble")
    page.locator("#saved").click()
    expect(page.get_by_role("dialog", name="Not yet saved")).to_contain_text(f"Not sent: {said}")
    page.unroute(DECISIONS)
    page.evaluate(TRY_NOW)
    visit.expect_saved()
    assert made_since(stage, before) == [(site, "accept")]


def test_a_page_in_its_place_takes_no_window_back(visit: Visit, stage: Stage) -> None:
    page = visit.page
    standing = "SELECT count(*) FROM labelling_reviewedarea WHERE revoked_at IS NULL"
    visit.log_in("ana")
    visit.review("looks")
    before = stage.rows(standing)[0][0]
    visit.press("c", "c")
    visit.expect_told("Window complete")
    visit.expect_saved()
    assert stage.rows(standing) == [(before + 1,)]
    page.route("**/revoke/", lambda route: route.fulfill(status=200, body=PAGE))
    visit.press("z")
    expect(page.locator("#saved")).to_have_text("1 not yet saved · server trouble")
    assert stage.rows(standing) == [(before + 1,)]
    page.unroute("**/revoke/")
    page.evaluate(TRY_NOW)
    visit.expect_saved()
    assert stage.rows(standing) == [(before,)]


def test_one_decision_at_which_the_server_fails_stops_no_other(visit: Visit, stage: Stage) -> None:
    page = visit.page
    visit.log_in("ben")
    visit.review(STORM)
    visit.expect_supplied(6)
    visit.expect_trouble("500")
    before = len(stage.decisions(STORM))
    sick = [visit.open_site()]

    def fail(route: Route) -> None:
        if json.loads(route.request.post_data or "")["site"] in sick:
            route.fulfill(status=500, body=PAGE)
        else:
            route.continue_()

    page.route(DECISIONS, fail)
    sites = []
    for _ in range(6):
        site = visit.open_site()
        sites.append(site)
        if len(sites) == 4:
            sick += [site]
        visit.press("a")
        visit.expect_moved_on(site)
    visit.expect_saved(2)
    assert sorted(made_since(stage, before)) == sorted((site, "accept") for site in sites if site not in sick)
    expect(page.locator("#saved")).to_have_text("2 not yet saved · server trouble")

    # it can be handed to somebody who looks into it
    page.locator("#saved").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save a copy as a file").click()
    copy = json.loads(Path(saved.value.path()).read_text())
    assert [(one["about"], one["body"]["site"]) for one in copy] == [(f"accepted {site}", site) for site in sick]

    page.unroute(DECISIONS)
    page.evaluate(TRY_NOW)
    visit.expect_saved()
    visit.expect_trouble("500")  # what was answered in between
    assert sorted(made_since(stage, before)) == sorted((site, "accept") for site in sites)


def test_what_follows_on_a_site_waits_for_what_came_before(visit: Visit, stage: Stage) -> None:
    """The server fails at a decision and at nothing else: its undo is not sent before it."""
    page = visit.page
    visit.log_in("lea")
    visit.review(STORM)
    visit.expect_trouble("500")
    before = len(stage.decisions(STORM))
    site = visit.open_site()
    sent: list[str] = []

    def fail_at_accept(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or "")["verdict"])
        if "accept" in sent[-1]:
            route.fulfill(status=500, body=PAGE)
        else:
            route.continue_()

    page.route(DECISIONS, fail_at_accept)
    visit.press("a")
    visit.expect_moved_on(site)
    visit.press("z")
    expect(page.locator("#place")).to_contain_text(f"site {site} ")
    expect(page.locator("#saved")).to_have_text("2 not yet saved · server trouble")
    assert set(sent) == {"accept"}
    page.unroute(DECISIONS)
    page.evaluate(TRY_NOW)
    visit.expect_saved()
    visit.expect_trouble("500")
    assert made_since(stage, before) == [(site, "accept"), (site, "undo")]
