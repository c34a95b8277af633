"""A Redis of the tests' own, which they may freeze, kill and start again on the same port."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import redis

from tests import servers
from tests.failing.server import free_port, wait_until

STARTED_WITHIN = 30  # seconds


@dataclass
class RedisServer:
    """It keeps nothing on disk, and listens on 127.0.0.1 alone."""

    program: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it answers."""
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self.process = subprocess.Popen([self.program, *options], stdout=subprocess.DEVNULL)
        wait_until(self._answers, STARTED_WITHIN, "the start of Redis")

    def freeze(self) -> None:
        """It still takes connections, and says nothing."""
        self._tell(signal.SIGSTOP)

    def thaw(self) -> None:
        self._tell(signal.SIGCONT)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def keys(self) -> int:
        """How many counters it holds."""
        found: int = redis.Redis.from_url(self.url).dbsize()  # type: ignore[assignment]
        return found

    def _tell(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def _answers(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url, socket_timeout=1).ping())
        except redis.RedisError:
            return False


@contextmanager
def private_redis() -> Iterator[RedisServer]:
    """A new Redis that runs; killed afterwards."""
    program = shutil.which("redis-server")
    if program is None:
        servers.missing("A Redis of the tests' own (redis-server)")
        raise AssertionError("unreachable")
    server = RedisServer(program)
    try:
        server.start()
        yield server
    finally:
        server.kill()
