"""The last 24 hours on the overview: entries, exits and refusals by hour, what moved most, and the latest failures.

Hours are whole ones in UTC, written in the reader's zone; the last of them is the one that runs. What a session changed
counts in the hour in which the session began.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, text

from blueprints import rows
from blueprints.dashboard.time_axis import TimeAxis
from config.clock import HOUR, Zone
from models.queries.failures import is_over, last_taken
from sync.status import remedies

HOURS = 24
MOST_MOVERS = 5
LATEST = 3

_MOVES = text("""
    SELECT s.cohort_id, (s.started_at - :since) / :hour AS place, CAST(sum(s.entered) AS BIGINT) AS entered,
        CAST(sum(s.left_count) AS BIGINT) AS left_count,
        CAST(sum(s.pages_received + s.replayed) AS BIGINT) AS calls
    FROM sync_session s WHERE s.started_at >= :since GROUP BY 1, 2""")

_REFUSED = text("""
    SELECT (f.at - :since) / :hour AS place, CAST(sum(f.count) AS BIGINT) AS refused
    FROM failure f WHERE f.at >= :since GROUP BY 1""")

_LATEST = text("""
    SELECT f.id, f.last_at, f.count, f.connection, f.status, f.cause, f.message, c.name,
        c.last_call_at
    FROM (SELECT * FROM failure ORDER BY id DESC LIMIT :latest) AS f
    LEFT JOIN cohort c ON c.project_id = f.project_id AND c.mixpanel_cohort_id = f.cohort_id
    ORDER BY f.id DESC""")


@dataclass(frozen=True)
class Mover:
    cohort_id: int
    entered: int
    left: int

    @property
    def net(self) -> int:
        return self.entered - self.left


@dataclass(frozen=True)
class Day:
    """`hours` are (label, entered, left, refused), oldest first, the first of them at `since`; the totals are theirs.
    `calls` counts all calls, the refused ones among them."""

    since: int
    hours: list[tuple[str, int, int, int]]
    entered: int
    left: int
    calls: int
    refused: int
    movers: list[Mover]

    @property
    def axis(self) -> TimeAxis:
        starts = [self.since + place * HOUR for place in range(HOURS)]
        return TimeAxis(HOUR, self.since, self.since + HOURS * HOUR, starts, [False] * HOURS)


class Moves(NamedTuple):
    """What the sessions of one cohort that began in one hour have changed, and the calls that they took."""

    cohort_id: int
    place: int
    entered: int
    left_count: int
    calls: int


@dataclass(frozen=True)
class Failure:
    """A failure with its cohort's name and when a call of that one was last taken, where it is one of ours."""

    id: int
    last_at: int
    count: int
    connection: str | None
    status: int
    cause: str
    message: str
    name: str | None
    last_call_at: int | None


@dataclass(frozen=True)
class Latest:
    """A failure with its cause's name and what Mixpanel does next, in short; `is_over` where a later call of the same
    cohort (or connection, where no cohort is known) was taken."""

    failure: Failure
    title: str
    next: remedies.NextStep
    is_over: bool


def read(db: Connection, now: int, zone: Zone) -> Day:
    since = (now // HOUR - HOURS + 1) * HOUR
    values = {"since": since, "hour": HOUR}
    moves = rows.every(db.execute(_MOVES, values), Moves)
    refused = {row.place: row.refused for row in db.execute(_REFUSED, values)}
    entered, left = _by_hour(moves, "entered"), _by_hour(moves, "left_count")
    labels = [zone.written(since + place * HOUR)[11:16] for place in range(HOURS)]
    total = sum(refused.values())
    return Day(
        since=since,
        hours=[(label, entered[at], left[at], refused.get(at, 0)) for at, label in enumerate(labels)],
        entered=entered.total(),
        left=left.total(),
        calls=sum(row.calls for row in moves) + total,
        refused=total,
        movers=_movers(moves),
    )


def latest_failures(db: Connection) -> list[Latest]:
    taken = last_taken(db)
    return [_latest(failure, taken) for failure in rows.every(db.execute(_LATEST, {"latest": LATEST}), Failure)]


def _latest(failure: Failure, taken: dict[str, int]) -> Latest:
    title, following = remedies.title(failure.cause), remedies.after(failure.status, failure.cause)
    return Latest(failure, title, following, is_over(failure, taken))


def _by_hour(moves: Sequence[Moves], column: str) -> Counter[int]:
    found: Counter[int] = Counter()
    for row in moves:
        found[row.place] += getattr(row, column)
    return found


def _movers(moves: Sequence[Moves]) -> list[Mover]:
    """The cohorts that grew or shrank the most, the most moved first."""
    found: dict[int, Mover] = {}
    for row in moves:
        before = found.get(row.cohort_id, Mover(row.cohort_id, 0, 0))
        found[row.cohort_id] = Mover(row.cohort_id, before.entered + row.entered, before.left + row.left_count)
    moved = [mover for mover in found.values() if mover.entered or mover.left]
    moved.sort(key=lambda mover: (-abs(mover.entered - mover.left), -mover.entered, mover.cohort_id))
    return moved[:MOST_MOVERS]
