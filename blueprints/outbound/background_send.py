"""Calls that go on while their page is answered: a browser waits a few seconds for the verdict, then looks again."""

from collections.abc import Callable
from threading import Thread

import structlog

from outbound import send
from outbound.saved import runs
from outbound.saved.requests import SavedRequest
from outbound.send import PreparedCall
from outbound.transport.attempts import Outcome
from runtime import Runtime, current_runtime

Then = Callable[[Outcome, int], None]

log = structlog.get_logger()

WAIT = 4.0  # seconds; most answers are there by then


def dispatch(call: PreparedCall, who: str) -> int:
    """Make the call in a thread of its own, and wait a little; the id of its row."""
    return _in_background(call, who, lambda _outcome, _delivery: None)


def dispatch_saved(call: PreparedCall, saved: SavedRequest, who: str) -> int:
    """Make the call of a saved request in the same way, and keep whether its checks hold; the id of its row."""
    runtime = current_runtime()

    def note(outcome: Outcome, delivery: int) -> None:
        result = runs.judged(saved, outcome, delivery, call.mask)
        runtime.database.write(lambda db: runs.note(db, saved, result, who, "dashboard", runtime.clock()))

    return _in_background(call, who, note)


def _in_background(call: PreparedCall, who: str, then: Then) -> int:
    runtime = current_runtime()
    delivery = send.prepare(runtime, call, who, "dashboard")
    thread = Thread(target=_finish, args=(runtime, call, delivery, then), daemon=True)
    thread.start()
    thread.join(WAIT)
    return delivery


def _finish(runtime: Runtime, call: PreparedCall, delivery: int, then: Then) -> None:
    try:
        then(send.finish(runtime, call, delivery), delivery)
    except Exception as error:  # the row says that nobody heard the answer, once it is given up
        log.warning("send.broken_off", error=type(error).__name__, delivery=delivery, exc_info=error)
