"""Which messages may be sent now: the first of each lane that is not over, and none beside one that is under way.

Claims are those of `models.claims`, under the lock of the destination: no two workers look at its lanes at once, so
that a lane never has two messages under way.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, text

from destinations import probing
from destinations.subscriptions import Subscription
from models.claims import Claims, Lease

LIVE, SLOW = 0, 1


class Due(NamedTuple):
    """A message that may be sent: the columns of its row that a call needs."""

    id: int
    person_id: int
    entry_number: int
    kind: str
    generation: int
    identity: str | None
    lane: int
    origin: str
    session_id: int
    at: int
    position: int
    attempts: int
    first_tried_at: int | None
    reason: str | None
    sealed: str | None
    next_at: int | None
    is_last: bool = False  # of its lane, as far as the claim has looked


COLUMNS = ", ".join(name for name in Due._fields if name != "is_last")

# The order is that of a subscription's cohort: what waits of another one holds nothing back, what is under way does.
# An aggregate, because a database may turn any other question about the lane into a scan of all that waits.
_HEAD = """message.id = (
    SELECT min(CASE WHEN e.state = 'sending' THEN 0 ELSE e.id END) FROM message e
    WHERE e.destination_id = message.destination_id AND e.lane = message.lane AND e.state IN ('waiting', 'sending')
        AND (e.state = 'sending' OR e.subscription_id = message.subscription_id))"""
_LAST = """(
    SELECT max(e.id) FROM message e
    WHERE e.destination_id = message.destination_id AND e.lane = message.lane
        AND e.state IN ('waiting', 'sending')) = message.id"""
_FIRST = f"""subscription_id = :subscription AND priority = :priority AND state = 'waiting' AND next_at <= :now
    AND {_HEAD}"""
_ALONE = Claims("message", _FIRST, returning=COLUMNS, order="next_at, id")
_WITH_OTHERS = Claims("message", _FIRST, returning=f"{COLUMNS}, {_LAST}", order="next_at, id")
# One of them is asked for, because PostgreSQL turns the question whether one EXISTS into a join with all that wait.
_DUE = text("""
    SELECT s.id FROM subscription s
    WHERE s.destination_id = :destination AND s.status IN ('active', 'draining') AND (
        SELECT m.id FROM message m WHERE m.subscription_id = s.id AND m.priority = :priority AND m.state = 'waiting'
            AND m.next_at <= :now LIMIT 1) IS NOT NULL
    ORDER BY s.id <= :after, s.id""")
# What waits of a subscription may be a backlog of millions: its columns are written so that no index of them fits.
_BESIDE = probing.statements(
    probing.for_each(
        "lanes",
        f"{COLUMNS} FROM message",
        """destination_id = :destination AND lane = x.value AND state IN ('waiting', 'sending')
            AND +subscription_id = :subscription AND state || '' = 'waiting'""",
        index="ix_message_lane",
    ),
    "ORDER BY id",
)


def due(db: Connection, destination_id: int, priority: int, after: int, now: int) -> list[int]:
    """Return the subscriptions that have something to send now, those behind the id `after` first."""
    values = {"destination": destination_id, "priority": priority, "after": after, "now": now}
    return list(db.execute(_DUE, values).scalars())


def heads(db: Connection, subscription: Subscription, priority: int, limit: int, lease: Lease, now: int) -> list[Due]:
    """Return the first messages that may be sent, one of a lane, in the order in which they are due; those that
    `ledger.carry` or `ledger.change` then writes are claimed or over. Of a set they say which are the last of their
    lanes, which `beside` wants to know."""
    values = {"subscription": subscription.id, "priority": priority}
    claims = _WITH_OTHERS if subscription.kind.family == "level" else _ALONE
    return [Due(*row) for row in claims.look(db, limit, lease, now, values)]


def beside(db: Connection, destination_id: int, subscription_id: int, heads: Sequence[Due]) -> list[Due]:
    """Return the other messages of the lanes of `heads` that wait, of the same subscription, in their order."""
    lanes = msgspec.json.encode(sorted({row.lane for row in heads if not row.is_last})).decode()
    values = {"destination": destination_id, "subscription": subscription_id, "lanes": lanes}
    known = {row.id for row in heads}
    found = _BESIDE[db.dialect.name].all(db, values)
    return [Due(*row) for row in found if row[0] not in known]
