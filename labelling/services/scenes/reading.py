"""Read many candidates: here, or in child processes that can die without harm."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from labelling.core.errors import BadInput
from labelling.core.intake import Candidate, ImportOrder, Reading, read_candidate
from labelling.models import ImportItem
from labelling.services.children import ChildFailed, listen_to_child
from labelling.services.jobs import JobCancelled
from labelling.services.scenes.publishing import Outcome, candidates_of
from labelling.services.scenes.roots import copy_store, scene_roots

BATCH = 2000
"""Items that a child reads before the next one starts; a start costs a second."""
_MODULE = "labelling.core.intake"
_DEAD_AT_START = 3
Take = Callable[[int], list[ImportItem]]
"""Takes up to so many items of the import for this reader; none where nobody waits any more."""


def read_here(*, take: Take, order: ImportOrder) -> Iterator[Outcome]:
    """Read in this process, one by one.

    Yields:
        What became of each item.
    """
    while items := take(1):
        for item, candidate in zip(items, candidates_of(items), strict=True):
            yield _read(item, candidate, order)


def _read(item: ImportItem, candidate: Candidate, order: ImportOrder) -> Outcome:
    try:
        return Outcome(item, read_candidate(candidate, order, roots=scene_roots(), store=copy_store()))
    except BadInput as error:
        return Outcome(item, reason=error.reason)
    except OSError as error:
        return Outcome(item, reason=error.strerror or str(error))


def read_apart(*, take: Take, order: ImportOrder, processes: int, log: Path) -> Generator[Outcome | None, None, None]:
    """Read in child processes side by side. Close the generator to kill them.

    Args:
        take: hands out items; called in this thread.
        order: what is wanted of every scene.
        processes: how many children at once.
        log: receives what they print.

    Yields:
        What became of each item, in any order; None at least once a second.

    Raises:
        ChildFailed: no child can start.
    """
    told: queue.Queue[Outcome | ChildFailed | None] = queue.Queue()
    stop, threads = threading.Event(), list[threading.Thread]()

    def start() -> int:
        items = take(BATCH)
        if items:
            batch = list(zip(items, candidates_of(items), strict=True))
            threads.append(threading.Thread(target=_listen, args=(batch, order, log, told, stop), daemon=True))
            threads[-1].start()
        return bool(items)

    running = sum(start() for _ in range(processes))
    try:
        while running:
            try:
                news = told.get(timeout=1)
            except queue.Empty:
                yield None
                continue
            if isinstance(news, ChildFailed):
                raise news
            if news is None:
                running += start() - 1
            else:
                yield news
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _listen(
    batch: list[tuple[ImportItem, Candidate]],
    order: ImportOrder,
    log: Path,
    told: "queue.Queue[Outcome | ChildFailed | None]",
    stop: threading.Event,
) -> None:
    """Have a batch read; who kills his child is refused, and the others go to the next one."""
    dead_at_start = 0
    while batch:
        answered = 0
        try:
            events = listen_to_child(
                handle=None, module=_MODULE, spec=_spec([one for _, one in batch], order), log=log, stop=stop
            )
            with closing(events):
                for event in events:
                    told.put(_outcome(batch[event["at"]][0], event))
                    answered = event["at"] + 1
            batch = []
        except JobCancelled:
            return
        except ChildFailed as error:
            dead_at_start = 0 if answered else dead_at_start + 1
            if dead_at_start == _DEAD_AT_START:
                told.put(error)
                return
            if answered < len(batch):
                told.put(Outcome(batch[answered][0], reason=f"reading it ended the process: {error}"))
            batch = batch[answered + 1 :]
    told.put(None)


def _spec(candidates: Sequence[Candidate], order: ImportOrder) -> dict[str, Any]:
    return {
        "candidates": [asdict(one) for one in candidates],
        "order": order.to_json(),
        "roots": [str(root) for root in scene_roots()],
        "store": str(copy_store()),
    }


def _outcome(item: ImportItem, event: dict[str, Any]) -> Outcome:
    if event["event"] == "refused":
        return Outcome(item, reason=str(event["reason"]))
    return Outcome(item, Reading(event["uri"], event["values"]))
