"""Every page, in both themes and as every role that sees it: no serious finding of axe-core, WCAG 2.2 AA.

The pages are those of tests/permissions.csv, in a house with something in every room (``house.py``).
"""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from django.urls import NoReverseMatch, reverse
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import COLOURS, EVERYTHING, findings
from tests.browser.conftest import DESK, Visit
from tests.browser.server import ROOT, Stage, environment
from tests.stack import free_port

pytest.importorskip("faster_coco_eval", reason="the house has scores, computed on a worker: install the extra 'worker'")

TABLE = ROOT / "tests" / "permissions.csv"
ROLES = ("gus", "ana", "lea", "ada")
WIDEST = "ada"  # sees every part of every page: the others in the dark theme alone
THEMES: dict[Literal["dark", "light"], dict[str, Any]] = {"dark": EVERYTHING, "light": COLOURS}
# What answers a GET, and is no page of ours.
NO_PAGES = (
    "api-",
    "admin:",
    "agreement-csv",
    "dataset-download",
    "experiment-epochs",
    "experiment-log",
    "experiment-recipe",
    "healthz",
    "home-days",
    "home-quality",
    "login",
    "mosaic-scenes",
    "mosaic-tile",
    "readyz",
    "scene-sheet",
    "scene-thumb",
    "scene-tile",
    "session",
    "site-tile",
    "sites-frame",
    "sites-map",
    "type-study-opinions",
)


def rows() -> list[dict[str, str]]:
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return [row for row in csv.DictReader(lines) if row["method"] == "GET" and not row["url"].startswith(NO_PAGES)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("house")
    subprocess.run([sys.executable, "-m", "tests.browser.house"], cwd=ROOT, env=environment(home), check=True)
    stage = Stage(home, f"http://127.0.0.1:{free_port()}")
    try:
        stage.start()
        yield stage
    finally:
        stage.stop()


def paths_of(house: Stage, role: str) -> dict[str, list[str]]:
    """The pages that a role sees, by the names of their URLs."""
    furnished = json.loads((house.home / "pages.json").read_text())
    seen = [row["url"] for row in rows() if row[role] in {"200", "404"}]
    return {name: furnished.get(name) or [_plain(name)] for name in seen}


def _plain(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        pytest.fail(f"the page {name!r} is about something: let tests/browser/house.py make one and name its path")


@pytest.fixture
def guest(chromium: Browser, house: Stage) -> Iterator[Visit]:
    # Colours that are still on their way from one theme to the other are no finding.
    context = chromium.new_context(viewport=DESK, color_scheme="dark", reduced_motion="reduce")
    visit = Visit(house, context, context.new_page())
    visit.watch(visit.page)
    visit.expect_trouble("404 (Not Found)")
    yield visit
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_every_page_of_every_role(guest: Visit, role: str) -> None:
    guest.log_in(role)
    themes = list(THEMES) if role == WIDEST else list(THEMES)[:1]
    wrong = {}
    for name, paths in paths_of(guest.stage, role).items():
        for path in paths:
            guest.page.goto(f"{guest.stage.url}{path}")
            guest.page.wait_for_load_state("networkidle")
            for theme in themes:
                guest.page.emulate_media(color_scheme=theme)
                if found := findings(guest.page, THEMES[theme]):
                    wrong[f"{name} {path} {theme}"] = found
    assert wrong == {}
    assert guest.complaints == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_what_opens_on_a_page(guest: Visit, theme: Any) -> None:
    """The parts that a page shows only when asked to."""
    page, stage = guest.page, guest.stage
    page.emulate_media(color_scheme=theme)
    page.goto(f"{stage.url}/login/")
    assert findings(page) == []
    guest.log_in("lea")
    page.goto(f"{stage.url}/sites/")
    page.get_by_text("Act on many sites").click()
    for kind in ("reject", "type", "reset", "shift"):
        page.get_by_label("Do what").select_option(kind)
        assert findings(page) == [], kind
    page.get_by_label("Tick every site of this page").check()
    assert findings(page) == []
    guest.come_to_work(f"{stage.url}/review/synthetic-house/")
    opened = {
        "?": page.get_by_role("dialog", name="Keys"),
        "x": page.get_by_role("heading", name="Why not?"),
        "e": page.locator("#mode"),
    }
    for key, shown in opened.items():
        guest.press(key)
        expect(shown).to_be_visible()
        assert findings(page) == [], key
        guest.press("Escape")
        expect(shown).to_be_hidden()


def focus_ring(page: Page) -> dict[str, Any]:
    """What has the focus, and how it shows."""
    found: dict[str, Any] = page.evaluate(
        """() => {
          const at = document.activeElement, box = at.getBoundingClientRect(), style = getComputedStyle(at);
          const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1.5;
          return { what: at.tagName + ' ' + (at.id || at.textContent.trim().slice(0, 30)), body: at === document.body,
                   shown: ring || style.boxShadow !== 'none',
                   seen: box.bottom > 0 && box.top < innerHeight };
        }"""
    )
    return found


@pytest.mark.parametrize("path", ["/", "/sites/", "/review/", "/scenes/", "/training/", "/models/", "/guide/"])
def test_the_keyboard_alone_leads_through_a_page(guest: Visit, path: str) -> None:
    """The way past the bar comes first; each stop shows where one is, and is on the screen."""
    guest.log_in("ada")
    guest.page.goto(f"{guest.stage.url}{path}")
    guest.page.keyboard.press("Tab")
    assert "Skip to the content" in focus_ring(guest.page)["what"]
    guest.page.keyboard.press("Enter")
    guest.page.keyboard.press("Tab")
    inside = "document.querySelector('main').contains(document.activeElement)"
    assert guest.page.evaluate(inside), f"{focus_ring(guest.page)['what']} is not in the content"
    stops = []
    for _ in range(25):
        stop = focus_ring(guest.page)
        if stop["body"]:
            break
        stops.append(stop)
        guest.page.keyboard.press("Tab")
    assert stops
    assert [stop["what"] for stop in stops if not (stop["shown"] and stop["seen"])] == []


def test_nothing_moves_for_who_asks_for_that(chromium: Browser, house: Stage) -> None:
    context = chromium.new_context(viewport=DESK, reduced_motion="reduce")
    visit = Visit(house, context, context.new_page())
    visit.log_in("ada")
    moving = {}
    for path in ("/", "/sites/", "/review/synthetic-house/", "/training/1/", "/jobs/"):
        visit.page.goto(f"{house.url}{path}")
        visit.page.wait_for_load_state("networkidle")
        found = visit.page.evaluate(
            """() => [...document.querySelectorAll('*')].filter((one) => {
              const { transitionDuration, animationName, animationDuration } = getComputedStyle(one);
              const longest = (text) => Math.max(...text.split(',').map(parseFloat));
              return longest(transitionDuration) > 0 || (animationName !== 'none' && longest(animationDuration) > 0);
            }).map((one) => one.tagName + '.' + one.className).slice(0, 5)"""
        )
        if found:
            moving[path] = found
    context.close()
    assert moving == {}


def test_the_house_is_complete(house: Stage) -> None:
    assert Path(house.home / "pages.json").is_file()
    for role in ROLES:
        assert paths_of(house, role)
