"""A lead draws the area of a campaign, and sees what it would serve before it is opened."""

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

COUNT = "#count .stat b"


def open_form(visit: Visit) -> Page:
    visit.log_in("lea")
    visit.page.goto(f"{visit.stage.url}/review/new/")
    visit.page.wait_for_load_state("networkidle")
    return visit.page


def counted(page: Page) -> int:
    return int(re.sub(r"\D", "", page.locator(COUNT).last.inner_text()))


def drawn(page: Page) -> Any:
    return json.loads(page.locator("textarea[name=area]").input_value() or "null")


def draw_rectangle(page: Page, *corners: tuple[float, float]) -> None:
    page.locator("#map").evaluate("map => map.scrollIntoView({block: 'center'})")
    page.get_by_role("button", name="Draw a rectangle").click()
    box = page.locator("#map").bounding_box()
    assert box
    for right, down in corners:
        page.mouse.move(box["x"] + box["width"] * right, box["y"] + box["height"] * down, steps=3)
        page.mouse.down()
        page.mouse.up()


def test_a_drawn_area_is_counted_saved_and_shown_again(visit: Visit) -> None:
    page = open_form(visit)
    everything = counted(page)
    draw_rectangle(page, (0.12, 0.2), (0.5, 0.9))
    expect(page.locator("#area-said")).to_have_text("1 polygon.")
    expect(page.locator(COUNT).last).not_to_have_text(str(everything))
    some = counted(page)
    assert 0 < some < everything
    area = drawn(page)
    assert area["type"] == "Polygon"
    page.get_by_label("Name").fill("West side")
    page.get_by_role("button", name="Open campaign").click()
    page.get_by_role("link", name="Settings of West side").click()
    expect(page.locator("#area-said")).to_have_text("1 polygon.")
    assert counted(page) == some
    assert set(map(tuple, drawn(page)["coordinates"][0])) == set(map(tuple, area["coordinates"][0]))
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(COUNT).last).to_have_text(str(everything))
    page.get_by_label("Open to reviewers").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="West side")).to_have_attribute("href", "/review/west-side/settings/")


def test_a_file_is_read_and_what_is_no_area_is_told(visit: Visit, tmp_path: Path) -> None:
    page = open_form(visit)
    ring = [[100, 10], [101, 10], [101, 11], [100, 10]]
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    file = tmp_path / "area.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    page.get_by_label("GeoJSON file").set_input_files(file)
    expect(page.locator("#area-said")).to_have_text("1 polygon.")
    expect(page.get_by_text("No site meets every condition.")).to_be_visible()
    file.write_text("<img src=x onerror=alert(1)>", encoding="utf-8")
    page.get_by_label("GeoJSON file").set_input_files(file)
    expect(page.locator("#area-said")).to_contain_text("This cannot be drawn")
    expect(page.locator("#count")).to_contain_text("Area: the area is not JSON")


def test_a_filter_of_the_sites_page_becomes_a_campaign_by_keyboard(visit: Visit) -> None:
    page = visit.page
    visit.log_in("lea")
    page.goto(f"{visit.stage.url}/sites/?source=seeds+of+keymap")
    way = page.get_by_role("link", name="Open a campaign of these")
    listed = page.locator("tbody tr").count()
    expect(way).to_have_text(f"Open a campaign of these {listed}")
    visit.tab_to(way)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New campaign")).to_be_visible()
    expect(page.get_by_label("seeds of keymap")).to_be_checked()
    assert counted(page) == listed > 1
    visit.tab_to(page.get_by_label("Name"))
    page.keyboard.type("Ponds of the keymap")
    visit.tab_to(page.get_by_label("pond", exact=True))
    page.keyboard.press("Space")
    expect(page.locator(COUNT).last).not_to_have_text(str(listed))
    ponds = counted(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ponds of the keymap")).to_be_visible()
    visit.tab_to(page.get_by_role("link", name="Settings of Ponds of the keymap"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("pond", exact=True)).to_be_checked()
    assert counted(page) == ponds < listed
    visit.tab_to(page.get_by_label("Open to reviewers"))
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Ponds of the keymap")).to_have_attribute(
        "href", "/review/ponds-of-the-keymap/settings/"
    )


def test_what_a_campaign_cannot_ask_for_stays_in_sight(visit: Visit) -> None:
    page = visit.page
    visit.log_in("lea")
    page.goto(f"{visit.stage.url}/sites/?source=seeds+of+keymap&state=open")
    number = page.locator("tbody tr").first.get_attribute("data-site")
    page.goto(f"{visit.stage.url}/sites/?source=seeds+of+keymap&q={number}")
    page.get_by_role("link", name="Open a campaign of this one").click()
    note = page.get_by_role("region", name="Taken over from the sites page")
    expect(note).to_contain_text("which finds 1 site: Source: seeds of keymap.")
    expect(note.get_by_role("listitem")).to_have_text(
        f"Name or number: {number}: a campaign does not ask for names or numbers."
    )
    assert counted(page) > 1
    note.get_by_role("link").click()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_campaign_is_opened_from_any_field_and_a_refusal_gets_the_focus(visit: Visit) -> None:
    """The button lies as many presses of Tab away as there are sources, types and regions."""
    page = open_form(visit)
    name = page.get_by_label("Name")
    expect(name).to_be_focused()
    page.keyboard.type("Synthetic many")
    guideline = page.get_by_label("Guideline")
    visit.tab_to(guideline)
    page.keyboard.type("One line")
    page.keyboard.press("Enter")
    page.keyboard.type("and another")
    visit.expect_trouble("400")
    page.keyboard.press("Control+Enter")
    refused = page.get_by_text("there is a campaign named like 'Synthetic many': choose another name")
    expect(refused).to_be_visible()
    expect(page.locator("#refused")).to_be_focused()
    visit.tab_to(name)
    page.keyboard.press("Control+a")
    page.keyboard.type("Quick to open")
    visit.tab_to(page.get_by_label("Share of gold sites"))
    page.keyboard.press("Control+a")
    page.keyboard.type("0.9")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#refused")).to_be_visible()  # the browser holds the form back
    page.keyboard.press("Control+a")
    page.keyboard.type("0.1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Quick to open")).to_be_visible()
    rows = visit.stage.rows("SELECT guideline, gold_share FROM labelling_campaign WHERE name = 'Quick to open'")
    assert [(text.split(), share) for text, share in rows] == [(["One", "line", "and", "another"], 0.1)]
    visit.stage.write("UPDATE labelling_campaign SET active = 0 WHERE name = 'Quick to open'")


def test_a_comment_and_a_guideline_are_sent_by_the_same_press(visit: Visit) -> None:
    page, stage = visit.page, visit.stage
    visit.log_in("lea")
    page.goto(f"{stage.url}/guide/pond/edit/")
    text = page.get_by_role("textbox")
    text.fill("Water, and a straight edge.")
    text.press("Control+Enter")
    expect(page.get_by_role("heading", name="pond")).to_be_visible()
    expect(page.get_by_text("Water, and a straight edge.")).to_be_visible()
    site = stage.rows("SELECT MIN(id) FROM labelling_site")[0][0]
    page.goto(f"{stage.url}/sites/{site}/")
    page.get_by_label("Comment").fill("@ana is it active?")
    page.get_by_label("Comment").press("Control+Enter")
    expect(page.locator(".life")).to_contain_text("@ana is it active?")
