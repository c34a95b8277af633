"""Whether the clock of this machine was set while the process ran: it is compared with one that nobody sets."""

import time
from collections.abc import Callable

from config.clock import HOUR, MINUTE, Clock

LEAST = MINUTE  # smaller corrections change nothing that people would ask about
TOLD_FOR = HOUR


def steady() -> int:
    """Return milliseconds of a clock that nobody sets, one that goes on while the machine sleeps where there is one."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    return time.monotonic_ns() // 1_000_000


class ClockWatch:
    """One object a process. Looking is free; whoever looks tells for an hour."""

    def __init__(self, clock: Clock, steadily: Callable[[], int] = steady) -> None:
        self._clock = clock
        self._steadily = steadily
        self._apart = clock() - steadily()
        self._seen: int | None = None

    def moved(self) -> int:
        """Return by how many milliseconds it was set forward, or back (less than 0); 0 where it was not."""
        moved = self._clock() - self._steadily() - self._apart
        if abs(moved) < LEAST:
            self._seen = None
            return 0
        if self._seen is None:
            self._seen = self._steadily()
        if self._steadily() - self._seen > TOLD_FOR:
            self._apart, self._seen = self._apart + moved, None
            return 0
        return moved
