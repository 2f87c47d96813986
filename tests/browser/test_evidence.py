"""What the imagery says of a site: its spectrum, its pictures, its dates, and two of them under a line."""

import re
from itertools import pairwise

from playwright.sync_api import Locator, expect

from tests.browser.axe import findings
from tests.browser.conftest import Visit
from tests.browser.server import Stage

PICTURES = ["true colour", "false colour", "SWIR", "NDVI", "iron B04/B02", "clay B11/B12"]

FETCHED = "part => performance.getEntriesByType('resource').some(({ name }) => name.includes(part))"


def pressed(group: Locator) -> Locator:
    return group.locator("[aria-pressed=true]")


def clip_of(visit: Visit, pane: str) -> tuple[float, float]:
    """Where the visible part of a pane of the map begins and ends, in pixels of the map."""
    left, right = visit.page.evaluate(
        """(pane) => {
            const element = document.querySelector(`.leaflet-${pane}-pane`);
            const moved = new DOMMatrix(getComputedStyle(document.querySelector(".leaflet-map-pane")).transform);
            const lengths = element.style.clipPath.match(/-?[\\d.]+px/g).map(parseFloat);
            const xs = lengths.filter((_, index) => index % 2 === 0);
            return [Math.min(...xs) + moved.e, Math.max(...xs) + moved.e];
        }""",
        pane,
    )
    return left, right


def test_the_spectrum_of_the_open_site(visit: Visit) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review("looks")
    plot = page.get_by_role("img", name="Reflectance in 12 bands inside the site")
    expect(plot).to_be_visible()
    expect(page.locator("#spectrum h3")).to_have_text(re.compile(r"Spectrum · most apart: B\w+, B\w+"))

    rows = [row.inner_text().split("\t") for row in page.locator("#spectrum tbody tr").all()]
    assert [row[0] for row in rows][:2] == ["B01 443 nm", "B02 490 nm"]
    assert len(rows) == 12
    assert all(0 < float(value) < 1 for row in rows for value in row[1:])

    # the line is where the table says: a brighter band stands higher, and each by as much
    points = page.locator("#spectrum polyline.inside").get_attribute("points") or ""
    heights = [float(point.split(",")[1]) for point in points.split()]
    told = [float(row[1]) for row in rows]
    per_unit = [
        (high - low) / (b - a)
        for (high, low), (a, b) in zip(pairwise(heights), pairwise(told), strict=True)
        if abs(b - a) > 0.02
    ]
    assert min(per_unit) > 0
    assert max(per_unit) / min(per_unit) < 1.1
    assert (
        page.locator("#spectrum .readout title").first.text_content()
        == f"B01 443 nm: inside {rows[0][1]}, ring {rows[0][2]}"
    )


def test_the_next_plot_is_there_before_its_site(visit: Visit) -> None:
    """Fetched ahead, it needs no server; and a server that does not answer holds no decision up."""
    page = visit.page
    visit.log_in("ana")
    visit.review("looks")
    expect(page.locator("#spectrum svg")).to_be_visible()
    label = page.get_by_role("button", name="go on with site").first.get_attribute("aria-label") or ""
    page.wait_for_function(FETCHED, arg=f"/sites/{label.split()[-1]}/spectrum/")
    page.route("**/spectrum/**", lambda route: route.abort())
    visit.expect_trouble("ERR_FAILED")
    site = visit.open_site()
    visit.press("s")
    visit.expect_moved_on(site)
    expect(page.locator("#spectrum svg")).to_be_visible()
    assert page.locator("#spectrum").get_by_text("cannot be read").count() == 0


def test_without_its_spectrum_a_site_can_be_decided(visit: Visit) -> None:
    page = visit.page
    page.route("**/spectrum/**", lambda route: route.abort())
    visit.expect_trouble("ERR_FAILED")
    visit.log_in("ana")
    visit.review("looks")
    expect(page.locator("#spectrum")).to_contain_text("The spectrum cannot be read")
    site = visit.open_site()
    visit.press("s")
    visit.expect_moved_on(site)
    visit.expect_saved()


def test_what_could_not_be_fetched_comes_when_the_server_answers_again(visit: Visit) -> None:
    page = visit.page
    late = ("**/spectrum/**", "**/sheet.*")
    for address in late:
        page.route(address, lambda route: route.abort())
    visit.expect_trouble("ERR_FAILED")
    visit.log_in("ana")
    visit.review("looks")
    expect(page.locator("#spectrum")).to_contain_text("The spectrum cannot be read: no connection.")
    assert page.locator("#thumbs img, #film img").count() == 0
    for address in late:
        page.unroute(address)
    expect(page.locator("#spectrum svg")).to_be_visible(timeout=60_000)
    expect(page.locator("#thumbs img").first).to_be_visible(timeout=60_000)
    expect(page.locator("#film img").first).to_be_visible(timeout=60_000)


def test_a_picture_and_a_key_change_what_the_map_shows(visit: Visit) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review("looks")
    thumbs = page.locator("#thumbs")
    expect(thumbs.get_by_role("button")).to_have_text(PICTURES)
    thumbs.get_by_role("button", name="show NDVI").click()
    expect(pressed(thumbs)).to_have_text("NDVI")
    expect(pressed(page.locator("#bands"))).to_have_text("NDVI")
    expect(page.locator(".leaflet-tile-pane img[src*='/ndvi/']").first).to_be_visible()
    visit.press("b")
    expect(pressed(thumbs)).to_have_text("iron B04/B02")
    expect(page.locator(".leaflet-tile-pane img[src*='/iron/']").first).to_be_visible()


def test_the_strip_of_dates(visit: Visit) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review("looks")
    dates = page.locator("#dates").get_by_role("button")
    expect(dates).to_have_count(2)
    newer, older = (text.strip() for text in dates.all_inner_texts())
    assert newer > older
    before = page.locator("#spectrum tbody").inner_text()
    dates.nth(1).click()
    expect(pressed(page.locator("#dates"))).to_have_text(older)
    expect(page.locator("#bands")).to_contain_text(f"{older} · 2 of 2")
    expect(page.locator("#spectrum tbody")).not_to_have_text(before)
    visit.press("]")
    expect(pressed(page.locator("#dates"))).to_have_text(newer)


def test_two_dates_under_a_line(visit: Visit) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review("looks")
    dates = page.locator("#dates").get_by_role("button")
    expect(dates).to_have_count(2)
    newer, older = (text.strip() for text in dates.all_inner_texts())
    visit.press("d")
    line = page.get_by_role("slider", name="Line between the earlier and the later date")
    expect(line).to_be_focused()
    expect(page.locator(".compare-labels > *")).to_have_text([older, newer])
    expect(page.locator("#compare-button")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".leaflet-compare-pane img").first).to_be_visible()
    assert findings(page) == []

    width = page.locator("#map").bounding_box()["width"]  # type: ignore[index]
    assert clip_of(visit, "compare") == (0, width / 2)
    assert clip_of(visit, "tile") == (width / 2, width)
    visit.press(*["ArrowRight"] * 10)
    expect(line).to_have_attribute("aria-valuetext", f"60 % {older}, 40 % {newer}")
    after = clip_of(visit, "compare")[1]
    assert after > width / 2 + 0.09 * width
    assert clip_of(visit, "tile")[0] == after
    visit.press("End")
    assert clip_of(visit, "tile")[0] > width - 30

    # it is dragged by its handle, and follows the map when that moves
    handle = line.bounding_box()
    assert handle
    page.mouse.move(handle["x"] + width - 22, handle["y"] + 22)
    page.mouse.down()
    page.mouse.move(handle["x"] + width / 4, handle["y"] + 22, steps=4)
    page.mouse.up()
    dragged = clip_of(visit, "compare")[1]
    assert abs(dragged - width / 4) < 30
    page.mouse.move(handle["x"] + width * 0.7, handle["y"] + 150)
    page.mouse.down()
    page.mouse.move(handle["x"] + width * 0.6, handle["y"] + 250, steps=4)
    page.mouse.up()
    assert abs(clip_of(visit, "compare")[1] - dragged) < 1

    # what the map shows changes sides, and the same bands are compared
    visit.press("]")
    expect(page.locator("#bands")).to_contain_text(f"{older} · 2 of 2")
    expect(page.locator(".compare-labels > *")).to_have_text([older, newer])
    assert clip_of(visit, "tile")[0] == 0
    visit.press("b")
    shown = page.locator(".leaflet-compare-pane img").first.get_attribute("src") or ""
    assert "/false-colour/" in shown

    visit.press("Escape")
    expect(page.locator("#compare")).to_be_hidden()
    expect(page.locator(".leaflet-compare-pane img")).to_have_count(0)
    expect(page.locator("#compare-button")).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("document.querySelector('.leaflet-tile-pane').style.clipPath") == ""


def test_a_scene_of_three_bands_among_three_dates(visit: Visit) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review("evidence")
    expect(page.locator("#dates").get_by_role("button")).to_have_text(["2024-07-18", "2024-02-09", "2023-03-01"])
    visit.press("d")
    choice = page.get_by_role("combobox", name="Date to compare with")
    expect(choice.locator("option:checked")).to_have_text("2024-02-09")
    choice.select_option("2023-03-01")
    expect(page.get_by_role("slider")).to_be_focused()
    expect(choice.locator("option:checked")).to_have_text("2023-03-01")
    expect(page.locator(".compare-labels > span")).to_have_text("2024-07-18")
    expect(page.locator(".leaflet-compare-pane img").first).to_be_visible()

    # what the map shows cannot be compared with itself
    visit.press("[")
    expect(page.locator("#bands")).to_contain_text("2023-03-01 · 3 of 3")
    expect(page.locator(".compare-labels > span")).to_have_text("2023-03-01")
    expect(choice.locator("option")).to_have_text(["2024-07-18", "2024-02-09"])
    assert clip_of(visit, "tile")[0] == 0
    visit.press("Escape")

    expect(page.locator("#thumbs").get_by_role("button")).to_have_text(["true colour", "iron B04/B02"])
    expect(page.get_by_role("img", name="Reflectance in 3 bands inside the site")).to_be_visible()
    expect(page.locator("#spectrum tbody th")).to_have_text(["B02 490 nm", "B03 560 nm", "B04 665 nm"])


def test_the_line_is_gone_with_its_site_and_letters_stay_keys(visit: Visit, stage: Stage) -> None:
    page = visit.page
    visit.log_in("ben")
    visit.review("evidence")
    site = visit.open_site()
    before = len(stage.decisions("evidence"))
    page.get_by_role("button", name="compare dates").click()
    expect(page.get_by_role("slider")).to_be_focused()
    visit.press("ArrowLeft", "a")  # the arrow is the line's, the letter the screen's
    visit.expect_moved_on(site)
    expect(page.locator("#compare")).to_be_hidden()
    assert page.evaluate("document.querySelector('.leaflet-tile-pane').style.clipPath") == ""
    visit.expect_saved()
    assert [(one["verdict"], one["site"]) for one in stage.decisions("evidence")[before:]] == [("accept", site)]

    visit.press("d", "e", "ArrowUp")  # while the outline is edited the arrows are for the outline
    expect(page.locator("#mode")).to_contain_text("Edit the outline")
    expect(page.get_by_role("slider")).to_have_value("50")
    visit.press("Escape")
    expect(page.locator("#mode")).to_be_hidden()
    expect(page.get_by_role("slider")).to_be_visible()
    visit.press("Escape")
    expect(page.locator("#compare")).to_be_hidden()


def test_where_there_is_one_date_there_is_nothing_to_compare(visit: Visit) -> None:
    page = visit.page
    visit.log_in("ana")
    visit.review("lonely")
    expect(page.locator("#compare-button")).to_be_disabled()
    expect(page.locator("#dates")).to_be_hidden()
    expect(page.locator("#spectrum")).to_be_hidden()
    visit.press("d")
    visit.expect_told("No second date")
    expect(page.locator("#compare")).to_be_hidden()


def test_the_keys_tell_of_it(visit: Visit) -> None:
    visit.log_in("ana")
    visit.review("looks")
    visit.press("?")
    expect(visit.page.get_by_role("dialog", name="Keys")).to_contain_text("compare with another date")


def test_who_looks_beyond_the_picture_gets_tiles(visit: Visit) -> None:
    """One picture shows the whole site at once; tiles are asked for only when somebody looks around."""
    page = visit.page
    visit.log_in("ben")
    visit.review("evidence")
    expect(page.locator("#map .leaflet-image-layer")).to_be_visible()
    expect(page.locator("#map .leaflet-tile")).to_have_count(0)
    visit.press("ArrowLeft", "ArrowLeft")
    expect(page.locator("#map .leaflet-tile-loaded").first).to_be_visible()
    site = visit.open_site()
    visit.press("s")
    visit.expect_moved_on(site)
    expect(page.locator("#map .leaflet-image-layer")).to_have_count(1)
    expect(page.locator("#map .leaflet-tile")).to_have_count(0)
    visit.expect_saved()
