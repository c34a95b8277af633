"""The removal guard: a refresh that would remove too much of a cohort is held until an operator decides.

Its arrivals count, nobody leaves, and it is not complete. A newer refresh supersedes it (S9); where that one would
remove as much again, Mixpanel means it, and it goes through by itself.
"""

from collections.abc import Collection, Container
from itertools import islice

from sqlalchemy import Connection, text

from models.statement import Statement
from sync import cohorts, sessions, sweep
from sync.cohorts import CohortState
from sync.rules import Rules
from sync.seen import WINDOW, Marks
from sync.sessions import SessionState

_FORMER = Statement("""
    SELECT held_at, decision FROM sync_session
    WHERE cohort_id = :cohort_id AND number < :number AND action = 'members'
    ORDER BY number DESC LIMIT 1""")

_ARRIVALS = text("""
    SELECT DISTINCT x.person_id FROM membership_change x
    JOIN membership m ON m.cohort_id = x.cohort_id AND m.person_id = x.person_id
    WHERE x.cohort_id = :cohort_id AND x.number BETWEEN :first_change AND :last_change AND x.session_id = :session_id
        AND x.entered AND m.left_at IS NULL AND x.person_id >= :first AND x.person_id < :last""")

_HIGHEST = text("SELECT coalesce(max(person_id), 0) FROM membership WHERE cohort_id = :cohort_id")

_SET_PERCENT = text("UPDATE cohort SET guard_percent = :percent WHERE id = :id")

HIGHEST_PERCENT = 100


# --- what the engine asks


def percent(cohort: CohortState, rules: Rules) -> int:
    """The cohort's own share, or else the setting's; 0 is off."""
    return rules.guard_percent if cohort.guard_percent is None else cohort.guard_percent


def watches(cohort: CohortState, rules: Rules) -> bool:
    """Whether a refresh of this cohort may come to be held at all."""
    return percent(cohort, rules) > 0 and cohort.member_count >= rules.guard_min_members


def holds(
    db: Connection,
    cohort: CohortState,
    session: SessionState,
    stayers: Collection[int],
    leaving: int,
    rules: Rules,
    now: int,
    fresh: int = 0,
) -> bool:
    """Whether a refresh of which all pages are here is held, and then the session says so. `leaving` would leave;
    `fresh` have entered by the page at hand, whose rows are not written yet."""
    fewest = cohort.member_count - session.entered  # there are more where some who have entered are out again
    if not watches(cohort, rules) or not _is_over(percent(cohort, rules), leaving, fewest):
        return False
    as_booked = session.number == cohort.session_count and not session.unclear
    stayed = session.entered if as_booked else fresh + arrivals(db, session, stayers)
    if not judge(db, cohort, session, leaving, cohort.member_count - stayed, rules, now):
        return False
    newcomers = sweep.newcomers(db, session, stayers) if session.unclear else session.entered
    sweep.count(session, len(stayers), newcomers)
    return True


def judge(
    db: Connection, cohort: CohortState, session: SessionState, leaving: int, old: int, rules: Rules, now: int
) -> bool:
    """Whether the refresh is held, because more than the share of at least so many `old` members would leave, and the
    refresh before it was not held for the same."""
    if old < rules.guard_min_members or not _is_over(percent(cohort, rules), leaving, old):
        return False
    session.would_leave, session.would_leave_of = leaving, old
    if _follows_one_that_waits(db, session):
        session.decision = "agreed"
        return False
    session.status, session.held_at, session.settles_at = "held", now, None
    return True


def arrivals(
    db: Connection, session: SessionState, stayers: Container[int], first: int = 0, last: int = sweep.ALL_IDS
) -> int:
    """How many members with `first <= id < last` are no old ones: they have entered by this session, are in, and are
    to stay."""
    if not session.id or not session.entered:
        return 0
    values = {"cohort_id": session.cohort_id, "session_id": session.id, "first": first, "last": last}
    changes = {"first_change": session.first_change, "last_change": session.last_change}
    result = db.execute(_ARRIVALS, values | changes, execution_options={"yield_per": sweep.FETCH})
    return sum(person_id in stayers for person_id in result.scalars())


def _is_over(share: int, leaving: int, old: int) -> bool:
    return share > 0 and leaving * 100 > share * old


def _follows_one_that_waits(db: Connection, session: SessionState) -> bool:
    """Whether the refresh just before this one was held, and nobody has decided on it."""
    former = _FORMER.first(db, {"cohort_id": session.cohort_id, "number": session.number})
    return former is not None and former[0] is not None and former[1] is None


# --- what the operator does


def approve(db: Connection, session_id: int, rules: Rules, now: int) -> bool:
    """Those whom the refresh did not name leave, at once or by the worker where the cohort is large (S5), but for
    those of whom a newer session has spoken since (S9). False where the session is not held any more."""
    locked = _held(db, session_id)
    if locked is None:
        return False
    cohort, session = locked
    session.decision = "approved"
    if cohort.member_count > rules.sweep_inline:
        sweep.hand_over(cohort, session, judged=True)
    else:
        stayers = sweep.named(db, session)
        gone = list(sweep.leavers(db, cohort, session, stayers, now))
        sweep.at_once(db, cohort, session, stayers, gone, now)
    sessions.save(db, session)
    cohorts.save(db, cohort)
    return True


def reject(db: Connection, session_id: int, _now: int) -> bool:
    """Nobody leaves by this refresh, and its later pages change nothing any more. False where it is not held."""
    locked = _held(db, session_id)
    if locked is None:
        return False
    _cohort, session = locked
    session.decision, session.status = "rejected", "superseded"
    sessions.save(db, session)
    return True


def would_leave(db: Connection, session_id: int, after_person_id: int, limit: int) -> list[int]:
    """The next `limit` ids over `after_person_id`, ascending, of those who leave if this held refresh is approved as
    things stand now; nobody where it is not held."""
    session = sessions.by_id(db, session_id)
    if session is None or session.status != "held":
        return []
    end = db.execute(_HIGHEST, {"cohort_id": session.cohort_id}).scalar_one() + 1
    found: list[int] = []
    for first in range(after_person_id + 1, end, WINDOW):
        marks = Marks(first, min(WINDOW, end - first))
        marks.add(sweep.blobs(db, session))
        for span in sweep.spans(marks.start, marks.end):
            found += islice(sweep.unnamed(db, session, marks, *span), limit - len(found))
            if len(found) >= limit:
                return found
    return found


def set_percent(db: Connection, cohort_id: int, share: int | None) -> bool:
    """The cohort's own share from now on, 0 to 100; 0 is off, None is the setting's. False where there is no such
    cohort; raises ValueError for any other share."""
    if share is not None and not 0 <= share <= HIGHEST_PERCENT:
        raise ValueError("The share must be a whole number from 0 to 100.")
    return db.execute(_SET_PERCENT, {"id": cohort_id, "percent": share}).rowcount == 1


def _held(db: Connection, session_id: int) -> tuple[CohortState, SessionState] | None:
    locked = sessions.locked(db, session_id)
    return locked if locked is not None and locked[1].status == "held" else None
