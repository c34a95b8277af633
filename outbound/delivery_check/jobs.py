"""The delivery checks that were asked for: one row a delivery, which a new check of the same delivery replaces."""

from dataclasses import dataclass, fields

from sqlalchemy import Connection, select, text, update

from config.clock import HOUR, MINUTE, SECOND
from models.claims import Claim, Claims, Lease
from models.columns import columns_of
from models.outbound import Landing
from outbound.delivery_check.event import Sought

# No look waits longer than the hour of a budget: what lies twice as far ahead was noted before the clock was set back.
LEASE = Lease(2 * MINUTE, furthest=2 * HOUR)
FIRST_LOOK = 10 * SECOND  # after the sending; before that nothing was ever seen

_ASK = text("""
    INSERT INTO landing (delivery_id, event, distinct_id, insert_id, event_at, state, cause, looks, asked_at, next_at)
    VALUES (:delivery, :event, :distinct_id, :insert_id, :event_at, :state, :cause, 0, :now, :next_at)
    ON CONFLICT (delivery_id) DO UPDATE SET event = excluded.event, distinct_id = excluded.distinct_id,
        insert_id = excluded.insert_id, event_at = excluded.event_at, state = excluded.state, cause = excluded.cause,
        looks = 0, asked_at = excluded.asked_at, next_at = excluded.next_at, visible_at = NULL, claimed_until = NULL""")


@dataclass(frozen=True)
class DeliveryCheck:
    """A delivery check; see `models.outbound.Landing`. `cause` is one sentence or more, each on a line of its own."""

    id: int
    delivery_id: int
    event: str
    distinct_id: str
    insert_id: str
    event_at: int
    state: str
    cause: str | None
    looks: int
    asked_at: int
    next_at: int | None
    visible_at: int | None
    claimed_until: int | None

    @property
    def sentences(self) -> list[str]:
        return self.cause.splitlines() if self.cause else []


@dataclass(frozen=True)
class LookResult:
    """What a look changes: the row's columns of the same names. `counts` says whether Mixpanel was really asked."""

    state: str
    cause: str | None = None
    next_at: int | None = None
    visible_at: int | None = None
    counts: bool = True


_CLAIMS = Claims(
    "landing",
    "state = 'waiting' AND (next_at <= :now OR next_at > :beyond)",
    returning=", ".join(field.name for field in fields(DeliveryCheck)),
    order="next_at",
)
_END = text(
    _CLAIMS.update(
        """state = :state, cause = :cause, looks = :looks, next_at = :next_at, visible_at = :visible_at,
        claimed_until = NULL"""
    )
)


def ask(db: Connection, delivery: int, sought: Sought, sent_at: int, now: int, hindrance: str = "") -> None:
    """Look for this event, from the beginning. With a `hindrance` it stops at once and says why."""
    values = {"event": sought.event, "distinct_id": sought.distinct_id, "insert_id": sought.insert_id}
    begin = {"state": "waiting", "cause": None, "next_at": max(now, sent_at + FIRST_LOOK)}
    if hindrance:
        begin = {"state": "stopped", "cause": hindrance, "next_at": None}
    db.execute(_ASK, values | begin | {"delivery": delivery, "event_at": sought.at, "now": now})


def of(db: Connection, delivery: int) -> DeliveryCheck | None:
    """Return the check of this delivery."""
    row = db.execute(select(*columns_of(Landing, DeliveryCheck)).where(Landing.delivery_id == delivery)).one_or_none()
    return None if row is None else DeliveryCheck(*row)


def stop(db: Connection, delivery: int, why: str) -> bool:
    """Stop looking; False where it was over already."""
    waits = (Landing.delivery_id == delivery, Landing.state == "waiting")
    stopped = {"state": "stopped", "cause": why, "next_at": None, "claimed_until": None}
    return db.execute(update(Landing).where(*waits).values(stopped)).rowcount == 1


# --- what the worker does with it


def due(db: Connection, now: int) -> int | None:
    """Return the id of the check whose turn it is, and at which nobody looks."""
    return next(iter(_CLAIMS.due(db, LEASE, now)), None)


def claim(db: Connection, check_id: int, now: int) -> DeliveryCheck | None:
    """Claim a check until its `claimed_until`; None where another worker has it, or it is not its turn."""
    row = _CLAIMS.claim(db, check_id, LEASE, now)
    return None if row is None else DeliveryCheck(**row._asdict())


def end(db: Connection, claimed: DeliveryCheck, looked: LookResult) -> bool:
    """Keep what a look found; False where it was stopped or taken over meanwhile, and nothing is changed."""
    values = {
        "state": looked.state,
        "cause": looked.cause,
        "next_at": looked.next_at,
        "visible_at": looked.visible_at,
        "looks": claimed.looks + looked.counts,
    }
    return db.execute(_END, values | Claim(claimed.id, claimed.claimed_until or 0).values).rowcount == 1
