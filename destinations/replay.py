"""Messages once more, chosen by state and reason: the number first, then piece by piece.

The range is fixed when it begins, so that what fails meanwhile is not taken again. A message of an edge type keeps its
key and its time. One of a level type is rebuilt when it is sent, from who is in then: an old `entered` never brings
back somebody who has left.
"""

from sqlalchemy import Connection, text

from destinations import counting, destinations
from destinations.settings import WrongSettings
from destinations.subscriptions import Subscription
from models.database import Database

STATES = ("rejected", "dead", "uncertain", "suppressed")
PIECE = 5000

_CHOSEN = """
    FROM message WHERE subscription_id = :subscription AND state = :state AND id <= :last
        AND (CAST(:reason AS TEXT) IS NULL OR coalesce(reason, '') = :reason)
        AND (origin <> 'erasure' OR sealed IS NOT NULL)"""
_COUNT = text(f"SELECT count(*) {_CHOSEN}")
_LAST = text("SELECT coalesce(max(id), 0) FROM message WHERE subscription_id = :subscription")
# Whom we rejected ourselves has no identity: the profile is looked at once more.
_AGAIN = text(f"""
    UPDATE message SET state = CASE WHEN identity IS NULL AND sealed IS NULL THEN 'parked' ELSE 'waiting' END,
        reason = NULL, next_at = :now, attempts = 0, first_tried_at = NULL, finished_at = NULL, priority = 1,
        origin = CASE WHEN origin = 'erasure' THEN origin ELSE 'resend' END
    WHERE id IN (SELECT id {_CHOSEN} ORDER BY id LIMIT :piece) RETURNING state""")  # noqa: S608
_LOOK_AGAIN = text("UPDATE subscription SET profiles_version = -1, looked_at = 0 WHERE id = :subscription")


def count(db: Connection, subscription: Subscription, state: str, reason: str | None = None) -> int:
    """Return how many messages a replay would take. Raises WrongSettings."""
    if state not in STATES:
        raise WrongSettings({"state": f"Messages are sent again from {', '.join(STATES)}."})
    values = {"subscription": subscription.id, "state": state, "reason": reason, "last": 2**62}
    return int(db.execute(_COUNT, values).scalar_one())


def replay(database: Database, subscription: Subscription, state: str, reason: str | None, now: int) -> int:
    """Let the messages of a state wait again, only those with this reason where it is given. Return how many. Raises
    WrongSettings and DatabaseUnavailable, after which the same call takes the rest."""
    if not database.read(lambda db: count(db, subscription, state, reason)):
        return 0
    last = database.read(lambda db: int(db.execute(_LAST, {"subscription": subscription.id}).scalar_one()))
    values = {"subscription": subscription.id, "state": state, "reason": reason, "last": last, "now": now}
    total = 0
    while piece := database.write(lambda db: _piece(db, subscription, state, values)):
        total += piece
    return total


def _piece(db: Connection, subscription: Subscription, state: str, values: dict[str, object]) -> int:
    destinations.locked(db, subscription.destination_id)
    found = list(db.execute(_AGAIN, values | {"piece": PIECE}).scalars())
    if "parked" in found:
        db.execute(_LOOK_AGAIN, {"subscription": subscription.id})
    counting.move(db, subscription.id, counting.moved({(state, new): found.count(new) for new in set(found)}))
    return len(found)
