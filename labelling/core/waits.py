"""How long reviewers waited for their next site, counted in steps: any share of them is read from the counts."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping

BOUNDS_MS = (10, 20, 30, 40, 50, 60, 80, 100, 120, 150, 200, 300, 500, 1_000, 2_000, 5_000, 10_000, 60_000)
"""The steps, in milliseconds from the press that decides to the next site painted with its imagery."""
LONGEST_MS = BOUNDS_MS[-1]


def count_waits(waits: Iterable[int]) -> Counter[int]:
    """Count waits by the smallest step that is not shorter.

    Args:
        waits: in milliseconds, from 0 to ``LONGEST_MS``.

    Returns:
        Step in milliseconds -> how many waits.

    Raises:
        IndexError: a wait is longer than ``LONGEST_MS``.
    """
    return Counter(BOUNDS_MS[bisect_left(BOUNDS_MS, wait)] for wait in waits)


def within_ms(counts: Mapping[int, int], share: float) -> int | None:
    """The shortest step within which a share of the waits ended.

    Args:
        counts: step in milliseconds -> how many waits.
        share: above 0, up to 1.

    Returns:
        Milliseconds; ``None`` where nobody has waited yet.
    """
    wanted = share * sum(counts.values())
    ended = 0
    for bound in sorted(counts):
        ended += counts[bound]
        if ended and ended >= wanted:
            return bound
    return None
