"""What happens without a call: exports settle, large sweeps go on, silence is noticed, old rows go.

Any number of workers may run this. A session is claimed by a conditional UPDATE: whoever changes the row does the
work, and a claim that its worker did not live to release runs out by itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

from models.database import Database
from sync import cohorts, guard, sessions, store, sweep
from sync.rules import Rules
from sync.seen import WINDOW, Marks
from sync.sessions import SessionState

Clock = Callable[[], int]

CLAIM = 60_000  # milliseconds; renewed by every step
STEP = 50_000  # ids that one step of a sweep covers while it holds the cohort's lock: the next page waits for it
DAY = 86_400_000

_DUE = text("""
    SELECT id FROM sync_session
    WHERE status NOT IN ('complete', 'superseded') AND (claimed_until IS NULL OR claimed_until < :now)
        AND (status = 'sweeping' OR (status = 'settling' AND settles_at <= :now))
    ORDER BY id LIMIT 100""")

_CLAIM = text("""
    UPDATE sync_session SET claimed_until = :until
    WHERE id = :id AND status IN ('settling', 'sweeping') AND (claimed_until IS NULL OR claimed_until < :now)""")

_RENEW = text("UPDATE sync_session SET claimed_until = :until WHERE id = :id")

_RELEASE = text("UPDATE sync_session SET claimed_until = NULL WHERE id = :id")

_STALL = text("""
    UPDATE sync_session SET status = 'stalled'
    WHERE status NOT IN ('complete', 'superseded') AND status = 'receiving' AND last_page_at < :before""")

_HIGHEST = text("SELECT coalesce(max(id), 0) FROM person")

# Only pages that can have no effect any more: of refreshes that a newer one follows, and of diffs that anything does.
_PRUNE_PAGES = text("""
    DELETE FROM sync_page WHERE session_id IN (
        SELECT s.id FROM sync_session s JOIN cohort c ON c.id = s.cohort_id
        WHERE s.last_page_at < :before AND s.status IN ('complete', 'superseded')
            AND s.number < CASE WHEN s.action = 'members' THEN c.newest_refresh ELSE c.complete_refresh END
            AND EXISTS (SELECT 1 FROM sync_page p WHERE p.session_id = s.id)
        ORDER BY s.id LIMIT 50)""")

_PRUNE_FAILURES = text("DELETE FROM failure WHERE id IN (SELECT id FROM failure WHERE at < :before LIMIT 1000)")


def run_once(database: Database, rules: Rules, clock: Clock) -> int:
    """Everything that is due; returns how many sessions were moved on. Raises DatabaseUnavailable."""
    mark_stalled(database, rules, clock())
    return sum(_conclude(database, rules, session_id, clock) for session_id in _claimed(database, clock))


def mark_stalled(database: Database, rules: Rules, now: int) -> int:
    """Show as stalled whatever has had no page for too long (S13); nothing else is done to it."""
    return database.write(lambda db: db.execute(_STALL, {"before": now - rules.stalled}).rowcount)


def prune(database: Database, pages_days: int, failures_days: int, now: int) -> int:
    """Remove rows past their retention in small steps; 0 days keeps them. Returns how many went."""
    gone = 0
    for statement, days in ((_PRUNE_PAGES, pages_days), (_PRUNE_FAILURES, failures_days)):
        step = 1 if days else 0
        while step:
            step = database.write(lambda db, s=statement, d=days: db.execute(s, {"before": now - d * DAY}).rowcount)  # type: ignore[misc]
            gone += step
    return gone


def _claimed(database: Database, clock: Clock) -> Iterator[int]:
    """The due sessions that are ours: a claim counts only where it changed the row."""
    due = database.read(lambda db: db.execute(_DUE, {"now": clock()}).scalars().all())
    for session_id in due:
        now = clock()  # again: the session before this one may have taken long
        values = {"id": session_id, "now": now, "until": now + CLAIM}
        if database.write(lambda db, v=values: db.execute(_CLAIM, v).rowcount) == 1:  # type: ignore[misc]
            yield session_id


def _conclude(database: Database, rules: Rules, session_id: int, clock: Clock) -> bool:
    status = database.write(lambda db: _settle(db, rules, session_id, clock()))
    if status == "sweeping":
        _sweep_in_steps(database, rules, session_id, clock)
    return status is not None


def _settle(db: Connection, rules: Rules, session_id: int, now: int) -> str | None:
    """End a refresh that has settled (S8), or hand it to the stepwise sweep; None where there is nothing to do."""
    locked = sessions.locked(db, session_id)
    if locked is None:
        return None
    cohort, session = locked
    if session.status == "sweeping":
        return session.status
    if session.status != "settling" or (session.settles_at or 0) > now:
        return None
    if cohort.member_count > rules.sweep_inline:
        sweep.hand_over(cohort, session, judged=not guard.watches(cohort, rules))
    else:
        stayers = sweep.named(db, session)
        gone = list(sweep.leavers(db, cohort, session, stayers, now))
        if not guard.holds(db, cohort, session, stayers, len(gone), rules, now):
            sweep.at_once(db, cohort, session, stayers, gone, now)
        db.execute(_RELEASE, {"id": session_id})
    sessions.save(db, session)
    cohorts.save(db, cohort)
    return session.status


def _sweep_in_steps(database: Database, rules: Rules, session_id: int, clock: Clock) -> None:
    """The sweep of a large cohort: a transaction a step, so that pages and readers get in between. It can be taken up
    from anywhere, because a step only removes who is still there."""
    if not _passes_guard(database, rules, session_id, clock):
        return
    distinct = entered = 0
    for marks in _windows(database):
        entered += database.read(lambda db, m=marks: _mark(db, session_id, m))  # type: ignore[misc]
        distinct += marks.count()
        for start in range(marks.start, marks.end, STEP):
            if not database.write(lambda db, m=marks, s=start: _step(db, session_id, m, s, clock())):  # type: ignore[misc]
                return
    database.write(lambda db: _finish(db, session_id, distinct, entered, clock()))


def _windows(database: Database) -> Iterator[Marks]:
    """Marks for all people, as many at a time as memory may hold."""
    highest = database.read(lambda db: db.execute(_HIGHEST).scalar_one())
    return (Marks(first, min(WINDOW, highest + 1 - first)) for first in range(0, highest + 1, WINDOW))


@dataclass
class _Tally:
    """What a pass over everybody has counted so far."""

    distinct: int = 0
    entered: int = 0
    arrived: int = 0
    leaving: int = 0


def _passes_guard(database: Database, rules: Rules, session_id: int, clock: Clock) -> bool:
    """Whether the steps may begin. Nobody has left yet, and the counting holds no lock."""
    session = database.read(lambda db: sessions.by_id(db, session_id))
    if session is None or session.is_judged:
        return session is not None
    tally = _Tally()
    for marks in _windows(database):
        database.read(lambda db, m=marks: _count(db, session, m, tally))  # type: ignore[misc]
        database.write(lambda db: db.execute(_RENEW, {"id": session_id, "until": clock() + CLAIM}))
    return database.write(lambda db: _judge(db, rules, session_id, tally, clock()))


def _count(db: Connection, session: SessionState, marks: Marks, tally: _Tally) -> None:
    entered = _mark(db, session.id, marks)
    arrived = guard.arrivals(db, session, marks, marks.start, marks.end)
    leaving = sum(1 for span in sweep.spans(marks.start, marks.end) for _ in sweep.unnamed(db, session, marks, *span))
    tally.entered += entered  # at the end, because a read may be tried again
    tally.arrived += arrived
    tally.leaving += leaving
    tally.distinct += marks.count()


def _judge(db: Connection, rules: Rules, session_id: int, tally: _Tally, now: int) -> bool:
    locked = _sweeping(db, session_id)
    if locked is None:
        return False
    cohort, session = locked
    if session.is_judged:  # by another worker, whose steps may have begun: what was counted before them is no more true
        return True
    held = guard.judge(db, cohort, session, tally.leaving, cohort.member_count - tally.arrived, rules, now)
    if held:
        sweep.count(session, tally.distinct, tally.entered)
        db.execute(_RELEASE, {"id": session_id})
    else:
        sweep.let_go(cohort, session)
    sessions.save(db, session)
    cohorts.save(db, cohort)
    return not held


def _mark(db: Connection, session_id: int, marks: Marks) -> int:
    """Mark whom the session has named; returns how many of them have entered by it."""
    session = sessions.by_id(db, session_id)
    if session is None:
        return 0
    marks.add(sweep.blobs(db, session))
    if session.unclear:
        return sweep.newcomers(db, session, marks, marks.start, marks.end)
    return session.entered if marks.start == 0 else 0  # with one version a page, all of them


def _sweeping(db: Connection, session_id: int) -> tuple[cohorts.CohortState, SessionState] | None:
    """The session and its cohort, locked, or None where it sweeps no more (a newer one took over)."""
    locked = sessions.locked(db, session_id)
    return locked if locked is not None and locked[1].status == "sweeping" else None


def _step(db: Connection, session_id: int, marks: Marks, start: int, now: int) -> bool:
    locked = _sweeping(db, session_id)
    if locked is None:
        return False
    cohort, session = locked
    gone = list(sweep.leavers(db, cohort, session, marks, now, start, min(start + STEP, marks.end)))
    store.of(db).write_stays(db, cohort.id, session.number, session.id, gone, now)
    sweep.book(cohort, session, gone)
    sessions.save(db, session)
    cohorts.save(db, cohort)
    db.execute(_RENEW, {"id": session_id, "until": now + CLAIM})
    return True


def _finish(db: Connection, session_id: int, distinct: int, entered: int, now: int) -> None:
    locked = _sweeping(db, session_id)
    if locked is not None:
        cohort, session = locked
        sweep.finish(cohort, session, distinct, entered, now)
        sessions.save(db, session)
        cohorts.save(db, cohort)
        db.execute(_RELEASE, {"id": session_id})
