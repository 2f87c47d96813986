import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit


def tiles_of(addresses: list[str]) -> set[str]:
    """The band combinations of which a tile was asked for."""
    found = (re.search(r"/tiles/scenes/\d+/\w+/([^/]+)/\d+/", address) for address in addresses)
    return {match[1] for match in found if match}


def test_the_list_leads_to_a_scene_whose_bands_change_by_a_key(visit: Visit) -> None:
    visit.log_in("gus")
    page = visit.page
    page.goto(f"{visit.stage.url}/scenes/?q=day")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator(".pill-synthetic")).to_have_count(2)
    expect(page.locator("#map path.leaflet-interactive")).to_have_count(4)  # two outlines and their dots
    first = page.locator("tbody tr").first
    first.hover()
    expect(first).to_have_attribute("aria-selected", "true")
    picture = first.locator("img")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 50

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    first.get_by_role("link").click()
    expect(page.locator("#map img.leaflet-tile-loaded").first).to_be_visible()
    assert tiles_of(asked) == {"true-colour"}
    visit.press("b")
    expect(page.get_by_label("false colour")).to_be_checked()
    expect(page.locator('#map img[src*="false-colour"].leaflet-tile-loaded').first).to_be_visible()
    page.get_by_text("NDVI").click()
    expect(page.locator('#map img[src*="ndvi"].leaflet-tile-loaded').first).to_be_visible()
    expect(page.locator('#map img[src*="true-colour"]')).to_have_count(0)


def test_a_scene_is_found_and_opened_with_the_keyboard_alone(visit: Visit) -> None:
    visit.log_in("gus")
    page = visit.page
    page.goto(f"{visit.stage.url}/scenes/")
    page.get_by_label("Name").focus()
    page.keyboard.type("keys")
    visit.press("Enter")
    expect(page).to_have_url(re.compile(r"q=keys"))
    expect(page.locator("tbody tr")).to_have_count(2)
    page.locator("tbody a").first.focus()
    visit.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("keys")
    page.get_by_label("true colour").focus()
    visit.press("ArrowRight")
    expect(page.get_by_label("false colour")).to_be_checked()
    expect(page.locator('#map img[src*="false-colour"].leaflet-tile-loaded').first).to_be_visible()
