"""The real server as a process of its own, which a test may kill, stop and start again on the same port."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests

from app import create_app
from config.clock import now
from config.settings import load
from models.maintenance import schema
from security import connections
from tests.servers import SECRET_KEY

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
READY_WITHIN = 60  # seconds; a start takes about two on a quiet machine
STOPPED_WITHIN = 40  # seconds; tests that care assert less

GRANIAN = (
    *(str(BIN / "granian"), "--interface", "wsgi", "--factory", "--workers", "1", "--blocking-threads", "8"),
    *("--host", "127.0.0.1", "--port", "{port}", "--no-access-log", "app:create_app"),
)
FLASK_SERVE = (str(BIN / "flask"), "serve")


def free_port() -> int:
    """A port below the range that the kernel gives to outgoing connections: nobody takes it while the server is
    dead, and polling it cannot connect a socket to itself."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


def wait_until(condition: Any, seconds: float, what: str) -> None:
    """Look every 20 ms; raises TimeoutError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds} s")
        time.sleep(0.02)


@dataclass
class Server:
    """`command` is run in the folder `root`; ``{port}`` in it becomes the port. The log is ``server.log`` in the
    instance folder."""

    instance: Path
    database_url: str
    command: tuple[str, ...] = GRANIAN
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    passwords: dict[str, str] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)  # settings besides
    root: Path = ROOT  # whose code it runs

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        ours = {
            "INSTANCE_PATH": str(self.instance),
            "DATABASE_URL": self.database_url,
            "SECRET_KEY": SECRET_KEY,
            "LOG_LEVEL": "error",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
        }
        return os.environ | ours | self.more

    def prepare(self, *connections_to_add: str) -> None:
        """Make the tables and these webhook connections. Not by the terminal, where each command takes seconds."""
        app = create_app(load(self.environment))
        database = app.extensions["runtime"].database
        database.alter(schema.upgrade)
        for name in connections_to_add:
            self.passwords[name] = database.write(lambda db, n=name: connections.add(db, SECRET_KEY, n, now()))
        database.dispose()

    # --- its life

    def start(self) -> None:
        """Start it, and return at once."""
        assert not self.is_alive
        command = [part.format(port=self.port) for part in self.command]
        with (self.instance / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.root, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=5).ok
        except requests.RequestException:
            return False

    def wait_ready(self) -> None:
        wait_until(self.answers, READY_WITHIN, "the start")

    def revive(self) -> None:
        """Start it if it is dead, and wait until it answers."""
        if not self.is_alive:
            self.start()
        self.wait_ready()

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def family(self) -> list[psutil.Process]:
        """The process with all its descendants, as they are now."""
        if self.process is None:
            return []
        try:
            head = psutil.Process(self.process.pid)
            return [head, *head.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """SIGKILL to the whole group at once, as when the machine's memory runs out; returns when all are dead."""
        assert self.process is not None
        family = self.family()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        wait_until(lambda: not living(family), 10, "the kill")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tell it to stop, and wait; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(STOPPED_WITHIN)

    def close(self) -> None:
        """Leave nothing behind, whatever the test did."""
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self.process is not None:
            self.process.wait()

    @property
    def log(self) -> str:
        return (self.instance / "server.log").read_text()


def living(family: list[psutil.Process]) -> list[psutil.Process]:
    """Who of `family` still runs; a zombie only waits for its parent to look."""
    return [one for one in family if one.is_running() and _status(one) != psutil.STATUS_ZOMBIE]


def words(process: psutil.Process) -> list[str]:
    """Its command line; nothing of one that has ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _status(process: psutil.Process) -> str:
    try:
        found: str = process.status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE
    return found
