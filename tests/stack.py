"""The two ways to run the tests, and the private servers of the second.

    python -m tests.stack embedded [PYTEST OPTIONS]    SpatiaLite and the filesystem broker: every test
    python -m tests.stack deployed [PYTEST OPTIONS]    PostGIS and Redis, started for this run alone

Browser tests run once, on SpatiaLite: they test what the browser does, and every service below them runs on
both. For the same reason real trainings (marked ``worker`` and ``slow``) run once, and so does every test that asks
for no database, or that brings one of its own (marked ``once`` by ``conftest.py``).
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

START_S = 30.0
STOP_S = 15.0
# A few processors, files kept whole: fixtures of a file are made once, and memory is enough for each.
_PARALLEL = ("-n", str(min(os.cpu_count() or 1, 4)), "--dist", "loadfile")
# Apart from the others: Playwright's event loop stays in its process, and Django would not share one with it.
PAGES = (*_PARALLEL, "-m", "browser", "-o", "testpaths=tests/browser")
NO_PAGES = (*_PARALLEL, "-m", "not browser")
DEPLOYED_ONLY = (*_PARALLEL, "-m", "not browser and not once and not (worker and slow)")
# One thread for each: libraries that start as many as there are processors would fight over them.
_THREADS = {"OMP_NUM_THREADS": "1", "MAD_TORCH_THREADS": "1"}
_SPEED = ("fsync=off", "full_page_writes=off", "max_connections=60", "shared_buffers=64MB")


class StackError(Exception):
    """A server that is missing or will not start; the text says what to install."""


@contextmanager
def postgis(folder: Path, *, options: Sequence[str] = _SPEED) -> Iterator[str]:
    """Run a PostGIS cluster of our own, reachable from this machine alone, with a password of its own.

    Args:
        folder: an empty folder that another user may enter.
        options: of the server, ``name=value``; by default those that make tests fast and a crash fatal.

    Yields:
        A DATABASE_URL.

    Raises:
        StackError: not installed, or it would not start.
    """
    binaries = _postgis_binaries()
    data, port, password = folder / "data", free_port(), secrets.token_urlsafe(16)
    user = _database_user()
    secret = folder / "password"
    secret.write_text(password)
    data.mkdir()
    for path in (folder, secret, data):
        shutil.chown(path, user)
    initdb = f"{binaries}/initdb -D {data} -U mad -E UTF8 --locale=C.UTF-8 --no-sync --auth=scram-sha-256"
    _run([*_as(user), *initdb.split(), f"--pwfile={secret}"], folder)
    every = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", *options]
    command = [*_as(user), str(binaries / "postgres"), "-D", str(data), *(f"-c{option}" for option in every)]
    ready = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    with _server(command, folder, lambda: subprocess.run(ready, check=False).returncode == 0, signal.SIGINT):
        yield f"postgis://mad:{password}@127.0.0.1:{port}/postgres"


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run a Redis of our own on a socket in a folder.

    Args:
        folder: an empty folder.

    Yields:
        A CELERY_BROKER_URL.

    Raises:
        StackError: not installed, or it would not start.
    """
    binary, place = shutil.which("redis-server"), folder / "redis.sock"
    if binary is None:
        msg = "redis-server is missing: run make setup"
        raise StackError(msg)
    command = [binary, "--port", "0", "--unixsocket", str(place), "--unixsocketperm", "700", "--save", ""]
    command += ["--appendonly", "no", "--maxmemory-policy", "noeviction", "--dir", str(folder)]
    with _server(command, folder, place.exists, signal.SIGTERM):
        yield f"redis+socket://{place}?virtual_host=0"


@contextmanager
def stack() -> Iterator[dict[str, str]]:
    """Run both servers in a folder that is gone afterwards.

    Yields:
        The environment variables that lead to them.
    """
    root = Path(tempfile.mkdtemp(prefix="mad-stack-"))
    root.chmod(0o711)  # the database's user passes through
    try:
        with ExitStack() as running:
            folders = [root / "postgis", root / "redis"]
            for folder in folders:
                folder.mkdir(mode=0o700)
            yield {
                "DATABASE_URL": running.enter_context(postgis(folders[0])),
                "CELERY_BROKER_URL": running.enter_context(redis(folders[1])),
            }
    finally:
        shutil.rmtree(root)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postgis_binaries() -> Path:
    """The newest PostgreSQL that has PostGIS."""
    installed = sorted(
        (library.parents[1] / "bin" for library in Path("/usr/lib/postgresql").glob("*/lib/postgis-3.so")),
        key=lambda folder: int(folder.parent.name),
    )
    if installed:
        return installed[-1]
    found = shutil.which("initdb")
    if found is None:
        msg = "PostgreSQL with PostGIS is missing: run make setup"
        raise StackError(msg)
    return Path(found).resolve().parent


def _database_user() -> str:
    """Who runs the database: ourselves, or where we are root, whom initdb refuses, somebody harmless."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid()).pw_name
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _as(user: str) -> list[str]:
    return ["runuser", "-u", user, "--"] if os.getuid() == 0 else []


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}"
        raise StackError(msg)


@contextmanager
def _server(command: list[str], folder: Path, ready: Callable[[], bool], goodbye: signal.Signals) -> Iterator[None]:
    log = folder / "server.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=folder, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        deadline = time.monotonic() + START_S
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                msg = f"{command[0]} did not start: {log.read_text(errors='replace')[-2000:]}"
                raise StackError(msg)
            time.sleep(0.1)
        yield
    finally:
        _end(process, goodbye)


def _end(process: "subprocess.Popen[bytes]", goodbye: signal.Signals) -> None:
    for number in (goodbye, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(STOP_S)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _pytest(arguments: list[str], more: dict[str, str]) -> int:
    """Run the tests with data of their own."""
    # Bytecode is kept whatever this machine prefers: each process would compile every test anew.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory(prefix="mad-test-") as home:
        environment = kept | _THREADS | {"MAD_HOME": home} | more
        return subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment, check=False).returncode


def main(arguments: list[str]) -> int:
    """Run the tests one of the two ways; returns pytest's exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    way, options = arguments[0], arguments[1:]
    for name in ("DATABASE_URL", "CELERY_BROKER_URL"):
        os.environ.pop(name, None)
    if way == "embedded":
        return _pytest([*NO_PAGES, *options], {}) or _pytest([*PAGES, *options], {})
    with stack() as environment:
        return _pytest([*DEPLOYED_ONLY, *options], environment)


if __name__ == "__main__":
    if sys.argv[1:2] not in (["embedded"], ["deployed"]):
        sys.exit(str(__doc__))
    try:
        sys.exit(main(sys.argv[1:]))
    except StackError as error:
        sys.exit(str(error))
