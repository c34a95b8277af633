"""Who comes again: a destination is told of each entry, of the first one only, or of none too soon after another."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from destinations import probing
from destinations.lanes import Due
from destinations.level import AtFarEnd, Decision, Told, placements
from destinations.subscriptions import Subscription

# Which messages `left` end an entry that was suppressed: by the entry's whole key, because millions may be suppressed.
_SUPPRESSED = probing.statements(
    probing.for_each(
        "ids",
        "m.id FROM message m CROSS JOIN message e",
        """m.id = x.value AND e.subscription_id = m.subscription_id AND e.person_id = m.person_id
            AND e.entry_number = m.entry_number AND e.kind = 'entered' AND e.generation = 0
            AND e.state || '' = 'suppressed'""",
    )
)


def decide(db: Connection, subscription: Subscription, rows: Sequence[Due]) -> Decision:
    """Return which of the claimed messages are sent, and which are suppressed. One that is sent again by hand is."""
    decision = Decision()
    if subscription.reentry == "each":
        decision.told = [Told(row, row.kind, row.person_id, row.entry_number) for row in rows]
        return decision
    told = placements(db, subscription.id, (row.identity for row in rows if row.identity is not None))
    suppressed = _suppressed(db, [row.id for row in rows if row.kind == "left"])
    for row in rows:
        reason = None if row.origin in {"resend", "erasure"} else _reason(subscription, row, told, suppressed)
        if reason is None:
            decision.told.append(Told(row, row.kind, row.person_id, row.entry_number))
        else:
            decision.ended.append((row, "suppressed", reason))
    return decision


def _reason(subscription: Subscription, row: Due, told: dict[str, AtFarEnd], suppressed: set[int]) -> str | None:
    if row.kind == "left":
        return "entry_was_suppressed" if row.id in suppressed else None
    before = told.get(row.identity or "")
    if before is None or before.told_at is None or row.attempts:
        return None
    if subscription.cooloff is None:
        return "reentry_once"
    return "reentry_cooloff" if row.at - before.told_at < subscription.cooloff else None


def _suppressed(db: Connection, ids: list[int]) -> set[int]:
    if not ids:
        return set()
    found = _SUPPRESSED[db.dialect.name].all(db, {"ids": msgspec.json.encode(ids).decode()})
    return {number for (number,) in found}
