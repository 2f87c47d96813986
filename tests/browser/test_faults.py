"""What goes wrong in a day: the network, the server, the browser, and two people on one site."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Playwright, expect

from tests.browser.conftest import DESK, Visit
from tests.browser.server import CHROMIUM, FLAGS, Stage
from tests.browser.stage import MANY
from tests.waiting import wait_until

DECISIONS = 200
HELD = 10
AHEAD = 8  # at least so many sites are here before the next are asked for
CUT_S = float(os.environ.get("MAD_CUT_S", "4"))  # a minute proves no more than seconds do; MAD_CUT_S=60 waits it out
OFFLINE = ("ERR_INTERNET_DISCONNECTED", "Failed to load resource", "ERR_FAILED", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE")
MOVED_ON = (
    """site => document.getElementById("open").hidden || !document.getElementById("place").textContent.includes(site)"""
)
SEEN = "new Promise(seen => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(seen))))"


class Day:
    """One person's day: every decision in the order in which it was made."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.made: list[tuple[int, str]] = []

    def decide(self) -> None:
        visit, number = self.visit, len(self.made)
        site = visit.open_site()
        key, verdict = [("a", "accept"), ("u", "unsure"), ("s", "skip")][number % 3 if number % 5 == 0 else 0]
        visit.press(key)
        visit.page.wait_for_function(MOVED_ON, arg=f"site {site} ", polling="raf")
        visit.page.evaluate(SEEN)
        self.made.append((site, verdict))

    def decide_until(self, count: int) -> None:
        while len(self.made) < count:
            expect(self.visit.page.locator("#question")).to_be_visible(timeout=60_000)
            self.decide()

    def decide_what_is_here(self) -> int:
        """Without a server: as far as what was fetched ahead reaches. Returns how many."""
        before = len(self.made)
        while self.visit.page.locator("#question").is_visible():
            self.decide()
        return len(self.made) - before


@pytest.mark.parametrize(("story", "count"), [("looks", 1), (MANY, HELD)])
def test_a_closed_browser_frees_its_sites_at_once(visit: Visit, stage: Stage, story: str, count: int) -> None:
    """Where there are many sites, those that come next are held too."""
    held = "SELECT site_id FROM labelling_claim JOIN labelling_campaign AS c ON c.id = campaign_id WHERE c.slug = ?"
    slug = f"synthetic-{story}"
    visit.log_in("ana")
    visit.review(story)
    visit.expect_saved()
    sites = {site for (site,) in stage.rows(held, slug)}
    assert len(sites) == count
    assert visit.open_site() in sites
    visit.page.close(run_before_unload=True)
    wait_until(lambda: not stage.rows(held, slug), "no site is held")


def test_two_hundred_decisions_outlive_network_server_and_browser(
    driver: Playwright, stage: Stage, tmp_path: Path
) -> None:
    """The network is cut, the server is killed, and the browser is killed, each with decisions on their way."""
    visit = enter(driver, stage, tmp_path)
    day = Day(visit)
    day.decide_until(50)

    visit.expect_supplied(AHEAD)
    visit.context.set_offline(True)
    cut = time.monotonic()
    assert day.decide_what_is_here() >= AHEAD
    expect(visit.page.locator("#state")).to_contain_text("No connection to the server")
    time.sleep(max(0, CUT_S - (time.monotonic() - cut)))
    visit.context.set_offline(False)
    day.decide_until(100)

    visit.expect_supplied(AHEAD)
    stage.kill()
    alone = day.decide_what_is_here()
    told = visit.page.locator("#saved").inner_text()
    stage.start()
    assert alone >= AHEAD
    assert "not yet saved" in told
    day.decide_until(150)

    visit.expect_supplied(AHEAD)
    visit.context.set_offline(True)
    assert day.decide_what_is_here() >= AHEAD
    unsent = int(visit.page.locator("#saved").get_attribute("data-unsaved") or 0)
    assert unsent >= AHEAD
    kill_browser(visit.context, tmp_path)

    again = enter(driver, stage, tmp_path)
    day.visit = again
    day.decide_until(DECISIONS)
    again.expect_saved()
    rows = stage.decisions(MANY)
    assert [(one["site"], one["verdict"]) for one in rows] == day.made
    assert len({one["key"] for one in rows}) == DECISIONS
    applied = [one["site"] for one in rows if one["verdict"] != "skip"]
    assert len(set(applied)) == len(applied)
    again.context.close()
    assert again.complaints == []


def enter(driver: Playwright, stage: Stage, profile: Path) -> Visit:
    """Open a browser that keeps its things in a folder, and go to work."""
    context = driver.chromium.launch_persistent_context(
        profile, executable_path=CHROMIUM, args=list(FLAGS), viewport=DESK, color_scheme="dark"
    )
    context.clear_cookies()
    visit = Visit(stage, context, context.pages[0])
    visit.expect_trouble(*OFFLINE)
    visit.watch(visit.page)
    visit.log_in("ana")
    visit.review(MANY)
    return visit


def kill_browser(context: BrowserContext, profile: Path) -> None:
    pid = int((profile / "SingletonLock").readlink().name.rsplit("-", 1)[1])
    with context.expect_event("close"):
        os.kill(pid, signal.SIGKILL)
    (profile / "SingletonLock").unlink(missing_ok=True)


def test_of_two_on_one_site_the_second_gets_the_choice(visit: Visit, stage: Stage) -> None:
    """Lea's lease ends while she thinks; Ben gets her site and decides first."""
    page = visit.page
    visit.log_in("lea")
    visit.review("conflict")
    visit.expect_saved()
    site = visit.open_site()
    token = stage.rows("SELECT token FROM labelling_claim WHERE site_id = ?", site)[0][0]
    stage.write("UPDATE labelling_claim SET expires_at = '2020-01-01 00:00:00' WHERE token = ?", token)

    browser = visit.context.browser
    assert browser
    with_ben = browser.new_context(viewport=DESK)
    ben = Visit(stage, with_ben, with_ben.new_page())
    ben.watch(ben.page)
    ben.log_in("ben")
    ben.come_to_work(f"{stage.url}/review/synthetic-conflict/?site={site}")
    expect(ben.page.locator("#place")).to_contain_text(f"site {site} ")
    ben.press("x", "1")
    ben.expect_moved_on(site)
    ben.expect_saved()
    with_ben.close()
    assert ben.complaints == []

    visit.expect_trouble("409 (Conflict)")
    visit.press("a")
    visit.expect_moved_on(site)  # she is not held up
    dialog = page.get_by_role("dialog", name=re.compile(f"Site {site} has changed since you saw it"))
    expect(dialog.locator(".version")).to_have_count(2)
    yours, theirs = dialog.locator(".version").all()
    expect(yours).to_contain_text("accept")
    expect(theirs).to_contain_text("ben")
    expect(theirs).to_contain_text("rejected")
    dialog.get_by_role("button", name="Decide again with mine").click()
    visit.expect_saved()
    made = [one for one in stage.decisions("conflict") if one["site"] == site]
    assert [(one["reviewer"], one["verdict"], one["version"]) for one in made] == [
        ("ben", "reject", 1),
        ("lea", "accept", None),
        ("lea", "accept", 2),
    ]


def test_a_lead_takes_a_site_from_a_screen_that_is_left_open(visit: Visit, stage: Stage) -> None:
    visit.log_in("ana")
    visit.review("looks")
    visit.expect_saved()
    site = visit.open_site()
    browser = visit.context.browser
    assert browser
    with_lea = browser.new_context(viewport=DESK)
    lea = Visit(stage, with_lea, with_lea.new_page())
    lea.watch(lea.page)
    lea.log_in("lea")
    lea.page.goto(f"{stage.url}/review/")
    lea.page.get_by_role("region", name="Synthetic looks").get_by_role("link", name="In review").click()
    row = lea.page.get_by_role("row").filter(has_text="ana")
    expect(row).to_contain_text(f"{site}")
    row.get_by_role("button", name=f"Release site {site} of ana").click()
    expect(lea.page.get_by_role("heading", name="Nobody holds a site of this campaign")).to_be_visible()
    lea.page.goto(f"{stage.url}/review/synthetic-looks/?site={site}")
    expect(lea.page.locator("#place")).to_contain_text(f"site {site} ")
    lea.expect_saved()
    with_lea.close()
    assert lea.complaints == []
