"""What comes of calls: a verdict for each message, in one transaction for all that have come to an end.

Every transaction holds the destination's lock. A message is changed only while it is under way by the attempt that made
the call: whoever was slower than its claim changes nothing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

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

_OURS = probing.statements(probing.for_each("ids", "id, attempt_id FROM message", "id = x.value AND state = 'sending'"))
_LOST = text(f"""
    SELECT subscription_id, {lanes.COLUMNS} FROM message
    WHERE destination_id = :destination AND state = 'sending' AND (claimed_until <= :now OR claimed_until > :beyond)
    ORDER BY id LIMIT 5000""")  # noqa: S608 - our own columns
_FORGET = text("UPDATE message SET sealed = NULL, lane = NULL WHERE id = :id")
_NOBODY = text("""
    UPDATE attempt SET ended_at = :now, verdict = 'unknown', reason = 'worker_gone'
    WHERE destination_id = :destination AND ended_at IS NULL AND started_at <= :since""")


Over = Sequence[tuple[Carried, Fate]]


class _Judged(NamedTuple):
    """What came of a call, as far as its messages are still its own; `told` is the refusal's sentence."""

    call: Call
    mine: list[Carried]
    found: Outcomes
    told: str

    @property
    def over(self) -> Over:
        """Return the messages that have a fate, each with it."""
        fates = self.found.fates
        return [(one, fates[one.change.id]) for one in self.mine if one.change.id in fates]

    @property
    def undecided(self) -> list[Carried]:
        """Return the messages that are to be told again in two halves."""
        return [one for one in self.mine if one.change.id not in self.found.fates]


def finish(db: Connection, runtime: Runtime, destination_id: int, done: Sequence[tuple[Call, Answer]]) -> list[Call]:
    """Write what came of calls; return those that follow at once: halves of a batch that was refused."""
    now = runtime.clock()
    known = destinations.locked(db, destination_id)
    if known is None:
        return []
    judged = _judged(db, known, done, now)
    ledger.end(db, [_ended(call, answer, now) for call, answer in done])
    for subscription, over in _by_subscription(judged):
        _write(db, subscription, over, now)
    more = [half for one in judged if one.found.split for half in _halves(db, one.call, one.undecided, now)]
    for one in judged:
        _heed(db, known, one.found, now)
    if any(not one.found.failed and one.found.pause is None for one in judged):
        pausing.well(db, known, now)
    elif failed := [one for one in judged if one.found.failed]:
        pausing.failed(db, known, len(failed), failed[-1].told, now)
    return more


def _judged(db: Connection, known: Destination, done: Sequence[tuple[Call, Answer]], now: int) -> list[_Judged]:
    rules, ours = Rules.of(known.kind, known.settings), _ours(db, [call for call, _ in done])
    judged = []
    for call, answer in done:
        mine = [one for one in call.carried if (one.change.id, call.attempt) in ours]
        found = outcomes(rules, mine, answer, now)
        judged.append(_Judged(call, mine, found, answer.refusal.told if answer.refusal else ""))
    return judged


def _by_subscription(judged: Sequence[_Judged]) -> Iterator[tuple[Subscription, Over]]:
    """Yield what has come to an end of each subscription, whatever calls it was in: no two of them are of one lane."""
    for number in dict.fromkeys(one.call.subscription.id for one in judged):
        its = [one for one in judged if one.call.subscription.id == number]
        yield its[0].call.subscription, [pair for one in its for pair in one.over]


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
            fates = outcomes(Rules.of(known.kind, known.settings), mine, answer, now).fates
            _write(db, subscription, [(one, fates[one.change.id]) for one in mine], now)
    db.execute(_NOBODY, {"destination": known.id, "now": now, "since": now - lease.length})
    return len(rows)


def _ours(db: Connection, done: Sequence[Call]) -> set[tuple[Any, ...]]:
    """Return which messages are under way, each with the attempt that carries it."""
    ids = msgspec.json.encode([number for call in done for number in call.content.ids]).decode()
    return set(_OURS[db.dialect.name].all(db, {"ids": ids}))


def _write(db: Connection, subscription: Subscription, fates: Over, now: int) -> None:
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


def _placed(subscription: Subscription, fates: Over, now: int) -> list[Placed]:
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
