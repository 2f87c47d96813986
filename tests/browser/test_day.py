"""A reviewer's day, by mouse and keys together; then everything is found again."""

import json

from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.browser.server import Stage


def drag(visit: Visit, handle: Locator, dx: float, dy: float) -> None:
    box = handle.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    visit.page.mouse.move(x, y)
    visit.page.mouse.down()
    visit.page.mouse.move(x + dx / 2, y + dy / 2)
    visit.page.mouse.move(x + dx, y + dy)
    visit.page.mouse.up()


def topmost(corners: Locator) -> Locator:
    expect(corners.first).to_be_visible()
    tops = [(box["y"], index) for index, box in enumerate(one.bounding_box() for one in corners.all()) if box]
    return corners.nth(min(tops)[1])


def move_on(visit: Visit, site: int) -> int:
    """Wait until another site than this one is open, with its imagery: till then the wait for it goes on."""
    following = visit.expect_moved_on(site)
    expect(visit.page.locator("#map")).to_have_attribute("aria-busy", "false")
    return following


def waits_of_ana(stage: Stage) -> int:
    """How often it was told how long she waited for a next site."""
    told = stage.rows(
        "SELECT counts FROM labelling_waitday w JOIN auth_user u ON u.id = w.reviewer_id WHERE u.username = 'ana'"
    )
    return sum(sum(json.loads(counts).values()) for (counts,) in told)


def test_a_reviewers_day(visit: Visit, stage: Stage) -> None:
    page = visit.page
    waited_before = waits_of_ana(stage)
    visit.log_in("ana")
    page.get_by_role("link", name="Review", exact=True).click()
    page.get_by_role("region", name="Synthetic day").get_by_role("link", name="Review").click()
    expect(page.locator("#question")).to_contain_text("?")
    expect(page.locator("#why-text")).not_to_be_empty()
    expect(page.locator(".leaflet-image-layer").first).to_be_visible()
    expect(page.locator("#synthetic")).to_be_visible()

    # accept by one key
    accepted = visit.open_site()
    visit.press("a")
    typed = move_on(visit, accepted)

    # change the type by a digit: the button says what it will do
    visit.press("8")
    expect(page.locator("#accept")).to_contain_text("as artisanal diggings")
    visit.press("Space")
    edited = move_on(visit, typed)

    # drag a corner of the outline
    visit.press("e")
    before = page.locator("#mode p").first.inner_text()
    drag(visit, topmost(page.locator(".marker-icon:not(.marker-icon-middle)")), 0, -25)
    expect(page.locator("#mode p").first).not_to_have_text(before)
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#accept")).to_contain_text("Save outline")
    visit.press("a")
    rejected = move_on(visit, edited)

    # reject with a reason
    visit.press("x")
    page.get_by_role("button", name="not a mine").click()
    unsure = move_on(visit, rejected)

    # draw a missed mine
    visit.press("n")
    view = page.locator("#map").bounding_box()
    assert view
    left, top = view["x"] + 520, view["y"] + 380
    for x, y in ((0, 0), (70, 5), (75, 60), (5, 65), (0, 0)):
        page.mouse.click(left + x, top + y, delay=40)
    expect(page.get_by_role("heading", name="Missed mine", exact=True)).to_be_visible()
    visit.press("2")
    page.get_by_role("button", name="Keep").click()
    visit.expect_told("Missed mine drawn: open pit")

    # decide, think again: the site is back on screen, and is decided otherwise
    visit.press("u")
    following = move_on(visit, unsure)
    visit.press("z")
    move_on(visit, following)
    assert visit.open_site() == unsure
    visit.press("a")
    move_on(visit, unsure)

    # a window is complete
    visit.press("c")
    expect(page.get_by_role("heading", name="Is everything in this window labelled?")).to_be_visible()
    page.get_by_role("button", name="Window complete").last.click()
    visit.expect_told("Window complete")
    visit.expect_saved()

    # everything is in the database
    made = stage.decisions("day")
    verdicts = [(one["verdict"], one["site"]) for one in made if one["verdict"] != "add"]
    assert verdicts == [
        ("accept", accepted),
        ("fix", typed),
        ("fix", edited),
        ("reject", rejected),
        ("unsure", unsure),
        ("undo", unsure),
        ("accept", unsure),
    ]
    by_site = {one["site"]: one for one in made}
    assert by_site[typed]["types"]["feature"] == "artisanal_diggings"
    assert next(one for one in made if one["site"] == edited)["drawn"]
    assert by_site[rejected]["reason"] == "not_a_mine"
    drawn = next(one for one in made if one["verdict"] == "add")
    assert drawn["types"] == {"feature": "open_pit"}
    assert {stage.state_of(site) for site in (accepted, typed, edited, unsure, drawn["site"])} == {"verified"}
    assert stage.state_of(rejected) == "rejected"
    campaign = "(SELECT id FROM labelling_campaign WHERE slug = 'synthetic-day')"
    assert stage.rows(f"SELECT revoked_at FROM labelling_reviewedarea WHERE campaign_id = {campaign}") == [(None,)]
    assert all(one["reviewer"] == "ana" for one in made)

    # and on screen, after a reload: the next open site, what was done, and undo reaches back
    page.reload()
    expect(page.locator("#question")).to_be_visible()
    assert visit.open_site() not in {accepted, typed, edited, rejected, unsure}
    expect(page.locator("#progress-count")).to_contain_text("5 /")
    expect(page.locator("#undo-words")).to_contain_text("undo “window complete”")
    visit.press("z")
    expect(page.locator("#undo-words")).to_contain_text(f"undo “accepted {unsure}”")
    visit.expect_saved()
    revoked = f"SELECT count(*) FROM labelling_reviewedarea WHERE campaign_id = {campaign} AND revoked_at IS NOT NULL"
    assert stage.rows(revoked) == [(1,)]
    visit.press("z")
    expect(page.locator("#place")).to_contain_text(f"site {unsure}")
    visit.expect_saved()
    assert stage.state_of(unsure) == "open"

    # the front page says how long the next sites took: six decisions led to one, undo and windows do not
    page.goto(f"{stage.url}/")
    expect(page.get_by_text("to the next site")).to_be_visible()
    assert waits_of_ana(stage) - waited_before == 6
