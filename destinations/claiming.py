"""Messages become calls: claimed, settled, and each call's attempt written, in one transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from destinations import (
    calls,
    counting,
    credentials,
    destinations,
    finishing,
    lanes,
    ledger,
    level,
    pausing,
    reentry,
    subscriptions,
)
from destinations.calls import Call, lease_of
from destinations.destinations import Destination
from destinations.lanes import Due
from destinations.level import Decision, Told
from destinations.settings import batch_size
from destinations.subscriptions import Subscription
from runtime import Runtime

_OPEN = text("""
    SELECT count(*) FROM attempt WHERE destination_id = :destination AND ended_at IS NULL AND started_at > :since""")


@dataclass
class Claimed:
    """The calls to be made. `settled` counts the messages that were claimed, also those that need no call; `slow` says
    that some of them tell of who was in already."""

    calls: list[Call] = field(default_factory=list)
    settled: int = 0
    slow: bool = False


def claim(db: Connection, runtime: Runtime, destination_id: int, room: int, after: int = 0) -> Claimed:
    """Claim what up to `room` calls carry, of the subscriptions behind the id `after` first."""
    now, claimed = runtime.clock(), Claimed()
    known = destinations.locked(db, destination_id)
    if known is None or not pausing.may_send(known, now):
        return claimed
    probe = known.status == "paused"
    room = min(room, 1 if probe else room, _free(db, runtime, known, now))
    for priority in (lanes.LIVE, lanes.SLOW):
        if room > len(claimed.calls):
            for subscription_id in lanes.due(db, known.id, priority, after, now):
                left = room - len(claimed.calls)
                subscription = subscriptions.by_id(db, subscription_id) if left > 0 else None
                if subscription is not None:
                    _claim(db, runtime, known, subscription, claimed, (priority, 1 if probe else 0, left))
    return claimed


def _free(db: Connection, runtime: Runtime, known: Destination, now: int) -> int:
    """Return how many more calls all workers together may make at once with these credentials."""
    since = now - lease_of(known).length
    sharing = credentials.sharing(db, runtime, known)
    under_way = sum(int(db.execute(_OPEN, {"destination": one, "since": since}).scalar_one()) for one in sharing)
    return int(known.settings.get("concurrency") or known.kind.budget.concurrency) - under_way


def _claim(
    db: Connection,
    runtime: Runtime,
    known: Destination,
    subscription: Subscription,
    claimed: Claimed,
    wanted: tuple[int, int, int],
) -> None:
    """Claim of one subscription; `wanted` is the priority, a limit of messages (0 for none), and the room for calls."""
    now = runtime.clock()
    priority, most, room = wanted
    batch = batch_size(known.kind, known.settings)
    rows = lanes.heads(db, subscription, priority, most or batch * room, lease_of(known), now)
    if not rows:
        return
    decision = _decided(db, runtime, subscription, rows)
    _end(db, decision, now)
    parts = calls.contents(db, runtime, subscription, decision.told, batch)
    claimed.calls += calls.attempts(db, known, subscription, parts, now)
    claimed.settled += len(rows)
    claimed.slow |= priority == lanes.SLOW
    # A level's call may be carried by another message than the one that was claimed for it.
    counts = Counter(state for _, state, _ in decision.ended)
    counts.update({"waiting": -len(decision.told) - len(decision.ended), "sending": len(decision.told)})
    counting.move(db, subscription.id, counts)


def _decided(db: Connection, runtime: Runtime, subscription: Subscription, rows: Sequence[Due]) -> Decision:
    if subscription.kind.family == "edge":
        return reentry.decide(db, subscription, rows)
    sealed = [row for row in rows if row.sealed is not None]
    decision = level.decide(db, subscription, [row for row in rows if row.sealed is None])
    if sealed:
        _let_go(db, runtime, subscription, sealed, decision)
    return decision


def _let_go(
    db: Connection, runtime: Runtime, subscription: Subscription, sealed: Sequence[Due], decision: Decision
) -> None:
    """Have a set let those go who were erased, but for an identity that somebody else has been found to have since. A
    vendor who deletes people does so in all of its sets."""
    identities = {row.id: calls.unsealed(runtime, row)["identity"] for row in sealed}
    held = level.held(db, subscription.id, identities.values())
    anywhere = held
    if subscription.kind.deletes_people:
        anywhere = level.held_anywhere(db, subscription.destination_id, identities.values())
    stay = [row for row in sealed if identities[row.id] in (anywhere if row.kind == "erased" else held)]
    decision.told += [Told(row, row.kind, row.person_id, row.entry_number) for row in sealed if row not in stay]
    decision.ended += [(row, "coalesced", "somebody_else") for row in stay]
    finishing.unseal(db, [row.id for row in stay])


def _end(db: Connection, decision: Decision, now: int) -> None:
    """End the messages that need no call."""
    ledger.change(
        db,
        [
            ledger.Change(state, reason, None, row.attempts, row.first_tried_at, now, None, row.id)
            for row, state, reason in decision.ended
        ],
    )
