"""How a destination stands: a tone, a word and a sentence, from its row, its subscriptions and what is overdue.

Pure but for `read`, which is one look at the database for all of them.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Connection, text

from config.clock import MINUTE
from config.lengths import roughly
from config.words import counted
from destinations import destinations, registry, subscriptions
from destinations.contract import DestinationType
from destinations.destinations import Destination
from destinations.subscriptions import FAILING, Subscription

OVERDUE = 10 * MINUTE  # what could have been sent for so long, and was not, needs a look

# The first of each that may be sent: two looks into the index of what waits.
_DUE = text("""
    SELECT s.id,
        (SELECT m.next_at FROM message m WHERE m.subscription_id = s.id AND m.state = 'waiting' AND m.priority = 0
            AND m.next_at IS NOT NULL ORDER BY m.next_at LIMIT 1) AS first,
        (SELECT m.next_at FROM message m WHERE m.subscription_id = s.id AND m.state = 'waiting' AND m.priority = 1
            AND m.next_at IS NOT NULL ORDER BY m.next_at LIMIT 1) AS later
    FROM subscription s""")

_THERE = text("""
    SELECT count(*) FROM placement WHERE there <> 'out' AND subscription_id IN (
        SELECT id FROM subscription WHERE destination_id = :destination AND :subscription IN (0, id))""")

TONES = {
    "in_step": "in-step",
    "empty": "off",
    "sending": "working",
    "behind": "waiting",
    "trouble": "waiting",
    "asked": "waiting",
    "paused": "off",
    "stopped": "needs-you",
    "unknown": "needs-you",
    "held": "held",
    "leaving": "off",
}
WORDS = {
    "in_step": "In step",
    "empty": "Nothing goes there yet",
    "sending": "Sending",
    "behind": "Behind",
    "trouble": "Having trouble",
    "asked": "Asked to wait",
    "paused": "Paused",
    "stopped": "Stopped",
    "unknown": "Unknown type",
    "held": "Held",
    "leaving": "Being removed",
}
_MEND = {
    "credentials": "Give it the right ones under Change, then resume",
    "gone": "Correct where it goes under Change, then resume",
}
_STOPPED = {
    "credentials": "It does not take our credentials",
    "gone": "It says that what we send to is gone",
    "failing": "Every call has failed for too long",
}


@dataclass(frozen=True)
class DestinationStatus:
    """A destination with its subscriptions. `due_at` is the earliest moment at which one of the messages that wait may
    be sent, None where none waits."""

    destination: Destination
    subscriptions: Sequence[Subscription]
    now: int
    due_at: int | None = None

    @property
    def kind(self) -> DestinationType | None:
        """Return its type; None where this version has none of that name."""
        return registry.TYPES.get(self.destination.type)

    @property
    def type_words(self) -> str:
        return self.kind.words if self.kind else self.destination.type

    @cached_property
    def counts(self) -> Counter[str]:
        """Return its messages by state."""
        found: Counter[str] = Counter()
        for subscription in self.subscriptions:
            found.update(subscription.counts)
        return found

    @property
    def unplanned(self) -> int:
        """Return how many changes of its cohorts are no messages yet."""
        return sum(max(0, subscription.behind) for subscription in self.subscriptions)

    @property
    def open(self) -> int:
        """Return how many messages are still to be sent, changes that are not planned yet among them."""
        return self.counts["waiting"] + self.counts["sending"] + self.unplanned

    @property
    def held(self) -> int:
        return sum(subscription.held for subscription in self.subscriptions)

    @cached_property
    def state(self) -> str:
        known = self.destination
        if known.status == "draining":
            return "leaving"
        if self.kind is None:
            return "unknown"
        if known.status == "paused":
            return "stopped" if known.cause in FAILING else "paused"
        if self.held:
            return "held"
        return self._working()

    def _working(self) -> str:
        known = self.destination
        if known.failing_since is not None:
            return "trouble"
        if known.wait_until is not None and known.wait_until > self.now:
            return "asked"
        if not self.subscriptions:
            return "empty"
        if all(subscription.stored_status == "paused" for subscription in self.subscriptions):
            return "paused"
        if self.due_at is not None and self.now - self.due_at > OVERDUE:
            return "behind"
        filling = any(subscription.status == "backfilling" for subscription in self.subscriptions)
        return "sending" if self.open or filling else "in_step"

    @property
    def tone(self) -> str:
        return TONES[self.state]

    @property
    def word(self) -> str:
        return WORDS[self.state]

    @property
    def moves(self) -> bool:
        """Whether something is about to change by itself: what waits for a person does not."""
        if self.state == "stopped":
            return self.destination.probe_at is not None and self.open > 0
        if self.state == "held":
            return self.open > self.held
        return self.state in {"sending", "behind", "trouble", "asked", "leaving"}

    @property
    def says(self) -> str:
        """Say what it means, and what happens next."""
        return _SENTENCES[self.state](self)

    @property
    def waits(self) -> str:
        return f"{counted(self.open, 'message waits', 'messages wait')} and nothing is lost" if self.open else ""


def _sentences(*parts: str) -> str:
    return " ".join(f"{part}." for part in parts if part)


def _in_step(status: DestinationStatus) -> str:
    at = status.destination.succeeded_at
    if at is None:
        return "Nothing has been sent yet: the next change goes out by itself."
    return f"Everything is sent; the last call was taken {_ago(status, at)}."


def _behind(status: DestinationStatus) -> str:
    since = roughly(status.now - (status.due_at or status.now))
    return f"{status.waits}. The first could have gone {since} ago: look whether a worker runs (flask work)."


def _trouble(status: DestinationStatus) -> str:
    known = status.destination
    since = _ago(status, known.failing_since or status.now)
    failed = f"{counted(known.failures, 'call')} in a row {'has' if known.failures == 1 else 'have'} failed"
    what = f"{failed}, the first {since}" if known.failures else f"Calls have failed, the first {since}"
    why = known.reason.rstrip(".") if known.reason else ""
    return _sentences(what, why, "What they carried is tried again by the plan", status.waits)


def _asked(status: DestinationStatus) -> str:
    rest = roughly((status.destination.wait_until or status.now) - status.now)
    return _sentences(f"It asked us to wait; we go on in {rest}", status.waits)


def _paused(status: DestinationStatus) -> str:
    known = status.destination
    if known.status != "paused":
        return _sentences("All of its subscriptions are paused", status.waits)
    reason = f": {known.reason.rstrip('.')}" if known.reason else ""
    return _sentences(f"Paused {_ago(status, known.paused_at or status.now)}{reason}", status.waits)


def _stopped(status: DestinationStatus) -> str:
    known = status.destination
    what = _STOPPED.get(known.cause or "", "It has stopped")
    reason = f": {known.reason.rstrip('.')}" if known.reason else ""
    probe = ""
    if known.probe_at is not None:
        rest = known.probe_at - status.now
        probe = f"We try one message again {'in ' + roughly(rest) if rest > 0 else 'now'}"
    return _sentences(f"{what}{reason}", status.waits, _MEND.get(known.cause or "", ""), probe)


def _held(status: DestinationStatus) -> str:
    held = counted(status.held, "removal waits", "removals wait")
    return f"{held} for you: so many at once are more than the guard lets go. Everybody stays there until you decide."


def _ago(status: DestinationStatus, moment: int) -> str:
    return f"{roughly(max(0, status.now - moment))} ago"


_SENTENCES: dict[str, Callable[[DestinationStatus], str]] = {
    "in_step": _in_step,
    "empty": lambda _status: "Choose a cohort to send there.",
    "sending": lambda status: f"{counted(status.open, 'message is', 'messages are')} on the way.",
    "behind": _behind,
    "trouble": _trouble,
    "asked": _asked,
    "paused": _paused,
    "stopped": _stopped,
    "unknown": lambda status: f"This version knows no type {status.destination.type}; everything waits.",
    "held": _held,
    "leaving": lambda status: _sentences("What it still has to be told is sent, then it goes", status.waits),
}


@dataclass(frozen=True)
class _Due:
    at: dict[int, int] = field(default_factory=dict)

    def of(self, found: Sequence[Subscription]) -> int | None:
        return min((self.at[known.id] for known in found if known.id in self.at), default=None)


def read(db: Connection, now: int) -> list[DestinationStatus]:
    """Return all destinations by name."""
    known = destinations.listed(db)
    if not known:
        return []
    every, due = subscriptions.listed(db), _due(db)
    return [_status(destination, every, due, now) for destination in known]


def read_one(db: Connection, destination: Destination, now: int) -> DestinationStatus:
    """Return one of them."""
    return _status(destination, subscriptions.listed(db, destination), _due(db), now)


def there(db: Connection, destination_id: int, subscription_id: int = 0) -> int:
    """Count whom we have added at a destination that keeps a set; of one subscription where it is named."""
    values = {"destination": destination_id, "subscription": subscription_id}
    return int(db.execute(_THERE, values).scalar_one())


def _due(db: Connection) -> _Due:
    found = {}
    for row in db.execute(_DUE):
        moments = [moment for moment in (row.first, row.later) if moment is not None]
        if moments:
            found[row.id] = min(moments)
    return _Due(found)


def _status(destination: Destination, every: Sequence[Subscription], due: _Due, now: int) -> DestinationStatus:
    own = [known for known in every if known.destination_id == destination.id]
    sendable = [known for known in own if known.stored_status in {"active", "draining"}]
    return DestinationStatus(destination, own, now, due.of(sendable))
