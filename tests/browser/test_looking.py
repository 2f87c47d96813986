"""Back and forward through one's own decisions: to look at one changes nothing, and one of them can be taken back."""

import pytest
from playwright.sync_api import expect

from tests.browser.axe import findings
from tests.browser.conftest import Visit
from tests.browser.server import Stage
from tests.browser.test_outbox import OFFLINE


def decide(visit: Visit, *keys: str) -> int:
    """Decide on the open site by some keys; its number."""
    site = visit.open_site()
    visit.press(*keys)
    visit.expect_moved_on(site)
    return site


def verdicts(stage: Stage, reviewer: str) -> list[tuple[str, int]]:
    return [(one["verdict"], one["site"]) for one in stage.decisions("looking") if one["reviewer"] == reviewer]


def test_to_look_back_changes_nothing(visit: Visit, stage: Stage) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review("looking")
    typed, rejected = decide(visit, "8", "a"), decide(visit, "x", "5")
    waiting = visit.open_site()
    said = page.locator("#looked")

    # small pictures are fetched at rest: those of what was decided in a hurry, too
    expect(page.locator("#film .done img")).to_have_count(2)

    visit.press(",")
    expect(said).to_contain_text("You rejected it: cloud")
    assert visit.open_site() == rejected
    visit.press(",")
    expect(said).to_contain_text("You fixed it: artisanal diggings")
    assert visit.open_site() == typed
    expect(page.get_by_role("radio", name="artisanal diggings")).to_be_checked()
    assert findings(page) == []

    # what decides on the open site does not decide on this one
    for key in ("a", "u", "s", "x", "e", "1"):
        visit.press(key)
        expect(said).to_contain_text("You fixed it: artisanal diggings")
        expect(page.locator("#mode")).to_be_hidden()
    visit.press(".")
    assert visit.open_site() == rejected
    visit.press(".")
    expect(said).to_be_hidden()
    assert visit.open_site() == waiting
    visit.press(",", "Escape")
    assert visit.open_site() == waiting
    visit.expect_saved()
    assert verdicts(stage, "ana") == [("fix", typed), ("reject", rejected)]

    # a press on its picture leads there, and what is looked at is what undo takes back
    page.get_by_role("button", name=f"fixed {typed}: look again").click()
    expect(said).to_contain_text("You fixed it")
    expect(page.locator("#undo-words")).to_have_text(f"undo “fixed {typed}”")
    visit.press("z")
    expect(said).to_be_hidden()
    expect(page.locator("#place")).to_contain_text(f"site {typed} ")
    visit.expect_saved()
    assert verdicts(stage, "ana")[2:] == [("undo", typed)]
    decide(visit, "a")
    visit.expect_saved()


def test_what_was_decided_before_a_reload_is_fetched(visit: Visit) -> None:
    page = visit.page
    visit.log_in("ben")
    visit.review("looking")
    unsure = decide(visit, "u")
    visit.expect_saved()
    visit.review("looking")
    waiting = visit.open_site()
    expect(page.locator("#back")).to_be_enabled()
    visit.expect_trouble(*OFFLINE)
    visit.context.set_offline(True)
    visit.press(",")
    visit.expect_told(f"Site {unsure} cannot be shown now: no connection")
    assert visit.open_site() == waiting
    visit.context.set_offline(False)
    visit.press(",")
    expect(page.locator("#looked")).to_contain_text("You were unsure")
    assert visit.open_site() == unsure
    expect(page.locator("#thumbs img").first).to_be_visible()
    page.locator("#looked").get_by_role("button", name="Go on").click()
    assert visit.open_site() == waiting


def test_what_was_never_applied_is_not_there_to_be_undone(visit: Visit, stage: Stage) -> None:
    """The site changes while Lea looks at it: hers is kept beside it, and after a reload there is nothing to undo."""
    page = visit.page
    visit.log_in("lea")
    visit.review("looking")
    visit.expect_saved()
    before = page.locator("#undo-words").inner_text()
    site = visit.open_site()
    stage.write("UPDATE labelling_site SET version = version + 1, state = 'contested' WHERE id = ?", site)
    visit.expect_trouble("409 (Conflict)")
    visit.press("a")
    dialog = page.get_by_role("dialog", name=f"Site {site} has changed since you saw it")
    dialog.get_by_role("button", name="Keep this one").click()
    visit.expect_saved()
    with page.expect_response("**/api/v1/decisions/?limit=*"):
        visit.review("looking")
    expect(page.locator("#undo-words")).to_have_text(before)


@pytest.mark.parametrize("key", ["n", "c"])
def test_without_an_open_site_nothing_is_drawn(visit: Visit, key: str) -> None:
    """There the words about the queue cover the map."""
    visit.log_in("ana")
    visit.page.goto(f"{visit.stage.url}/review/synthetic-empty/")
    expect(visit.page.get_by_role("heading", name="This campaign has no sites yet")).to_be_visible()
    visit.press(key)
    expect(visit.page.locator("#mode")).to_be_hidden()
