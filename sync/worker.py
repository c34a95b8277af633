"""What happens without a call: exports settle, large sweeps go on, silence is noticed, old rows go.

Any number of workers may run this. A session is claimed by a conditional UPDATE: whoever changes the row does the
work, and a claim that its worker did not live to release runs out by itself. A worker that was only asleep finds out
before it writes, because every step begins by renewing the very claim that it took.

Clocks may be set back. What then lies further ahead than it ever can is not waited for.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, text

from models.claims import Claim, Claims, Lease
from models.database import Database
from sync import dialects
from sync.apply import cohorts, sessions
from sync.apply.cohorts import CohortState
from sync.apply.sessions import SessionState
from sync.id_sets import WINDOW, Marks
from sync.rules import Rules
from sync.sweep import guard, leavers, readability

T = TypeVar("T")
Clock = Callable[[], int]

DAY = 86_400_000

AT_ONCE = 100  # sessions that one run takes on

# The first condition is that of an index.
_CLAIMS = Claims(
    "sync_session",
    """status NOT IN ('complete', 'superseded')
        AND (status = 'sweeping' OR (status = 'settling' AND settles_at <= :now))""",
)

_STALL = text("""
    UPDATE sync_session SET status = 'stalled'
    WHERE status NOT IN ('complete', 'superseded') AND status = 'receiving'
        AND (last_page_at < :before OR last_page_at > :beyond)""")

_BEGIN_ANEW = text("""
    UPDATE sync_session SET settles_at = :latest
    WHERE status NOT IN ('complete', 'superseded') AND status = 'settling' AND settles_at > :latest""")

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
    settle_in_time(database, rules, clock())
    moved = 0
    for claim in _claimed(database, rules, clock):
        moved += _conclude(database, rules, claim, clock)
        database.write(lambda db, ours=claim: _CLAIMS.release(db, ours))  # type: ignore[misc]
    return moved


def mark_stalled(database: Database, rules: Rules, now: int) -> int:
    """Show as stalled whatever has had no page for too long (S13); nothing else is done to it."""
    values = {"before": now - rules.stalled, "beyond": now + rules.stalled}
    return database.write(lambda db: db.execute(_STALL, values).rowcount)


def settle_in_time(database: Database, rules: Rules, now: int) -> int:
    """The settling time begins anew where the clock was set back since the last page (S8)."""
    return database.write(lambda db: db.execute(_BEGIN_ANEW, {"latest": now + rules.settle}).rowcount)


def prune(database: Database, pages_days: int, failures_days: int, now: int) -> int:
    """Remove rows past their retention in small steps; 0 days keeps them. Returns how many went."""
    gone = 0
    for statement, days in ((_PRUNE_PAGES, pages_days), (_PRUNE_FAILURES, failures_days)):
        step = 1 if days else 0
        while step:
            step = database.write(lambda db, s=statement, d=days: db.execute(s, {"before": now - d * DAY}).rowcount)  # type: ignore[misc]
            gone += step
    return gone


def _claimed(database: Database, rules: Rules, clock: Clock) -> Iterator[Claim]:
    """The due sessions that are ours: a claim counts only where it changed the row."""
    lease = Lease(rules.claim)
    for session_id in database.read(lambda db: _CLAIMS.due(db, lease, clock(), AT_ONCE)):
        now = clock()  # again: the session before this one may have taken long
        if database.write(lambda db, i=session_id, t=now: _CLAIMS.claim(db, i, lease, t)) is not None:  # type: ignore[misc]
            yield Claim(session_id, now + rules.claim)


def _conclude(database: Database, rules: Rules, claim: Claim, clock: Clock) -> bool:
    status = database.write(lambda db: _settle(db, rules, claim.id, clock()))
    if status == "sweeping":
        _Sweep(database, rules, claim, clock).run()
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
        leavers.hand_over(cohort, session, judged=not guard.watches(cohort, session, rules))
    else:
        stayers = leavers.named(db, session)
        gone = list(leavers.leavers(db, cohort, session, stayers, now))
        if not guard.holds(db, cohort, session, guard.Ending(stayers, len(gone)), rules, now):
            leavers.at_once(db, cohort, session, stayers, gone, now)
    sessions.save(db, session)
    cohorts.save(db, cohort)
    return session.status


@dataclass
class _Tally:
    """What a pass over everybody has counted so far."""

    distinct: int = 0
    entered: int = 0
    arrived: int = 0
    leaving: int = 0


@dataclass
class _Sweep:
    """The sweep of a large cohort: a transaction a step, so that pages and readers get in between. It can be taken up
    from anywhere, because a step only removes who is still there."""

    database: Database
    rules: Rules
    claim: Claim
    clock: Clock

    def run(self) -> None:
        """Until everybody has left who is to, the removal guard holds it, or it is ours no more."""
        if not self._passes_guard():
            return
        distinct = entered = 0
        for marks in _windows(self.database):
            entered += self.database.read(lambda db, m=marks: _mark(db, self.claim.id, m))  # type: ignore[misc]
            distinct += marks.count()
            for start in range(marks.start, marks.end, self.rules.step):
                if not self._step(marks, start):
                    return
        self.locked(lambda _db, of, it: leavers.finish(of, it, distinct, entered, self.clock()))

    def locked(self, work: Callable[[Connection, CohortState, SessionState], T]) -> T | None:
        """What `work` returns, in a transaction of its own under the cohort's lock; None where the session sweeps no
        more (a newer one took over) or another worker has claimed it. The claim is renewed with it."""
        until = self.clock() + self.rules.claim

        def write(db: Connection) -> tuple[T] | None:
            found = sessions.locked(db, self.claim.id)
            if found is None or found[1].status != "sweeping":
                return None
            if not _CLAIMS.renew(db, self.claim, until):
                return None
            cohort, session = found
            done = work(db, cohort, session)
            sessions.save(db, session)
            cohorts.save(db, cohort)
            return (done,)

        written = self.database.write(write)
        if written is None:
            return None
        self.claim.until = until
        return written[0]

    def _step(self, marks: Marks, start: int) -> bool:
        end = min(start + self.rules.step, marks.end)
        return bool(self.locked(lambda db, of, it: step(db, of, it, marks, start, end, self.clock())))

    def _passes_guard(self) -> bool:
        """Whether the steps may begin. Nobody has left yet, and the counting holds no lock."""
        session = self.database.read(lambda db: sessions.by_id(db, self.claim.id))
        if session is None or session.is_judged:
            return session is not None
        tally = _Tally()
        for marks in _windows(self.database):
            self.database.read(lambda db, m=marks: _count(db, session, m, tally))  # type: ignore[misc]
            if not self.locked(lambda *_: True):
                return False
        return bool(self.locked(lambda db, of, it: judge(db, self.rules, of, it, tally, self.clock())))


def _windows(database: Database) -> Iterator[Marks]:
    """Marks for all people, as many at a time as memory may hold."""
    highest = database.read(lambda db: db.execute(_HIGHEST).scalar_one())
    return (Marks(first, min(WINDOW, highest + 1 - first)) for first in range(0, highest + 1, WINDOW))


def _count(db: Connection, session: SessionState, marks: Marks, tally: _Tally) -> None:
    entered = _mark(db, session.id, marks)
    arrived = guard.arrivals(db, session, marks, marks.start, marks.end)
    leaving = sum(
        1 for span in leavers.spans(marks.start, marks.end) for _ in leavers.unnamed(db, session, marks, *span)
    )
    tally.entered += entered  # at the end, because a read may be tried again
    tally.arrived += arrived
    tally.leaving += leaving
    tally.distinct += marks.count()


def _mark(db: Connection, session_id: int, marks: Marks) -> int:
    """Mark whom the session has named; returns how many of them have entered by it."""
    session = sessions.by_id(db, session_id)
    if session is None:
        return 0
    marks.add(leavers.blobs(db, session))
    if session.unclear:
        return leavers.newcomers(db, session, marks, marks.start, marks.end)
    return session.entered if marks.start == 0 else 0  # with one version a page, all of them


def judge(db: Connection, rules: Rules, cohort: CohortState, session: SessionState, tally: _Tally, now: int) -> bool:
    """Whether the removal guard lets the steps begin."""
    share = guard.Share(tally.leaving, cohort.member_count - tally.arrived)
    held = guard.judge(db, cohort, session, share, readability.doubt(db, session), rules, now)
    if held:
        leavers.count(session, tally.distinct, tally.entered)
    else:
        leavers.let_go(cohort, session)
    return not held


def step(
    db: Connection, cohort: CohortState, session: SessionState, marks: Marks, start: int, end: int, now: int
) -> bool:
    """Whoever has an id from `start` to before `end` and is not marked leaves."""
    gone = list(leavers.leavers(db, cohort, session, marks, now, start, end))
    dialects.of(db).write_stays(db, cohort.id, session.number, session.id, gone, now)
    leavers.book(cohort, session, gone)
    return True
