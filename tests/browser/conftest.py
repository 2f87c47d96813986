"""Chromium, and the real server on a stage of its own (``stage.py``)."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, ViewportSize, expect, sync_playwright

from tests.cast import PASSWORD

expect.set_options(timeout=15_000)  # the machine may be busy with other work
ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            if not Path(CHROMIUM).exists():
                item.add_marker(pytest.mark.skip(reason=f"no Chromium at {CHROMIUM}: set CHROMIUM to its path"))


@dataclass
class Stage:
    """The server in front of its own database."""

    home: Path
    url: str
    process: subprocess.Popen[bytes] | None = None

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.home / 'mad.sqlite3'}?mode=ro", uri=True, timeout=20)) as database:
            return database.execute(sql, values).fetchall()

    def decisions(self, story: str) -> list[dict[str, Any]]:
        """The decisions in the campaign of a story, oldest first."""
        names = ("key", "verdict", "reason", "types", "version", "site", "reviewer", "drawn", "undoes")
        found = self.rows(
            """SELECT d.key, d.verdict, d.reason, d.types, d.version, d.site_id, u.username, d.geometry IS NOT NULL,
                      d.undoes_id
               FROM labelling_decision d JOIN auth_user u ON u.id = d.reviewer_id
               JOIN labelling_campaign c ON c.id = d.campaign_id WHERE c.slug = ? ORDER BY d.id""",
            f"synthetic-{story}",
        )
        rows = [dict(zip(names, row, strict=True)) for row in found]
        return [{**row, "types": json.loads(row["types"])} for row in rows]

    def state_of(self, site: int) -> str:
        return str(self.rows("SELECT state FROM labelling_site WHERE id = ?", site)[0][0])

    def start(self) -> None:
        host, port = self.url.removeprefix("http://").split(":")
        command = [sys.executable, "-m", "gunicorn", "mad_web.wsgi", "--bind", f"{host}:{port}", "--threads", "8"]
        command += ["--worker-class", "gthread", "--graceful-timeout", "1", "--no-control-socket"]
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment(self.home), stdout=log, stderr=log)
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError((self.home / "server.log").read_text())

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None


def environment(home: Path) -> dict[str, str]:
    """The embedded default whatever the run's own database is, so that the stage stands alone."""
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "CELERY_BROKER_URL"}}
    return {**kept, "MAD_HOME": str(home), "DJANGO_SETTINGS_MODULE": "mad_web.settings", "LOG_LEVEL": "WARNING"}


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("stage")
    subprocess.run([sys.executable, "-m", "tests.browser.stage"], cwd=ROOT, env=environment(home), check=True)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    stage = Stage(home, f"http://127.0.0.1:{port}")
    try:
        stage.start()
        yield stage
    finally:
        stage.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
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

    def review(self, story: str) -> None:
        self.page.goto(f"{self.stage.url}/review/synthetic-{story}/")
        expect(self.page.locator("#question")).to_be_visible()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def expect_saved(self, count: int = 0) -> None:
        expect(self.page.locator("#saved")).to_have_attribute("data-unsaved", str(count), timeout=20_000)

    def open_site(self) -> int:
        """The number of the site that is open."""
        words = self.page.locator("#place").inner_text()
        number = words.split("site ")[1].split(" ·")[0]
        return int("".join(character for character in number if character.isdigit()))

    def expect_moved_on(self, site: int) -> int:
        """Wait until another site than this one is open."""
        expect(self.page.locator("#place")).not_to_contain_text(f"site {site} ")
        expect(self.page.locator("#question")).to_be_visible()
        return self.open_site()


DESK: ViewportSize = {"width": 1280, "height": 800}


@pytest.fixture
def visit(chromium: Browser, stage: Stage) -> Iterator[Visit]:
    """A fresh browser; at its end nothing may have been complained of, and no policy been broken."""
    context = chromium.new_context(viewport=DESK, color_scheme="dark")
    page = context.new_page()
    visit = Visit(stage, context, page)
    visit.watch(page)
    yield visit
    context.close()
    assert visit.complaints == []
