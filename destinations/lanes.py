"""Which messages may be sent now: the first of each lane that is not over, and none beside one that is under way.

Claims are those of `models.claims`, under the lock of the destination: no two workers look at its lanes at once, so
that a lane never has two messages under way.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, text

from destinations import id_lists
from models.claims import Claims, Lease

COLUMNS = """id, person_id, entry_number, kind, generation, identity, lane, origin, session_id, at, position, attempts,
    first_tried_at, reason, sealed, next_at"""
LIVE, SLOW = 0, 1

# The order is that of a subscription's cohort: what waits of another one holds nothing back, what is under way does.
# An aggregate, because a database may turn any other question about the lane into a scan of all that waits.
_HEAD = """message.id = (
    SELECT min(CASE WHEN e.state = 'sending' THEN 0 ELSE e.id END) FROM message e
    WHERE e.destination_id = message.destination_id AND e.lane = message.lane AND e.state IN ('waiting', 'sending')
        AND (e.state = 'sending' OR e.subscription_id = message.subscription_id))"""
_CLAIMS = Claims(
    "message",
    f"subscription_id = :subscription AND priority = :priority AND state = 'waiting' AND next_at <= :now AND {_HEAD}",
    returning=COLUMNS,
    order="next_at, id",
)
_DUE = text("""
    SELECT s.id FROM subscription s
    WHERE s.destination_id = :destination AND s.status IN ('active', 'draining') AND EXISTS (
        SELECT 1 FROM message m WHERE m.subscription_id = s.id AND m.priority = :priority AND m.state = 'waiting'
            AND m.next_at <= :now)
    ORDER BY s.id <= :after, s.id""")
_BESIDE = id_lists.for_each_database(
    "lanes heads",
    f"""
    SELECT {COLUMNS} FROM message WHERE destination_id = :destination AND subscription_id = :subscription
        AND state = 'waiting' AND state IN ('waiting', 'sending') AND lane IN {{lanes}} AND id NOT IN {{heads}}
    ORDER BY id""",  # noqa: S608
)


def due(db: Connection, destination_id: int, priority: int, after: int, now: int) -> list[int]:
    """Return the subscriptions that have something to send now, those behind the id `after` first."""
    values = {"destination": destination_id, "priority": priority, "after": after, "now": now}
    return list(db.execute(_DUE, values).scalars())


def heads(
    db: Connection, subscription_id: int, priority: int, limit: int, lease: Lease, now: int
) -> Sequence[Row[Any]]:
    """Return the first messages that may be sent, one of a lane, in the order in which they are due; those that
    `ledger.carry` or `ledger.change` then writes are claimed or over."""
    values = {"subscription": subscription_id, "priority": priority}
    return _CLAIMS.look(db, limit, lease, now, values)


def beside(db: Connection, destination_id: int, subscription_id: int, heads: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """Return the other messages of the lanes of `heads` that wait, of the same subscription, in their order."""
    lists = {
        "lanes": msgspec.json.encode([row.lane for row in heads]).decode(),
        "heads": msgspec.json.encode([row.id for row in heads]).decode(),
    }
    values = {"destination": destination_id, "subscription": subscription_id, **lists}
    return db.execute(_BESIDE[db.dialect.name], values).all()
