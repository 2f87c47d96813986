"""A person's own keys: changed by pressing them, in force at once, kept on the server."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.axe import findings
from tests.browser.conftest import Visit
from tests.browser.server import Stage
from tests.browser.test_outbox import OFFLINE


@pytest.fixture(autouse=True)
def usual_keys_again(stage: Stage) -> Iterator[None]:
    """The next story finds everybody's keys as usual."""
    yield
    with closing(sqlite3.connect(stage.home / "mad.sqlite3", timeout=20)) as database, database:
        database.execute("DELETE FROM labelling_keymap")


def key_of(visit: Visit, action: str) -> Locator:
    return visit.page.get_by_role("dialog", name="Keys").get_by_role("button", name=f"{action}: ")


def change(visit: Visit, action: str, key: str) -> None:
    """By the keyboard alone."""
    key_of(visit, action).focus()
    visit.press("Enter", key)


def test_a_key_is_changed_by_pressing_another(visit: Visit, stage: Stage) -> None:
    page = visit.page
    visit.log_in("lea")
    visit.review("keymap")
    said = page.get_by_role("dialog", name="Keys").get_by_role("status")
    visit.press("?")
    assert findings(page) == []

    # two actions on one key: shown at both, and nothing is changed
    change(visit, "unsure", "s")
    expect(said).to_contain_text("S is both “unsure” and “skip for now”")
    expect(page.get_by_text("also: unsure")).to_be_visible()
    expect(page.get_by_text("also: skip for now")).to_be_visible()
    assert findings(page) == []
    assert stage.rows("SELECT count(*) FROM labelling_keymap") == [(0,)]

    # a fixed key is refused, Esc leaves the key and not the sheet
    change(visit, "skip for now", "1")
    expect(said).to_contain_text("This key has a fixed meaning")
    visit.press("Escape")
    expect(said).to_have_text("Left as it is.")

    change(visit, "skip for now", "q")
    expect(said).to_contain_text("kept for you, on every computer")
    [(kept,)] = stage.rows("SELECT keys FROM labelling_keymap")
    assert "KeyQ" in kept
    visit.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    # every button shows it, and it counts, here and after a reload
    for _ in range(2):
        expect(page.locator("[data-act=unsure] kbd")).to_have_text("S")
        expect(page.locator("[data-act=skip] kbd")).to_have_text("Q")
        page.reload()
        expect(page.locator("#question")).to_be_visible()
    first = visit.open_site()
    visit.press("s")
    second = visit.expect_moved_on(first)
    visit.press("u")
    assert visit.open_site() == second
    visit.press("q")
    visit.expect_moved_on(second)
    visit.expect_saved()
    made = [(one["verdict"], one["site"]) for one in stage.decisions("keymap") if one["reviewer"] == "lea"]
    assert made == [("unsure", first), ("skip", second)]

    visit.press("?")
    page.get_by_role("button", name="Usual keys").click()
    expect(said).to_contain_text("kept for you")
    visit.press("Escape")
    expect(page.locator("[data-act=skip] kbd")).to_have_text("S")
    assert stage.rows("SELECT keys FROM labelling_keymap") == [("{}",)]


def test_modes_follow_the_changed_keys(visit: Visit, stage: Stage) -> None:
    page = visit.page
    visit.log_in("ada")
    visit.review("keymap")
    visit.press("?")
    change(visit, "reject", "r")
    expect(page.get_by_role("status").filter(has_text="kept for you")).to_be_visible()
    change(visit, "undo the last decision", "w")
    expect(key_of(visit, "undo the last decision")).to_contain_text("W")
    visit.press("Escape", "e")
    facts = page.locator("#mode p").first
    before = facts.inner_text()
    expect(page.locator("#mode kbd", has_text="⇧W")).to_be_visible()
    visit.press("+")
    expect(facts).not_to_have_text(before)
    visit.press("w")
    expect(facts).to_have_text(before)
    visit.press("Escape")
    site = visit.open_site()
    visit.press("r", "r")
    visit.expect_moved_on(site)
    visit.expect_saved()
    last = stage.decisions("keymap")[-1]
    assert (last["verdict"], last["reason"], last["site"]) == ("reject", "not_a_mine", site)


def test_keys_changed_without_a_network_are_kept_here_and_sent_later(visit: Visit, stage: Stage) -> None:
    page = visit.page
    visit.log_in("ben")
    visit.review("keymap")
    mine = "SELECT k.keys FROM labelling_keymap k JOIN auth_user u ON u.id = k.user_id WHERE u.username = 'ben'"
    visit.expect_trouble(*OFFLINE)
    visit.context.set_offline(True)
    visit.press("?")
    change(visit, "accept", "j")
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("kept in this browser")
    visit.press("Escape")
    expect(page.locator("#accept kbd")).to_have_text("J")
    assert stage.rows(mine) == []
    with page.expect_response("**/api/v1/keys/"):
        visit.context.set_offline(False)
    assert stage.rows(mine) == [('{"accept": "KeyJ"}',)]
    page.reload()
    expect(page.locator("#accept kbd")).to_have_text("J")


def test_letters_are_those_of_the_keyboard(visit: Visit) -> None:
    """On AZERTY the place of A prints Q; the table of the browser says so."""
    visit.page.add_init_script(
        """Object.defineProperty(navigator, "keyboard", { value: { getLayoutMap: async () =>
            new Map([["KeyA", "q"], ["KeyZ", "w"], ["BracketLeft", "^"]]) } })"""
    )
    visit.log_in("lea")
    visit.review("keymap")
    expect(visit.page.locator("#accept kbd")).to_have_text("Q")
    expect(visit.page.locator("#undo kbd")).to_have_text("W")
    visit.press("?")
    expect(key_of(visit, "previous scene")).to_contain_text("^")
    expect(key_of(visit, "accept")).to_contain_text("Q")


def test_undo_after_a_reload_takes_back_windows_and_decisions_in_their_order(visit: Visit, stage: Stage) -> None:
    page = visit.page
    visit.log_in("ada")
    visit.review("keymap")
    first = visit.open_site()
    visit.press("u")
    visit.expect_moved_on(first)
    visit.press("c", "c")
    expect(page.locator("#undo-words")).to_have_text("undo “window complete”")
    visit.expect_saved()
    page.reload()
    expect(page.locator("#undo-words")).to_have_text("undo “window complete”")
    visit.press("z")
    expect(page.locator("#undo-words")).to_have_text(f"undo “unsure {first}”")
    visit.expect_saved()
    area = "SELECT revoked_at IS NOT NULL FROM labelling_reviewedarea ORDER BY id DESC"
    assert stage.rows(area)[0] == (1,)
    page.reload()
    expect(page.locator("#undo-words")).to_have_text(f"undo “unsure {first}”")
    visit.press("z")
    expect(page.locator("#place")).to_contain_text(f"site {first} ")
    visit.expect_saved()
    assert stage.state_of(first) == "open"
