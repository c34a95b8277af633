"""One subscription: what is planned, sent and applied, what waits and until when, and what was rejected and why."""

from dataclasses import dataclass
from typing import Any

from flask import abort, render_template
from sqlalchemy import Connection, text

from blueprints import rows
from blueprints.dashboard import blueprint
from blueprints.dashboard.destinations import status, strip, words
from blueprints.dashboard.destinations.status import DestinationStatus
from destinations import destinations, messages, registry, subscriptions
from destinations.subscriptions import Subscription
from runtime import current_runtime

CELLS = 60  # of the strip
LOOKED_AT = 10_000  # messages that wait for a moment, and of each state, that are grouped; more are said to be more
# In the strip what is over comes first.
OVER = ("applied", "accepted", "coalesced", "suppressed", "uncertain", "parked", "rejected", "dead")
SHOWN = 8  # calls on a subscription's page

# Those whose moment is still to come, by what they wait for: at most LOOKED_AT of them, along the index of what waits.
_LATER = text("""
    SELECT reason, count(*) AS messages, min(next_at) AS first, max(next_at) AS last FROM (
        SELECT reason, next_at FROM message
        WHERE subscription_id = :id AND state = 'waiting' AND priority IN (0, 1) AND next_at > :now
        LIMIT :most) w
    GROUP BY reason ORDER BY first""")
# Whom we rejected ourselves has no identity: no call has carried them.
GROUPED = ("rejected", "dead", "uncertain", "parked")
_OF_A_STATE = """
    SELECT * FROM (
        SELECT state, reason, identity FROM message WHERE subscription_id = :id AND state = '{state}'
        LIMIT :most) {state}"""
_REASONS = text(f"""
    SELECT state, reason, count(*) AS messages, count(CASE WHEN identity IS NULL THEN 1 END) AS ours
    FROM ({" UNION ALL ".join(_OF_A_STATE.format(state=state) for state in GROUPED)}) m
    GROUP BY state, reason ORDER BY messages DESC, reason LIMIT 100""")  # noqa: S608 - our own words


@dataclass(frozen=True)
class Later:
    """Messages that wait for a moment that is still to come, by the reason of it."""

    reason: str | None
    messages: int
    first: int
    last: int


@dataclass(frozen=True)
class Group:
    """Messages of a state that have one reason; `ours` of them were never sent, because we could not."""

    state: str
    reason: str | None
    messages: int
    ours: int


@dataclass(frozen=True)
class Progress:
    """How far it is. `planned` are all messages, `total` with the changes that are no messages yet; `sent` are those
    that a call has carried to an end, `applied` those that the far end has taken."""

    planned: int
    total: int
    sent: int
    applied: int
    cells: list[strip.Cell]


@blueprint.get("/destinations/subscriptions/<int:subscription_id>")
def show_subscription(subscription_id: int) -> str:
    return render_template("dashboard/destinations/subscription.html", **_seen(subscription_id))


@blueprint.get("/destinations/subscriptions/<int:subscription_id>/now")
def show_subscription_now(subscription_id: int) -> str:
    """The part that changes by itself; it asks again while there is work under way."""
    return render_template("dashboard/destinations/_subscription_now.html", **_seen(subscription_id))


def subscription_or_404(db: Connection, subscription_id: int) -> Subscription:
    """Return the subscription of this address. Raises NotFound."""
    return subscriptions.by_id(db, subscription_id) or abort(404)


def find(subscription_id: int) -> Subscription:
    """Read the subscription of this address. Raises NotFound."""
    return current_runtime().database.read(lambda db: subscription_or_404(db, subscription_id), one_statement=True)


def _seen(subscription_id: int) -> dict[str, Any]:
    runtime = current_runtime()
    now = runtime.clock()

    def read(db: Connection) -> dict[str, Any]:
        known = subscription_or_404(db, subscription_id)
        groups = rows.every(db.execute(_REASONS, {"id": known.id, "most": LOOKED_AT}), Group)
        return {
            "known": known,
            "groups": groups,
            "far_end": _far_end(db, known, now),
            "later": rows.every(db.execute(_LATER, {"id": known.id, "now": now, "most": LOOKED_AT}), Later),
            "oldest": subscriptions.oldest_waiting_at(db, known.id),
            "attempts": messages.attempts(db, known, limit=SHOWN),
            "progress": progress(known, groups),
        }

    seen = runtime.database.read(read)
    return seen | {"words": words, "kind": registry.TYPES.get(seen["known"].type), "most": LOOKED_AT, **_moves(seen)}


def _far_end(db: Connection, known: Subscription, now: int) -> DestinationStatus:
    destination = destinations.by_id(db, known.destination_id) or abort(404)
    return status.read_one(db, destination, now)


def _moves(seen: dict[str, Any]) -> dict[str, bool]:
    """Whether something changes by itself: what waits for a person does not."""
    known: Subscription = seen["known"]
    busy = known.behind > 0 or known.counts["sending"] > 0 or known.counts["waiting"] > known.held
    if known.status == "failing":
        return {"moves": busy and seen["far_end"].moves}
    at_work = known.is_going or known.status == "backfilling"
    return {"moves": at_work or (known.status == "active" and busy)}


def progress(known: Subscription, groups: list[Group]) -> Progress:
    """Count what is planned, sent and applied, and draw it as a strip."""
    counts, behind = known.counts, max(0, known.behind)
    planned, applied = sum(counts.values()), counts["applied"] + counts["accepted"]
    ours = sum(group.ours for group in groups if group.state == "rejected")
    sent = applied + counts["uncertain"] + counts["dead"] + max(0, counts["rejected"] - ours)
    unfilled = max(0, (known.backfill_total or 0) - known.backfill_planned) if known.backfill_after is not None else 0
    unplanned = behind + unfilled
    parts = [(state, words.STATES[state][1].lower(), counts[state]) for state in (*OVER, "sending", "waiting")]
    cells = strip.cells([*parts, ("unplanned", "not planned yet", unplanned)], CELLS)
    return Progress(planned, planned + unplanned, sent, applied, cells)
