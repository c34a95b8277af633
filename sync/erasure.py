"""Erasing one person: out of every cohort, and the person's row becomes one of nobody (S10, S11, S14).

All in one transaction, under the locks of all cohorts of the project: a page sees the person as it was before, or not
at all. Afterwards nothing leads from the old id to the row. Whoever Mixpanel sends under that id again is new.
"""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from models.queries.trail import trail
from sync import dialects
from sync.apply import cohorts, sessions
from sync.apply.cohorts import CohortState
from sync.apply.sessions import SessionState

ACTION = "erasure"  # of the sessions that book the exits; no call of Mixpanel has it
ALIAS = "erased-"  # what the random ids of erased people begin with

_FIND = text("""
    SELECT id, email, first_name, last_name, phone_number FROM person
    WHERE project_id = :project_id AND distinct_id = :distinct_id""")

_FORMER = text("""
    SELECT m.cohort_id, m.entered_at, m.entry_number, m.change_number, m.left_at FROM cohort c CROSS JOIN membership m
    WHERE c.project_id = :project_id AND m.cohort_id = c.id AND m.person_id = :person ORDER BY m.cohort_id""")

_LOGGED = text(
    trail(("entered",), "SELECT count(*) AS changes, count(CASE WHEN entered THEN 1 END) AS stays FROM trail")
)

_LOWEST = text("SELECT min(number) FROM sync_session WHERE cohort_id = :cohort")

# Another id may mean another node (docs/scaling.md), so the row goes and comes back under its number.
_FORGET = text("DELETE FROM person WHERE project_id = :project_id AND distinct_id = :distinct_id")
_NOBODY = text("""
    INSERT INTO person (id, project_id, distinct_id, named_fields, properties, created_at, updated_at, erased_at)
    VALUES (:person, :project_id, :alias, 0, '{}', :now, :now, :now)""")


@dataclass(frozen=True)
class PersonCounts:
    """What receiving has of a person: `cohorts` where they are now, `stays` in all and `changes` of the log."""

    profiles: int = 0
    cohorts: int = 0
    stays: int = 0
    changes: int = 0

    @property
    def counts(self) -> dict[str, int]:
        return asdict(self)


def find(db: Connection, project_id: str, distinct_id: str) -> Row[Any] | None:
    """Return the person's id with us, e-mail, names and phone number; None where there is no such person."""
    return db.execute(_FIND, {"project_id": project_id, "distinct_id": distinct_id}).one_or_none()


def known(db: Connection, project_id: str, person_id: int) -> PersonCounts:
    """Count what an erasure would take away."""
    values = {"project_id": project_id, "person": person_id}
    rows, logged = db.execute(_FORMER, values).all(), db.execute(_LOGGED, values).one()
    return PersonCounts(1, sum(row.left_at is None for row in rows), logged.stays, logged.changes)


def erase(db: Connection, project_id: str, distinct_id: str, alias: str, now: int) -> PersonCounts:
    """Count the person's exits, and let `alias`, which is random, stand for them from now on. Return what there was
    before."""
    cohorts.lock_project(db, project_id)
    person = find(db, project_id, distinct_id)
    if person is None:
        return PersonCounts()
    before = known(db, project_id, person.id)
    for row in db.execute(_FORMER, {"project_id": project_id, "person": person.id}).all():
        if row.left_at is None:
            _leave(db, cohorts.lock_by_id(db, row.cohort_id), person.id, row, now)
    who = {"project_id": project_id, "distinct_id": distinct_id}
    db.execute(_FORGET, who)
    db.execute(_NOBODY, who | {"person": person.id, "alias": alias, "now": now})
    return before


def _leave(db: Connection, cohort: CohortState, person_id: int, row: Row[Any], now: int) -> None:
    """Count one exit, on a session of its own: every change of the log belongs to one, and a size over time is a sum
    over them. What is known of Mixpanel's calls (last call, rhythm, label, order) stays as it is."""
    session = _session(db, cohort.id, now)
    cohort.count_changes(0, 1)
    session.count_changes(cohort, 0, 1)
    sessions.save(db, session)
    stay = (person_id, row.entered_at, now, row.entry_number, cohort.change_count, False, row.change_number)
    dialects.of(db).write_stays(db, cohort.id, session.number, session.id, [stay], now)
    cohorts.save(db, cohort)


def _session(db: Connection, cohort_id: int, now: int) -> SessionState:
    """Return a session that is numbered below all others: S9 orders what Mixpanel has said, and nobody can speak of
    this person any more."""
    lowest = db.execute(_LOWEST, {"cohort": cohort_id}).scalar_one() or 0
    return sessions.new(cohort_id, min(lowest, 0) - 1, "", ACTION, 0, now, status="complete", completed_at=now)
