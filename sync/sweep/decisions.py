"""What operators decide about the removal guard: a refresh that it holds, and a cohort's own share."""

from itertools import islice

from sqlalchemy import Connection, text

from sync.apply import sessions
from sync.apply.cohorts import CohortState
from sync.apply.sessions import SessionState
from sync.id_sets import WINDOW, IdSet
from sync.rules import Rules
from sync.sweep import conclude, held, leavers

_HIGHEST = text("SELECT coalesce(max(person_id), 0) FROM membership WHERE cohort_id = :cohort_id")

_SET_PERCENT = text("UPDATE cohort SET guard_percent = :percent WHERE id = :id")

HIGHEST_PERCENT = 100


def approve(db: Connection, session_id: int, rules: Rules, now: int) -> bool:
    """Let everybody leave whom the refresh did not name, at once or by the worker where the cohort is large (S5); those
    stay of whom a newer session has spoken since (S9). False where the session is not held any more, or named nobody
    whom we could read (S4)."""
    locked = _held(db, session_id)
    if locked is None or not held.can_be_approved(locked[1]):
        return False
    cohort, session = locked
    session.decision = "approved"
    conclude.end_and_save(db, cohort, session, rules, now, guarded=False)
    return True


def reject(db: Connection, session_id: int, _now: int) -> bool:
    """End the refresh: nobody leaves by it, and its later pages change nothing. False where it is not held."""
    locked = _held(db, session_id)
    if locked is None:
        return False
    _cohort, session = locked
    session.decision, session.status = "rejected", "superseded"
    sessions.save(db, session)
    return True


def would_leave(db: Connection, session_id: int, after_person_id: int, limit: int) -> list[int]:
    """Return the next `limit` ids over `after_person_id`, ascending, of the people who leave if this held refresh is
    approved now; none where it is not held, or can never be approved."""
    session = sessions.by_id(db, session_id)
    if session is None or session.status != "held" or not held.can_be_approved(session):
        return []
    end = db.execute(_HIGHEST, {"cohort_id": session.cohort_id}).scalar_one() + 1
    found: list[int] = []
    for first in range(after_person_id + 1, end, WINDOW):
        stayers = IdSet(first, min(WINDOW, end - first))
        stayers.add(leavers.blobs(db, session))
        for span in leavers.spans(stayers.start, stayers.end):
            found += islice(leavers.unnamed(db, session, stayers, *span), limit - len(found))
            if len(found) >= limit:
                return found
    return found


def set_percent(db: Connection, cohort_id: int, share: int | None) -> bool:
    """Set the cohort's own share, 0 to 100; 0 is off, None is the setting's. False where there is no such cohort.
    Raises ValueError for any other share."""
    if share is not None and not 0 <= share <= HIGHEST_PERCENT:
        raise ValueError("The share must be a whole number from 0 to 100.")
    return db.execute(_SET_PERCENT, {"id": cohort_id, "percent": share}).rowcount == 1


def _held(db: Connection, session_id: int) -> tuple[CohortState, SessionState] | None:
    locked = sessions.locked(db, session_id)
    return locked if locked is not None and locked[1].status == "held" else None
