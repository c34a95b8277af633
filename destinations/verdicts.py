"""What an answer means for each message that a call carried: pure, no database.

A refusal of the whole call is a schedule (throttled), a fault of the destination (credentials, gone), a reason to cut
the batch in halves, or a failure that the plan of attempts repeats. Where nobody knows whether the far end has applied
it, the class of "once" decides: a repeat changes nothing (A, T), it is recognised within a window (B), or the message
waits for a person (C).
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct, structs

from destinations.contract import Answer, Change, DestinationType, Once, Outcome, Verdict
from destinations.settings import plan as pauses_of

LOST = "answer_lost"  # the reason of a message that waits and may have been applied
THROTTLED = 60.0  # seconds to wait where the far end does not say how long
LONGEST_WAIT = 86_400.0
JITTER = 0.2  # the share by which a pause may be longer


class Carried(Struct, frozen=True):
    """A message under way: the change as it was sent, its row's `kind`, and how often it was tried before."""

    change: Change
    kind: str
    attempts: int
    reason: str | None
    person_id: int
    report: bool = False
    sealed: bool = False


@dataclass(frozen=True)
class Rules:
    """What is done with messages of a destination: the class of once, its window in ms, the pauses in seconds."""

    once: Once
    window: int | None
    pauses: Sequence[float]

    @classmethod
    def of(cls, kind: DestinationType, settings: Mapping[str, Any]) -> "Rules":
        """Return those of a destination with these settings."""
        return cls(kind.once, kind.window * 1000 if kind.window else None, pauses_of(kind, settings))


class Fate(Struct, frozen=True):
    """What becomes of a message. `counts_as_try` is false where the far end only asked to wait."""

    state: str
    reason: str | None = None
    next_at: int | None = None
    counts_as_try: bool = True
    vendor_id: str | None = None


@dataclass
class Outcomes:
    """What a call came to: a fate by message id, or `split` where its batch must be cut; `failed` says that it counts
    against the destination, `pause` for which cause it must wait, `wait_until` until when nothing may be sent."""

    fates: dict[int, Fate] = field(default_factory=dict)
    split: bool = False
    failed: bool = False
    pause: str | None = None
    told: str = ""
    wait_until: int | None = None


def outcomes(rules: Rules, carried: Sequence[Carried], answer: Answer, now: int) -> Outcomes:
    """Return what becomes of a call's messages; where they must be cut, of those only that have a verdict."""
    judged = [one for one in carried if answer.refusal is None or one.change.id in answer.verdicts]
    fates = {one.change.id: _fate(rules, one, answer.verdicts.get(one.change.id), now) for one in judged}
    if answer.refusal is None:
        return Outcomes(fates)
    found = _REFUSED[answer.refusal.kind](rules, [one for one in carried if one.change.id not in fates], answer, now)
    found.fates |= fates
    return found


def verdict_of(answer: Answer) -> str:
    """Return the word for a whole call: applied, accepted, rejected, retry or uncertain where all messages are so;
    partly; or the kind of its refusal."""
    if answer.refusal is not None:
        return answer.refusal.kind
    words = {verdict.outcome for verdict in answer.verdicts.values()}
    return words.pop() if len(words) == 1 else "partly" if words else "uncertain"


def _fate(rules: Rules, one: Carried, verdict: Verdict | None, now: int) -> Fate:
    outcome: Outcome = "uncertain" if verdict is None else verdict.outcome
    reason = (verdict.reason if verdict else "") or None
    if outcome in {"applied", "accepted"}:
        return Fate(outcome, reason, vendor_id=verdict.vendor_id if verdict else None)
    if outcome == "rejected":
        return Fate("rejected", reason or "rejected")
    fate = _again(rules, one, now, reason, lost=outcome == "uncertain")
    return structs.replace(fate, vendor_id=verdict.vendor_id if verdict else None)


def _again(rules: Rules, one: Carried, now: int, reason: str | None, *, lost: bool, wait: float = 0) -> Fate:
    """Try it again by the plan, where that is safe and the plan is not used up."""
    doubtful = lost or one.reason == LOST
    if doubtful and rules.once == "C":
        return Fate("uncertain", LOST)
    if one.attempts >= len(rules.pauses):
        return Fate("uncertain", LOST) if doubtful and rules.once == "B" else Fate("dead", reason or "plan_used_up")
    pause = rules.pauses[one.attempts] * random.uniform(1, 1 + JITTER)
    next_at = now + round(max(pause, min(wait, LONGEST_WAIT)) * 1000)
    first = one.change.first_tried_at or now
    if doubtful and rules.once == "B" and rules.window is not None and next_at - first > rules.window:
        return Fate("uncertain", LOST)
    return Fate("waiting", LOST if doubtful else reason, next_at)


def _unsent(one: Carried, now: int) -> Fate:
    """It waits as before: the call was refused before it meant anything."""
    return Fate("waiting", one.reason, now, counts_as_try=False)


def _stopped(_rules: Rules, carried: Sequence[Carried], answer: Answer, now: int) -> Outcomes:
    refusal = answer.refusal
    assert refusal is not None  # noqa: S101 - for the type checker: that is how this function is chosen
    return Outcomes({one.change.id: _unsent(one, now) for one in carried}, pause=refusal.kind, told=refusal.told)


def _throttled(_rules: Rules, carried: Sequence[Carried], answer: Answer, now: int) -> Outcomes:
    wait = min(_wait(answer) or THROTTLED, LONGEST_WAIT) * random.uniform(1, 1 + JITTER / 4)
    fates = {one.change.id: _unsent(one, now) for one in carried}
    return Outcomes(fates, wait_until=now + round(wait * 1000))


def _cut(_rules: Rules, carried: Sequence[Carried], answer: Answer, _now: int) -> Outcomes:
    if len(carried) > 1:
        return Outcomes(split=True)
    reason = answer.refusal.reason if answer.refusal else ""
    return Outcomes({one.change.id: Fate("rejected", reason or "rejected") for one in carried})


def _unavailable(rules: Rules, carried: Sequence[Carried], answer: Answer, now: int) -> Outcomes:
    reason = answer.refusal.reason if answer.refusal else None
    wait = _wait(answer) or 0
    return Outcomes(
        {one.change.id: _again(rules, one, now, reason, lost=False, wait=wait) for one in carried}, failed=True
    )


def _unknown(rules: Rules, carried: Sequence[Carried], answer: Answer, now: int) -> Outcomes:
    wait = _wait(answer) or 0
    return Outcomes(
        {one.change.id: _again(rules, one, now, LOST, lost=True, wait=wait) for one in carried}, failed=True
    )


def _wait(answer: Answer) -> float | None:
    return answer.refusal.wait if answer.refusal is not None else None


_REFUSED: dict[str, Callable[[Rules, Sequence[Carried], Answer, int], Outcomes]] = {
    "credentials": _stopped,
    "gone": _stopped,
    "batch": _cut,
    "size": _cut,
    "throttled": _throttled,
    "unavailable": _unavailable,
    "unknown": _unknown,
}
