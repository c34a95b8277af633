"""Far ends in memory: a set and a list of events that are told of changes, with faults that a test switches on."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from destinations.contract import (
    Answer,
    Budget,
    Change,
    Check,
    DestinationType,
    Feed,
    Once,
    Opened,
    Outcome,
    Refusal,
    Setting,
    Verdict,
)

SECRET = "planted-key-5f0a"
Fault = Callable[[Sequence[Change]], Answer | None]  # an answer instead of ours; before anything is applied


class Killed(BaseException):
    """The worker's process is gone: nothing behind the call happens any more."""


@dataclass
class FarEnd:
    """What one destination there holds and has heard. `fault` may answer before anything is applied, `after` once it
    is; both may raise Killed. `poison` are identities that the far end refuses."""

    members: set[str] = field(default_factory=set)
    heard: list[tuple[str, str, int, str]] = field(default_factory=list)  # kind, identity, entry number, key
    seen: Counter[str] = field(default_factory=Counter)  # calls for each key
    bodies: list[list[Change]] = field(default_factory=list)
    fault: Fault | None = None
    after: Fault | None = None
    poison: set[str] = field(default_factory=set)
    unindexed: bool = False  # refuse a call as a whole where poison is in it
    keyed: bool = True  # keep each key once
    in_flight: Counter[str] = field(default_factory=Counter)
    most_in_flight: int = 0
    lock: Any = field(default_factory=threading.Lock)
    checked: bool = True

    def send(self, changes: Sequence[Change], outcome: Outcome) -> Answer:
        with self.lock:
            self.in_flight.update(change.identity for change in changes)
            self.most_in_flight = max(self.most_in_flight, *self.in_flight.values())
            self.bodies.append(list(changes))
        try:
            return self._answer(changes, outcome)
        finally:
            with self.lock:
                self.in_flight.subtract(change.identity for change in changes)

    def _answer(self, changes: Sequence[Change], outcome: Outcome) -> Answer:
        answer = self.fault(changes) if self.fault else None
        if answer is not None:
            return answer
        bad = [change for change in changes if change.identity in self.poison]
        if bad and self.unindexed:
            return Answer(refusal=Refusal("batch", "refused", "Something in it is wrong."), status=400)
        with self.lock:
            for change in changes:
                if change not in bad:
                    self._apply(change)
        answer = self.after(changes) if self.after else None
        if answer is not None:
            return answer
        verdicts = {change.id: Verdict(outcome) for change in changes if change not in bad}
        return Answer(verdicts | {change.id: Verdict("rejected", "poison") for change in bad}, status=200, text="ok")

    def _apply(self, change: Change) -> None:
        self.seen[change.key] += 1
        if not self.keyed or self.seen[change.key] == 1:
            self.heard.append((change.kind, change.identity, change.entry_number, change.key))
        if change.kind == "entered":
            self.members.add(change.identity)
        else:
            self.members.discard(change.identity)


FAR_ENDS: dict[str, FarEnd] = {}


def far_end(name: str) -> FarEnd:
    """The far end of the destination of this name."""
    return FAR_ENDS.setdefault(name, FarEnd())


class FarEndAdapter:
    def __init__(self, opened: Opened, outcome: Outcome) -> None:
        self.opened, self.outcome = opened, outcome
        self.there = far_end(opened.destination)

    def check(self) -> Check:
        return Check(self.there.checked, "It answers." if self.there.checked else "It does not let us in.")

    def send(self, _feed: Feed, changes: Sequence[Change]) -> Answer:
        return self.there.send(changes, self.outcome)

    def preview(self, _feed: Feed, changes: Sequence[Change]) -> str:
        return "; ".join(f"{one.kind} {one.identity} {one.distinct_id} {dict(one.fields)}" for one in changes)

    def members(self, _feed: Feed) -> Iterator[str]:
        yield from sorted(self.there.members)

    def erase(self, _feed: Feed, change: Change) -> Answer:
        return self.there.send([change], self.outcome)

    def close(self) -> None: ...


def _type(name: str, family: Any, once: Once, **more: Any) -> DestinationType:
    outcome: Outcome = more.pop("outcome", "applied")
    settings = (
        Setting("url", "Address", "url", default="https://example.com"),
        Setting("batch", "Batch", "number", default=more.get("batch", 1), least=1, most=more.get("batch", 1)),
        Setting("KEY", "Key", secret=True, required=more.pop("key", True), make=more.pop("made", None)),
    )
    options = {"budget": Budget(100_000, 4), "batch_setting": "batch", "carries_fields": True, **more}
    return DestinationType(
        name, name, "", family, once, settings, lambda opened: FarEndAdapter(opened, outcome), **options
    )


TYPES = [
    _type("set", "level", "A", batch=100, reads_back=True, carries_fields=False),
    _type("table", "level", "T", batch=100),
    _type("queue", "level", "A", batch=100, outcome="accepted", success="accepted", carries_fields=False),
    _type("hook", "edge", "B", window=3600, made=lambda: f"made-{SECRET}"),
    _type("stream", "edge", "B", batch=50, window=3600),
    _type("chat", "edge", "C", human=True),
    _type("vault", "level", "A", batch=100, carries_fields=False, erases=True, deletes_people=True),
    _type("shelf", "level", "A", batch=100, carries_fields=False, erases=True),
    _type("mail", "level", "A", batch=10, identities=("email",), one_subscription=True, carries_fields=False),
]
