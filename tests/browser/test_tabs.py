"""One browser, several tabs: of one person, or of two who share a machine. They share its log-in and its storage."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import Stage
from tests.browser.stage import STORM
from tests.cast import PASSWORD
from tests.waiting import wait_until

LEASE = "SELECT token FROM labelling_claim WHERE site_id = ?"


def another_tab(visit: Visit) -> Visit:
    tab = Visit(visit.stage, visit.context, visit.context.new_page(), expected=visit.expected)
    tab.watch(tab.page)
    return tab


def made_since(stage: Stage, count: int) -> list[tuple[str, int, str]]:
    return [(one["reviewer"], one["site"], one["verdict"]) for one in stage.decisions(STORM)[count:]]


def test_who_logs_in_in_another_tab_never_decides_for_the_first(visit: Visit, stage: Stage) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review(STORM)
    visit.expect_saved()
    visit.expect_trouble("401 (Unauthorized)")
    before = len(stage.decisions(STORM))
    bens = another_tab(visit)
    visit.context.clear_cookies(name="sessionid")
    bens.log_in("ben")

    site = visit.open_site()
    visit.press("a")
    dialog = page.get_by_role("dialog", name="You are logged out")
    expect(dialog).to_contain_text("1 decision is kept in this browser and sent as soon as ana is logged in again")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Log in").click()
    expect(dialog).to_contain_text("Somebody else is logged in in this browser now: log out there first.")
    dialog.get_by_role("button", name="Close").click()
    assert stage.decisions(STORM)[before:] == []

    # Ben works meanwhile, and is told that something of somebody else lies here
    bens.review(STORM)
    bens.expect_saved()
    expect(bens.page.locator("#saved")).to_have_text("all saved · 1 of somebody else")
    his = bens.open_site()
    bens.press("u")
    bens.expect_moved_on(his)
    bens.expect_saved()
    assert made_since(stage, before) == [("ben", his, "unsure")]
    bens.page.get_by_label("Account of ben").click()
    bens.page.get_by_role("button", name="Log out").click()
    expect(bens.page.get_by_label("Name")).to_be_visible()
    bens.page.close()

    page.locator("#saved").click()
    page.get_by_role("dialog", name="Not yet saved").get_by_role("button", name="Log in").click()
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Log in").click()
    visit.expect_saved()
    assert made_since(stage, before) == [("ben", his, "unsure"), ("ana", site, "accept")]
    assert bens.complaints == []


def test_a_second_tab_follows_the_first(visit: Visit, stage: Stage) -> None:
    visit.log_in("ana")
    visit.review(STORM)
    visit.expect_saved()
    other = another_tab(visit)
    other.review(STORM)
    other.expect_saved()
    before = len(stage.decisions(STORM))
    site = visit.open_site()
    assert other.open_site() == site  # they are one person's, and so hold the same

    visit.press("a")
    visit.expect_moved_on(site)
    other.expect_told("You have decided on that site in another tab")
    second = other.expect_moved_on(site)
    visit.expect_saved()
    other.expect_saved()
    other.press("u")
    other.expect_moved_on(second)
    expect(visit.page.locator("#place")).not_to_contain_text(f"site {second} ")
    other.expect_saved()

    # what one takes back comes back to it alone, and what the other has begun stays with it
    visit.press("z")
    expect(visit.page.locator("#place")).to_contain_text(f"site {site} ")
    visit.expect_saved()
    visit.press("a")
    third = visit.expect_moved_on(site)
    visit.expect_saved()
    assert made_since(stage, before) == [
        ("ana", site, "accept"),
        ("ana", second, "unsure"),
        ("ana", site, "undo"),
        ("ana", site, "accept"),
    ]
    expect(other.page.locator("#place")).to_contain_text(f"site {third} ")
    other.press("m")
    other.page.keyboard.type("I am still writing")
    visit.press("s")
    visit.expect_moved_on(third)
    visit.expect_saved()
    assert other.open_site() == third
    assert other.complaints == []


def test_what_one_tab_takes_back_is_not_taken_back_again_by_the_other(visit: Visit, stage: Stage) -> None:
    visit.log_in("lea")
    visit.review(STORM)
    sites = []
    for key in ("s", "a"):
        sites.append(visit.open_site())
        visit.press(key)
        visit.expect_moved_on(sites[-1])
    visit.expect_saved()
    other = another_tab(visit)
    other.review(STORM)
    undo = other.page.locator("#undo-words")
    expect(undo).to_have_text(f"undo “accepted {sites[1]}”")
    visit.press("z")
    expect(undo).to_have_text(f"undo “skipped {sites[0]}”")
    visit.expect_saved()
    assert other.complaints == []


def test_what_one_tab_sends_is_confirmed_in_the_other(visit: Visit, stage: Stage) -> None:
    """Decided and taken back in a tab whose own calls do not get through: the other tab sends both."""
    visit.expect_trouble("ERR_FAILED")
    visit.log_in("ben")
    visit.review(STORM)
    visit.expect_saved()
    other = another_tab(visit)
    other.page.goto(f"{stage.url}/review/synthetic-looks/")
    other.expect_seen()
    other.expect_saved()
    before = len(stage.decisions(STORM))
    visit.context.route("**/api/v1/decisions/", lambda route: route.abort())
    site = visit.open_site()
    visit.press("a")
    visit.expect_moved_on(site)
    visit.press("z")
    expect(visit.page.locator("#place")).to_contain_text(f"site {site} ")
    visit.expect_saved(2)
    other.page.route("**/api/v1/decisions/", lambda route: route.continue_())
    other.page.evaluate("dispatchEvent(new Event('online'))")
    visit.expect_saved()
    assert made_since(stage, before) == [("ben", site, "accept"), ("ben", site, "undo")]
    wait_until(lambda: stage.is_held(site), "the open site is leased again")
    assert other.complaints == []


def test_many_conflicts_are_settled_one_after_the_other(visit: Visit, stage: Stage) -> None:
    """A lead was faster on four sites: Enter repeats the choice that was made before."""
    page = visit.page
    visit.log_in("lea")
    visit.review(STORM)
    visit.expect_supplied(4)
    visit.expect_trouble("ERR_INTERNET_DISCONNECTED", "409 (Conflict)")
    before = len(stage.decisions(STORM))
    visit.context.set_offline(True)
    sites = []
    for _ in range(4):
        site = visit.open_site()
        sites.append(site)
        visit.press("a")
        visit.expect_moved_on(site)
    for site in sites:
        stage.write("UPDATE labelling_site SET version = version + 1 WHERE id = ?", site)
    visit.context.set_offline(False)
    expect(page.locator("#saved")).to_have_text("4 need you")

    theirs, mine = (page.get_by_role("button", name=name) for name in ("Keep this one", "Decide again with mine"))
    theirs.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#saved")).to_have_text("3 need you")
    expect(theirs).to_be_focused()
    expect(page.get_by_role("dialog")).to_contain_text("2 more after this one")
    page.keyboard.press("Enter")
    expect(page.locator("#saved")).to_have_text("2 need you")
    expect(theirs).to_be_focused()
    mine.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#saved")).to_have_text("1 needs you")
    expect(mine).to_be_focused()
    page.keyboard.press("Enter")
    visit.expect_saved()
    expect(page.get_by_role("dialog")).to_have_count(0)
    made = [(one["site"], one["version"] is not None) for one in stage.decisions(STORM)[before:]]
    assert made == [*((site, False) for site in sites), (sites[2], True), (sites[3], True)]


def test_a_tab_that_is_closed_takes_nothing_from_the_other(visit: Visit, stage: Stage) -> None:
    """Both hold the same sites: what the closed one gives back is leased again at once."""
    visit.log_in("ana")
    visit.review(STORM)
    visit.expect_saved()
    other = another_tab(visit)
    other.review(STORM)
    other.expect_saved()
    site = visit.open_site()
    shared = stage.rows(LEASE, site)
    assert len(shared) == 1
    other.page.close(run_before_unload=True)
    wait_until(lambda: len(now := stage.rows(LEASE, site)) == 1 and now != shared, "it is leased anew")
    before = len(stage.decisions(STORM))
    visit.press("a")
    visit.expect_moved_on(site)
    visit.expect_saved()
    assert made_since(stage, before) == [("ana", site, "accept")]
