"""What several commands share: a bar that shows how far they are, and days as arguments."""

import sys
from datetime import UTC, datetime

from django.core.management.base import OutputWrapper

_WIDTH = 30


class Bar:
    """A bar of progress on one line of a terminal."""

    def __init__(self, stream: OutputWrapper) -> None:
        self.stream = stream

    @classmethod
    def on(cls, stream: OutputWrapper) -> "Bar | None":
        """A bar where a person looks on; none where the output goes to a file."""
        return cls(stream) if sys.stderr.isatty() else None

    def count(self, done: int, total: int) -> None:
        """So many of so many are done."""
        self._show(done / total, f"{done} of {total}")

    def share(self, share: float) -> None:
        """A share is done, 0 to 1."""
        self._show(share, f"{share:.0%}")

    def _show(self, share: float, words: str) -> None:
        full = int(_WIDTH * share)
        self.stream.write(f"\r[{'#' * full}{'.' * (_WIDTH - full)}] {words}", ending="\n" if share >= 1 else "")
        self.stream.flush()


def day(text: str) -> datetime:
    """The beginning of a day such as 2022-01-01, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
