"""The browser's own storage: what cannot be written down is not called decided, and what is cleared is written anew."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import Stage
from tests.browser.stage import STORM

REFUSE = """() => {
    const { add } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.add = () => { throw new DOMException("the disk is full", "QuotaExceededError") };
    window.allow = () => { IDBObjectStore.prototype.add = add };
}"""
BLOCK = """() => new Promise(resolve => indexedDB.open("mad-web", 1).onsuccess = ({ target }) => {
    window.answer = () => target.result.close();
    indexedDB.deleteDatabase("mad-web").onblocked = resolve; // whoever opens it now waits for that
})"""
OCCUPY = """() => new Promise(resolve => indexedDB.open("mad-web").onsuccess = ({ target }) => {
    const store = target.result.transaction("outbox", "readwrite").objectStore("outbox");
    let isHeld = true;
    const hold = () => isHeld ? store.count().onsuccess = hold : target.result.close();
    window.answer = () => isHeld = false;
    hold();
    resolve();
})"""
SAID = "Not saved: this browser refused to store it (the disk is full)"


def test_what_the_browser_cannot_store_is_not_decided(visit: Visit, stage: Stage) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review(STORM)
    visit.expect_saved()
    first = visit.open_site()
    visit.press("s")
    site = visit.expect_moved_on(first)
    visit.expect_saved()
    page.evaluate(REFUSE)
    before = len(stage.decisions(STORM))

    visit.press("a")
    visit.expect_told(SAID)
    assert visit.open_site() == site
    visit.expect_saved()
    visit.press("z")
    visit.expect_told(SAID)
    expect(page.locator("#undo-words")).to_have_text(f"undo “skipped {first}”")
    visit.press("n", "Enter", "8", "Enter")
    visit.expect_told(SAID)
    expect(page.get_by_role("heading", name="Missed mine", exact=True)).to_be_visible()  # the drawing is still there
    assert len(stage.decisions(STORM)) == before

    page.evaluate("allow()")
    visit.press("Enter")
    visit.expect_told("Missed mine drawn: artisanal diggings")
    visit.press("a")
    visit.expect_moved_on(site)
    visit.expect_saved()
    assert [one["verdict"] for one in stage.decisions(STORM)[before:]] == ["add", "accept"]


def test_a_storage_that_is_slow_to_open_is_told_and_waited_for(visit: Visit, stage: Stage) -> None:
    other = visit.page
    visit.log_in("ana")
    other.evaluate(BLOCK)
    page = visit.page = visit.context.new_page()
    visit.watch(page)
    page.goto(f"{stage.url}/review/synthetic-{STORM}/")
    expect(page.locator("#state")).to_contain_text("The storage of this browser does not answer yet")
    expect(page.get_by_role("heading", name="Nothing can be written down here")).to_be_visible()
    other.evaluate("answer()")
    visit.expect_saved()
    expect(page.locator("#state")).to_be_hidden()
    visit.open_site()


def test_a_decision_that_is_slow_to_be_stored_is_told_and_waited_for(visit: Visit, stage: Stage) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review(STORM)
    visit.expect_saved()
    before = len(stage.decisions(STORM))
    site = visit.open_site()
    visit.expect_seen()
    page.evaluate(OCCUPY)
    visit.press("a")
    visit.expect_told("does not answer")
    page.keyboard.press("u")
    assert visit.open_site() == site
    page.evaluate("answer()")
    visit.expect_told("written down")
    visit.expect_moved_on(site)
    visit.expect_saved()
    assert [(one["site"], one["verdict"]) for one in stage.decisions(STORM)[before:]] == [(site, "accept")]


def test_decisions_outlive_the_clearing_of_the_storage(visit: Visit, stage: Stage) -> None:
    """Somebody clears what sites have stored while decisions wait: the page that is open writes them down again."""
    page = visit.page
    visit.log_in("ben")
    visit.review(STORM)
    visit.expect_supplied(3)
    visit.expect_trouble("ERR_INTERNET_DISCONNECTED")
    before = len(stage.decisions(STORM))
    visit.context.set_offline(True)
    first = visit.open_site()
    visit.press("a")
    second = visit.expect_moved_on(first)
    visit.expect_saved(1)
    browser = visit.context.new_cdp_session(page)
    browser.send("Storage.clearDataForOrigin", {"origin": stage.url, "storageTypes": "indexeddb"})
    visit.press("u")
    visit.expect_moved_on(second)
    expect(page.locator("#saved")).to_have_text("2 not yet saved · offline")

    page.close(run_before_unload=False)
    visit.context.set_offline(False)
    page = visit.page = visit.context.new_page()
    visit.watch(page)
    visit.review(STORM)
    visit.expect_saved()
    made = [(one["site"], one["verdict"]) for one in stage.decisions(STORM)[before:]]
    assert made == [(first, "accept"), (second, "unsure")]


def test_what_waits_is_told_on_every_page(visit: Visit, stage: Stage) -> None:
    """Ana leaves the review without a connection to it, and comes by on another day; Ben sees nothing of hers."""
    page = visit.page
    told = page.locator("#unsent")
    visit.log_in("ana")
    visit.review(STORM)
    visit.expect_trouble("ERR_FAILED", "401 (Unauthorized)")
    before = len(stage.decisions(STORM))
    page.on("dialog", lambda dialog: dialog.accept())
    page.route("**/api/v1/decisions/", lambda route: route.abort())
    site = visit.open_site()
    visit.press("a")
    visit.expect_moved_on(site)
    visit.expect_saved(1)
    page.goto(f"{stage.url}/sites/{site}/")
    expect(told).to_have_text("1 not yet saved")

    visit.context.clear_cookies(name="sessionid")
    visit.log_in("ben")
    page.wait_for_load_state("networkidle")
    expect(told).to_be_hidden()
    visit.context.clear_cookies(name="sessionid")
    visit.log_in("ana")
    page.unroute("**/api/v1/decisions/")
    told.click()
    expect(page).to_have_url(f"{stage.url}/review/synthetic-{STORM}/")
    expect(page.locator("#question")).to_be_visible()
    visit.expect_saved()
    page.goto(f"{stage.url}/")
    page.wait_for_load_state("networkidle")
    expect(told).to_be_hidden()
    assert [(one["site"], one["verdict"]) for one in stage.decisions(STORM)[before:]] == [(site, "accept")]
