"""How long messages and attempts are kept: what ended before a moment goes, and stays in its subscription's counts.

What is not over stays, however old. What becomes of an erasure stays too: it is part of its proof.
"""

from sqlalchemy import Connection, text

from models.database import Database

STEP = 5000

_SUBSCRIPTIONS = text("SELECT id FROM subscription ORDER BY id")
_STATES = ("applied", "accepted", "coalesced", "suppressed", "rejected", "uncertain", "dead")
_FOLD = text("""
    DELETE FROM message WHERE id IN (
        SELECT id FROM message WHERE subscription_id = :subscription AND state = :state AND finished_at < :before
            AND id <= :last AND origin <> 'erasure'
        ORDER BY id LIMIT :step)""")
_LAST = text("""
    SELECT max(id) FROM (
        SELECT id FROM message WHERE subscription_id = :subscription AND state = :state ORDER BY id LIMIT :step) x""")
_COUNT = text("UPDATE subscription_counts SET folded = folded + :folded WHERE subscription_id = :subscription")
_ATTEMPTS = text("""
    DELETE FROM attempt WHERE id IN (
        SELECT id FROM attempt WHERE started_at < :before AND ended_at IS NOT NULL ORDER BY started_at LIMIT :step)""")


def fold(database: Database, before: int) -> int:
    """Remove what ended before a moment (ms); return how many rows went. Raises DatabaseUnavailable."""
    gone = 0
    for number in database.read(lambda db: list(db.execute(_SUBSCRIPTIONS).scalars()), one_statement=True):
        for state in _STATES:
            while step := database.write(lambda db, n=number, s=state: _fold(db, n, s, before)):  # type: ignore[misc]
                gone += step
    while step := database.write(lambda db: db.execute(_ATTEMPTS, {"before": before, "step": STEP}).rowcount):
        gone += step
    return gone


def _fold(db: Connection, subscription_id: int, state: str, before: int) -> int:
    """The oldest messages of a state only: they ended first, so that a step looks at no more rows than it removes."""
    values = {"subscription": subscription_id, "state": state, "step": STEP}
    last = db.execute(_LAST, values).scalar_one()
    if last is None:
        return 0
    gone = db.execute(_FOLD, values | {"before": before, "last": last}).rowcount
    if gone:
        db.execute(_COUNT, {"subscription": subscription_id, "folded": gone})
    return gone
