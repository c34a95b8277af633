"""Profiles that change while their people are in: whoever gains an identity is told of, whoever gets another one moves.

Mixpanel says nothing when a profile changes, so all that may be concerned are looked through, in pieces, once the
cohort has changed: messages without an identity, then those whom a set holds under an identity that can change.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, text

from config.clock import MINUTE, SECOND
from destinations import counting, ledger
from destinations.bodies import PERSON
from destinations.identity import NoIdentity, lane
from destinations.ledger import Held, Source, Unparked
from destinations.planner import Plan, locked, write
from destinations.probing import for_each, statements
from destinations.subscriptions import Subscription, next_generation
from destinations.suppression import erased
from runtime import Runtime

STEP = 1000
PAUSE = 30 * SECOND  # between two looks
SLACK = 10 * MINUTE  # by which a page's own time may lie before its commit

_DUE = text("""
    SELECT s.id FROM subscription s JOIN cohort c ON c.id = s.cohort_id JOIN destination d ON d.id = s.destination_id
    JOIN subscription_counts n ON n.subscription_id = s.id
    WHERE s.status = 'active' AND d.status = 'active' AND c.change_count = s.position AND (
        s.parked_after IS NOT NULL OR s.holders_after IS NOT NULL
        OR (c.version <> s.profiles_version AND (s.looked_at <= :before OR s.looked_at > :now)
            AND (n.parked > 0 OR (s.identity <> 'distinct_id'
                AND (n.rejected > 0 OR EXISTS (SELECT 1 FROM holder h WHERE h.subscription_id = s.id))))))
    ORDER BY s.id""")
_STATE = text("""
    SELECT s.parked_after, s.holders_after, s.changed_since, c.version
    FROM subscription s JOIN cohort c ON c.id = s.cohort_id WHERE s.id = :id""")
_BEGIN = text("""
    UPDATE subscription SET profiles_version = :version, changed_since = looked_at - :slack, looked_at = :now,
        parked_after = 0, holders_after = NULL
    WHERE id = :id""")
_MOVE = text("UPDATE subscription SET parked_after = :parked, holders_after = :holders WHERE id = :id")
# Each by itself, so that an index finds them among millions that are over.
_OF_STATE = """
    SELECT id, person_id, kind, entry_number, state, reason FROM message
    WHERE subscription_id = :id AND state {} AND id > :after AND identity IS NULL AND generation = 0
    ORDER BY id LIMIT :limit"""
_PARKED = text(f"""
    SELECT x.id, x.person_id, x.kind, x.entry_number, x.state, x.reason, {PERSON}
    FROM (
        SELECT * FROM ({_OF_STATE.format("= 'parked'")}) q
        UNION ALL SELECT * FROM ({_OF_STATE.format("= 'rejected' AND kind = 'entered'")}) q
        ORDER BY id LIMIT :limit) x
    JOIN person p ON p.id = x.person_id ORDER BY x.id""")  # noqa: S608 - our own columns
# By itself: people and cohorts may lie on two nodes (docs/scaling.md).
_STAYS = statements(
    for_each("ids", "person_id, entry_number, left_at FROM membership", "cohort_id = :cohort AND person_id = x.value")
)
_HOLDERS = text(f"""
    SELECT h.person_id, h.identity AS held, h.entry_number, p.updated_at, {PERSON}
    FROM (
        SELECT person_id, identity, entry_number FROM holder
        WHERE subscription_id = :id AND person_id > :after ORDER BY person_id LIMIT :limit) h
    JOIN person p ON p.id = h.person_id ORDER BY h.person_id""")  # noqa: S608


def due(db: Connection, now: int) -> list[int]:
    """Return the ids of the subscriptions whose profiles are to be looked through."""
    return list(db.execute(_DUE, {"now": now, "before": now - PAUSE}).scalars())


def look(runtime: Runtime, subscription_id: int) -> int:
    """Look through the next piece; return how many people were in it. Raises DatabaseUnavailable."""
    now = runtime.clock()
    return runtime.database.write(lambda db: _step(db, runtime, subscription_id, now))


def _step(db: Connection, runtime: Runtime, subscription_id: int, now: int) -> int:
    known = locked(db, subscription_id)
    if known is None or known.behind:
        return 0
    state = db.execute(_STATE, {"id": known.id}).one()
    if state.parked_after is None and state.holders_after is None:
        db.execute(_BEGIN, {"id": known.id, "version": state.version, "now": now, "slack": SLACK})
        return 1
    if state.parked_after is not None:
        return _parked(db, runtime, known, state.parked_after, now)
    return _holders(db, known, state, now)


def _parked(db: Connection, runtime: Runtime, known: Subscription, after: int, now: int) -> int:
    rows = db.execute(_PARKED, {"id": known.id, "after": after, "limit": STEP}).all()
    plan = Plan(known, now, erased(db, runtime.cipher, known.project_id, [row.distinct_id for row in rows]))
    _unpark(db, plan, rows, _present(db, known, rows))
    over = len(rows) < STEP
    moves = plan.is_level and known.identity != "distinct_id"
    db.execute(
        _MOVE,
        {"id": known.id, "parked": None if over else rows[-1].id, "holders": 0 if over and moves else None},
    )
    return len(rows) or 1


def _present(db: Connection, known: Subscription, rows: Sequence[Row[Any]]) -> dict[int, int]:
    """Return the entry numbers of those who are in the cohort now, by person."""
    ids = msgspec.json.encode(sorted({row.person_id for row in rows})).decode()
    stays = _STAYS[db.dialect.name].all(db, {"ids": ids, "cohort": known.cohort}) if rows else []
    return {person_id: entry_number for person_id, entry_number, left_at in stays if left_at is None}


def _unpark(db: Connection, plan: Plan, rows: Sequence[Row[Any]], present: Mapping[int, int]) -> None:
    changes, held, counts = [], [], Counter[str]()
    for row in rows:
        state, reason, identity = _now(plan, row, present.get(row.person_id))
        if (state, reason) == (row.state, row.reason):
            continue
        counts[state] += 1
        counts[row.state] -= 1
        waits = state == "waiting"
        due, ended = plan.now if waits else None, None if waits or state == "parked" else plan.now
        changes.append(Unparked(state, reason, identity, lane(identity) if identity else None, due, ended, row.id))
        if plan.is_level and waits:
            held.append(Held(plan.subscription.id, row.person_id, identity or "", row.entry_number))
    ledger.unpark(db, changes)
    ledger.hold(db, held)
    counting.move(db, plan.subscription.id, counts)


def _now(plan: Plan, row: Row[Any], present: int | None) -> tuple[str, str | None, str | None]:
    """Return what a message without identity is by now: its state, reason and identity. `present` is the number of the
    entry by which its person is in. Whoever had one that cannot be
    may have another one, as long as they are in."""
    if row.distinct_id in plan.erased or row.erased_at is not None:
        return "suppressed", "erased", None
    is_in = row.kind == "entered" and present == row.entry_number
    if row.state == "rejected" and not is_in:
        return row.state, row.reason, None
    if plan.is_level and not is_in:
        return "coalesced", "left_while_parked", None
    try:
        return "waiting", None, plan.rule.of_row(row)
    except NoIdentity as error:
        return error.state, error.reason, None


def _holders(db: Connection, known: Subscription, state: Row[Any], now: int) -> int:
    rows = db.execute(_HOLDERS, {"id": known.id, "after": state.holders_after, "limit": STEP}).all()
    plan = Plan(known, now, set())
    moved = [(row, identity) for row in rows if (identity := _moved(plan, row, state.changed_since)) is not None]
    if moved:
        generation = next_generation(db, known.id)
        for row, identity in moved:
            source = Source(now, origin="identity", generation=generation)
            plan.add(row, "left", ("waiting", None, row.held), source)
            plan.add(row, "entered", ("waiting", None, identity), source)
            plan.held[row.person_id] = (identity, row.entry_number)
        write(db, plan)
    over = len(rows) < STEP
    db.execute(_MOVE, {"id": known.id, "parked": None, "holders": None if over else rows[-1].person_id})
    return len(rows) or 1


def _moved(plan: Plan, row: Row[Any], since: int) -> str | None:
    """Return the identity that somebody has now, None where it is the same or they have none."""
    if row.updated_at <= since:
        return None
    try:
        found = plan.rule.of_row(row)
    except NoIdentity:
        return None
    return None if found == row.held else found
