"""The parent's side of a child process: start it, listen, beat the job, cancel it, bury it."""

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings

from labelling.core import hosts
from labelling.core.errors import LabellingError
from labelling.services.jobs import JobCancelled, JobHandle, beat_job

BEAT_S = 2.0
GRACE_S = 2.0
# What a child may know of the environment: where its libraries and the imagery are (with the key of its store, which
# is to allow reading alone), nothing of the database or other secrets.
_KEPT = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS", "VIRTUAL_ENV", "YOLO_CONFIG_DIR", "MAD_TORCH_THREADS", *hosts.NAMES,
)  # fmt: skip


class ChildFailed(LabellingError):
    """A child process ended without doing its work; the text says why."""


def run_child(
    *,
    handle: JobHandle | None,
    module: str,
    spec: dict[str, Any],
    log: Path,
    on_event: Callable[[dict[str, Any]], None],
) -> None:
    """Run ``python -m module`` in a process group of its own until it ends, and hear each of its events.

    The same as ``listen_to_child``, for work that wants to be called rather than to loop.
    """
    with closing(listen_to_child(handle=handle, module=module, spec=spec, log=log)) as events:
        for event in events:
            on_event(event)


def listen_to_child(
    *, handle: JobHandle | None, module: str, spec: dict[str, Any], log: Path, stop: threading.Event | None = None
) -> Generator[dict[str, Any], None, None]:
    """Run ``python -m module`` in a process group of its own and give its events as they come.

    Events ``{"event": "progress", "phase": ..., "progress": ...}`` become the job's phase and progress;
    all others are yielded. Close the generator (``contextlib.closing``) to kill the child.

    Args:
        handle: the job to keep alive while the child works; None where there is none.
        module: a module whose ``__main__`` calls ``labelling.core.child.child_main``.
        spec: JSON for the child's stdin.
        log: file that receives all that the child and its libraries print.
        stop: to be set by another thread where the child is no longer wanted.

    Yields:
        Each event, in order.

    Raises:
        JobCancelled: somebody asked to cancel, or set ``stop``; the whole group is dead.
        LostJob: the job was given to another worker; the whole group is dead.
        ChildFailed: the child ended with an error.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink, _group(module, sink) as child:
        told = yield from _talk(child, handle, spec, stop)
        status = child.wait()
    if status:
        raise ChildFailed(told or _last_words(status, log))


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    offline = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "ULTRALYTICS_SAFE_LOAD": "true"}
    # Threads that wait sleep instead of spinning: on a machine shared with the web process this is four times faster.
    patient = {"OMP_WAIT_POLICY": "PASSIVE"}
    return kept | offline | patient | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(settings.BASE_DIR)}


class _group:
    """A child in its own process group that is surely dead when the block ends."""

    def __init__(self, module: str, sink: Any) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sink,
            start_new_session=True,
            cwd=settings.WORK_ROOT,
            env=_environment(),
        )

    def __enter__(self) -> "subprocess.Popen[bytes]":
        return self.child

    def __exit__(self, *_exc: object) -> None:
        if self.child.poll() is None:
            self._signal(signal.SIGTERM)
            try:
                self.child.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self.child.wait()
        self._signal(signal.SIGKILL)  # what it started and left behind
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe and not pipe.closed:
                pipe.close()

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.child.pid, number)
        except ProcessLookupError:
            return


def _talk(
    child: "subprocess.Popen[bytes]", handle: JobHandle | None, spec: dict[str, Any], stop: threading.Event | None
) -> Generator[dict[str, Any], None, str]:
    """Send the spec, then listen until the child closes its stdout; returns the error it reported, or ""."""
    assert child.stdin is not None
    try:
        child.stdin.write(json.dumps(spec).encode())
        child.stdin.close()
    except BrokenPipeError:
        return ""
    told, news = "", dict[str, Any]()
    last_beat = 0.0
    for event in _events(child):
        if event is not None and event.get("event") == "progress":
            news = {key: event[key] for key in ("phase", "progress") if key in event}
        elif event is not None and event.get("event") == "error":
            told = str(event["message"])
        elif event is not None:
            yield event
        if stop is not None and stop.is_set():
            raise JobCancelled("nobody waits for it any more")
        if handle is not None and time.monotonic() - last_beat > BEAT_S:
            last_beat = time.monotonic()
            if beat_job(handle=handle, **news):
                raise JobCancelled("cancelled while it ran")
    return told


def _events(child: "subprocess.Popen[bytes]") -> Iterator[dict[str, Any] | None]:
    """Each event as it comes, and None at least once a second."""
    assert child.stdout is not None
    pipe = child.stdout
    waiting, buffer = selectors.DefaultSelector(), b""
    waiting.register(pipe, selectors.EVENT_READ)
    while True:
        if not waiting.select(timeout=1.0):
            yield None
            continue
        piece = os.read(pipe.fileno(), 1 << 16)
        if not piece:
            return
        *lines, buffer = (buffer + piece).split(b"\n")
        yield from (json.loads(line) for line in lines if line.strip())


def _last_words(status: int, log: Path) -> str:
    if status == -signal.SIGKILL:
        return "killed by the system, most likely out of memory: choose a smaller batch or image size"
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"ended with status {status}: {lines[-1][:300] if lines else 'it said nothing'}; see its log"
