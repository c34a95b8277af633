"""One destination's calls, as many at once as it allows; a thread of its own, so that a slow one holds nobody else."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from queue import Empty, LifoQueue
from threading import Event
from time import monotonic

import structlog
from sqlalchemy import Connection

from destinations import claiming, finishing, opening, sender
from destinations.budget import Budget
from destinations.calls import Call
from destinations.claiming import Claimed
from destinations.contract import Adapter, Answer, Refusal
from destinations.credentials import key_of
from destinations.destinations import Destination
from destinations.giving_way import GivingWay
from models.database import DatabaseUnavailable
from runtime import Runtime

log = structlog.get_logger()

IDLE = 2  # turns without anything to do after which the thread ends; the worker starts another
PAUSE = 0.1  # seconds of such a turn
LAST_CALLS = 4.0  # seconds that calls under way get when we are told to stop
AGAIN = 1.0  # seconds after which a database that was away is asked again

Done = list[tuple[Call, Answer]]


class Runner:
    """Runs until nothing is due, or until it is told to stop."""

    def __init__(
        self, runtime: Runtime, destination: Destination, budget: Budget, stop: Event, giving_way: GivingWay
    ) -> None:
        self._runtime, self._destination, self._budget, self._stop = runtime, destination, budget, stop
        self._giving_way = giving_way
        concurrency = destination.settings.get("concurrency") or destination.kind.budget.concurrency
        self._most = max(1, int(concurrency))
        self._rate = float(destination.settings.get("rate") or destination.kind.budget.rate)
        self._key = key_of(runtime, destination)
        self._adapters: LifoQueue[tuple[int, Adapter]] = LifoQueue()
        self._under_way: dict[Future[Answer], Call] = {}
        self._after = 0

    def run(self) -> None:
        """Claim, call and finish."""
        with ThreadPoolExecutor(self._most, thread_name_prefix=f"to-{self._destination.name}") as pool:
            try:
                self._turns(pool)
            finally:
                self._last_calls()
        self._close()

    def _turns(self, pool: ThreadPoolExecutor) -> None:
        idle, more, busy = 0, list[Call](), True
        while idle < IDLE and not self._stop.is_set():
            claimed = self._turn(self._done(0 if busy else PAUSE), more)
            more = self._begin(pool, claimed.calls)
            busy = bool(claimed.calls or claimed.settled)
            if busy or self._under_way:
                idle = 0
            else:
                idle += 1
                self._stop.wait(PAUSE)

    def _turn(self, done: Done, first: list[Call]) -> Claimed:
        """Write what has come to an end and claim anew, in one transaction."""
        room = self._most - len(self._under_way) - len(first)
        room = self._budget.left(self._key, self._rate, room)

        def turn(db: Connection) -> Claimed:
            halves = finishing.finish(db, self._runtime, self._destination.id, done) if done else []
            claimed = claiming.claim(db, self._runtime, self._destination.id, room, self._after) if room else Claimed()
            claimed.calls = halves + claimed.calls
            return claimed

        began = monotonic()
        claimed = self._persistent(turn) if done or room else Claimed()
        took = monotonic() - began
        self._budget.spend(self._key, self._rate, len(claimed.calls))
        claimed.calls = first + claimed.calls
        if claimed.calls:
            self._after = claimed.calls[-1].subscription.id
        if claimed.slow:
            self._giving_way.rest(took)
        return claimed

    def _persistent(self, work: Callable[[Connection], Claimed]) -> Claimed:
        """What calls have come to is written however long the database is away; their claims outlive it, or another
        worker takes them as lost."""
        while True:
            try:
                return self._runtime.database.write(work)
            except DatabaseUnavailable as error:
                log.warning("destinations.database_unavailable", cause=str(error))
                if self._stop.wait(AGAIN):
                    raise

    def _begin(self, pool: ThreadPoolExecutor, calls: list[Call]) -> list[Call]:
        """Begin calls as far as there is room; return those that must wait for it."""
        room = self._most - len(self._under_way)
        for call in calls[:room]:
            self._under_way[pool.submit(self._call, call)] = call
        return calls[room:]

    def _done(self, seconds: float) -> Done:
        """Return the calls that have come to an end, the first of them waited for."""
        if not self._under_way:
            return []
        finished, _ = wait(self._under_way, timeout=seconds, return_when=FIRST_COMPLETED)
        return [(self._under_way.pop(future), future.result()) for future in finished]

    def _call(self, call: Call) -> Answer:
        try:
            adapter = self._adapter(call.destination)
        except opening.CannotOpen as error:
            return Answer(refusal=Refusal("credentials", "cannot_open", str(error)))
        answer = sender.make(adapter, call)
        self._adapters.put((call.destination.updated_at, adapter))
        return answer

    def _adapter(self, destination: Destination) -> Adapter:
        """Return one that nobody uses now, with the settings and secrets of now. Raises opening.CannotOpen."""
        with suppress(Empty):
            while True:
                opened_for, adapter = self._adapters.get_nowait()
                if opened_for == destination.updated_at:
                    return adapter
                adapter.close()
        return opening.adapter(self._runtime, destination)

    def _last_calls(self) -> None:
        """Write what calls come to that are under way when we are told to stop."""
        while self._under_way and (done := self._done(LAST_CALLS)):
            with suppress(DatabaseUnavailable):
                self._runtime.database.write(
                    lambda db, done=done: finishing.finish(db, self._runtime, self._destination.id, done)  # type: ignore[misc]
                )

    def _close(self) -> None:
        while not self._adapters.empty():
            self._adapters.get_nowait()[1].close()
