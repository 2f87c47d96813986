"""The card beside the map says first what matters most."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.stage import CARD

REASONS = (
    "sources disagree on the type: pond (A) or open pit (B)",
    "few verified examples",
    "it is old",
    "nobody looked",
)


def test_the_weightiest_reasons_are_in_sight_and_the_rest_on_demand(visit: Visit) -> None:
    page, stage = visit.page, visit.stage
    seeds = stage.rows("SELECT id FROM labelling_source WHERE name = ?", f"seeds of {CARD}")[0][0]
    site = stage.rows("SELECT site_id FROM labelling_proposal WHERE source_id = ?", seeds)[0][0]
    why = page.locator("#why-text")
    visit.log_in("ben")
    for told in (REASONS[:2], REASONS):
        stage.write("UPDATE labelling_site SET why = ? WHERE id = ?", "; ".join(told), site)
        visit.review(CARD)
        assert visit.open_site() == site
        expect(why).to_contain_text("; ".join(REASONS[:2]))
    rest = why.get_by_text("it is old; nobody looked")
    expect(rest).to_be_hidden()
    visit.tab_to(why.get_by_text("2 more reasons"))
    page.keyboard.press("Space")
    expect(rest).to_be_visible()
    expect(page.locator("#place")).to_contain_text(f"site {site} ")
