"""Calls that go on while their page is answered: a browser waits a few seconds for the verdict, then looks again."""

from threading import Thread

import structlog

from outbound import send
from outbound.send import PreparedCall
from runtime import Runtime, current_runtime

log = structlog.get_logger()

WAIT = 4.0  # seconds; most answers are there by then


def dispatch(call: PreparedCall, who: str) -> int:
    """Make the call in a thread of its own, and wait a little; the id of its row."""
    runtime = current_runtime()
    delivery = send.prepare(runtime, call, who, "dashboard")
    thread = Thread(target=_finish, args=(runtime, call, delivery), daemon=True)
    thread.start()
    thread.join(WAIT)
    return delivery


def _finish(runtime: Runtime, call: PreparedCall, delivery: int) -> None:
    try:
        send.finish(runtime, call, delivery)
    except Exception as error:  # the row says that nobody heard the answer, once it is given up
        log.warning("send.broken_off", error=type(error).__name__, delivery=delivery, exc_info=error)
