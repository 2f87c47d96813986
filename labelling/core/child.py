"""The child's side of a child process: a JSON spec on stdin, JSON lines as events on stdout.

A child loads weights and other people's libraries. It knows no database and no secret, and it dies with
its parent, together with whatever it started.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

Event = dict[str, Any]
Emit = Callable[[Event], None]


def child_main(
    work: Callable[[dict[str, Any], Emit], None], *, expected: type[Exception] | tuple[type[Exception], ...]
) -> None:
    """Run the work of a child process and exit.

    What libraries print goes to stderr, which is the job's log; only events reach the parent.

    Args:
        work: takes the spec and a function that sends an event to the parent.
        expected: errors of this class, or of these, are reported by their text; any other ends with a traceback
            in the log.
    """
    parent = os.getppid()
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    spec = json.load(sys.stdin)
    try:
        work(spec, _emitter(events))
    except expected as error:
        _emitter(events)({"event": "error", "message": str(error)})
        sys.exit(1)


def _emitter(events: TextIO) -> Emit:
    def emit(event: Event) -> None:
        events.write(json.dumps(event) + "\n")
        events.flush()

    return emit


def _die_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(os.getpgid(0), signal.SIGKILL)
