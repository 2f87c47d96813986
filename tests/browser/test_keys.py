"""The same day with the keyboard alone: nothing here touches the mouse."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import Stage


def test_a_day_without_a_mouse(visit: Visit, stage: Stage) -> None:
    page = visit.page
    page.goto(f"{stage.url}/login/")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("ana")
    visit.press("Tab")
    page.keyboard.type("correct horse battery")
    visit.press("Enter")
    expect(page.get_by_label("Account of ana")).to_be_visible()
    visit.review("keys")

    earlier = len(stage.decisions("keys"))
    accepted = visit.open_site()
    visit.press("Space")
    typed = visit.expect_moved_on(accepted)
    visit.press("6", "a")
    edited = visit.expect_moved_on(typed)

    # E: Tab walks the corners, arrows move one, Z takes the move back, Shift+Z makes it again
    facts = page.locator("#mode p").first
    visit.press("e")
    before = facts.inner_text()
    visit.press("+")
    expect(facts).not_to_have_text(before)
    visit.press("z")
    expect(facts).to_have_text(before)
    visit.press("Shift+Z")
    expect(facts).not_to_have_text(before)
    visit.press("Tab", "Tab")
    expect(page.locator("#live")).to_contain_text("corner 2 of")
    visit.press("ArrowUp", "Shift+Tab", "ArrowLeft", "Enter")
    expect(page.locator("#accept")).to_contain_text("Save outline")

    # Tab and Enter reach every button, too
    page.locator("#accept").focus()
    visit.press("Enter")
    rejected = visit.expect_moved_on(edited)

    visit.press("x")
    expect(page.get_by_role("heading", name="Why not?")).to_be_visible()
    visit.press("Escape")
    expect(page.get_by_role("heading", name="Why not?")).to_be_hidden()
    assert visit.open_site() == rejected
    visit.press("x", "5")
    unsure = visit.expect_moved_on(rejected)

    # N: a square in the middle of the view, moved and scaled by keys, typed by a digit
    visit.press("n", "Enter")
    expect(page.get_by_role("heading", name="Missed mine", exact=True)).to_be_visible()
    visit.press("Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowUp", "-", "-", "8", "Enter")
    visit.expect_told("Missed mine drawn: artisanal diggings")

    visit.press("u")
    skipped = visit.expect_moved_on(unsure)
    visit.press("s")
    following = visit.expect_moved_on(skipped)
    visit.press("z")
    visit.expect_moved_on(following)
    assert visit.open_site() == skipped

    # looking around: band combinations, scenes, the outline, help
    shown = page.locator("#bands [aria-pressed=true]")
    first = shown.inner_text()
    visit.press("b")
    expect(shown).not_to_have_text(first)
    expect(page.locator("#bands")).to_contain_text("1 of 2")
    visit.press("]")
    expect(page.locator("#bands")).to_contain_text("2 of 2")
    visit.press("[")
    expect(page.locator("#bands")).to_contain_text("1 of 2")
    visit.press("h")
    expect(page.locator("#map.outlines-hidden")).to_be_visible()
    visit.press("h", "?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    visit.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    # a comment goes with the decision
    visit.press("m")
    page.keyboard.type("a dam on the left side")
    visit.press("Escape", "c", "c")
    visit.expect_told("Window complete")
    visit.press("a")
    visit.expect_moved_on(skipped)
    visit.expect_saved()

    made = stage.decisions("keys")[earlier:]
    assert [(one["verdict"], one["site"]) for one in made if one["verdict"] != "add"] == [
        ("accept", accepted),
        ("fix", typed),
        ("fix", edited),
        ("reject", rejected),
        ("unsure", unsure),
        ("skip", skipped),
        ("undo", skipped),
        ("accept", skipped),
    ]
    by_site = {one["site"]: one for one in made}
    assert by_site[typed]["types"]["feature"] == "processing_plant"
    assert by_site[edited]["drawn"]
    assert by_site[rejected]["reason"] == "cloud"
    assert next(one for one in made if one["verdict"] == "add")["types"]["feature"] == "artisanal_diggings"
    comments = stage.rows("SELECT comment FROM labelling_decision WHERE site_id = ? ORDER BY id DESC", skipped)
    assert comments[0] == ("a dam on the left side",)
    assert stage.rows("SELECT count(*) FROM labelling_reviewedarea WHERE revoked_at IS NULL") != [(0,)]


def test_letters_follow_their_place_on_the_keyboard(visit: Visit, stage: Stage) -> None:
    """On AZERTY the key in the place of A prints q; it accepts all the same."""
    visit.log_in("ben")
    visit.review("keys")
    site = visit.open_site()
    visit.page.evaluate(
        """() => document.body.dispatchEvent(
            new KeyboardEvent("keydown", { code: "KeyA", key: "q", bubbles: true, cancelable: true }))"""
    )
    visit.expect_moved_on(site)
    visit.expect_saved()
    last = stage.decisions("keys")[-1]
    assert (last["verdict"], last["reviewer"], last["site"]) == ("accept", "ben", site)


def test_a_field_takes_its_own_letters(visit: Visit) -> None:
    visit.log_in("ben")
    visit.review("keys")
    site = visit.open_site()
    visit.press("m")
    visit.page.keyboard.type("axus 123")
    expect(visit.page.locator("#comment")).to_have_value("axus 123")
    assert visit.open_site() == site
