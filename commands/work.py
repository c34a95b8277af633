"""`flask work`: the upkeep worker, with alerts and simulated exports beside it. Any number may run."""

import signal
from collections.abc import Callable
from threading import Event, Thread
from types import FrameType

import click
import structlog
from flask import current_app
from flask.cli import with_appcontext
from werkzeug.routing import Map

import alerts
from backups import making
from config.clock import DAY, HOUR, SECOND
from destinations.retention import fold
from destinations.worker import Worker, run_once
from models.database import DatabaseUnavailable
from outbound import body_files
from outbound import cleanup as outbound_upkeep
from outbound.comparison.runner import work_once
from outbound.delivery_check.search import look_once
from outbound.downloads.folder import folder_of
from outbound.imports import uploads
from outbound.imports.runner import run_due
from outbound.saved import schedules
from runtime import Runtime, current_runtime
from security import handover
from server import garbage
from server.parent_death import end_with_parent
from simulator import job_runner
from sync import worker as sync_worker
from sync.minimise import runs as minimisations
from sync.retention import prune_log
from sync.rules import Rules

log = structlog.get_logger()

PRUNE_EVERY = HOUR
LOOK_EVERY = 10 * SECOND  # how 200 cohorts stand costs a tenth of a second; what waits is sent in every round
LAST_CALLS = 5  # seconds that a call under way may take when we are told to stop; what it leaves is done again


@click.command("work")
@with_appcontext
@click.option("--once", is_flag=True, help="Do what is due, then stop.")
@click.option("--under", type=int, hidden=True, help="Process whose end is ours; `flask serve` says its own.")
def command(*, once: bool, under: int | None) -> None:
    """Settle and sweep exports, mark the stalled ones, relay changes to destinations, send alerts, play the simulated
    exports that were asked for, make backups, and remove what is past its retention."""
    runtime = current_runtime()
    if under:
        end_with_parent(under)
    stop = Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    rounds: list[Callable[[], None]] = [
        Upkeep(runtime).once,
        lambda: play_once(runtime, stop),
        Alerting(runtime, addresses(current_app.url_map)).once,
        lambda: import_once(runtime, stop),
        lambda: ask_once(runtime),
        lambda: run_saved_once(runtime, stop),
        lambda: back_up_once(runtime, stop),
        lambda: minimise_once(runtime, stop),
    ]
    if once:
        for work in rounds:
            work()
        _survive("destinations", lambda: run_once(runtime))
        return
    garbage.spare_what_is_loaded()
    _repeat_all(rounds, Worker(runtime, stop).run, runtime.settings.work_seconds, stop)


def _repeat_all(rounds: list[Callable[[], None]], relay: Callable[[], None], seconds: float, stop: Event) -> None:
    """Run each in a thread of its own, the first in ours: a mail server that hangs must not keep exports from settling.
    `relay` goes on by itself until it is told to stop."""
    first, *others = rounds
    beside = [Thread(target=_repeat, args=(other, seconds, stop), daemon=True) for other in others]
    beside.append(Thread(target=relay, daemon=True))
    for thread in beside:
        thread.start()
    _repeat(lambda: _survive("upkeep", first), seconds, stop)
    for thread in beside:
        thread.join(LAST_CALLS)


def _repeat(once: Callable[[], None], seconds: float, stop: Event) -> None:
    while not stop.is_set():
        once()
        stop.wait(seconds)


class Upkeep:
    """Rounds of upkeep. A database that is away is tried again in the next one."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.pruned_at = 0

    def once(self) -> None:
        runtime = current_runtime()
        settings, database, now = self.runtime.settings, self.runtime.database, self.runtime.clock()
        try:
            sync_worker.run_once(database, Rules.of(settings), self.runtime.clock)
            if abs(now - self.pruned_at) >= PRUNE_EVERY:  # a clock that was set back must not end it
                sync_worker.prune(database, settings.retain_pages_days, settings.retain_failures_days, now)
                prune_log(database, settings.retain_log_days, now)
                alerts.prune(database, now)
                database.write(lambda db: handover.prune(db, now))
                outbound_upkeep.prune(database, settings.retain_deliveries_days, now)
                if settings.retain_messages_days:
                    fold(database, now - settings.retain_messages_days * DAY)
                uploads.tidy(database, runtime.uploads, now)
                body_files.tidy(body_files.folder_of(runtime.uploads))
                outbound_upkeep.tidy_downloads(database, folder_of(runtime), settings.retain_downloads_hours, now)
                self.pruned_at = now
        except DatabaseUnavailable as error:
            log.warning("work.database_unavailable", cause=str(error))


class Alerting:
    """Rounds of alerts; whatever goes wrong in one, the next one comes."""

    def __init__(self, runtime: Runtime, addresses: alerts.Addresses) -> None:
        self.runtime, self.addresses = runtime, addresses
        self.looked_at = 0

    def once(self) -> None:
        _survive("alerts", self._round)

    def _round(self) -> None:
        runtime, now = self.runtime, self.runtime.clock()
        look = abs(now - self.looked_at) >= LOOK_EVERY  # a clock that was set back must not end it
        if look:
            self.looked_at = now
        alerts.run_once(runtime.database, runtime.settings, runtime.clock, self.addresses, runtime.cipher, look=look)


def addresses(routes: Map) -> alerts.Addresses:
    """Return the paths of the pages that messages link to."""
    path = routes.bind("").build
    return alerts.Addresses(
        cohort=lambda cohort_id: path("dashboard.show_cohort", {"cohort_id": cohort_id}),
        held=lambda cohort_id: path("dashboard.held_refresh", {"cohort_id": cohort_id}),
        connection=lambda name: path("dashboard.show_connection", {"name": name}),
        destination=lambda number: path("dashboard.show_destination", {"destination_id": number}),
        overview=path("dashboard.overview"),
    )


def play_once(runtime: Runtime, stop: Event) -> None:
    """Play one simulated export, if one waits."""
    _survive("simulated exports", lambda: job_runner.play_due(runtime, stop))


def import_once(runtime: Runtime, stop: Event) -> None:
    """Work on one import, if one waits."""
    _survive("imports", lambda: run_due(runtime, stop))


def ask_once(runtime: Runtime) -> None:
    """Look for events that were sent, and compare cohorts, as far as somebody waits for that."""
    _survive("landing", lambda: look_once(runtime))
    _survive("comparisons", lambda: work_once(runtime))


def run_saved_once(runtime: Runtime, stop: Event) -> None:
    """Run the saved requests whose time has come."""
    _survive("saved requests", lambda: schedules.run_due(runtime, stop.is_set))


def back_up_once(runtime: Runtime, stop: Event) -> None:
    """Make the backup that is due, if no other worker does."""
    _survive("backups", lambda: making.run_due(runtime, stop.is_set))


def minimise_once(runtime: Runtime, stop: Event) -> None:
    """Keep less of what is stored, as far as somebody has asked for it or its days have passed."""
    digest, now = runtime.cipher.lasting_digest, runtime.clock()

    def work() -> None:
        runtime.database.write(lambda db: minimisations.ask_daily(db, now))
        while minimisations.work_once(runtime.database, digest, runtime.clock, stop.is_set) and not stop.is_set():
            pass

    _survive("minimisation", work)


def _survive(what: str, work: Callable[[], object]) -> None:
    try:
        work()
    except DatabaseUnavailable as error:
        log.warning("work.database_unavailable", what=what, cause=str(error))
    except Exception:
        log.exception("work.failed", what=what)
