"""The real server in front of a stage (``stage.py``), and the Chromium that looks at it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@dataclass
class Stage:
    """The server in front of its own database."""

    home: Path
    url: str
    process: subprocess.Popen[bytes] | None = None

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.home / 'mad.sqlite3'}?mode=ro", uri=True, timeout=20)) as database:
            return database.execute(sql, values).fetchall()

    def write(self, sql: str, *values: object) -> None:
        """Change what time would change."""
        with closing(sqlite3.connect(self.home / "mad.sqlite3", timeout=20)) as database, database:
            database.execute(sql, values)

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

    def is_held(self, site: int) -> bool:
        return bool(self.rows("SELECT 1 FROM labelling_claim WHERE site_id = ?", site))

    def start(self) -> None:
        host, port = self.url.removeprefix("http://").split(":")
        command = [sys.executable, "-m", "gunicorn", "mad_web.wsgi", "--bind", f"{host}:{port}", "--threads", "8"]
        command += ["--worker-class", "gthread", "--graceful-timeout", "1", "--no-control-socket"]
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment(self.home), stdout=log, stderr=log, process_group=0
            )
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

    def kill(self) -> None:
        """As a power cut would: nothing is finished, nobody is told."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)
        self.process = None


def environment(home: Path) -> dict[str, str]:
    """The embedded default whatever the run's own database is, so that the stage stands alone."""
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "CELERY_BROKER_URL"}}
    return {**kept, "MAD_HOME": str(home), "DJANGO_SETTINGS_MODULE": "mad_web.settings", "LOG_LEVEL": "WARNING"}
