"""How long the change log is kept: stays that ended before a moment go, each as a whole.

`entered` and `left` of a stay go together, so that the log's sum stays the number of members (S10). Every row is
examined once: an exit that is old enough takes its own entry along, wherever that is, and a stay that still lasts keeps
its row. Each step is a transaction under the cohort's lock.
"""

from itertools import takewhile

from sqlalchemy import Connection, bindparam, func, select, text

from config.clock import DAY
from models.database import Database
from models.sessions import IS_UNFINISHED, SyncSession

STEP = 5000  # rows of the log that one transaction examines

# A probe of the log's key for each cohort: the next row to be examined.
_DUE = text("""
    SELECT c.id FROM cohort c CROSS JOIN membership_change x
    WHERE x.cohort_id = c.id AND x.number = c.log_examined + 1 AND x.at < :before ORDER BY c.id""")

_LOCK = {
    "sqlite": text("SELECT log_examined, log_gone FROM cohort WHERE id = :cohort"),
    "postgresql": text("SELECT log_examined, log_gone FROM cohort WHERE id = :cohort FOR NO KEY UPDATE"),
}

# A refresh that is not over counts its newcomers from the log (`sync.sweep.leavers`).
_NEEDED = select(func.min(SyncSession.first_change)).where(
    SyncSession.cohort_id == bindparam("cohort"),
    text(IS_UNFINISHED),
    SyncSession.action == "members",
    SyncSession.first_change > 0,
)

# A destination may be off for longer than the log is kept: what a subscription has not planned yet waits for it.
_UNPLANNED = text("""
    SELECT min(position) + 1 FROM subscription WHERE cohort_id = :cohort AND status IN ('active', 'paused')""")

_NEXT = text("""
    SELECT number, entered, previous, at FROM membership_change
    WHERE cohort_id = :cohort AND number > :examined AND number < :needed ORDER BY number LIMIT :step""")

_DELETE = {
    "sqlite": text("""
        DELETE FROM membership_change
        WHERE cohort_id = :cohort AND number IN (SELECT value FROM json_each(:numbers))"""),
    "postgresql": text("""
        DELETE FROM membership_change
        WHERE cohort_id = :cohort AND number = ANY (CAST(:numbers AS bigint[]))"""),
}

_EXAMINED = text("UPDATE cohort SET log_examined = :examined, log_gone = :gone WHERE id = :cohort")

_ALL = 2**62


def prune_log(database: Database, days: int, now: int) -> int:
    """Remove the stays that ended more than `days` ago, 0 days none; returns how many rows of the log went."""
    if not days:
        return 0
    before, gone = now - days * DAY, 0
    for cohort_id in database.read(lambda db: list(db.execute(_DUE, {"before": before}).scalars())):
        more = True
        while more:
            removed, more = database.write(lambda db, c=cohort_id: _step(db, c, before))  # type: ignore[misc]
            gone += removed
    return gone


def _step(db: Connection, cohort_id: int, before: int) -> tuple[int, bool]:
    """Remove some rows. Return how many went, and whether there may be more."""
    examined, last_gone = db.execute(_LOCK[db.dialect.name], {"cohort": cohort_id}).one()
    needed = min(db.execute(kept, {"cohort": cohort_id}).scalar_one() or _ALL for kept in (_NEEDED, _UNPLANNED))
    values = {"cohort": cohort_id, "examined": examined, "needed": needed, "step": STEP}
    rows = list(takewhile(lambda row: row.at < before, db.execute(_NEXT, values).all()))
    if not rows:
        return 0, False
    exits = [row for row in rows if not row.entered]
    if exits:
        numbers = sorted(number for row in exits for number in (row.number, row.previous))
        db.execute(_DELETE[db.dialect.name], {"cohort": cohort_id, "numbers": _written(db, numbers)})
        last_gone = exits[-1].number
    db.execute(_EXAMINED, {"cohort": cohort_id, "examined": rows[-1].number, "gone": last_gone})
    return 2 * len(exits), len(rows) == STEP


def _written(db: Connection, numbers: list[int]) -> object:
    return numbers if db.dialect.name == "postgresql" else str(numbers)
