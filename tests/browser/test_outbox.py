"""Never a loss: what is decided is kept in the browser until the server has confirmed it."""

import re

from playwright.sync_api import Dialog, Route, expect

from tests.browser.conftest import Visit
from tests.browser.server import Stage

MADE_OFFLINE = (("a", "accept"), ("u", "unsure"), ("a", "accept"))
OFFLINE = ("ERR_INTERNET_DISCONNECTED", "Failed to load resource", "ERR_FAILED", "ERR_CONNECTION_REFUSED")


def test_decisions_made_offline_count_once_each(visit: Visit, stage: Stage) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review("offline")
    visit.expect_saved()
    before = len(stage.decisions("offline"))
    visit.expect_supplied(len(MADE_OFFLINE))
    visit.expect_trouble(*OFFLINE)
    visit.context.set_offline(True)
    decided = []
    for key, verdict in MADE_OFFLINE:
        site = visit.open_site()
        visit.press(key)
        decided.append((site, verdict))
        visit.expect_moved_on(site)
    expect(page.locator("#saved")).to_contain_text("3 not yet saved")
    assert len(stage.decisions("offline")) == before
    visit.press("z")
    expect(page.locator("#saved")).to_contain_text("4 not yet saved")
    expect(page.locator("#place")).to_contain_text(f"site {decided[2][0]} ")

    # the page is closed without a network, and opened again when it is back
    page.close(run_before_unload=False)
    visit.context.set_offline(False)
    page = visit.page = visit.context.new_page()
    visit.watch(page)
    visit.review("offline")
    visit.expect_saved()
    made = [(one["site"], one["verdict"]) for one in stage.decisions("offline")[before:]]
    assert made == [*decided, (decided[2][0], "undo")]
    assert stage.state_of(decided[2][0]) == "open"


def test_a_lost_answer_is_no_second_decision(visit: Visit, stage: Stage) -> None:
    """The server commits, but its answer never arrives: the same key goes again and counts once."""
    visit.log_in("ben")
    visit.review("offline")
    site = visit.open_site()
    lost: list[int] = []

    def lose_the_answer(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    visit.expect_trouble(*OFFLINE)
    visit.page.route("**/api/v1/decisions/", lose_the_answer)
    visit.press("a")
    visit.expect_moved_on(site)
    visit.expect_saved()
    assert lost == [201]
    mine = [one for one in stage.decisions("offline") if one["reviewer"] == "ben"]
    assert [(one["site"], one["verdict"]) for one in mine] == [(site, "accept")]


def test_trouble_at_the_server_is_not_called_offline(visit: Visit, stage: Stage) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review("offline")
    site = visit.open_site()
    visit.expect_trouble("500")
    page.route("**/api/v1/decisions/", lambda route: route.fulfill(status=500, body="<h1>Server Error</h1>"))
    visit.press("s")
    expect(page.locator("#saved")).to_have_text("1 not yet saved · server trouble")
    page.locator("#saved").click()
    dialog = page.get_by_role("dialog", name="Not yet saved")
    expect(dialog).to_contain_text("Not sent: the server answered 500.")
    page.unroute("**/api/v1/decisions/")
    dialog.get_by_role("button", name="Try now").click()
    visit.expect_saved()
    visit.expect_trouble("500")  # what was answered in between
    last = stage.decisions("offline")[-1]
    assert (last["site"], last["verdict"]) == (site, "skip")


def note_and_accept(asked: list[str], dialog: Dialog) -> None:
    asked.append(dialog.type)
    dialog.accept()


def test_leaving_with_unsaved_work_is_asked_about(visit: Visit) -> None:
    visit.log_in("ben")
    visit.review("offline")
    visit.expect_trouble(*OFFLINE)
    visit.page.route("**/api/v1/decisions/", lambda route: route.abort())
    asked: list[str] = []
    visit.page.on("dialog", lambda dialog: note_and_accept(asked, dialog))
    visit.press("s")
    visit.expect_saved(1)
    visit.page.goto(f"{visit.stage.url}/review/")
    assert asked == ["beforeunload"]
    visit.page.unroute("**/api/v1/decisions/")
    visit.review("offline")
    visit.expect_saved()


def test_an_expired_login_loses_nothing(visit: Visit, stage: Stage) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review("login")
    first = visit.open_site()
    before = len(stage.decisions("login"))
    visit.expect_trouble("401 (Unauthorized)")
    visit.context.clear_cookies(name="sessionid")
    visit.press("a")
    dialog = page.get_by_role("dialog", name="You are logged out")
    expect(dialog).to_contain_text("1 decision is kept in this browser")
    assert len(stage.decisions("login")) == before

    dialog.get_by_label("Password").fill("not this one")
    dialog.get_by_role("button", name="Log in").click()
    expect(dialog).to_contain_text("does not match")
    dialog.get_by_label("Password").fill("correct horse battery")
    dialog.get_by_role("button", name="Log in").click()
    expect(dialog).to_be_hidden()
    visit.expect_saved()
    assert [(one["site"], one["verdict"]) for one in stage.decisions("login")[before:]] == [(first, "accept")]
    second = visit.expect_moved_on(first)
    visit.press("u")  # and the work goes on
    visit.expect_moved_on(second)
    visit.expect_saved()


def test_decisions_are_sent_only_as_the_person_who_made_them(visit: Visit, stage: Stage) -> None:
    visit.log_in("ana")
    visit.review("login")
    visit.expect_trouble("401 (Unauthorized)")
    visit.context.clear_cookies(name="sessionid")
    count = len(stage.decisions("login"))
    visit.press("u")
    expect(visit.page.get_by_role("dialog", name="You are logged out")).to_be_visible()
    visit.page.on("dialog", lambda dialog: dialog.accept())

    visit.log_in("ben")
    visit.review("login")
    visit.expect_saved()
    visit.page.locator("#saved").click()
    expect(visit.page.get_by_role("dialog")).to_contain_text("1 more in this browser belong to somebody else")
    assert len(stage.decisions("login")) == count

    visit.context.clear_cookies(name="sessionid")
    visit.log_in("ana")
    visit.review("login")
    visit.expect_saved()
    assert [one["reviewer"] for one in stage.decisions("login")][count:] == ["ana"]


def test_a_changed_site_asks_which_version_holds(visit: Visit, stage: Stage) -> None:
    """Ana decides on what Ben has decided meanwhile: both are shown, and nothing of hers is lost."""
    page = visit.page
    other = visit.context.browser
    assert other
    with_ben = other.new_context()
    ben = Visit(stage, with_ben, with_ben.new_page())
    ben.log_in("ben")
    csrf = next(one["value"] for one in with_ben.cookies() if one.get("name") == "csrftoken")
    visit.log_in("ana")
    visit.review("conflict")
    site = visit.open_site()
    visit.expect_trouble("409 (Conflict)")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/decisions/", hold, times=1)
    with page.expect_request("**/api/v1/decisions/"):
        visit.press("a")
    visit.expect_moved_on(site)
    answer = with_ben.request.post(
        f"{stage.url}/api/v1/decisions/",
        data={
            "key": "7d0f5b52-35f5-4f0c-9f7a-5a3c1f6f0b11",
            "site": site,
            "verdict": "reject",
            "reason": "cloud",
            "base_version": 0,
            "campaign": "synthetic-conflict",
        },
        headers={"X-CSRFToken": str(csrf)},
    )
    assert answer.status == 201
    with_ben.close()

    held[0].continue_()
    dialog = page.get_by_role("dialog", name=re.compile("has changed since you saw it"))
    expect(dialog).to_contain_text("Yours")
    expect(dialog).to_contain_text("ben")
    expect(dialog).to_contain_text("rejected")
    # what is settled only a lead changes: Ana is not offered what would be refused
    expect(dialog.get_by_role("link", name="Ask a lead about it")).to_be_visible()
    expect(dialog.get_by_role("button", name="Decide again with mine")).to_have_count(0)
    dialog.get_by_role("button", name="Close").click()
    expect(page.locator("#saved")).to_contain_text("1 needs you")
    page.locator("#saved").click()
    page.get_by_role("button", name="Choose").click()
    dialog.get_by_role("button", name="Keep this one").click()
    visit.expect_saved()
    expect(page.locator("#undo-words")).not_to_contain_text(f"accepted {site}")  # it never was
    kept = [
        (one["reviewer"], one["verdict"], one["version"]) for one in stage.decisions("conflict") if one["site"] == site
    ]
    assert kept == [("ben", "reject", 1), ("ana", "accept", None)]
    assert stage.state_of(site) == "rejected"


def test_the_work_survives_a_server_restart(visit: Visit, stage: Stage) -> None:
    visit.log_in("lea")
    visit.review("offline")
    visit.expect_saved()
    visit.expect_supplied(1)
    visit.expect_trouble(*OFFLINE)
    stage.stop()
    site = visit.open_site()
    visit.press("s")
    visit.expect_moved_on(site)
    expect(visit.page.locator("#saved")).to_contain_text("1 not yet saved")
    stage.start()
    visit.page.evaluate("dispatchEvent(new Event('online'))")  # or the next try may be far off
    visit.expect_saved()
    assert [one["verdict"] for one in stage.decisions("offline") if one["reviewer"] == "lea"] == ["skip"]
