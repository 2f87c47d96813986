"""What takes its time in another process is waited for, and not for ever."""

import time
from collections.abc import Callable


def wait_until(true: Callable[[], object], what: str, seconds: float = 30.0) -> float:
    """Wait for something, and say for how long it was; the test fails where it does not come in time."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - began
