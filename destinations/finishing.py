"""What comes of calls: a verdict for each message, in one transaction for all that have come to an end.

Every transaction holds the destination's lock. A message is changed only while it is under way by the attempt that made
the call: whoever was slower than its claim changes nothing.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, text

from config.clock import MINUTE
from destinations import calls, counting, destinations, lanes, ledger, pausing, probing, subscriptions
from destinations.calls import Call, lease_of
from destinations.contract import Answer, Refusal
from destinations.destinations import Destination
from destinations.lanes import Due
from destinations.ledger import Placed
from destinations.level import Told
from destinations.subscriptions import Subscription
from destinations.verdicts import Carried, Fate, Outcomes, Rules, outcomes, verdict_of
from runtime import Runtime

ANSWER = 2000  # characters of an answer that are kept
_ENDS = {"applied", "accepted", "rejected", "suppressed", "coalesced", "uncertain", "dead"}

_SAID = {"applied", "accepted", "rejected"}  # an erasure has nothing more to say

_OURS = probing.statements(
    probing.for_each("ids", "id FROM message", "id = x.value AND state = 'sending' AND attempt_id = :attempt")
)
_LOST = text(f"""
    SELECT subscription_id, {lanes.COLUMNS} FROM message
    WHERE destination_id = :destination AND state = 'sending' AND (claimed_until <= :now OR claimed_until > :beyond)
    ORDER BY id LIMIT 5000""")  # noqa: S608 - our own columns
_FORGET = text("UPDATE message SET sealed = NULL, lane = NULL WHERE id = :id")
_NOBODY = text("""
    UPDATE attempt SET ended_at = :now, verdict = 'unknown', reason = 'worker_gone'
    WHERE destination_id = :destination AND ended_at IS NULL AND started_at <= :since""")


def finish(db: Connection, runtime: Runtime, destination_id: int, done: Sequence[tuple[Call, Answer]]) -> list[Call]:
    """Write what came of calls; return those that follow at once: halves of a batch that was refused."""
    now, more = runtime.clock(), list[Call]()
    known = destinations.locked(db, destination_id)
    if known is None:
        return more
    failures, succeeded, told = 0, 0, ""
    for call, answer in done:
        mine = _ours(db, call)
        found = outcomes(Rules.of(known.kind, known.settings), mine, answer, now)
        ledger.end(db, [_ended(call, answer, now)])
        _write(db, call.subscription, [one for one in mine if one.change.id in found.fates], found, now)
        if found.split:
            more += _halves(db, call, [one for one in mine if one.change.id not in found.fates], now)
        if found.failed and answer.refusal:
            told = answer.refusal.told
        failures, succeeded = failures + found.failed, succeeded + (not found.failed and found.pause is None)
        _heed(db, known, found, now)
    if succeeded:
        pausing.well(db, known, now)
    elif failures:
        pausing.failed(db, known, failures, told, now)
    return more


def recover(db: Connection, runtime: Runtime, destination_id: int) -> int:
    """Free the messages of workers that are gone: nobody knows whether their calls came through. Return how many."""
    now = runtime.clock()
    known = destinations.locked(db, destination_id)
    if known is None:
        return 0
    lease = lease_of(known)
    rows = db.execute(_LOST, {"destination": known.id} | lease.at(now)).all()
    answer = Answer(refusal=Refusal("unknown", "worker_gone", "The process that made the call has gone."))
    for subscription_id in {row.subscription_id for row in rows}:
        subscription = subscriptions.by_id(db, subscription_id)
        mine = [
            calls.carried(runtime, Told(row, row.kind, row.person_id, row.entry_number), "", {})
            for row in [Due(*columns) for of, *columns in rows if of == subscription_id]
        ]
        if subscription is not None:
            _write(db, subscription, mine, outcomes(Rules.of(known.kind, known.settings), mine, answer, now), now)
    db.execute(_NOBODY, {"destination": known.id, "now": now, "since": now - lease.length})
    return len(rows)


def _ours(db: Connection, call: Call) -> list[Carried]:
    """Return the messages of a call that it still carries."""
    ids = msgspec.json.encode(call.content.ids).decode()
    found = _OURS[db.dialect.name].all(db, {"ids": ids, "attempt": call.attempt})
    if len(found) == len(call.carried):
        return call.carried
    ours = {number for (number,) in found}
    return [one for one in call.carried if one.change.id in ours]


def _write(db: Connection, subscription: Subscription, carried: Sequence[Carried], found: Outcomes, now: int) -> None:
    fates = [(one, found.fates[one.change.id]) for one in carried]
    ledger.change(db, [_row(one, fate, now) for one, fate in fates])
    ledger.place(db, _placed(subscription, fates, now))
    unseal(db, [one.change.id for one, fate in fates if one.sealed and fate.state in _SAID])
    counts = Counter(fate.state for _, fate in fates)
    counts["sending"] -= len(fates)
    counting.move(db, subscription.id, counts)


def unseal(db: Connection, ids: list[int]) -> None:
    """Forget whom the last messages of erasures were about."""
    if ids:
        db.execute(_FORGET, [{"id": number} for number in ids])


def _row(one: Carried, fate: Fate, now: int) -> ledger.Change:
    attempts = one.attempts + fate.counts_as_try
    first = one.change.first_tried_at or (now if fate.counts_as_try else None)
    done = fate.state in {"applied", "accepted"}
    report = "due" if done and one.report else None
    finished = now if fate.state in _ENDS else None
    return ledger.Change(fate.state, fate.reason, fate.next_at, attempts, first, finished, report, one.change.id)


def _placed(subscription: Subscription, fates: Sequence[tuple[Carried, Fate]], now: int) -> list[Placed]:
    """Return what is known now of identities at the far end; nothing where nobody asks."""
    if subscription.kind.family == "level":
        found = [_place(subscription.id, one, fate, now) for one, fate in fates if not one.sealed]
        return [place for place in found if place is not None]
    if subscription.reentry == "each":
        return []
    told = [one.change for one, fate in fates if not one.sealed and fate.state in {"applied", "accepted", "uncertain"}]
    return [Placed(subscription.id, change.identity, "in", None, now) for change in told if change.kind == "entered"]


def _place(subscription_id: int, one: Carried, fate: Fate, now: int) -> Placed | None:
    """Return what a set is known to have of an identity; None where nothing is new."""
    if fate.state in {"applied", "accepted"}:
        if one.change.kind == "entered":
            return Placed(subscription_id, one.change.identity, "in", fate.vendor_id, now)
        return Placed(subscription_id, one.change.identity, "out", fate.vendor_id, None)
    if fate.state == "rejected" or not fate.counts_as_try:
        return None
    return Placed(subscription_id, one.change.identity, "unsure", fate.vendor_id, None)


def _ended(call: Call, answer: Answer, now: int) -> ledger.Ended:
    reason = answer.refusal.reason if answer.refusal else None
    return ledger.Ended(now, answer.status, verdict_of(answer), reason, answer.text[:ANSWER] or None, call.attempt)


def _halves(db: Connection, call: Call, carried: list[Carried], now: int) -> list[Call]:
    """Carry the messages of a refused batch in two."""
    middle = len(carried) // 2
    parts = [calls.Again(part) for part in (carried[:middle], carried[middle:]) if part]
    return calls.attempts(db, call.destination, call.subscription, parts, now)


def _heed(db: Connection, known: Destination, found: Outcomes, now: int) -> None:
    if found.pause is not None:
        pausing.stop(db, known, found.pause, found.told, now)
        pausing.wait(db, known, now + MINUTE)  # one that drains does not stop, and is not tried at once either
    if found.wait_until is not None:
        pausing.wait(db, known, found.wait_until)
