"""Calls to destinations, one after another in this thread, or as many at once as the far end allows.

claiming    messages become calls
make        the call itself, with no transaction around it
finishing   a verdict for each message
"""

from contextlib import closing

import structlog

from destinations import claiming, destinations, finishing, opening
from destinations.body_size import too_large
from destinations.calls import Call, forgets
from destinations.contract import Adapter, Answer, Erasing, Refusal
from runtime import Runtime

log = structlog.get_logger()

FAULT = "The adapter failed; the log says why."


def make(adapter: Adapter, call: Call) -> Answer:
    """Make the call, unless its body would be too large. Whatever an adapter raises is an answer that nobody knows; its
    text stays out of the ledger."""
    feed, changes = call.subscription.feed, call.changes
    try:
        if forgets(call.destination.kind, changes[0].kind) and isinstance(adapter, Erasing):
            return adapter.erase(feed, changes[0])
        return too_large(call.destination.kind, adapter, feed, changes) or adapter.send(feed, changes)
    except Exception:
        log.exception("destinations.adapter_failed", destination=call.destination.name, type=call.destination.type)
        return Answer(refusal=Refusal("unknown", "adapter_failed", FAULT))


def send_once(runtime: Runtime, destination_id: int) -> int:
    """Send what is due in one destination, a call after another; return how many messages were claimed. Raises
    DatabaseUnavailable."""
    database = runtime.database
    known = database.read(lambda db: destinations.by_id(db, destination_id))
    if known is None:
        return 0
    claimed = database.write(lambda db: claiming.claim(db, runtime, destination_id, 1))
    if not claimed.calls:
        return claimed.settled
    try:
        adapter = opening.adapter(runtime, known)
    except opening.CannotOpen as error:
        cannot(runtime, destination_id, claimed.calls, str(error))
        return 0
    with closing(adapter):
        waiting = claimed.calls
        while waiting:
            done = [(waiting[0], make(adapter, waiting[0]))]
            more = database.write(lambda db, done=done: finishing.finish(db, runtime, destination_id, done))  # type: ignore[misc]
            waiting = more + waiting[1:]
    return claimed.settled


def cannot(runtime: Runtime, destination_id: int, calls: list[Call], told: str) -> None:
    """Give back calls of a destination that cannot be opened, which waits for a person."""
    answer = Answer(refusal=Refusal("credentials", "cannot_open", told))
    done = [(call, answer) for call in calls]
    runtime.database.write(lambda db: finishing.finish(db, runtime, destination_id, done))
