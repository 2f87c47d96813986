"""A lead settles contested sites by the keyboard, one after the other, and takes back what was one too many."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.stage import QUARREL


def quarrels(page: Page) -> Locator:
    return page.locator(".dispute", has_text=f"in Synthetic {QUARREL}")


def go_to_the_first(visit: Visit) -> None:
    """By the key that goes on; other stories may have left contested sites before these."""
    visit.page.goto(f"{visit.stage.url}/review/contested/")
    visit.page.wait_for_load_state()  # its scripts have run
    first = quarrels(visit.page).first
    for _ in range(20):
        visit.page.keyboard.press(".")
        if first.evaluate("one => one === document.activeElement"):
            return
    expect(first).to_be_focused()


def verdicts(visit: Visit) -> list[str]:
    return [one["verdict"] for one in visit.stage.decisions(QUARREL) if one["reviewer"] == "lea"]


def test_contested_sites_are_settled_in_a_row_by_keyboard(visit: Visit) -> None:
    page = visit.page
    visit.log_in("lea")
    go_to_the_first(visit)
    sites = [(one.get_attribute("id") or "").removeprefix("site-") for one in quarrels(page).all()]
    assert len(sites) == 3
    page.keyboard.press("m")
    expect(quarrels(page).first.get_by_label("Why")).to_be_focused()
    page.keyboard.type("2 no traces")
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    expect(page.get_by_text(f"Site {sites[0]} is rejected.")).to_be_visible()
    expect(page.locator(f"#site-{sites[1]}")).to_be_focused()
    page.keyboard.press("1")
    expect(page.get_by_text(f"Site {sites[1]} is verified.")).to_be_in_viewport()
    expect(page.locator(f"#site-{sites[2]}")).to_be_focused()
    assert verdicts(visit) == ["reject", "accept"]
    page.keyboard.press("z")
    expect(page.get_by_text(f"Site {sites[1]} is contested again.")).to_be_visible()
    expect(page.locator(f"#site-{sites[1]}")).to_be_focused()
    page.keyboard.press(".")
    expect(page.locator(f"#site-{sites[2]}")).to_be_focused()
    page.keyboard.press(",")
    expect(page.locator(f"#site-{sites[1]}")).to_be_focused()
    assert verdicts(visit) == ["reject", "accept", "undo"]


def test_a_digit_settles_nothing_before_a_site_has_the_focus(visit: Visit) -> None:
    page = visit.page
    visit.log_in("lea")
    before = verdicts(visit)
    page.goto(f"{visit.stage.url}/review/contested/")
    page.wait_for_load_state()
    page.keyboard.press("1")
    expect(page.locator(".dispute").first).to_be_focused()
    page.keyboard.press("9")
    expect(page.locator(".dispute").first).to_be_focused()
    quarrels(page).first.get_by_label("Why").fill("")
    page.keyboard.press("1")
    expect(quarrels(page).first.get_by_label("Why")).to_have_value("1")
    assert verdicts(visit) == before


def test_neither_opinion_leads_to_the_map(visit: Visit) -> None:
    page = visit.page
    visit.log_in("lea")
    go_to_the_first(visit)
    site = (quarrels(page).first.get_attribute("id") or "").removeprefix("site-")
    page.keyboard.press("e")
    expect(page.locator("#place")).to_contain_text(f"site {site} ")
