"""Reviewers as the server sees them: a session, a CSRF token, one connection kept open, and the queue of the screen."""

import asyncio
import collections
import json
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

AHEAD, HOLD = 16, 8  # as static/js/review/queue.js asks for
GONE = 200
WAIT_S = 60


class Wire:
    """One keep-alive connection to a server on this machine, with its cookies."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"", kind: str = "") -> tuple[int, bytes]:
        """Send a request; a connection that the server closed while it was idle is opened once more."""
        for last in (False, True):
            was_open = self._streams is not None
            try:
                return await asyncio.wait_for(self._ask(method, path, body, kind), WAIT_S)
            except (OSError, asyncio.IncompleteReadError):
                self.close()
                if last or not was_open:
                    raise
        raise AssertionError

    async def _ask(self, method: str, path: str, body: bytes, kind: str) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 24)
        reader, writer = self._streams
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Content-Length: {len(body)}"]
        lines += [f"Cookie: {cookies}"] if cookies else []
        lines += [f"Content-Type: {kind}"] if kind else []
        lines += [f"X-CSRFToken: {self.cookies['csrftoken']}"] if "csrftoken" in self.cookies else []
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        status, headers = self._head(await reader.readuntil(b"\r\n\r\n"))
        answer = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return status, answer

    def _head(self, raw: bytes) -> tuple[int, dict[str, str]]:
        first, *rest = raw.decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in filter(None, rest):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
            if name.lower() == "set-cookie":
                cookie, _, content = value.strip().partition(";")[0].partition("=")
                self.cookies[cookie] = content
        return int(first.split()[1]), headers

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@dataclass
class Reviewer:
    """A browser that reviews one campaign.

    Attributes:
        wire: its connection.
        slug: of the campaign.
        ahead: what it has fetched ahead, in order.
        held: sites that are leased to it, as far as it knows.
        gone: sites that it has decided, the newest last.
        confirmed: what the server has confirmed: site, version and verdict by key.
        kept: keys of decisions that the server has kept without applying them.
        statuses: how often each status came back, such as ``submit 201``.
    """

    wire: Wire
    slug: str
    ahead: list[dict[str, Any]] = field(default_factory=list)
    held: set[int] = field(default_factory=set)
    gone: list[int] = field(default_factory=list)
    confirmed: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    statuses: "collections.Counter[str]" = field(default_factory=collections.Counter)
    bytes_in: int = 0

    async def log_in(self, name: str, password: str) -> None:
        await self.wire.ask("GET", "/login/")
        form = {"username": name, "password": password, "csrfmiddlewaretoken": self.wire.cookies["csrftoken"]}
        status, _ = await self.wire.ask(
            "POST", "/login/", urlencode(form).encode(), "application/x-www-form-urlencoded"
        )
        if status != 302:
            msg = f"{name} could not log in: {status}"
            raise SystemExit(msg)

    async def _send(self, what: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        status, raw = await self.wire.ask("POST", f"/api/v1/{path}", json.dumps(body).encode(), "application/json")
        self.statuses[f"{what} {status}"] += 1
        self.bytes_in += len(raw)
        return status, json.loads(raw)

    async def next(self) -> tuple[int, dict[str, Any] | None]:
        """Go on to the next site, which is leased; ask when the screen would, but wait for the answer."""
        leased = [item for item in self.ahead if item["site"] in self.held]
        if len(leased) > HOLD / 2:
            return 200, self._open(leased[0])
        here = {item["site"]: item for item in self.ahead}
        asked = {
            "want": list(here)[:1],
            "count": 1,
            "ahead": AHEAD,
            "hold": HOLD,
            "exclude": self.gone[-GONE:],
            "have": {str(site): item["version"] for site, item in here.items()},
        }
        status, answer = await self._send("next", f"campaigns/{self.slug}/claims/", asked)
        if status != 200 or not answer["items"]:
            return status, None
        known = here | {item["site"]: item for item in [*answer["ahead"], *answer["items"]]}
        self.held = {claim["site"] for claim in answer["held"]}
        self.ahead = [known[site] for site in answer["next"]]
        return status, self._open(answer["items"][0])

    def _open(self, item: dict[str, Any]) -> dict[str, Any]:
        self.ahead = [other for other in self.ahead if other["site"] != item["site"]]
        return item

    async def submit(self, item: dict[str, Any], verdict: str = "accept", **more: Any) -> int:
        """Decide on a site."""
        key = str(uuid.uuid4())
        body = {"key": key, "site": item["site"], "base_version": item["version"], "verdict": verdict, **more}
        status, answer = await self._send("submit", "decisions/", {**body, "campaign": self.slug})
        if status in {200, 201}:
            self.confirmed[key] = (item["site"], answer["version"], verdict)
        if status == 409:
            self.kept.add(key)
        self.gone.append(item["site"])
        self.held.discard(item["site"])
        return status


@dataclass
class Pace:
    """What reviewers met who decide at a fixed pace.

    Attributes:
        next_ms: how long each ``next`` took for which the server was asked.
        submit_ms: how long each ``submit`` took.
        doubly_held: sites given to one reviewer while another held them.
    """

    next_ms: list[float] = field(default_factory=list)
    submit_ms: list[float] = field(default_factory=list)
    doubly_held: list[int] = field(default_factory=list)


async def work_at_pace(crowd: list[Reviewer], *, every_s: float, seconds: float, seed: int = 3) -> Pace:
    """Let each reviewer take and decide one site every ``every_s``, for a while; their starts are spread evenly."""
    pace, held = Pace(), dict[int, int]()
    end = time.perf_counter() + seconds
    rng = random.Random(seed)

    async def work(number: int, reviewer: Reviewer) -> None:
        turn = time.perf_counter() + every_s * number / len(crowd)
        while turn < end:
            await asyncio.sleep(max(0.0, turn - time.perf_counter()))
            turn += every_s
            began, answers = time.perf_counter(), reviewer.statuses.total()
            _, item = await reviewer.next()
            if reviewer.statuses.total() > answers:
                pace.next_ms.append((time.perf_counter() - began) * 1000)
            if item is None:
                continue
            if held.setdefault(item["site"], number) != number:
                pace.doubly_held.append(item["site"])
            began = time.perf_counter()
            await reviewer.submit(item, **_verdict(rng, item))
            pace.submit_ms.append((time.perf_counter() - began) * 1000)
            held.pop(item["site"], None)

    await asyncio.gather(*(work(number, reviewer) for number, reviewer in enumerate(crowd)))
    return pace


def _verdict(rng: random.Random, item: dict[str, Any]) -> dict[str, Any]:
    """Mostly accepted; some fixed, rejected or skipped."""
    chance = rng.random()
    if chance < 0.8:
        return {"verdict": "accept"}
    if chance < 0.9:
        return {"verdict": "reject", "reason": "not_a_mine"}
    if chance < 0.97:
        return {"verdict": "fix", "geometry": item["footprint"], "types": {"feature": "open_pit"}}
    return {"verdict": "skip"}
