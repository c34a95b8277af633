"""`flask work` as processes of their own, which a test may stop, continue and kill."""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from config.clock import now
from tests.conftest import MakeRelay
from tests.failing.server import BIN, ROOT, SECRET_KEY
from tests.relay import Relay, TestClock

CLAIM_SECONDS = 3
WORK_SECONDS = 1


@dataclass
class Worker:
    """One worker on the database at `url`; `more` are settings besides."""

    url: str
    instance: Path
    more: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Worker":
        ours = {
            "INSTANCE_PATH": str(self.instance),
            "DATABASE_URL": self.url,
            "SECRET_KEY": SECRET_KEY,
            "LOG_LEVEL": "error",
            "CLAIM_SECONDS": CLAIM_SECONDS,
            "WORK_SECONDS": WORK_SECONDS,
        }
        environment = os.environ | {name: str(value) for name, value in (ours | self.more).items()}
        with (self.instance / "worker.log").open("ab") as log:
            self.process = subprocess.Popen([str(BIN / "flask"), "work"], cwd=ROOT, env=environment, stderr=log)
        return self

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tell(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def freeze_between_two_steps(self) -> None:
        """Stop it where it holds no lock: a process that is stopped in a transaction keeps everybody waiting, and there
        is nothing then that another worker could do."""
        for _ in range(2000):
            self.tell(signal.SIGSTOP)
            if nobody_writes(self.url):
                return
            self.tell(signal.SIGCONT)
            time.sleep(0.001)
        raise TimeoutError("the worker was never seen between two steps")

    @property
    def log(self) -> str:
        return (self.instance / "worker.log").read_text()


def nobody_writes(url: str) -> bool:
    """Whether no transaction holds a cohort."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=0, isolation_level=None)) as file:
            try:
                file.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            file.execute("ROLLBACK")
            return True
    with psycopg.connect(url) as db:
        free = db.execute("SELECT count(*) FROM (SELECT id FROM cohort FOR UPDATE SKIP LOCKED) c").fetchone()
        every = db.execute("SELECT count(*) FROM cohort").fetchone()
        return free == every


MakeWorker = Callable[..., Worker]


@contextmanager
def workers(url: str, instance: Path) -> Iterator[MakeWorker]:
    """Makes workers that run: ``make(sweep_step_members=1)``."""
    made: list[Worker] = []

    def make(**more: Any) -> Worker:
        settings = {name.upper(): value for name, value in more.items()}
        made.append(Worker(url, instance, settings))
        return made[-1].start()

    yield make
    for worker in made:
        worker.kill()


def relay_at_the_present(make_relay: MakeRelay, **settings: Any) -> Relay:
    """A relay by whose clock it is now, as it is by the workers'."""
    relay = make_relay(**settings)
    assert isinstance(relay.clock, TestClock)
    relay.clock.time = now()
    return relay
