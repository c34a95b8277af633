"""The last two weeks of every cohort, for the line beside its name.

What a session changed counts at its end, which may be weeks after its beginning, and no index leads there: to read two
weeks of all cohorts anew is to look at every session of six weeks, 260,000 of them where 60 cohorts sync every half
hour. So each process adds up once what has long been over, and then only looks at sessions of the last day and at those
that were still open. A session that a page opens again after a day keeps the place that it had until the next start.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, Connection, Row, TextClause, bindparam, text

from blueprints.dashboard.cohorts import history
from blueprints.dashboard.cohorts.history import Bucket, Counted
from config.clock import DAY
from models.database import Database
from models.sessions import IS_UNFINISHED

UNSETTLED = DAY  # so long after its beginning a page may open a session again, and change what it has done
SKEW = 200  # sessions whose ids and beginnings may be in another order, as several processes number and time them

_ENDED_ON = f"coalesce(completed_at, last_page_at) / {DAY}"
_IS_OPEN = f"({IS_UNFINISHED})"
# `+ 0` keeps SQLite from going through the index of the cohorts, which is all of the table.
_ADDED = text(f"""
    SELECT cohort_id + 0 AS cohort_id, {_ENDED_ON} AS day, id <= :settled AS is_settled,
        CAST(sum(entered) AS BIGINT) AS entered, CAST(sum(left_count) AS BIGINT) AS left_count
    FROM sync_session WHERE id > :newest AND (entered > 0 OR left_count > 0) AND NOT (id <= :settled AND {_IS_OPEN})
    GROUP BY 1, 2, 3""")  # noqa: S608 - our own words
_OPENED = f"SELECT id, cohort_id, {_ENDED_ON} AS day, entered, left_count, {_IS_OPEN} AS is_open FROM sync_session"  # noqa: S608
_OPEN = text(f"""
    {_OPENED} WHERE id IN :open
    UNION ALL {_OPENED} WHERE {IS_UNFINISHED} AND id > :newest AND id <= :settled""").bindparams(
    bindparam("open", type_=BigInteger, expanding=True)
)
_FIRST = text("SELECT id FROM sync_session WHERE started_at >= :at ORDER BY started_at LIMIT 1")
_LAST = text("SELECT id FROM sync_session WHERE started_at < :at ORDER BY started_at DESC LIMIT 1")


@dataclass
class Known:
    """What the sessions up to the id `newest` that are over have done, by cohort and day; `open` are ids up to there of
    those that are not over."""

    newest: int = 0
    open: set[int] = field(default_factory=set)
    moves: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)


_known: WeakKeyDictionary[Database, Known] = WeakKeyDictionary()


def read(database: Database, db: Connection, sizes: Mapping[int, int], now: int) -> Mapping[int, Sequence[Bucket]]:
    """Return the last days of each cohort in `sizes` (by id, the members of now); four statements."""
    known = _known.setdefault(database, Known())
    with known.lock:
        moves = _moves(known, db, now)
    by_cohort: dict[int, list[Counted]] = {cohort: [] for cohort in sizes}
    for (cohort, day), (entered, left) in moves.items():
        if cohort in by_cohort:
            by_cohort[cohort].append(Counted(cohort, day, entered, left, 0, 0))
    return {cohort: history.days(by_cohort[cohort], size, now) for cohort, size in sizes.items()}


def _moves(known: Known, db: Connection, now: int) -> dict[tuple[int, int], tuple[int, int]]:
    """Return all that is known and what is new, and remember what will not change any more."""
    first = history.start_of_days(now)
    start = _id(db, _FIRST, first - history.LONGEST_SESSION) - SKEW
    known.newest = max(known.newest, start)
    settled = _id(db, _LAST, now - UNSETTLED) - SKEW
    values = {"newest": known.newest, "settled": max(settled, known.newest)}
    added = db.execute(_ADDED, values).all()
    opened = db.execute(_OPEN, values | {"open": sorted(known.open)}).all()
    known.moves = {key: moved for key, moved in known.moves.items() if key[1] >= first // DAY}
    known.open = {row.id for row in opened if row.is_open}
    known.newest = values["settled"]
    settled_now = [row for row in added if row.is_settled] + [row for row in opened if not row.is_open]
    for row in settled_now:
        _add(known.moves, row)
    moves = dict(known.moves)
    for row in [row for row in added if not row.is_settled] + [row for row in opened if row.is_open]:
        _add(moves, row)
    return {key: moved for key, moved in moves.items() if key[1] >= first // DAY}


def _id(db: Connection, statement: TextClause, at: int) -> int:
    return int(db.execute(statement, {"at": at}).scalar() or 0)


def _add(moves: dict[tuple[int, int], tuple[int, int]], row: Row[Any]) -> None:
    before = moves.get((row.cohort_id, row.day), (0, 0))
    moves[row.cohort_id, row.day] = (before[0] + row.entered, before[1] + row.left_count)
