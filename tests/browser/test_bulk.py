"""A lead moves outlines that lie beside their mines by the keyboard: looks where they would lie, and takes it back."""

from typing import Any

from playwright.sync_api import expect
from shapely.geometry import shape

from tests.browser.conftest import Visit

HERE = "source=seeds+of+offset"


def corners(visit: Visit) -> dict[str, tuple[float, float]]:
    """The west and south edge of each outline, degrees."""
    answer = visit.page.request.get(f"{visit.stage.url}/sites/map/?{HERE}&bbox=-26,-50.5,-24.6,-49.5").json()
    found: list[Any] = answer["features"]
    return {one["properties"]["name"]: shape(one["geometry"]).bounds[:2] for one in found}


def test_outlines_are_moved_and_moved_back_by_keyboard(visit: Visit) -> None:
    page = visit.page
    visit.log_in("lea")
    before = corners(visit)
    page.goto(f"{visit.stage.url}/sites/?{HERE}")
    visit.tab_to(page.get_by_text("Act on many sites"))
    page.keyboard.press("Enter")
    visit.tab_to(page.get_by_label("Do what"))
    page.keyboard.type("move")
    east, north = page.get_by_label("Metres east"), page.get_by_label("Metres north")
    expect(page.get_by_label("Reason")).to_be_hidden()
    for field, metres in ((east, "70"), (north, "-100")):
        visit.tab_to(field)
        page.keyboard.press("Control+a")
        page.keyboard.type(metres)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Move 70 m east and 100 m south", exact=True)).to_be_visible()
    drawn = page.locator("#map path")
    expect(drawn).to_have_count(2)
    dashed, filled = (drawn.nth(index).bounding_box() for index in (0, 1))
    assert dashed
    assert filled
    assert filled["x"] > dashed["x"], "to the east"
    assert filled["y"] > dashed["y"], "to the south"
    first, second = page.get_by_role("group", name="Which site the map shows").get_by_role("button").all()
    expect(first).to_have_attribute("aria-pressed", "true")
    visit.tab_to(second)
    page.keyboard.press("Enter")
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(first).to_have_attribute("aria-pressed", "false")
    assert corners(visit) == before, "nothing is done yet"
    page.get_by_role("button", name="Move 70 m east and 100 m south · 2 sites").press("Enter")
    expect(page.get_by_role("heading", name="Done", exact=True)).to_be_visible()
    after = corners(visit)
    for name, (west, south) in before.items():
        assert 0.0009 < after[name][0] - west < 0.0011, "70 m at 50 degrees south"
        assert 0.0008 < south - after[name][1] < 0.001
    page.get_by_role("button", name="Take all 2 back").press("Enter")
    expect(page.get_by_role("heading", name="Taken back", exact=True)).to_be_visible()
    assert corners(visit) == before
