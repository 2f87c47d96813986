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

AHEAD, HOLD, LEFT = 20, 10, 4  # as static/js/review/queue.js asks for
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
        wire: the connection by which it decides.
        side: the one by which it asks what follows.
        slug: of the campaign.
        ahead: what it has fetched ahead, in order.
        held: sites that are leased to it, as far as it knows.
        gone: sites that it has decided, the newest last.
        confirmed: what the server has confirmed: site, version and verdict by key.
        kept: keys of decisions that the server has kept without applying them.
        statuses: how often each status came back, such as ``submit 201``.
        answered: the status of the last answer to what follows.
        next_ms: how long each such answer took.
    """

    wire: Wire
    slug: str
    ahead: list[dict[str, Any]] = field(default_factory=list)
    held: set[int] = field(default_factory=set)
    gone: list[int] = field(default_factory=list)
    confirmed: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    statuses: "collections.Counter[str]" = field(default_factory=collections.Counter)
    answered: int = 200
    next_ms: list[float] = field(default_factory=list)
    bytes_in: int = 0
    _asking: "asyncio.Task[None] | None" = None

    def __post_init__(self) -> None:
        self.side = Wire(self.wire.port)
        self.side.cookies = self.wire.cookies

    async def log_in(self, name: str, password: str) -> None:
        await self.wire.ask("GET", "/login/")
        form = {"username": name, "password": password, "csrfmiddlewaretoken": self.wire.cookies["csrftoken"]}
        status, _ = await self.wire.ask(
            "POST", "/login/", urlencode(form).encode(), "application/x-www-form-urlencoded"
        )
        if status != 302:
            msg = f"{name} could not log in: {status}"
            raise SystemExit(msg)

    async def _send(self, wire: Wire, what: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        status, raw = await wire.ask("POST", f"/api/v1/{path}", json.dumps(body).encode(), "application/json")
        self.statuses[f"{what} {status}"] += 1
        self.bytes_in += len(raw)
        return status, json.loads(raw)

    async def next(self) -> tuple[int, dict[str, Any] | None]:
        """Go on to the next site, which is leased. As on the screen, more is asked for behind, while some are here."""
        if not self._leased():
            await self._answer()
        if not self._leased():
            await self._ask()
        if not (leased := self._leased()):
            return self.answered, None
        if len(leased) <= LEFT and (self._asking is None or self._asking.done()):
            await self._answer()
            self._asking = asyncio.create_task(self._ask())
        return self.answered, leased[0]

    async def leave(self) -> None:
        """Wait for what was asked behind, and close the connections."""
        await self._answer()
        self.wire.close()
        self.side.close()

    async def _answer(self) -> None:
        asking, self._asking = self._asking, None
        if asking:
            await asking

    def _leased(self) -> list[dict[str, Any]]:
        return [item for item in self.ahead if item["site"] in self.held and item["site"] not in self.gone[-GONE:]]

    async def _ask(self) -> None:
        here = {item["site"]: item for item in self.ahead if item["site"] not in self.gone[-GONE:]}
        is_out = not self._leased()
        asked = {
            "want": list(here)[:1],
            "count": int(is_out),
            "ahead": AHEAD,
            "hold": HOLD,
            "exclude": self.gone[-GONE:],
            "have": {str(site): item["version"] for site, item in here.items()},
        }
        began = time.perf_counter()
        self.answered, answer = await self._send(self.side, "next", f"campaigns/{self.slug}/claims/", asked)
        self.next_ms.append((time.perf_counter() - began) * 1000)
        if self.answered == 200:
            known = here | {item["site"]: item for item in [*answer["ahead"], *answer["items"]]}
            self.held = {claim["site"] for claim in answer["held"]} - set(self.gone[-GONE:])
            self.ahead = [*answer["items"], *(known[site] for site in answer["next"])]

    async def submit(self, item: dict[str, Any], verdict: str = "accept", **more: Any) -> int:
        """Decide on a site."""
        key = str(uuid.uuid4())
        body = {"key": key, "site": item["site"], "base_version": item["version"], "verdict": verdict, **more}
        self.gone.append(item["site"])
        self.held.discard(item["site"])
        status, answer = await self._send(self.wire, "submit", "decisions/", {**body, "campaign": self.slug})
        if status in {200, 201}:
            self.confirmed[key] = (item["site"], answer["version"], verdict)
        if status == 409:
            self.kept.add(key)
        return status


@dataclass
class Pace:
    """What reviewers met who decide at a fixed pace.

    Attributes:
        next_ms: how long each answer to what follows took.
        submit_ms: how long each ``submit`` took.
        doubly_held: sites given to one reviewer while another held them, on screen or for later.
    """

    next_ms: list[float] = field(default_factory=list)
    submit_ms: list[float] = field(default_factory=list)
    doubly_held: list[int] = field(default_factory=list)


async def work_at_pace(crowd: list[Reviewer], *, every_s: float, seconds: float, seed: int = 3) -> Pace:
    """Let each reviewer take and decide one site every ``every_s``, for a while; their starts are spread evenly."""
    pace = Pace()
    end = time.perf_counter() + seconds
    rng = random.Random(seed)

    async def work(number: int, reviewer: Reviewer) -> None:
        turn = time.perf_counter() + every_s * number / len(crowd)
        while turn < end:
            await asyncio.sleep(max(0.0, turn - time.perf_counter()))
            turn += every_s
            _, item = await reviewer.next()
            if item is None:
                continue
            if any(item["site"] in other.held for other in crowd if other is not reviewer):
                pace.doubly_held.append(item["site"])
            began = time.perf_counter()
            await reviewer.submit(item, **_verdict(rng, item))
            pace.submit_ms.append((time.perf_counter() - began) * 1000)

    for reviewer in crowd:
        reviewer.next_ms.clear()
    await asyncio.gather(*(work(number, reviewer) for number, reviewer in enumerate(crowd)))
    for reviewer in crowd:
        await reviewer.leave()
        pace.next_ms += reviewer.next_ms
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
