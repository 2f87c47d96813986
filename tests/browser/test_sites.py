"""The map of sites from afar, where circles count, and near the ground, where every site has its outline."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

CROWD = "#a1b2c3"


def find(page: Page, color: str) -> tuple[float, float]:
    """Where on the screen the canvas of the map has a colour (#rrggbb), once it has it."""
    found = page.wait_for_function(
        """(wanted) => {
          const canvas = document.querySelector('#map canvas');
          const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
          copy.drawImage(canvas, 0, 0);
          const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
          const box = canvas.getBoundingClientRect();
          for (let at = 0; at < data.length; at += 4)
            if ('#' + [0, 1, 2].map((i) => data[at + i].toString(16).padStart(2, '0')).join('') === wanted) {
              const [x, y] = [(at / 4) % canvas.width, Math.floor(at / 4 / canvas.width)];
              return [box.x + (x * box.width) / canvas.width, box.y + (y * box.height) / canvas.height];
            }
          return null;
        }""",
        arg=color,
    )
    right, down = found.json_value()
    return right, down


def crowded(page: Page) -> None:
    """The world as it looks with a million sites: the stage itself has few."""

    def answer(route: Any) -> None:
        z, x, y = map(int, re.findall(r"/sites/(\d+)/(\d+)/(\d+)\.json", route.request.url)[0])
        circle = {"point": [-45.0, 40.0], "count": 12345, "colors": [[CROWD, 12000], ["#93a1af", 345]]}
        mine = (z, x, y) == (1, 0, 0)
        route.fulfill(json={"sites": [], "clusters": [circle] if mine else []})

    page.route(re.compile(r"/tiles/sites/1/"), answer)


def test_circles_count_from_afar_and_a_click_goes_closer(visit: Visit) -> None:
    page = visit.page
    visit.log_in("gus")
    crowded(page)
    page.goto(f"{visit.stage.url}/sites/")
    far = page.locator(".leaflet-control-zoom-out.leaflet-disabled")
    while not far.count():
        page.locator(".leaflet-control-zoom-out").click(force=True)
        page.wait_for_timeout(300)
    said = page.locator("#map-count")
    expect(said).to_have_text("about 12\N{NARROW NO-BREAK SPACE}345 sites in view; a click on a circle goes closer")
    place = find(page, CROWD)
    page.mouse.move(*place)
    expect(page.locator(".leaflet-tooltip")).to_have_text("12\N{NARROW NO-BREAK SPACE}345 sites")
    page.mouse.click(*place)
    expect(said).not_to_contain_text("12\N{NARROW NO-BREAK SPACE}345")
    expect(page.locator(".leaflet-control-zoom-out")).not_to_have_class(re.compile("leaflet-disabled"))


def test_a_site_near_the_ground_has_an_outline_and_a_panel_that_leads_to_it(visit: Visit) -> None:
    page = visit.page
    visit.log_in("gus")
    page.goto(f"{visit.stage.url}/sites/?source=seeds+of+day")
    rows = page.locator("tbody tr")
    expect(page.locator("#map-count")).to_have_text(f"{rows.count()} sites in view")
    first = rows.first
    number, place = first.get_attribute("data-site"), first.get_attribute("data-point")
    first.hover()
    assert place
    ring = page.locator("#map .leaflet-overlay-pane path").bounding_box()
    assert ring
    page.mouse.click(ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2)
    link = page.get_by_role("link", name="Open this site")
    expect(link).to_be_visible()
    expect(first).to_have_attribute("aria-selected", "true")
    link.click()
    expect(page).to_have_url(re.compile(rf"/sites/{number}/$"))


def test_a_range_of_scores_by_keyboard_bounds_table_map_and_campaign(visit: Visit) -> None:
    page = visit.page
    visit.log_in("lea")
    page.goto(f"{visit.stage.url}/sites/?source=generalist+of+keymap")
    every = page.locator("tbody tr").count()
    visit.tab_to(page.get_by_label("Score from"))
    page.keyboard.type("0.45")
    page.keyboard.press("Tab")
    page.keyboard.type("0.5")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("score_from=0.45&score_to=0.5"))
    page.wait_for_load_state()
    rows = page.locator("tbody tr")
    scores = {row.locator("td.num").first.inner_text() for row in rows.all()}
    assert scores == {"0.45", "0.50"}
    assert rows.count() < every
    expect(page.locator("#map-count")).to_have_text(f"{rows.count()} sites in view")
    page.get_by_role("link", name="Open a campaign of these").click()
    expect(page.get_by_label("Least score")).to_have_value("0.45")
    expect(page.get_by_label("Highest score")).to_have_value("0.5")


def test_scores_the_wrong_way_round_are_marked_and_can_be_put_right(visit: Visit) -> None:
    page = visit.page
    visit.log_in("gus")
    page.goto(f"{visit.stage.url}/sites/?source=generalist+of+keymap&score_from=0.6&score_to=0.5")
    expect(page.get_by_role("heading", name="This filter cannot be understood")).to_be_visible()
    high = page.get_by_label("Score to")
    expect(high).to_have_accessible_description("Give no less than “Score from”.")
    high.fill("0.65")
    high.press("Enter")
    expect(page.locator("tbody tr").first).to_be_visible()


def test_a_long_reason_makes_no_row_high(visit: Visit) -> None:
    """A whole paragraph takes two lines here; the page of the site has all of it."""
    page = visit.page
    why = "; ".join(["two sources disagree on the type: open pit (some seeds) or waste rock dump (a model 0.49)"] * 4)
    [(site,)] = visit.stage.rows(
        "SELECT id FROM labelling_site WHERE state = 'open' ORDER BY priority DESC, id LIMIT 1"
    )
    [(before,)] = visit.stage.rows("SELECT why FROM labelling_site WHERE id = ?", site)
    visit.stage.write("UPDATE labelling_site SET why = ? WHERE id = ?", why, site)
    visit.log_in("lea")
    page.goto(f"{visit.stage.url}/sites/?q={site}")
    box = page.get_by_role("row").filter(has=page.get_by_title(why)).bounding_box()
    assert box
    assert box["height"] < 80
    visit.stage.write("UPDATE labelling_site SET why = ? WHERE id = ?", before, site)
