"""The second removal guard: a set that is about to lose more than its share waits for a person.

The first one (`sync.sweep.guard`) holds a refresh. This one counts, for one subscription, whom it would remove within
an hour, however they left; above the share, messages `left` wait until somebody decides. Messages `entered` go on.
"""

from sqlalchemy import Connection, text

from config.clock import HOUR
from destinations import counting, probing
from destinations.ledger import NewMessage
from destinations.subscriptions import Subscription

LEAST = 10  # removals that are never held
WINDOW = HOUR
HELD = "held_by_guard"

_STATE = text("SELECT guard_since, guard_base, guard_left, held_at FROM subscription WHERE id = :id")
_BASE = text("SELECT count(*) FROM placement WHERE subscription_id = :id AND there <> 'out'")
_COUNT = text("""
    UPDATE subscription SET guard_since = :since, guard_base = :base, guard_left = :left WHERE id = :id""")
_HOLD = text("""
    UPDATE subscription SET held = held + :more, held_at = coalesce(held_at, :now) WHERE id = :id""")
_RELEASE = text("""
    UPDATE message SET next_at = :now, reason = NULL
    WHERE subscription_id = :id AND state = 'waiting' AND next_at IS NULL AND reason = 'held_by_guard'""")
_KEEP = text("""
    UPDATE message SET state = 'suppressed', reason = 'kept_by_hand', finished_at = :now
    WHERE subscription_id = :id AND state = 'waiting' AND next_at IS NULL AND reason = 'held_by_guard'""")
_BACK = probing.update_each(
    "state = 'coalesced', reason = 'overtaken', finished_at = :now",
    probing.for_each(
        "people",
        "id FROM message",
        """subscription_id = x.subscription AND person_id = x.value AND next_at IS NULL
            AND state || '' = 'waiting' AND reason = 'held_by_guard'""",
    ),
)
_FEWER = text("""
    UPDATE subscription SET held = held - :fewer, held_at = CASE WHEN held > :fewer THEN held_at END WHERE id = :id""")
_DECIDED = text("""
    UPDATE subscription SET held = 0, held_at = NULL, guard_since = NULL, guard_left = 0 WHERE id = :id""")


def hold(db: Connection, known: Subscription, messages: list[NewMessage], now: int) -> None:
    """Hold the messages `left` among `messages` where they would take too many. Whoever comes back needs no
    decision."""
    if known.kind.family != "level":
        return
    if known.held:
        _come_back(db, known, {one.person_id for one in messages if one.kind == "entered"}, now)
    last = {one.person_id: place for place, one in enumerate(messages)}
    places = [place for place in last.values() if _removes(messages[place])]
    if not places or not known.guard_percent:
        return
    row = db.execute(_STATE, {"id": known.id}).one()
    since, base, left = row.guard_since, row.guard_base, row.guard_left
    if since is None or not 0 <= now - since < WINDOW:
        since, base, left = now, db.execute(_BASE, {"id": known.id}).scalar_one(), 0
    if row.held_at is None and not _is_too_much(left + len(places), base, known.guard_percent):
        db.execute(_COUNT, {"id": known.id, "since": since, "base": base, "left": left + len(places)})
        return
    for place in places:
        messages[place] = messages[place]._replace(next_at=None, reason=HELD)
    db.execute(_HOLD, {"id": known.id, "more": len(places), "now": now})


def approve(db: Connection, known: Subscription, now: int) -> int:
    """Let what is held go; return how many messages."""
    found = db.execute(_RELEASE, {"id": known.id, "now": now}).rowcount
    db.execute(_DECIDED, {"id": known.id})
    return found


def keep(db: Connection, known: Subscription, now: int) -> int:
    """Send nothing of what is held: who would have been removed stays there. Return how many messages end."""
    found = db.execute(_KEEP, {"id": known.id, "now": now}).rowcount
    db.execute(_DECIDED, {"id": known.id})
    counting.move(db, known.id, {"waiting": -found, "suppressed": found})
    return found


def _removes(message: NewMessage) -> bool:
    return message.kind == "left" and message.state == "waiting"


def _come_back(db: Connection, known: Subscription, people: set[int], now: int) -> None:
    values = {"subscription": known.id, "people": str(sorted(people)), "now": now}
    found = _BACK[db.dialect.name].run(db, values)
    if found:
        db.execute(_FEWER, {"id": known.id, "fewer": found})
        counting.move(db, known.id, {"waiting": -found, "coalesced": found})


def _is_too_much(removals: int, base: int, percent: int) -> bool:
    return removals > LEAST and removals * 100 > base * percent
