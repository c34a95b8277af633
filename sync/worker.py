"""What happens without a call: exports settle, large sweeps go on, silence is noticed, old rows go.

Any number of workers may run this: a session is claimed (`models.claims`), and who has the claim does the work.

Clocks may be set back. What then lies further ahead than it ever can is not waited for.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, text, update

from config.clock import DAY
from models.claims import Claim, Lease
from models.database import Database
from models.sessions import IS_UNFINISHED, SyncSession
from sync.apply import sessions
from sync.rules import Rules
from sync.sweep import conclude
from sync.sweep.steps import CLAIMS, Clock, Sweep

AT_ONCE = 100  # sessions that one run takes on

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
    """Do everything that is due. Return how many sessions were moved on. Raises DatabaseUnavailable."""
    mark_stalled(database, rules, clock())
    settle_in_time(database, rules, clock())
    moved = 0
    for claim in _claimed(database, rules, clock):
        moved += _conclude(database, rules, claim, clock)
        database.write(lambda db, ours=claim: CLAIMS.release(db, ours))  # type: ignore[misc]
    return moved


def mark_stalled(database: Database, rules: Rules, now: int) -> int:
    """Show a session as stalled that has had no page for too long (S13); nothing else is done to it."""
    # What lies in the future came before the clock was set back.
    is_old = (SyncSession.last_page_at < now - rules.stalled) | (SyncSession.last_page_at > now + rules.stalled)
    waits = (text(IS_UNFINISHED), SyncSession.status == "receiving", is_old)
    stall = update(SyncSession).where(*waits).values(status="stalled")
    return database.write(lambda db: db.execute(stall).rowcount)


def settle_in_time(database: Database, rules: Rules, now: int) -> int:
    """Let the settling time begin anew where the clock was set back since the last page (S8)."""
    latest = now + rules.settle
    waits = (text(IS_UNFINISHED), SyncSession.status == "settling", SyncSession.settles_at > latest)
    anew = update(SyncSession).where(*waits).values(settles_at=latest)
    return database.write(lambda db: db.execute(anew).rowcount)


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
    """Claim the due sessions, one by one, and yield the claims that succeed."""
    lease = Lease(rules.claim)
    for session_id in database.read(lambda db: CLAIMS.due(db, lease, clock(), AT_ONCE)):
        now = clock()  # again: the session before this one may have taken long
        if database.write(lambda db, i=session_id, t=now: CLAIMS.claim(db, i, lease, t)) is not None:  # type: ignore[misc]
            yield Claim(session_id, now + rules.claim)


def _conclude(database: Database, rules: Rules, claim: Claim, clock: Clock) -> bool:
    status = database.write(lambda db: _settle(db, rules, claim.id, clock()))
    if status == "sweeping":
        Sweep(database, rules, claim, clock).run()
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
    conclude.end_and_save(db, cohort, session, rules, now)
    return session.status
