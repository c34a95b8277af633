"""A standby of PostgreSQL that answers what may be a little old, so that the primary has the rest for itself.

It is asked as long as it follows: every few seconds each process notes how far the primary's log has come, and how far
the standby has replayed it. To itself a standby that is cut off from its primary looks like one that has nothing to do.
"""

import threading
from collections import deque
from time import monotonic

from psycopg import Error
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

EVERY = 2.0  # seconds between two looks
AGAIN = 15.0  # seconds until one that did not answer is asked again
MOST_BEHIND = 30.0  # seconds that it may be behind, and is still asked
NOTES = 30  # of how far the primary had come; the oldest is twice as old as may be asked for

_WRITTEN = text("SELECT CAST(pg_current_wal_lsn() - '0/0' AS bigint)")
_REPLAYED = text("""
    SELECT CASE WHEN pg_is_in_recovery() THEN CAST(pg_last_wal_replay_lsn() - '0/0' AS bigint) END""")


class Replica:
    """`behind` is how many seconds old its answers are at most; None while it does not answer, or follows nobody."""

    def __init__(self, engine: Engine, primary: Engine) -> None:
        self.engine = engine
        self.behind: float | None = None
        self._primary = primary
        self._written: deque[tuple[float, int]] = deque(maxlen=NOTES)  # when, and how far
        self._looking = threading.Lock()
        self._next_look = 0.0

    def follows(self) -> bool:
        """Tell whether it may be asked; one of the callers looks, when it is time."""
        if monotonic() >= self._next_look and self._looking.acquire(blocking=False):
            try:
                self.look()
            finally:
                self._looking.release()
        return self.behind is not None and self.behind <= MOST_BEHIND

    def look(self) -> None:
        """Measure how far it is behind."""
        try:
            self.behind = self._measured()
            self._next_look = monotonic() + EVERY
        except (SQLAlchemyError, Error):
            self.behind = None
            self._next_look = monotonic() + AGAIN

    def _measured(self) -> float | None:
        """Return the seconds since the newest of our notes that it has replayed; what is older than all of them is
        older than can be asked."""
        with self._primary.connect() as primary:
            self._written.append((monotonic(), int(primary.execute(_WRITTEN).scalar_one())))
        with self.engine.connect() as standby:
            replayed = standby.execute(_REPLAYED).scalar_one()
        if replayed is None:
            return None
        newest = max((at for at, written in self._written if written <= replayed), default=None)
        return MOST_BEHIND * 2 if newest is None else monotonic() - newest
