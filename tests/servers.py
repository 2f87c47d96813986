"""Real servers on this machine for the tests: files by ranges, and all the ways in which a server can be bad."""

import contextlib
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

Misbehaviour = Callable[["Handler"], bool]
"""Answers in its own way and says so by True; False lets the file be served."""


@dataclass
class FileServer:
    """A folder behind HTTP.

    ``requests`` holds method, path and Range of each request. ``bad`` is asked before every file.
    """

    root: Path
    origin: str = ""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    bad: Misbehaviour = lambda handler: False

    def url(self, path: str) -> str:
        return f"{self.origin}/{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: FileServer

    def do_GET(self) -> None:
        self.files.requests.append((self.command, self.path, self.headers.get("Range", "")))
        if self.files.bad(self):
            return
        path = (self.files.root / self.path.partition("?")[0].lstrip("/")).resolve()
        if not path.is_relative_to(self.files.root.resolve()) or not path.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.serve(path)

    def serve(self, path: Path) -> None:
        body, asked = path.read_bytes(), self.headers.get("Range", "")
        stat = path.stat()
        headers = {"ETag": f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"', "Accept-Ranges": "bytes"}
        if asked.startswith("bytes="):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or len(body)), len(body) - 1)
            if start >= len(body):
                self.answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", headers)
                return
            headers["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
            self.answer(HTTPStatus.PARTIAL_CONTENT, body[start : end + 1], headers)
        else:
            self.answer(HTTPStatus.OK, body, headers)

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None, *, length: int = -1) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length < 0 else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """Clients here hang up on purpose."""


@contextlib.contextmanager
def file_server(root: Path) -> Iterator[FileServer]:
    """Serve a folder by ranges on a free port of this machine."""
    files = FileServer(root)
    handler = type("BoundHandler", (Handler,), {"files": files})
    with _Server(("127.0.0.1", 0), handler) as server:
        files.origin = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield files
        finally:
            server.shutdown()
            thread.join()


def hangs(handler: Handler) -> bool:
    """Says nothing at all."""
    del handler
    time.sleep(20)
    return True


def drips(handler: Handler) -> bool:
    """Sends a byte now and then, for ever."""
    handler.send_response(206)
    handler.send_header("Content-Length", "262144")
    handler.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(200):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.1)
    handler.close_connection = True
    return True


def redirects_to(address: str) -> Misbehaviour:
    """Sends everybody elsewhere."""

    def redirect(handler: Handler) -> bool:
        handler.answer(302, b"", {"Location": address})
        return True

    return redirect
