"""Many hands at once: real threads, each with a connection of its own."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from django.db import connection, connections

Answer = TypeVar("Answer")
WAIT_S = 60


def at_once(calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Let every call go at the same moment; their answers in the order of the calls."""
    barrier = threading.Barrier(len(calls))

    def go(call: Callable[[], Answer]) -> Answer:
        try:
            barrier.wait(WAIT_S)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(go, calls))


@contextmanager
def database_of_many(folder: Path) -> Iterator[None]:
    """Let threads share the test database. One in memory is copied to a file first: it would know no waiting."""
    here: Any = connection
    if here.vendor != "sqlite" or not here.is_in_memory_db():
        yield
        return
    memory: Any = connections["default"]
    memory.ensure_connection()
    place = folder / "crowd.sqlite3"
    copy = here.Database.connect(place)
    memory.connection.backup(copy)
    copy.close()
    name = memory.settings_dict["NAME"]
    memory.settings_dict["NAME"] = str(place)
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = memory
        memory.settings_dict["NAME"] = name
