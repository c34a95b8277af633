"""What Mixpanel sends meanwhile, each in a thread of its own: pages at a steady pace, and somebody who enters."""

from collections.abc import Callable
from itertools import count
from threading import Event, Thread
from time import monotonic, perf_counter, sleep
from typing import Self

from benchmarks.destinations.backfilled import FarEnd
from benchmarks.pages import PAGE, PROJECT
from benchmarks.scale.crowd import body
from benchmarks.scale.refresh import Send
from benchmarks.server import Client

PACE = 0.4  # seconds from a page to the next
ENTERS_EVERY = 3.0  # seconds
LOOK = 0.05
PATIENCE = 120.0  # seconds that are waited for somebody
numbers = count()


class _Paced:
    """Does something again and again while it is entered; what goes wrong is raised at the end."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._stop = seconds, Event()
        self._thread = Thread(target=self._run)
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        started = monotonic()
        try:
            for turn in count():
                if self._stop.wait(max(0.0, started + turn * self._seconds - monotonic())):
                    return
                self._do(turn)
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error

    def _do(self, turn: int) -> None:
        raise NotImplementedError


class Pages(_Paced):
    """Diffs of a thousand people, of a cohort that goes nowhere: whoever has entered leaves with the next one."""

    def __init__(self, send: Send, name: str) -> None:
        super().__init__(PACE)
        self._send, self._name = send, name
        self.times: list[float] = []

    def _do(self, turn: int) -> None:
        people = range(turn // 2 % 10 * PAGE, (turn // 2 % 10 + 1) * PAGE)
        made = body(("add_members", "remove_members")[turn % 2], "beside", f"{self._name}-{turn}", 1, 1, people)
        started = perf_counter()
        self._send(made)
        self.times.append(perf_counter() - started)


class Arrivals(_Paced):
    """Somebody new enters the cohort that is told of; `late` are the seconds until each is at the far end. A connection
    a call: one that waits for somebody for too long would be closed by the server."""

    def __init__(self, connect: Callable[[], Client], there: FarEnd) -> None:
        super().__init__(ENTERS_EVERY)
        self._connect, self._there = connect, there
        self.late: list[float] = []

    def _do(self, _turn: int) -> None:
        who = f"live-{next(numbers)}"
        client = self._connect()
        client.page(_entering(who))
        client.line.close()
        committed = perf_counter()
        while not self._there.arrived(who) and perf_counter() - committed < PATIENCE:
            sleep(LOOK)
        self.late.append(perf_counter() - committed)


def _entering(who: str) -> bytes:
    return (
        f'{{"action":"add_members","parameters":{{"mixpanel_project_id":"{PROJECT}","mixpanel_cohort_id":"big",'
        '"mixpanel_cohort_name":"Cohort big","mixpanel_cohort_description":"made for measuring",'
        f'"mixpanel_session_id":"{who}","page_info":{{"total_pages":1,"page_count":1}},'
        f'"members":[{{"mixpanel_distinct_id":"{who}"}}]}}}}'
    ).encode()
