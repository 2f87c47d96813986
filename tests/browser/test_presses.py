"""Presses that are not meant as they look: held keys, keys of the browser, keys in one breath, keys too soon."""

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.server import Stage
from tests.browser.stage import STORM
from tests.waiting import wait_until

PRESS = """codes => codes.forEach(code => document.body.dispatchEvent(
    new KeyboardEvent("keydown", { code, key: "q", bubbles: true, cancelable: true })))"""
PRESS_AT_THE_NEWS = """() => new MutationObserver((_, observer) => {
    observer.disconnect();
    const frames = (count, act) => (count ? requestAnimationFrame(() => frames(count - 1, act)) : act());
    frames(2, () => {
        document.body.dispatchEvent(new KeyboardEvent("keydown", { code: "KeyA", key: "a", bubbles: true }));
        window.pressed = true;
    });
}).observe(document.getElementById("toast"), { childList: true })"""
TAKEN_BY_BEN = """
    INSERT INTO labelling_claim (slot, token, expires_at, created_at, again, campaign_id, reviewer_id, site_id)
    SELECT 0, lower(hex(randomblob(16))), '2099-01-01', '2026-01-01', 0, c.id, u.id, ?
    FROM labelling_campaign c, auth_user u WHERE c.slug = 'synthetic-storm' AND u.username = 'ben'"""
FREE = """
    SELECT p.site_id FROM labelling_proposal p JOIN labelling_source s ON s.id = p.source_id
    WHERE s.name = 'seeds of storm' AND p.site_id NOT IN (SELECT site_id FROM labelling_claim)
    AND p.site_id NOT IN (SELECT site_id FROM labelling_decision WHERE site_id IS NOT NULL) ORDER BY p.site_id DESC"""
NOTE_TAKEN = """() => {
    window.taken = [];
    addEventListener("keydown", event => event.defaultPrevented && taken.push(event.code));
}"""


def enter(visit: Visit, name: str) -> Page:
    visit.log_in(name)
    visit.review(STORM)
    visit.expect_saved()
    return visit.page


def click_again(page: Page) -> None:
    """The second half of a double click, where the pointer is."""
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)


def test_a_held_key_decides_once(visit: Visit, stage: Stage) -> None:
    """Also Enter on the focused button, which a browser presses again as long as it is held."""
    page = enter(visit, "ana")
    visit.expect_supplied(4)
    before = len(stage.decisions(STORM))
    page.locator("#accept").focus()
    for key in ("Enter", "a"):
        site = visit.open_site()
        visit.expect_seen()
        page.keyboard.down(key)
        following = visit.expect_moved_on(site)
        for _ in range(5):
            page.keyboard.down(key)  # the keyboard repeats it
        page.keyboard.up(key)
        visit.expect_seen()
        assert visit.open_site() == following
        page.locator("#map").focus()
    visit.expect_saved()
    assert len(stage.decisions(STORM)) == before + 2


def test_a_double_click_decides_once(visit: Visit, stage: Stage) -> None:
    page = enter(visit, "lea")
    visit.expect_supplied(4)
    before = len(stage.decisions(STORM))
    for act in ("accept", "unsure", "skip"):
        site = visit.open_site()
        page.locator(f"[data-act={act}]").click()
        visit.expect_moved_on(site)
        click_again(page)
        visit.expect_seen()
    site = visit.open_site()
    page.locator("[data-act=reject]").click()
    click_again(page)  # where another button is now
    page.get_by_role("button", name="not a mine").click()
    visit.expect_moved_on(site)
    visit.expect_saved()
    assert [one["verdict"] for one in stage.decisions(STORM)[before:]] == ["accept", "unsure", "skip", "reject"]


def test_keys_of_the_browser_are_left_to_it(visit: Visit, stage: Stage) -> None:
    page = enter(visit, "ana")
    before = len(stage.decisions(STORM))
    site = visit.open_site()
    page.evaluate(NOTE_TAKEN)
    visit.press("Control+Minus", "Control+Equal", "Control+a", "Meta+a", "Alt+a", "Control+z")
    visit.press("x")
    visit.press("Control+1", "Alt+1", "Control+x")
    expect(page.get_by_role("heading", name="Why not?")).to_be_visible()
    visit.press("Escape", "c")
    visit.press("Control+c", "Alt+Enter")
    visit.press("Escape")
    assert page.evaluate("taken") == ["KeyX", "Escape", "KeyC", "Escape"]
    assert visit.open_site() == site
    assert len(stage.decisions(STORM)) == before


def test_an_undo_in_the_same_breath_takes_back_no_earlier_decision(visit: Visit, stage: Stage) -> None:
    page = enter(visit, "ben")
    before = len(stage.decisions(STORM))
    first = visit.open_site()
    visit.press("a")
    second = visit.expect_moved_on(first)
    page.evaluate(PRESS, ["KeyU", "KeyZ"])
    visit.expect_moved_on(second)
    visit.expect_saved()
    made = [(one["site"], one["verdict"]) for one in stage.decisions(STORM)[before:]]
    assert made == [(first, "accept"), (second, "unsure")]


def test_a_decision_made_before_the_earlier_ones_are_known_is_undone_once(visit: Visit, stage: Stage) -> None:
    """On a slow line the list of earlier decisions arrives after the first new one."""
    page = visit.page
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    page.route("**/api/v1/decisions/?limit=*", hold)
    enter(visit, "lea")
    before = len(stage.decisions(STORM))
    site = visit.open_site()
    visit.press("a")
    visit.expect_moved_on(site)
    visit.expect_saved()
    with page.expect_response("**/api/v1/decisions/?limit=*"):
        late[0].continue_()
    visit.press("z")
    expect(page.locator("#undo-words")).not_to_contain_text(f"{site}")
    visit.expect_saved()
    made = [(one["site"], one["verdict"]) for one in stage.decisions(STORM)[before:]]
    assert made == [(site, "accept"), (site, "undo")]


def test_a_press_on_its_way_decides_nothing_on_a_site_that_came_unasked(visit: Visit, stage: Stage) -> None:
    """She goes to another page and back, and Ben has her site: for half a second she can only look at the next one."""
    page = enter(visit, "ana")
    visit.expect_supplied(4)
    before = len(stage.decisions(STORM))
    site = visit.open_site()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    wait_until(lambda: not stage.is_held(site), "the site is free")
    stage.write(TAKEN_BY_BEN, site)
    page.evaluate(PRESS_AT_THE_NEWS)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.wait_for_function("() => window.pressed")
    following = visit.expect_moved_on(site)
    visit.expect_saved()
    assert len(stage.decisions(STORM)) == before
    visit.press("a")
    visit.expect_moved_on(following)
    visit.expect_saved()
    assert [one["site"] for one in stage.decisions(STORM)[before:]] == [following]


def test_a_link_to_a_site_that_is_not_free_says_so(visit: Visit, stage: Stage) -> None:
    """She follows a link to a site that Ben has open: what she gets in its place is not what she came for."""
    page = enter(visit, "ana")
    visit.expect_supplied(4)
    taken = stage.rows(FREE)[0][0]
    stage.write(TAKEN_BY_BEN, taken)
    visit.come_to_work(f"{stage.url}/review/synthetic-{STORM}/?site={taken}")
    assert visit.open_site() != taken
    visit.expect_told("The site you asked for is decided already, or somebody else")
    page.reload()
    visit.expect_seen()
    expect(page.locator("#toast")).to_be_empty()
