"""Calls that go on while their page is answered: a browser waits a few seconds for the verdict, then looks again."""

from threading import Thread

import structlog

from blueprints.desk import desk
from outbound import send
from outbound.desk import Desk
from outbound.send import Ready

log = structlog.get_logger()

WAIT = 4.0  # seconds; most answers are there by then


def dispatch(call: Ready, who: str) -> int:
    """Make the call in a thread of its own, and wait a little; the id of its row."""
    here = desk()
    delivery = send.prepare(here, call, who, "dashboard")
    thread = Thread(target=_finish, args=(here, call, delivery), daemon=True)
    thread.start()
    thread.join(WAIT)
    return delivery


def _finish(here: Desk, call: Ready, delivery: int) -> None:
    try:
        send.finish(here, call, delivery)
    except Exception as error:  # the row says that nobody heard the answer, once it is given up
        log.warning("send.broken_off", error=type(error).__name__, delivery=delivery, exc_info=error)
