"""A run: every connection in a thread of its own, until the cycles are done or somebody stops it."""

import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event
from types import FrameType

import requests
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from simulator.mixpanel import Connection
from simulator.sender import Tally
from simulator.wire import session

LOOK_EVERY = 0.25  # seconds between two looks at the progress


class NobodyThere(Exception):
    """No server answers at the URL."""


def await_server(url: str, seconds: float) -> None:
    """Return as soon as the process at `url` lives; raises NobodyThere when it does not within `seconds`."""
    trying = Retrying(
        retry=retry_if_exception_type(requests.RequestException), stop=stop_after_delay(seconds), wait=wait_fixed(0.25)
    )
    try:
        trying(lambda: session(url).get(f"{url}/healthz", timeout=5).raise_for_status())
    except RetryError as error:
        raise NobodyThere(f"Nothing answers at {url}. Start it first: make run") from error


@contextmanager
def stopped_by_signals(stop: Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT set `stop`."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def play(
    connections: list[Connection], cycles: Iterable[int], pause: float, stop: Event, show: Callable[[Tally], None]
) -> None:
    """Let all connections live through `cycles`, in parallel. Returns early when `stop` is set."""
    with ThreadPoolExecutor(len(connections)) as pool:
        running = {pool.submit(_live, connection, cycles, pause, stop) for connection in connections}
        while running:
            done, running = wait(running, LOOK_EVERY, FIRST_EXCEPTION)
            show(total(connections))
            for future in done:
                if future.exception() is not None:
                    stop.set()
                future.result()


def _live(connection: Connection, cycles: Iterable[int], pause: float, stop: Event) -> None:
    for number in cycles:
        if stop.is_set() or connection.is_paused or (number and stop.wait(pause)):
            return
        connection.cycle()
    connection.close()


def total(connections: list[Connection]) -> Tally:
    return sum((connection.sender.tally for connection in connections), Tally())
