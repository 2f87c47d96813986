"""A worker that says that it lives while one long statement runs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection

from labelling.services.jobs import JobCancelled, JobHandle, LostJob, beat_job

EVERY_S = 10.0


@contextmanager
def telling(handle: JobHandle) -> Iterator[Callable[[str], None]]:
    """Beat a job from a thread, on a connection of its own: what a transaction writes nobody else sees.

    Args:
        handle: the job.

    Yields:
        A function that says what is done now.

    Raises:
        JobCancelled: at the next such word, where somebody has asked to cancel.
        LostJob: at the next such word, where the job is another worker's by now.
    """
    over, stopped = threading.Event(), threading.Event()
    thread = threading.Thread(target=_beat, args=(handle, over, stopped), daemon=True)

    def tell(phase: str) -> None:
        if stopped.is_set() or beat_job(handle=handle, phase=phase):
            msg = "stopped on request"
            raise JobCancelled(msg)

    thread.start()
    try:
        yield tell
    finally:
        over.set()
        # On SQLite the thread may wait for the transaction that is about to end.
        thread.join(timeout=EVERY_S)


def _beat(handle: JobHandle, over: threading.Event, stopped: threading.Event) -> None:
    try:
        while not over.wait(EVERY_S):
            try:
                if beat_job(handle=handle):
                    stopped.set()
            except OperationalError:
                continue  # SQLite has one writer, and that is us
            except LostJob:
                stopped.set()
    finally:
        connection.close()
