"""Ask an allowed machine for bytes: at the address that was checked, within a time and a size, and nothing more."""

import contextlib
import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from labelling.core.hosts import RemoteFault, RemotePolicy, Target, policy

MAX_REDIRECTS = 3
ATTEMPTS = 3
MAX_IDLE = 8
AGENT = "mad-web"
_PIECE = 1 << 16
_BUSY = (429, 500, 502, 503, 504)
_MOVED = (301, 302, 303, 307, 308)
_TROUBLE = (OSError, http.client.HTTPException)
_CONTEXT = ssl.create_default_context()


@dataclass(frozen=True)
class Reply:
    """What came back; ``headers`` by lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Signer:
    """Nobody's: requests go out without a signature. A store's signer adds headers to each."""

    def headers(self, method: str, target: Target, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers to send."""
        del method, target
        return dict(headers)


NO_SIGNER = Signer()


def fetch(
    url: str,
    *,
    limit: int,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    body: bytes | None = None,
    signer: Signer = NO_SIGNER,
) -> Reply:
    """Ask for a resource.

    Args:
        url: an http or https address.
        limit: the most bytes of the answer's body; a longer one is a fault.
        headers: to send with it.
        method: ``GET`` or ``POST``.
        body: of a ``POST``.
        signer: signs each request. A signed request is never redirected.

    Returns:
        The reply, whatever its status but a redirect; a busy server is asked again twice.

    Raises:
        RemoteFault: the host is not allowed, a redirect leads to one that is not, or the answer did not come whole,
            in time and within the limit.
    """
    rules = policy()
    order = _Order(method, headers or {}, body, limit, signer)
    target = rules.check(url)
    for _ in range(MAX_REDIRECTS + 1):
        reply = _patiently(rules, target, order)
        if reply.status not in _MOVED:
            return reply
        if signer is not NO_SIGNER:
            msg = f"{target.host} sends a signed request elsewhere: check the endpoint and the region"
            raise RemoteFault(msg)
        target = rules.check(urljoin(target.url, reply.headers.get("location", "")))
    msg = f"{target.host} redirects without end"
    raise RemoteFault(msg)


@dataclass(frozen=True)
class _Order:
    method: str
    headers: Mapping[str, str]
    body: bytes | None
    limit: int
    signer: Signer


def _patiently(rules: RemotePolicy, target: Target, order: _Order) -> Reply:
    started, attempt = time.monotonic(), 1
    while True:
        try:
            reply = _once(rules, target, order)
            if reply.status not in _BUSY or attempt == ATTEMPTS:
                return reply
        except _TROUBLE as error:
            if attempt == ATTEMPTS or time.monotonic() - started >= rules.timeout_s:
                msg = f"{target.host} did not answer as it should: {_reason(error, rules.timeout_s)}"
                raise RemoteFault(msg) from error
        time.sleep(0.2 * 4 ** (attempt - 1))
        attempt += 1


def _reason(error: Exception, timeout_s: float) -> str:
    if isinstance(error, _TooSlow):
        return f"no whole answer within {timeout_s:.0f} s"
    if isinstance(error, http.client.IncompleteRead):
        return "it sent fewer bytes than it had said"
    return str(error) or type(error).__name__


class _TooSlow(OSError):
    pass


def _once(rules: RemotePolicy, target: Target, order: _Order) -> Reply:
    connection = _LINES.take(rules, target)
    headers = order.signer.headers(order.method, target, order.headers)
    with _watched(connection, rules.timeout_s):
        # Identity: what is unpacked here could be a thousand times larger than what was sent.
        told = {"User-Agent": AGENT, "Accept-Encoding": "identity", **headers}
        connection.request(order.method, target.path, body=order.body, headers=told)
        answer = connection.getresponse()
        received = {name.lower(): value for name, value in answer.getheaders()}
        if received.get("content-encoding", "identity") != "identity":
            msg = f"{target.host} answers packed though it was asked not to"
            raise RemoteFault(msg)
        # All of a file where a part was asked for is not waited for.
        is_all = answer.status == 200 and "Range" in order.headers
        content = b"" if is_all else _read(answer, order.limit, target)
    if answer.will_close or is_all:
        connection.close()
    else:
        _LINES.give_back(rules, target, connection)
    return Reply(answer.status, received, content, target.url)


def _read(answer: http.client.HTTPResponse, limit: int, target: Target) -> bytes:
    pieces, size = [], 0
    while piece := answer.read(min(_PIECE, limit + 1 - size)):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            msg = f"{target.host} sends more than the {limit} bytes that were expected"
            raise RemoteFault(msg)
    if answer.length:  # what http.client still waits for when the other side has hung up
        raise http.client.IncompleteRead(b"", answer.length)
    return b"".join(pieces)


@contextlib.contextmanager
def _watched(connection: http.client.HTTPConnection, seconds: float) -> Iterator[None]:
    """Hang up when the whole exchange takes too long: timeouts of single reads a slow sender can stretch for ever."""
    late = threading.Event()

    def hang_up() -> None:
        late.set()
        with contextlib.suppress(OSError):
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    except BaseException as error:
        connection.close()
        if late.is_set() or isinstance(error, TimeoutError):
            raise _TooSlow from error
        raise
    finally:
        timer.cancel()
    if late.is_set():
        connection.close()
        raise _TooSlow


class _Line(http.client.HTTPConnection):
    """A connection to an address that was resolved and checked; the name is not looked up a second time."""

    def __init__(self, rules: RemotePolicy, target: Target) -> None:
        super().__init__(target.host, target.port, timeout=rules.timeout_s)
        self.address = rules.resolve(target)
        self.is_secret = target.scheme == "https"

    def connect(self) -> None:
        """Connect to the checked address, and let the certificate prove the name."""
        self.sock = socket.create_connection((self.address, self.port), self.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.is_secret:
            self.sock = _CONTEXT.wrap_socket(self.sock, server_hostname=self.host)

    def __del__(self) -> None:
        """Hang up when the thread that kept it ends."""
        self.close()

    @property
    def is_stale(self) -> bool:
        """The other side has hung up, or says something that nobody asked for."""
        if self.sock is None:
            return True
        self.sock.setblocking(False)
        try:
            return self.sock.recv(1) is not None
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        finally:
            self.sock.settimeout(self.timeout)


class _Lines(threading.local):
    """Connections that one thread keeps open."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.idle: dict[tuple[RemotePolicy, str, str, int], _Line] = {}

    def take(self, rules: RemotePolicy, target: Target) -> _Line:
        if self.pid != os.getpid():  # a fork shares its parent's connections
            self.__init__()  # type: ignore[misc]
        line = self.idle.pop((rules, target.scheme, target.host, target.port), None)
        if line is not None and not line.is_stale:
            return line
        if line is not None:
            line.close()
        return _Line(rules, target)

    def give_back(self, rules: RemotePolicy, target: Target, line: _Line) -> None:
        while len(self.idle) >= MAX_IDLE:
            self.idle.pop(next(iter(self.idle))).close()
        self.idle[rules, target.scheme, target.host, target.port] = line


_LINES = _Lines()
