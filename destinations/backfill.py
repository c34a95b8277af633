"""Whoever was in when a subscription began: told of with their own entry numbers, more slowly than what happens now.

The members at log number P are those whose last change is not behind P, in pieces by their ids; of whoever has left
since then the planner takes care, which sees them go. A message of both has the same key, so that nobody is told of
twice. Pieces wait until most of what was planned before them is sent: the table stays small, and what is live goes
first.
"""

from typing import NamedTuple

from sqlalchemy import Connection, text

from destinations.bodies import PERSON_TO_NAME
from destinations.ledger import Source
from destinations.planner import ENTRY, Plan, locked, write
from destinations.probing import probes
from destinations.suppression import erased
from models.statement import Statement
from runtime import Runtime

STEP = 1000
BACKLOG = 5000  # messages that may wait when another piece is planned

_UNDER_WAY = text("""
    SELECT s.id FROM subscription s JOIN destination d ON d.id = s.destination_id
    JOIN subscription_counts n ON n.subscription_id = s.id
    WHERE s.status = 'active' AND d.status = 'active' AND s.backfill_after IS NOT NULL AND n.waiting < :backlog
    ORDER BY s.id""")
_MEMBERS = {
    dialect: Statement(f"""
    SELECT x.person_id, x.entry_number, x.entered_at, {PERSON_TO_NAME}, e.id
    FROM (
        SELECT person_id, entry_number, entered_at FROM membership
        WHERE cohort_id = :cohort AND person_id > :after AND left_at IS NULL AND change_number <= :start
        ORDER BY person_id LIMIT :limit) x
    {joined}
    ORDER BY x.person_id""")  # noqa: S608 - our own columns
    for dialect, joined in probes(
        ("p", "p.* FROM person p", "p.id = x.person_id", True),
        ("e", "e.* FROM message e", ENTRY.format(person="x.person_id"), False),
    ).items()
}
_MOVE = text("""
    UPDATE subscription SET backfill_after = :after, backfill_end = :end, backfill_planned = backfill_planned + :planned
    WHERE id = :id""")


class Member(NamedTuple):
    """A row of a cohort's members, its person, and the message that told of the entry."""

    person_id: int
    entry_number: int
    entered_at: int
    distinct_id: str
    email: str | None
    first_name: str | None
    last_name: str | None
    phone_number: str | None
    properties: str | None
    erased_at: int | None
    entered_id: int | None


def under_way(db: Connection) -> list[int]:
    """Return the ids of the subscriptions whose backfill may go on."""
    return list(db.execute(_UNDER_WAY, {"backlog": BACKLOG}).scalars())


def plan(runtime: Runtime, subscription_id: int) -> int:
    """Plan the next piece of a backfill; return how many members it had. Raises DatabaseUnavailable."""
    now = runtime.clock()
    return runtime.database.write(lambda db: _step(db, runtime, subscription_id, now))


def _step(db: Connection, runtime: Runtime, subscription_id: int, now: int) -> int:
    known = locked(db, subscription_id)
    if known is None or known.backfill_after is None:
        return 0
    values = {"cohort": known.cohort, "subscription": known.id, "limit": STEP}
    values["properties"] = int(known.rule().is_property)
    values |= {"after": known.backfill_after, "start": known.start_position}
    rows = [Member._make(row) for row in _MEMBERS[db.dialect.name].all(db, values)]
    plan = Plan(known, now, erased(db, runtime.cipher, known.project_id, [row.distinct_id for row in rows]))
    for row in rows:
        if row.entered_id is None:
            plan.enter(row, Source(row.entered_at, origin="backfill", priority=1))
    write(db, plan)
    over = len(rows) < STEP
    moved = {"after": None if over else rows[-1].person_id, "end": known.position + known.behind if over else None}
    db.execute(_MOVE, moved | {"planned": len(rows), "id": known.id})
    return len(rows)
