"""Mixpanel's limits for a project, kept by all processes together: every try takes one place (mixpanel-facts 5).

A place is a row. Taking one counts the rows of the window under a lock, so that two processes never both take the
last. A process that dies keeps its place among those that run until `ABANDONED`, and in the hour's count until the
hour is over: Mixpanel has counted the call as well.
"""

import zlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from config.clock import DAY, HOUR, MINUTE, SECOND, utc
from runtime import Runtime

ABANDONED = 15 * MINUTE
AHEAD = MINUTE  # by which clocks may differ; what began later than that began before the clock was set back


@dataclass(frozen=True)
class Window:
    """At most `calls` begin within `length` milliseconds; `words` complete "the … are used"."""

    calls: int
    length: int
    words: str


@dataclass(frozen=True)
class Limit:
    """The limits of a family: how many at once, and how many in each window."""

    at_once: int | None
    windows: tuple[Window, ...]


LIMITS = {
    "query": Limit(5, (Window(60, HOUR, "60 queries of an hour"),)),
    "export": Limit(100, (Window(60, HOUR, "60 exports of an hour"), Window(3, SECOND, "3 exports of a second"))),
    "lookup": Limit(None, (Window(100, DAY, "100 lookup table calls of 24 hours"),)),
}
NAMES = {"query": "Queries", "export": "Exports", "lookup": "Lookup table replacements"}


class Spent(Exception):
    """Nothing is left; `frees_at` (milliseconds) is when something will be, None where that depends on what runs."""

    def __init__(self, message: str, frees_at: int | None) -> None:
        super().__init__(message)
        self.frees_at = frees_at


@dataclass(frozen=True)
class Left:
    """How a family stands: `used` of `limit` in its longest window, `running` of `at_once`; `frees_at` is when the
    oldest call leaves the window, None where none is in it."""

    family: str
    name: str
    used: int
    limit: int
    running: int
    at_once: int | None
    frees_at: int | None

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_STARTED = text("""
    SELECT started_at FROM budget_call
    WHERE project = :project AND family = :family AND started_at > :since AND started_at < :beyond
    ORDER BY started_at DESC LIMIT :most""")
_RUNNING = text("""
    SELECT count(*) FROM budget_call
    WHERE project = :project AND family = :family AND ended_at IS NULL AND started_at > :since
        AND started_at < :beyond""")
_TAKE = text("""
    INSERT INTO budget_call (project, family, started_at) VALUES (:project, :family, :now) RETURNING id""")
_GIVE_BACK = text("UPDATE budget_call SET ended_at = :now WHERE id = :id")
_PRUNE = text("DELETE FROM budget_call WHERE started_at < :before")


def take(runtime: Runtime, project_key: str, family: str) -> int:
    """Take a place for one call of a family to a project (by Mixpanel's id), and return it for `give_back`. Raises
    Spent."""
    now = runtime.clock()
    return runtime.database.write(lambda db: _take(db, project_key, family, now))


def give_back(runtime: Runtime, place: int) -> None:
    """The call has ended; it still counts in its window."""
    now = runtime.clock()
    runtime.database.write(lambda db: db.execute(_GIVE_BACK, {"id": place, "now": now}))


def left(db: Connection, project_key: str, now: int) -> list[Left]:
    """Return how every family stands."""
    return [_left(db, project_key, family, limit, now) for family, limit in LIMITS.items()]


def prune(db: Connection, now: int) -> None:
    """Forget what no window holds any more."""
    db.execute(_PRUNE, {"before": now - 2 * DAY})


def _take(db: Connection, project_key: str, family: str, now: int) -> int:
    if db.dialect.name == "postgresql":
        db.execute(_LOCK, {"key": zlib.crc32(f"budget {project_key} {family}".encode())})
    limit, whose = LIMITS[family], {"project": project_key, "family": family}
    for window in limit.windows:
        oldest = _oldest_of_full(db, whose, window, now)
        if oldest is not None:
            raise _spent(window, oldest + window.length)
    if limit.at_once is not None and _running(db, whose, now) >= limit.at_once:
        raise Spent(f"{limit.at_once} calls run at once already, which is all that Mixpanel takes.", None)
    return int(db.execute(_TAKE, whose | {"now": now}).scalar_one())


def _oldest_of_full(db: Connection, whose: dict[str, Any], window: Window, now: int) -> int | None:
    """Return when the call began whose leaving makes room; None where there is room."""
    values = whose | {"since": now - window.length, "beyond": now + AHEAD, "most": window.calls}
    started = db.execute(_STARTED, values).scalars().all()
    return int(started[-1]) if len(started) == window.calls else None


def _running(db: Connection, whose: dict[str, Any], now: int) -> int:
    return int(db.execute(_RUNNING, whose | {"since": now - ABANDONED, "beyond": now + AHEAD}).scalar_one())


def _spent(window: Window, frees_at: int) -> Spent:
    return Spent(f"The {window.words} are used; the next is free at {utc(frees_at)}.", frees_at)


def _left(db: Connection, project_key: str, family: str, limit: Limit, now: int) -> Left:
    whose = {"project": project_key, "family": family}
    window = max(limit.windows, key=lambda window: window.length)
    values = whose | {"since": now - window.length, "beyond": now + AHEAD, "most": window.calls}
    started = db.execute(_STARTED, values).scalars().all()
    running = _running(db, whose, now) if limit.at_once is not None else 0
    frees_at = int(started[-1]) + window.length if started else None
    return Left(family, NAMES[family], len(started), window.calls, running, limit.at_once, frees_at)
