"""Chromium, and the real server on a stage of its own (``stage.py``)."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Playwright,
    Response,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.browser.server import CHROMIUM, FLAGS, ROOT, Stage, environment
from tests.cast import PASSWORD
from tests.stack import free_port

SUPPLIED = """count => parseInt(document.getElementById("ahead-words").textContent.replace(/\\s/g, "")) >= count"""
# A toast goes after a while, perhaps before a busy machine has looked: each is written down.
NOTE_TOASTS = """addEventListener("DOMContentLoaded", () => {
    const toast = document.getElementById("toast");
    window.told = [];
    if (toast) new MutationObserver(() => told.push(toast.textContent)).observe(toast, { childList: true });
})"""
IS_TOLD = """words => {
    const place = told.findIndex(text => text.includes(words));
    return place >= 0 && told.splice(0, place + 1);
}"""
expect.set_options(timeout=30_000)  # the machine may be busy with other work


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            if not Path(CHROMIUM).exists():
                item.add_marker(pytest.mark.skip(reason=f"no Chromium at {CHROMIUM}: set CHROMIUM to its path"))


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("stage")
    subprocess.run([sys.executable, "-m", "tests.browser.stage"], cwd=ROOT, env=environment(home), check=True)
    stage = Stage(home, f"http://127.0.0.1:{free_port()}")
    try:
        stage.start()
        yield stage
    finally:
        stage.stop()


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(driver: Playwright) -> Iterator[Browser]:
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
    yield browser
    browser.close()


@dataclass
class Visit:
    """One person at one browser, and everything that the browser complained of."""

    stage: Stage
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def watch(self, page: Page) -> None:
        page.add_init_script(NOTE_TOASTS)
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.on("response", self._answered)

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not any(part in text for part in self.expected):
            self.complaints.append(f"{kind}: {text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status}: {response.url}")

    def expect_trouble(self, *parts: str) -> None:
        """The story breaks something on purpose: complaints with these words are no news."""
        self.expected += parts
        self.complaints = [text for text in self.complaints if not any(part in text for part in parts)]

    def log_in(self, name: str) -> None:
        self.page.goto(f"{self.stage.url}/login/")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_label(f"Account of {name}")).to_be_visible()
        self.page.wait_for_load_state()  # its scripts have run

    def come_to_work(self, address: str) -> None:
        """Open a review screen, and look at its first site."""
        self.page.goto(address)
        expect(self.page.locator("#question")).to_be_visible()
        self.expect_seen()

    def review(self, story: str) -> None:
        self.come_to_work(f"{self.stage.url}/review/synthetic-{story}/")

    def expect_seen(self) -> None:
        """Wait until the open site is painted: sooner, a decision would not count."""
        expect(self.page.locator("#card[aria-busy=true]")).to_have_count(0)

    def expect_supplied(self, count: int) -> None:
        """Wait until so many of the next sites are here."""
        self.page.wait_for_function(SUPPLIED, arg=count)

    def press(self, *keys: str) -> None:
        """Press keys one after the other, each when the open site is painted."""
        for key in keys:
            self.expect_seen()
            self.page.keyboard.press(key)

    def tab_to(self, target: Locator) -> None:
        """Go on by the Tab key until something has the focus."""
        for _ in range(200):
            if target.evaluate("one => one === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"the Tab key does not lead to {target}")

    def expect_told(self, words: str) -> None:
        """Wait until the review screen says something that it has not said before."""
        self.page.wait_for_function(IS_TOLD, arg=words)

    def expect_saved(self, count: int = 0) -> None:
        expect(self.page.locator("#saved")).to_have_attribute("data-unsaved", str(count))

    def open_site(self) -> int:
        """The number of the site that is open."""
        words = self.page.locator("#place").inner_text()
        number = words.split("site ")[1].split(" ·")[0]
        return int("".join(character for character in number if character.isdigit()))

    def expect_moved_on(self, site: int) -> int:
        """Wait until another site than this one is open."""
        expect(self.page.locator("#place")).not_to_contain_text(f"site {site} ")
        expect(self.page.locator("#question")).to_be_visible()
        self.expect_seen()
        return self.open_site()


DESK: ViewportSize = {"width": 1280, "height": 800}


@pytest.fixture
def visit(chromium: Browser, stage: Stage) -> Iterator[Visit]:
    """A fresh browser; at its end nothing may have been complained of, and no policy been broken."""
    context = chromium.new_context(viewport=DESK, color_scheme="dark")
    page = context.new_page()
    stage.write("DELETE FROM labelling_claim")  # of the browsers of other stories: not all could say that they go
    visit = Visit(stage, context, page)
    visit.watch(page)
    yield visit
    context.close()
    assert visit.complaints == []
