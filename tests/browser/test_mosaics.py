"""Several scenes as one picture: under a site over their edge, beside a composite, and as a layer of every map."""

import re

from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import Visit
from tests.browser.stage import SEAM

DATES = ["mosaic 2024-07-18", "2024-07-18", "2024-07-13", "2024-05-01", "composite 2024-05-01"]
OF_COMPOSITE = re.compile(r"Medoid composite of 2 scenes, 2024-05-01 to 2024-07-18: \w+, \w+")
OF_MOSAIC = "Mosaic of 2 scenes, 2024-07-13 to 2024-07-18: west, then east"
SHOWN = re.compile(r"/tiles/mosaics/latest/true-colour/")


def dates(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("#dates").get_by_role("button").all_inner_texts()]


def test_a_site_over_the_edge_of_a_scene_is_shown_and_measured_whole(visit: Visit) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review(SEAM)
    expect(page.locator("#dates").get_by_role("button")).to_have_text(DATES)
    expect(page.locator("#dates h3")).to_have_text("3 dates, 1 composite, 1 mosaic")
    expect(page.locator("#dates p")).to_have_text(OF_MOSAIC)
    expect(page.locator("#bands")).to_contain_text("mosaic 2024-07-18 · 1 of 5")
    expect(page.get_by_role("img", name="Reflectance in 4 bands inside the site")).to_be_visible()
    shown = page.locator("#map .leaflet-image-layer").get_attribute("src") or ""
    assert re.search(r"/tiles/scenes/\d+-\d+/\w+/true-colour/thumb\.webp", shown)
    inside = page.locator("#spectrum tbody").inner_text()
    page.locator("#dates").get_by_role("button", name="show the scene of 2024-07-18").last.click()
    expect(page.locator("#dates p")).to_have_count(0)
    expect(page.locator("#spectrum tbody")).not_to_have_text(inside)


def test_a_composite_stands_beside_a_date_by_its_name(visit: Visit) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review(SEAM)
    visit.press("]", "d")
    choice = page.get_by_role("combobox", name="Date to compare with")
    expect(choice.locator("option")).to_have_text([DATES[0], *DATES[2:]])
    choice.select_option("composite 2024-05-01")
    expect(page.get_by_role("slider")).to_be_focused()
    about = page.locator(".compare-about")
    expect(about).to_have_text(OF_COMPOSITE)
    expect(page.locator(".compare-labels > span")).to_have_text("2024-07-18")
    expect(page.locator(".leaflet-compare-pane img").first).to_be_visible()
    assert findings(page) == []

    # both dates single: nothing is to be told of
    choice.select_option("2024-05-01")
    expect(about).to_be_hidden()
    visit.press("Escape")
    expect(page.locator("#compare")).to_be_hidden()


def test_the_map_of_sites_offers_the_imagery_of_all_scenes(visit: Visit) -> None:
    page = visit.page
    visit.log_in("gus")
    page.goto(f"{visit.stage.url}/sites/")
    box = page.get_by_role("group", name="Imagery of all scenes")
    orders, bands = (
        box.get_by_role("combobox", name="Mosaic of all imagery", exact=True),
        box.get_by_role("combobox", name="Bands"),
    )
    expect(orders.locator("option")).to_have_text(["no mosaic", "latest mosaic", "cleanest mosaic"])
    expect(bands).to_be_hidden()
    orders.select_option("latest mosaic")
    expect(bands).to_be_visible()
    expect(box.locator("p")).to_have_text("Come closer: imagery is not drawn from so far away.")
    expect(page.locator(".leaflet-mosaics-pane img")).to_have_count(0)

    # it is remembered
    page.reload()
    expect(orders.locator("option:checked")).to_have_text("latest mosaic")


def test_the_review_map_goes_on_beyond_the_scene(visit: Visit) -> None:
    page = visit.page
    visit.log_in("ben")
    visit.review(SEAM)
    orders = page.get_by_role("combobox", name="Mosaic of all imagery", exact=True)
    with page.expect_response(SHOWN) as answered:
        orders.select_option("latest mosaic")
    assert answered.value.status == 200
    expect(page.locator(".leaflet-mosaics-pane img.leaflet-tile-loaded").first).to_be_visible()
    expect(page.locator(".map-mosaics p")).to_have_text(re.compile(r"2024-07-18 west, then \d more"))
    assert findings(page) == []
    with page.expect_response(re.compile(r"/tiles/mosaics/cleanest/ndvi/")):
        page.get_by_role("combobox", name="Bands of the mosaic").select_option("NDVI")
        orders.select_option("cleanest mosaic")
    orders.select_option("no mosaic")
    expect(page.locator(".leaflet-mosaics-pane img")).to_have_count(0)

    # chosen by the mouse, it leaves the keys to the screen
    orders.click()
    orders.select_option("latest mosaic")
    expect(orders).not_to_be_focused()
