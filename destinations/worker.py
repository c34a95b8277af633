"""What `flask work` does for destinations: plan what has changed, and have every destination told of it.

One thread plans for all, some changes of one subscription after some of another. Each destination that has something to
send gets a thread, which ends when nothing is due. Any number of processes may run this.
"""

from collections.abc import Callable
from functools import partial
from threading import Event, Thread
from time import monotonic

import structlog
from sqlalchemy import Connection, text

from config.clock import MINUTE, SECOND
from destinations import backfill, destinations, finishing, planner, profiles, registry, removal, sender
from destinations.budget import Budget
from destinations.giving_way import GivingWay
from destinations.reporting import Reporter
from destinations.runner import Runner
from models.database import DatabaseUnavailable
from runtime import Runtime

log = structlog.get_logger()

REPORT_EVERY = 2.0  # seconds
TICK = 0.2  # seconds between two looks for something new
RECOVER_EVERY = 5 * SECOND
AGAIN = MINUTE  # after which what broke is tried again
LAST_CALLS = 5.0

# As in `lanes`: of a destination that is dead millions may wait.
_DUE = text("""
    SELECT d.id FROM destination d
    WHERE (d.status IN ('active', 'draining') OR d.probe_at <= :now) AND coalesce(d.wait_until, 0) <= :now AND EXISTS (
        SELECT 1 FROM subscription s
        WHERE s.destination_id = d.id AND s.status IN ('active', 'draining') AND (
            SELECT m.id FROM message m WHERE m.subscription_id = s.id AND m.priority IN (0, 1)
                AND m.state = 'waiting' AND m.next_at <= :now LIMIT 1) IS NOT NULL)
    ORDER BY d.id""")


class Apart:
    """Does work for one of many: where it breaks the others go on, and it is tried again a minute later."""

    def __init__(self, runtime: Runtime) -> None:
        self._clock = runtime.clock
        self._broken: dict[tuple[str, int], int] = {}

    def __call__(self, what: str, number: int, work: Callable[[], int]) -> int:
        """Return what the work returns, 0 where it broke or has lately. Raises DatabaseUnavailable."""
        now = self._clock()
        if 0 <= now - self._broken.get((what, number), now - AGAIN) < AGAIN:
            return 0
        try:
            return work()
        except DatabaseUnavailable:
            raise
        except Exception:
            self._broken[what, number] = now
            log.exception("destinations.broken", what=what, number=number)
            return 0


class Worker:
    """Plans and sends until it is told to stop."""

    def __init__(self, runtime: Runtime, stop: Event, giving_way: GivingWay | None = None) -> None:
        self._runtime, self._stop = runtime, stop
        self._budget = Budget(runtime.settings.redis_url)
        self._apart = Apart(runtime)
        self._giving_way = giving_way or GivingWay(runtime, stop.wait)
        self._threads: dict[int, Thread] = {}
        self._recovered_at = 0

    def run(self) -> None:
        """Return when the threads have written what their last calls came to."""
        reporting = Thread(target=self._report, name="report-to-mixpanel", daemon=True)
        reporting.start()
        while not self._stop.is_set():
            if not self._survive(self._round):
                self._stop.wait(TICK)
        reporting.join(LAST_CALLS)
        for thread in self._threads.values():
            thread.join(LAST_CALLS)

    def _report(self) -> None:
        reporter = Reporter(self._runtime)
        while not self._stop.is_set():
            if not self._survive(reporter.report):
                self._stop.wait(REPORT_EVERY)

    def _survive(self, work: Callable[[], int]) -> int:
        try:
            return work()
        except DatabaseUnavailable as error:
            log.warning("work.database_unavailable", what="destinations", cause=str(error))
        except Exception:
            log.exception("work.failed", what="destinations")
        return 0

    def _round(self) -> int:
        """Return how much was planned, 0 where there is nothing to do but wait."""
        now = self._runtime.clock()
        if abs(now - self._recovered_at) >= RECOVER_EVERY:
            recover(self._runtime, self._apart)
            self._recovered_at = now
        self._apart("removal", 0, lambda: removal.go_on(self._runtime))
        self._start_threads(now)
        return plan_some(self._runtime, self._apart, self._giving_way.rest)

    def _start_threads(self, now: int) -> None:
        for number in self._runtime.database.read(lambda db: due(db, now), one_statement=True):
            thread = self._threads.get(number)
            if thread is None or not thread.is_alive():
                self._apart("thread", number, partial(self._start, number))

    def _start(self, number: int) -> int:
        known = self._runtime.database.read(lambda db: destinations.by_id(db, number), one_statement=True)
        if known is None or known.type not in registry.TYPES:
            return 0
        runner = Runner(self._runtime, known, self._budget, self._stop, self._giving_way)
        self._threads[number] = Thread(target=_running, args=(runner,), name=f"to-{known.name}", daemon=True)
        self._threads[number].start()
        return 1


def run_once(runtime: Runtime) -> None:
    """Plan and send everything that is due, in this thread. Raises DatabaseUnavailable."""
    apart = Apart(runtime)
    recover(runtime, apart)
    while plan_some(runtime, apart) or send_some(runtime, apart) or removal.go_on(runtime):
        pass
    Reporter(runtime).report()


def plan_some(runtime: Runtime, apart: Apart, rest: Callable[[float], None] | None = None) -> int:
    """Plan some changes of every subscription that is behind; return how many. `rest` is told how many seconds each
    step for those who were in already took."""
    now, planned = runtime.clock(), 0
    for what, find, plan in (
        ("changes", planner.behind, planner.plan),
        ("profiles", lambda db: profiles.due(db, now), profiles.look),
        ("backfill", backfill.under_way, backfill.plan),
    ):
        for number in runtime.database.read(find, one_statement=True):
            began = monotonic()
            planned += apart(what, number, partial(plan, runtime, number))
            if rest is not None and plan is backfill.plan:
                rest(monotonic() - began)
    return planned


def send_some(runtime: Runtime, apart: Apart) -> int:
    """Make one call to every destination that has something to send; return how many messages were claimed."""
    now = runtime.clock()
    found = runtime.database.read(lambda db: due(db, now), one_statement=True)
    return sum(apart("calls", number, partial(sender.send_once, runtime, number)) for number in found)


def recover(runtime: Runtime, apart: Apart) -> int:
    """Take over what workers that are gone had under way; return how many messages."""
    database = runtime.database

    def free(number: int) -> int:
        return database.write(lambda db: finishing.recover(db, runtime, number))

    known = database.read(destinations.listed, one_statement=True)
    return sum(apart("lost calls", one.id, partial(free, one.id)) for one in known)


def due(db: Connection, now: int) -> list[int]:
    """Return the ids of the destinations that have something to send and may be told of it."""
    return list(db.execute(_DUE, {"now": now}).scalars())


def _running(runner: Runner) -> None:
    try:
        runner.run()
    except DatabaseUnavailable as error:
        log.warning("work.database_unavailable", what="destinations", cause=str(error))
    except Exception:
        log.exception("work.failed", what="destinations")
