"""The map of the sites page in Chromium: when it is first painted, and how many frames a second it keeps in motion."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.browser.server import CHROMIUM, FLAGS
from tests.cast import PASSWORD

SCREEN: ViewportSize = {"width": 1280, "height": 800}
# The map is painted when it says how many sites are in view: it does so once every tile in view has come. One frame
# later that is on the screen.
PAINTED = """
  const look = () => {
    const said = document.getElementById('map-count');
    if (!said?.textContent) return requestAnimationFrame(look);
    requestAnimationFrame(() => requestAnimationFrame((now) => { window.paintedAt = now; }));
  };
  requestAnimationFrame(look);
"""
FRAMES = """() => {
  window.frames_ = [];
  const tick = (now) => { window.frames_.push(now); window.ticking = requestAnimationFrame(tick); };
  window.ticking = requestAnimationFrame(tick);
}"""


@dataclass(frozen=True)
class Motion:
    """Frames while something moved.

    Attributes:
        per_second: frames over the whole of it.
        slow_ms: the 95th percentile of the time between two frames.
        worst_ms: the longest.
    """

    per_second: float
    slow_ms: float
    worst_ms: float


@contextmanager
def opened(url: str, name: str) -> Iterator[Page]:
    """Chromium with somebody logged in, drawing in software as the tests' is."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page(viewport=SCREEN)
        page.add_init_script(PAINTED)
        page.goto(f"{url}/login/")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{url}/")
        yield page
        browser.close()


def first_paint(page: Page, address: str) -> float:
    """Milliseconds from the start of the navigation until all sites of the map's first view are painted."""
    page.goto(address)
    for _ in range(600):
        # Playwright's own waiting for a function would need eval, which the page's policy forbids.
        if painted := page.evaluate("() => window.paintedAt"):
            return float(painted)
        page.wait_for_timeout(100)
    raise SystemExit(f"the map of {address} was not painted within a minute")


def frames_while(page: Page, move: Callable[[Page], None]) -> Motion:
    """Let somebody move the map, and count the frames."""
    page.evaluate(FRAMES)
    move(page)
    times = page.evaluate("() => { cancelAnimationFrame(window.ticking); return window.frames_; }")
    gaps = sorted(after - before for before, after in pairwise(times))
    seconds = (times[-1] - times[0]) / 1000
    return Motion((len(times) - 1) / seconds, gaps[int(0.95 * (len(gaps) - 1))], gaps[-1])


def pan(page: Page, steps: int = 90) -> None:
    """Drag the map in a circle, a step about every frame, and let it go."""
    x, y = _middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(steps):
        turn = 2 * math.pi * step / 45
        page.mouse.move(x + 150 * math.sin(turn), y + 120 * (1 - math.cos(turn)) / 2)
        page.wait_for_timeout(16)
    page.mouse.up()
    page.wait_for_timeout(500)


def zoom(page: Page, notches: int = 6) -> None:
    """Turn the wheel in and out again, with time for the map to follow."""
    page.mouse.move(*_middle(page))
    for direction in (-1, 1):
        for _ in range(notches):
            page.mouse.wheel(0, direction * 120)
            page.wait_for_timeout(250)


def _middle(page: Page) -> tuple[float, float]:
    box = page.locator("#map").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def middle_of(motions: list[Motion]) -> Motion:
    """The run in the middle, by its frames a second."""
    wanted = median(motion.per_second for motion in motions)
    return min(motions, key=lambda motion: abs(motion.per_second - wanted))
