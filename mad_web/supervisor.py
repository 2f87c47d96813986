"""The process above all others of the embedded default. Standard library only, so that it stays small.

Run as ``python -I mad_web/supervisor.py PLAN``, where PLAN is the JSON of a ``Plan``.
"""

import ctypes
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

GRACE_S = 6.0
SETTLED_S = 60.0
LONGEST_WAIT_S = 30.0
LARGEST_LOG = 10 * 1024 * 1024
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


@dataclass(frozen=True)
class Program:
    """A process to keep alive.

    Attributes:
        name: what people call it; its log file is named after it.
        command: the command line.
    """

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What to run.

    Attributes:
        programs: processes to keep alive.
        logs: folder of their logs.
        host: where the pages are served; said on the terminal once they answer. Empty for no pages.
        port: of the pages.
    """

    programs: tuple[Program, ...]
    logs: str
    host: str = ""
    port: int = 0

    def to_json(self) -> str:
        """Write it as the argument of ``supervisor.py``."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Read what ``to_json`` wrote."""
        raw = json.loads(text)
        programs = tuple(Program(item["name"], tuple(item["command"])) for item in raw.pop("programs"))
        return cls(programs=programs, **raw)


@dataclass
class Watch:
    """One program, its process where there is one, and when to start it next."""

    program: Program
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    start_at: float = 0.0
    failures: int = 0

    def start(self) -> None:
        """Start it in a process group of its own, so that Ctrl-C reaches the supervisor alone."""
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(
                self.program.command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_the_supervisor,  # noqa: PLW1509  # there are no threads here
            )
        self.started = time.monotonic()

    def bury(self, status: int) -> str:
        """Note that it ended, end what it left behind, and set when it starts again.

        Returns:
            A line for the terminal.
        """
        self.signal(signal.SIGKILL)
        self.process = None
        lived = time.monotonic() - self.started
        self.failures = 1 if lived > SETTLED_S else self.failures + 1
        wait = min(LONGEST_WAIT_S, 2.0 ** (self.failures - 1))
        self.start_at = time.monotonic() + wait
        return f"{self.program.name} ended ({_reason(status)}) and starts again in {wait:.0f} s; see {self.log}"

    def signal(self, number: int) -> None:
        """Send a signal to its whole process group."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            return


class Supervisor:
    """Keeps programs alive until it is told to stop, then leaves no process behind."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        logs = Path(plan.logs)
        logs.mkdir(parents=True, exist_ok=True)
        self.watches = [Watch(program, logs / f"{program.name}.log") for program in plan.programs]
        self.stopping = threading.Event()

    def run(self) -> None:
        """Start everything, restart what dies, end everything at SIGINT, SIGTERM or SIGHUP."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self.stopping.set())
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)  # orphans come to us, so that we can end them
        ready = not self.plan.host
        try:
            while not self.stopping.is_set():
                self._start_due()
                self._reap()
                if not ready and _answers(self.plan.host, self.plan.port):
                    ready = True
                    say(f"MAD Web is at http://{self.plan.host}:{self.plan.port} (Ctrl-C ends it)")
                self.stopping.wait(0.5 if ready else 0.1)
        finally:
            self.stop()

    def stop(self) -> None:
        """End every process: first kindly, then surely, then whatever they left behind."""
        for watch in self.watches:
            watch.signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        while time.monotonic() < deadline and any(watch.process for watch in self.watches):
            self._reap(quietly=True)
            time.sleep(0.05)
        for watch in self.watches:
            watch.signal(signal.SIGKILL)
        while _kill_descendants():
            self._reap(quietly=True)
            time.sleep(0.02)

    def _start_due(self) -> None:
        now = time.monotonic()
        for watch in self.watches:
            if watch.process is None and watch.start_at <= now:
                watch.start()

    def _reap(self, *, quietly: bool = False) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._note(pid, os.waitstatus_to_exitcode(status), quietly=quietly)

    def _note(self, pid: int, status: int, *, quietly: bool) -> None:
        for watch in self.watches:
            if watch.process is not None and watch.process.pid == pid:
                watch.process.returncode = status
                line = watch.bury(status)
                if not quietly:
                    say(line)


def _reason(status: int) -> str:
    return f"status {status}" if status >= 0 else signal.Signals(-status).name


def _answers(host: str, port: int) -> bool:
    asked = http.client.HTTPConnection(host, port, timeout=2)
    try:
        asked.request("GET", "/healthz")
        return asked.getresponse().status == http.HTTPStatus.OK
    except (http.client.HTTPException, OSError):
        return False
    finally:
        asked.close()


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _die_with_the_supervisor() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill_descendants() -> int:
    """Kill every process below this one.

    Returns:
        How many there were. On systems without /proc: 0, the process groups are all that can be ended.
    """
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(fields[1])
    below = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    below.discard(os.getpid())
    for pid in below:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return len(below)


def say(line: str) -> None:
    """Say something on the terminal, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Supervisor(Plan.from_json(sys.argv[1])).run()
    say("MAD Web has ended")
