"""A relay whose cohort changes, and destinations that are told of it."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import requests
from sqlalchemy import text

from app import create_app
from benchmarks.key import SECRET_KEY
from benchmarks.pages import PROJECT, body, distinct_ids, sliced
from benchmarks.stored import database
from config.clock import now
from config.settings import load
from destinations import destinations, subscriptions
from destinations.destinations import NewDestination
from destinations.subscriptions import NewSubscription
from destinations.worker import Worker
from runtime import Runtime
from sync.apply.receive import receive
from sync.contract.page import parse
from sync.rules import Rules

COHORT, OTHER = "bench", "other"
PYTHON = sys.executable
POLL = 0.05  # seconds; a look takes some 1 ms of the process that is measured
FAST = {"rate": 1000}  # a thousand calls a second: no limit at all
_OVER = text("SELECT applied + accepted FROM subscription_counts WHERE subscription_id = :id")


class Relay:
    """A relay on an empty database, in this process; `environ` is that of a worker beside it."""

    def __init__(self, url: str, folder: Path) -> None:
        ours = {
            "INSTANCE_PATH": str(folder),
            "DATABASE_URL": url,
            "SECRET_KEY": SECRET_KEY,
            "LOG_LEVEL": "error",
            "ALLOW_PRIVATE_DESTINATIONS": "1",
        }
        self.url, self.folder = url, folder
        self.environ = os.environ | ours
        self.runtime: Runtime = create_app(load(ours)).extensions["runtime"]
        self._session = 0

    def change(self, action: str, ids: Sequence[str], cohort: str = COHORT) -> None:
        """Receive a diff of these people, 1,000 a page."""
        self._session += 1
        pages, rules = sliced(ids), Rules()
        for number, people in enumerate(pages, 1):
            page = parse(body(action, cohort, f"s{self._session}", number, len(pages), people))
            self.runtime.database.write(lambda db, page=page: receive(db, page, rules, 1, now()))  # type: ignore[misc]

    def connect(
        self,
        name: str,
        kind: str,
        settings: dict[str, Any],
        secrets: dict[str, str] | None = None,
        cohort: str = COHORT,
    ) -> int:
        """Add a destination, and a subscription of a cohort from now on; return the subscription's id."""
        draft = NewDestination(name, kind, settings, secrets or {})
        cipher, write = self.runtime.cipher, self.runtime.database.write
        write(lambda db: destinations.add(db, cipher, draft, now()))
        wanted = NewSubscription(name, PROJECT, cohort, start="now", guard_percent=0)
        return write(lambda db: subscriptions.add(db, wanted, now()))

    def told(self, subscription_id: int) -> int:
        """Return how many of its messages are applied or accepted."""
        values = {"id": subscription_id}
        return self.runtime.database.read(lambda db: int(db.execute(_OVER, values).scalar_one()))

    def counted(self, subscription_id: int) -> dict[str, int]:
        """Return its counts by state."""
        known = self.runtime.database.read(lambda db: subscriptions.by_id(db, subscription_id))
        return {} if known is None else known.counts

    @contextmanager
    def working(self) -> Iterator[None]:
        """A worker's part for destinations, in this process."""
        stop = Event()
        thread = Thread(target=Worker(self.runtime, stop).run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    @contextmanager
    def worker(self) -> Iterator[None]:
        """`flask work`, a process of its own."""
        with subprocess.Popen([PYTHON, "-m", "flask", "--app", "app", "work"], env=self.environ) as process:
            try:
                yield
            finally:
                process.terminate()

    def seconds_until(self, subscription_id: int, wanted: int, within: float = 600) -> float:
        """Return the seconds until so many messages are told. Raises SystemExit where they are not in time."""
        started = time.perf_counter()
        while self.told(subscription_id) < wanted:
            if time.perf_counter() - started > within:
                raise SystemExit(f"only {self.told(subscription_id):,} of {wanted:,}: {self.counted(subscription_id)}")
            time.sleep(POLL)
        return time.perf_counter() - started


@contextmanager
def relay(dialect: str, address: str) -> Iterator[Relay]:
    """A relay of its own, with a cohort that nobody is in."""
    with tempfile.TemporaryDirectory() as name, database(dialect, Path(name), address) as url:
        made = Relay(url, Path(name))
        made.change("add_members", distinct_ids(1, 99))
        yield made
        made.runtime.database.dispose()


@contextmanager
def far_end() -> Iterator[str]:
    """The address of an instant far end."""
    command = [PYTHON, "-m", "benchmarks.destinations.far_end"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip() if process.stdout else ""
        finally:
            process.kill()


def seen(url: str) -> dict[str, Any]:
    """Return what has come to a far end since it was last asked."""
    found: dict[str, Any] = requests.get(url, timeout=10).json()
    return found
