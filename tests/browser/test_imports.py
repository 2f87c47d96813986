"""An admin brings a dirty table, settles a doubt with one press, and imports; then a new version with its diff."""

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

# As the real file of Chile is: two header rows, cp1252, lost marks and signs, a place that is none.
ROWS = (
    "General;;General;;Metal 1;",
    "ID;Name_Mine;Status;Latitude;Longitude;Metal",
    "1;Compañía Uno;operational;28°30?10?S;70°30?20? W;Cu",
    "2;Minera Dos;operational;28.60°S;70.60°W;Au",
    "3;Los Colorados;operational;28.30°S;70.81°;Cu",
    "4;Nadie;landfill;-;-;-",
)
LATER = (*ROWS[:2], ROWS[2].replace(";Cu", ";Ag"), "5;Mina Cinco;operational;29.10°S;70.90°W;Fe")


def bring(page: Page, file: Path) -> None:
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + "/imports/new/")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("heading", name=file.name)).to_be_visible()
    page.wait_for_load_state()  # its scripts have run


def figure(page: Page, what: str) -> str:
    return page.locator("#counts .stat", has_text=what).locator("b").inner_text()


def refused(page: Page) -> list[str]:
    return page.get_by_role("region", name="Refused rows").locator("tbody tr").all_inner_texts()


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in {"serious", "critical"}
    ]


def test_a_dirty_table_is_settled_with_one_press_and_its_new_version_shows_a_diff(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "faenas.csv"
    file.write_bytes("\n".join(ROWS).encode("cp1252"))
    visit.log_in("ada")
    page = visit.page
    bring(page, file)
    expect(page.get_by_role("region", name="First rows")).to_contain_text("Compañía Uno")
    expect(page.get_by_label("Header rows")).to_have_value("2")
    assert (figure(page, "rows"), figure(page, "added"), figure(page, "refused")) == ("4", "2", "2")
    assert "says neither east nor west; 2 other rows say west" in refused(page)[0]
    assert "it has no place: Latitude and Longitude are empty" in refused(page)[1]
    assert not serious(page)

    page.get_by_role("button", name="Read as west").click()
    expect(page.get_by_text("longitudes without a sign are read as west")).to_be_visible()
    assert (figure(page, "added"), len(refused(page))) == ("3", 1)
    expect(page.locator("#map .leaflet-interactive")).to_have_count(3)
    button = page.get_by_role("button", name="Import", exact=True)
    expect(button).to_be_disabled()
    page.get_by_label("Leave the 1 refused row out").check()
    expect(button).to_be_enabled()
    assert visit.stage.rows("SELECT count(*) FROM labelling_source WHERE name = 'faenas'") == [(0,)]
    button.click()
    expect(page.get_by_text("a part of what the source says")).to_be_visible()
    assert visit.stage.rows(
        "SELECT count(*) FROM labelling_proposal p JOIN labelling_source s ON s.id = p.source_id WHERE s.name = ?",
        "faenas",
    ) == [(3,)]

    file.write_bytes("\n".join(LATER).encode("cp1252"))
    bring(page, file)
    page.get_by_role("button", name="It is the whole new version").click()
    expect(page.get_by_role("heading", name="Gone, taken back")).to_contain_text("2")
    changed = page.get_by_role("region", name="Changed claims").locator("tbody tr")
    expect(changed).to_have_count(1)
    expect(changed).to_contain_text("copper")
    expect(changed).to_contain_text("silver")
    assert not serious(page)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("the whole of what the source says")).to_be_visible()
    expect(page.get_by_role("region", name="Claims taken back").locator("tbody tr")).to_have_count(2)
