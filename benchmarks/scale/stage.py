"""The stage: a PostgreSQL of the measurement's own, set as docs/scaling.md recommends, and the real servers."""

import base64
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

from app import create_app
from benchmarks import stored
from benchmarks.key import SECRET_KEY
from benchmarks.server import BIN, Client, process
from config.clock import now
from config.settings import load
from models.database import Database
from runtime import Runtime
from security import connections, tokens
from tests.failing.cluster import private_cluster

SETTINGS = Path(__file__).parent / "postgresql.conf"
MB = 2**20


@dataclass
class Stage:
    """One database and the folder of its instance; servers are started on it as they are needed."""

    dialect: str
    url: str
    folder: Path
    runtime: Runtime
    more: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    token: str = ""

    @property
    def database(self) -> Database:
        return self.runtime.database

    @property
    def environ(self) -> dict[str, str]:
        return {
            "INSTANCE_PATH": str(self.folder),
            "DATABASE_URL": self.url,
            "SECRET_KEY": SECRET_KEY,
            "LOG_LEVEL": "error",
            **self.more,
        }

    def connect(self, name: str) -> None:
        """Make the webhook connection `name`."""
        self.passwords[name] = self.database.write(lambda db: connections.add(db, SECRET_KEY, name, now()))

    @contextmanager
    def serving(self, processes: int = 1) -> Iterator[int]:
        """The real server, with as many processes; yields its port."""
        more = {"PROCESSES": str(processes)} if processes > 1 else {}
        with process(["flask", "serve", "--without-worker"], self.environ | more, "/healthz") as port:
            yield port

    @contextmanager
    def working(self) -> Iterator[psutil.Process]:
        """One upkeep worker; yields its process."""
        with subprocess.Popen(
            [BIN / "flask", "work"],
            env={**os.environ, **self.environ, "WORK_SECONDS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as worker:
            try:
                yield psutil.Process(worker.pid)
            finally:
                worker.terminate()

    def client(self, port: int, name: str) -> Client:
        signed = base64.b64encode(f"{name}:{self.passwords[name]}".encode()).decode()
        return Client.of(port, f"/webhooks/mixpanel/{name}", {"Authorization": f"Basic {signed}"})

    def settle(self) -> None:
        """Let PostgreSQL write out what it owes. A checkpoint of its own choice is spread over half an hour and makes
        each block's next change a whole block in the log: it would fall into one side of a comparison only."""
        if self.dialect == "postgresql":
            with psycopg.connect(self.url, autocommit=True) as db:
                db.execute("CHECKPOINT")

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """What the database says, by a connection of its own."""
        if self.dialect == "sqlite":
            with sqlite3.connect(self.url.removeprefix("sqlite:///")) as db:
                return db.execute(sql, values).fetchall()
        with psycopg.connect(self.url, autocommit=True) as db:
            return db.execute(sql.replace("?", "%s"), values).fetchall()  # type: ignore[arg-type]


@contextmanager
def stage(dialect: str, folder: Path, **more: str) -> Iterator[Stage]:
    """An empty database with our tables, a token `bench`, and nothing else; `more` is set in the environment."""
    with ExitStack() as stack:
        address = ""
        if dialect == "postgresql":
            cluster = stack.enter_context(private_cluster(SETTINGS.read_text()))
            address = cluster.url()
        url = stack.enter_context(stored.database(dialect, folder, address))
        ours = {"INSTANCE_PATH": str(folder), "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY, "LOG_LEVEL": "error"}
        runtime: Runtime = create_app(load(ours | more)).extensions["runtime"]
        stack.callback(runtime.database.dispose)
        made = Stage(dialect, url, folder, runtime, more)
        made.token = made.database.write(lambda db: tokens.add(db, SECRET_KEY, "bench", "read", now()))
        yield made


def resident_mb() -> float:
    """The largest of the app's processes that this one has started, in MB."""
    largest = 0
    for child in psutil.Process().children(recursive=True):
        try:
            if "flask" in " ".join(child.cmdline()):
                largest = max(largest, child.memory_info().rss)
        except psutil.Error:  # it has just ended
            continue
    return largest / MB
