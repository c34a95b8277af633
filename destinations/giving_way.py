"""Who was in when a subscription began can wait; what Mixpanel sends now cannot.

While pages arrive, whatever tells of those who were in rests after each step for a multiple of the time that it took: a
page then finds the processors, and the database's log and disk, mostly free. Nobody sends pages all day; without them
nothing rests.
"""

from collections.abc import Callable
from threading import Lock

from sqlalchemy import text

from config.clock import SECOND
from runtime import Runtime

REST = 2.0  # times as long as the step; a backfill of a table took a third longer by it, and pages half as long
LONGEST = 1.0  # seconds of one rest: a step may have waited for something else
PAGES_WITHIN = 5 * SECOND  # of the last page; those of one export follow each other faster
LOOK_EVERY = SECOND

_LAST_CALL = text("SELECT max(last_call_at) FROM cohort")


class GivingWay:
    """For all threads of a worker. `wait` sleeps for so many seconds, or until the worker is to stop."""

    def __init__(self, runtime: Runtime, wait: Callable[[float], object]) -> None:
        self._runtime, self._wait = runtime, wait
        self._looking = Lock()
        self._looked_at: int | None = None
        self._last_call = 0

    def rest(self, seconds: float) -> None:
        """Rest after a step that took so many seconds, where pages arrive. Raises DatabaseUnavailable."""
        if self._pages_arrive():
            self._wait(min(LONGEST, REST * seconds))

    def _pages_arrive(self) -> bool:
        now = self._runtime.clock()
        with self._looking:
            if self._looked_at is None or abs(now - self._looked_at) >= LOOK_EVERY:
                read = self._runtime.database.read
                self._last_call = read(lambda db: db.execute(_LAST_CALL).scalar_one(), one_statement=True) or 0
                self._looked_at = now
        return abs(now - self._last_call) < PAGES_WITHIN
