"""`flask work`: the upkeep worker. Any number may run."""

import signal
from threading import Event
from types import FrameType

import click
import structlog
from flask.cli import with_appcontext

from config.clock import SECOND
from models.database import DatabaseUnavailable
from security.house import House, house
from sync import upkeep
from sync.rules import Rules

log = structlog.get_logger()

PRUNE_EVERY = 3600 * SECOND


@click.command("work")
@with_appcontext
@click.option("--once", is_flag=True, help="Do what is due, then stop.")
def command(*, once: bool) -> None:
    """Settle and sweep exports, mark the stalled ones, and remove what is past its retention."""
    stop = Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    here = house()
    pruned_at = 0
    while not stop.is_set():
        pruned_at = work_once(here, pruned_at)
        if once:
            return
        stop.wait(here.settings.work_seconds)


def work_once(here: House, pruned_at: int) -> int:
    """One round; returns when rows were last pruned. A database that is away is tried again in the next round."""
    settings, now = here.settings, here.clock()
    try:
        upkeep.run_once(here.database, Rules.of(settings), here.clock)
        if now - pruned_at >= PRUNE_EVERY:
            upkeep.prune(here.database, settings.retain_pages_days, settings.retain_failures_days, now)
            return now
    except DatabaseUnavailable as error:
        log.warning("work.database_unavailable", cause=str(error))
    return pruned_at
