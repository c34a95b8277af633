"""Subscriptions and destinations on their way out, piece by piece.

One that drains has what waits sent first; a set is told to let everybody go whom we added. Then its rows go, those of
its messages last, and the destination's own once none of its subscriptions is left.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from destinations import counting, destinations, ledger, subscriptions
from destinations.ledger import Source
from destinations.subscriptions import Subscription
from runtime import Runtime

STEP = 1000

_LEAVING = text("SELECT id FROM subscription WHERE status IN ('draining', 'leaving') ORDER BY id")
_HOLDERS = text("""
    SELECT person_id, identity, entry_number FROM holder WHERE subscription_id = :id ORDER BY person_id LIMIT :step""")
_LEAVE = text("UPDATE subscription SET status = 'leaving' WHERE id = :id")
_PIECES = [
    text(f"""
        DELETE FROM {table} WHERE subscription_id = :id AND {key} IN (
            SELECT {key} FROM {table} WHERE subscription_id = :id LIMIT :step)""")  # noqa: S608 - our own words
    for table, key in (("holder", "person_id"), ("placement", "identity"), ("attempt", "id"), ("message", "id"))
]
_ROWS = [
    text("DELETE FROM subscription_counts WHERE subscription_id = :id"),
    text("DELETE FROM subscription WHERE id = :id"),
]
_GONE = text("""
    DELETE FROM destination WHERE status = 'draining'
        AND NOT EXISTS (SELECT 1 FROM subscription s WHERE s.destination_id = destination.id)""")


def go_on(runtime: Runtime) -> int:
    """Move everything that is on its way out by a piece; return how many rows that were. Raises DatabaseUnavailable."""
    database, now = runtime.database, runtime.clock()
    moved = 0
    for number in database.read(lambda db: list(db.execute(_LEAVING).scalars()), one_statement=True):
        moved += database.write(lambda db, i=number: _step(db, i, now))  # type: ignore[misc]
    if database.read(lambda db: any(one.status == "draining" for one in destinations.listed(db)), one_statement=True):
        moved += database.write(lambda db: db.execute(_GONE).rowcount)
    return moved


def _step(db: Connection, subscription_id: int, now: int) -> int:
    known = subscriptions.by_id(db, subscription_id)
    if known is None or destinations.locked(db, known.destination_id) is None:
        return 0
    if known.stored_status == "leaving":
        return _delete(db, known)
    rows = db.execute(_HOLDERS, {"id": known.id, "step": STEP}).all() if known.kind.family == "level" else []
    if rows:
        _let_go(db, known, rows, now)
    elif not known.counts["waiting"] and not known.counts["sending"]:
        return db.execute(_LEAVE, {"id": known.id}).rowcount
    return len(rows)


def _let_go(db: Connection, known: Subscription, rows: Sequence[Any], now: int) -> None:
    """Nobody holds an identity any more, so that each of them is told to leave."""
    ids, generation = (known.destination_id, known.id), subscriptions.next_generation(db, known.id)
    source = Source(now, origin="resend", priority=1, generation=generation)
    ledger.let_go(db, known.id, [row.person_id for row in rows])
    messages = [
        ledger.waiting(ids, (row.person_id, row.entry_number), "left", row.identity, source, now) for row in rows
    ]
    ledger.insert_messages(db, messages)
    counting.move(db, known.id, {"waiting": len(messages)})


def _delete(db: Connection, known: Subscription) -> int:
    for piece in _PIECES:
        if gone := db.execute(piece, {"id": known.id, "step": STEP}).rowcount:
            return gone
    return sum(db.execute(statement, {"id": known.id}).rowcount for statement in _ROWS)
