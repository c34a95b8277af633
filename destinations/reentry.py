"""Who comes again: a destination is told of each entry, of the first one only, or of none too soon after another."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from destinations import id_lists
from destinations.level import Decision, Told, placements
from destinations.subscriptions import Subscription

_SUPPRESSED = id_lists.for_each_database(
    "people",
    """
    SELECT person_id, entry_number FROM message WHERE subscription_id = :subscription AND kind = 'entered'
        AND generation = 0 AND state = 'suppressed' AND person_id IN {people}""",
)


def decide(db: Connection, subscription: Subscription, rows: Sequence[Row[Any]]) -> Decision:
    """Return which of the claimed messages are sent, and which are suppressed. One that is sent again by hand is."""
    decision = Decision()
    if subscription.reentry == "each":
        decision.told = [Told(row, row.kind, row.person_id, row.entry_number) for row in rows]
        return decision
    told = placements(db, subscription.id, (row.identity for row in rows if row.identity is not None))
    suppressed = _suppressed(db, subscription.id, [row.person_id for row in rows if row.kind == "left"])
    for row in rows:
        reason = None if row.origin in {"resend", "erasure"} else _reason(subscription, row, told, suppressed)
        if reason is None:
            decision.told.append(Told(row, row.kind, row.person_id, row.entry_number))
        else:
            decision.ended.append((row, "suppressed", reason))
    return decision


def _reason(
    subscription: Subscription, row: Row[Any], told: dict[str, Row[Any]], suppressed: set[tuple[int, int]]
) -> str | None:
    if row.kind == "left":
        return "entry_was_suppressed" if (row.person_id, row.entry_number) in suppressed else None
    before = told.get(row.identity)
    if before is None or before.told_at is None or row.attempts:
        return None
    if subscription.cooloff is None:
        return "reentry_once"
    return "reentry_cooloff" if row.at - before.told_at < subscription.cooloff else None


def _suppressed(db: Connection, subscription_id: int, people: list[int]) -> set[tuple[int, int]]:
    if not people:
        return set()
    values = {"subscription": subscription_id, "people": msgspec.json.encode(people).decode()}
    return {(row.person_id, row.entry_number) for row in db.execute(_SUPPRESSED[db.dialect.name], values)}
