"""Every page in both themes: no serious finding of axe-core, nothing that the policy forbids, nothing cut off."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.axe import findings
from tests.browser.conftest import Visit
from tests.browser.server import ROOT, Stage
from tests.browser.stage import HOSTILE
from tests.waiting import wait_until

PAGES = (
    "/",
    "/review/",
    "/review/new/",
    "/review/contested/",
    "/guide/",
    "/guide/open_pit/",
    "/guide/open_pit/edit/",
    "/sites/",
    "/scenes/",
    "/training/",
    "/models/",
    "/runs/",
    "/datasets/",
    "/no/such/page/",
)
SIZES: tuple[ViewportSize, ...] = (
    {"width": 1280, "height": 800},
    {"width": 1440, "height": 900},
    {"width": 820, "height": 1180},
)
# Set MAD_SCREENSHOTS=1 to renew the pictures of the README; a plain run leaves the tree as it is.
PICTURES = ROOT / "docs" / "screenshots"


@pytest.fixture(params=["dark", "light"])
def themed(request: pytest.FixtureRequest, chromium: Browser, stage: Stage) -> Visit:
    context = chromium.new_context(viewport=SIZES[0], color_scheme=request.param)
    visit = Visit(stage, context, context.new_page())
    visit.watch(visit.page)
    request.addfinalizer(context.close)
    return visit


def test_the_login_page(themed: Visit) -> None:
    themed.page.goto(f"{themed.stage.url}/login/")
    assert findings(themed.page) == []
    assert themed.complaints == []


def test_every_page(themed: Visit) -> None:
    themed.expect_trouble("404 (Not Found)")
    themed.log_in("ada")
    wrong = {}
    for path in PAGES:
        themed.page.goto(f"{themed.stage.url}{path}")
        themed.page.wait_for_load_state("networkidle")
        if found := findings(themed.page):
            wrong[path] = found
    assert wrong == {}
    assert themed.complaints == []


def test_the_review_screen_in_each_of_its_modes(themed: Visit) -> None:
    page = themed.page
    themed.log_in("ana")
    themed.review("looks")
    expect(page.locator(".leaflet-image-layer").first).to_be_visible()
    wrong = {}
    for keys in ((), ("e",), ("x",), ("n",), ("n", "Enter"), ("c",), ("?",)):
        themed.press(*keys)
        if found := findings(page):
            wrong["".join(keys)] = found
        themed.press("Escape")
    page.goto(f"{themed.stage.url}/review/synthetic-empty/")
    expect(page.get_by_role("heading", name="This campaign has no sites yet")).to_be_visible()
    wrong |= {"empty": found} if (found := findings(page)) else {}
    assert wrong == {}
    assert themed.complaints == []


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size['width']}x{size['height']}")
def test_no_page_scrolls_to_reach_its_main_action(visit: Visit, size: ViewportSize) -> None:
    page = visit.page
    page.set_viewport_size(size)
    visit.log_in("ana")
    expect(page.locator("[data-enter]")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    visit.review("looks")
    for selector in (
        "#accept",
        "#acts [data-act=reject]",
        "#acts [data-act=unsure]",
        "[data-act=skip]",
        "#undo",
        "#saved",
    ):
        expect(page.locator(selector)).to_be_in_viewport(ratio=1)
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        size["width"],
        size["height"],
    ]


def test_an_enlarged_page_keeps_what_decides_in_sight(visit: Visit) -> None:
    """1280 by 800 at 200 %: the rest is reached by scrolling, and nothing lies over anything else."""
    page = visit.page
    page.set_viewport_size({"width": 640, "height": 400})
    visit.log_in("ana")
    visit.review("looks")
    expect(page.locator("#accept")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    *_, lowest_tool = page.locator(".tools button").all()
    tool, acts, bands = (one.bounding_box() for one in (lowest_tool, page.locator("#acts"), page.locator("#bands")))
    assert tool and acts and bands
    assert tool["y"] + tool["height"] <= acts["y"]
    assert tool["x"] + tool["width"] <= bands["x"]
    page.locator("[data-act=skip]").scroll_into_view_if_needed()
    skip = page.locator("[data-act=skip]").bounding_box()
    assert skip
    assert skip["y"] + skip["height"] <= acts["y"]
    visit.press("x")
    expect(page.get_by_role("button", name="inactive")).to_be_in_viewport(ratio=1)


def test_evidence_is_in_sight_and_a_comment_moves_nothing_away(visit: Visit) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review("looks")
    expect(page.locator("#spectrum svg")).to_be_in_viewport(ratio=0.9)
    visit.press("m")
    expect(page.locator("#comment")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("link", name="write on the page of this site")).to_have_attribute(
        "href", f"/sites/{visit.open_site()}/#comments"
    )
    site = visit.open_site()
    visit.press("Escape", "s")
    visit.expect_moved_on(site)
    expect(page.locator("#question")).to_be_in_viewport(ratio=1)
    visit.press("z")
    visit.expect_saved()


def test_the_plot_of_decisions_tells_the_day_under_the_pointer(visit: Visit) -> None:
    visit.log_in("lea")
    plot = visit.page.locator("#days .u-over")
    plot.hover()
    today = datetime.now(UTC).date()
    days = [f"{today - timedelta(days=back)}" for back in range(14)]
    expect(visit.page.locator("#days .u-legend")).to_contain_text(re.compile("|".join(days)))


def test_a_site_without_a_scene_says_so(visit: Visit) -> None:
    visit.log_in("ana")
    visit.review("lonely")
    expect(visit.page.locator("#no-scene")).to_contain_text("No scene covers this site")
    assert visit.page.locator("#bands > *").count() == 0
    visit.press("c")
    expect(visit.page.get_by_text("the part of the scene in view")).to_be_visible()
    visit.press("Escape")


def test_text_from_data_stays_text(visit: Visit, stage: Stage) -> None:
    """The lonely site has a name, a source and a licence that would run as script if anything took them for HTML."""
    page = visit.page
    visit.log_in("ada")
    visit.review("lonely")
    expect(page.locator("#place")).to_contain_text(HOSTILE)
    expect(page.locator("#facts")).to_contain_text(f"far away {HOSTILE}")
    visit.press("s")
    expect(page.locator("#question")).to_be_hidden()
    expect(page.locator("#state")).to_contain_text("What remains you have skipped")
    page.locator("#saved").click()
    visit.expect_saved()
    lonely = stage.rows("SELECT id FROM labelling_site WHERE name = ?", HOSTILE)[0][0]
    for path in ("/", "/sites/", f"/sites/{lonely}/", "/imports/", "/datasets/"):
        page.goto(f"{stage.url}{path}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.hurt") is None, path


HELD = "SELECT 1 FROM labelling_claim JOIN labelling_campaign AS c ON c.id = campaign_id WHERE c.slug = ?"


def test_who_waits_for_others_is_told_how_long(visit: Visit, chromium: Browser, stage: Stage) -> None:
    first = chromium.new_context()
    holder = Visit(stage, first, first.new_page())
    holder.log_in("ana")
    holder.review("lonely")
    visit.log_in("ben")
    visit.page.clock.install()
    visit.page.goto(f"{stage.url}/review/synthetic-lonely/")
    waiting = visit.page.locator("#state")
    expect(waiting).to_contain_text("The last sites are in other hands")
    expect(waiting).to_contain_text("1 site is in review by others; the next is free in")
    holder.page.goto("about:blank")  # a page that closes lets its site go
    wait_until(lambda: not stage.rows(HELD, "synthetic-lonely"), "a page that is closed lets its site go", 20)
    visit.page.clock.fast_forward(30_000)
    expect(visit.page.locator("#question")).to_be_visible()
    first.close()


def test_enter_goes_on_with_the_work(visit: Visit) -> None:
    visit.log_in("ben")
    visit.page.wait_for_load_state("networkidle")
    visit.press("Enter")
    expect(visit.page.locator("#question")).to_be_visible()


def test_the_theme_is_remembered(visit: Visit) -> None:
    visit.log_in("ana")
    root = visit.page.locator("html")
    visit.page.get_by_role("button", name="Switch between dark and light").click()
    expect(root).to_have_attribute("data-theme", "light")
    visit.page.reload()
    expect(root).to_have_attribute("data-theme", "light")


@pytest.mark.screenshots
@pytest.mark.skipif(not os.environ.get("MAD_SCREENSHOTS"), reason="set MAD_SCREENSHOTS=1 to renew docs/screenshots")
def test_pictures_for_the_readme(visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size(SIZES[1])
    visit.log_in("ada")
    PICTURES.mkdir(exist_ok=True)
    for name, path in (
        ("dashboard", "/"),
        ("sites", "/sites/"),
        ("scenes", "/scenes/"),
        ("training", "/training/new/"),
    ):
        page.goto(f"{visit.stage.url}{path}")
        save_picture(page, PICTURES / f"{name}.png")
    visit.review("looks")
    for key in ("a", "a", *"ssssssssss"):
        if key == "s" and "Tailings" in page.locator("#question").inner_text():
            break
        site = visit.open_site()
        visit.press(key)
        visit.expect_moved_on(site)
    page.wait_for_timeout(3000)
    save_picture(page, PICTURES / "review.png")


def save_picture(page: Page, path: Path) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(800)
    page.screenshot(path=path)
    assert path.stat().st_size > 10_000
