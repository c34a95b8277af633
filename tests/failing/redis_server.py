"""A Redis of the tests' own, which they may freeze, kill and start again on the same port."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

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
    certificate: tuple[Path, Path] | None = None  # and its key: it then speaks TLS alone, as localhost

    @property
    def url(self) -> str:
        if self.certificate:
            return f"rediss://localhost:{self.port}/0"
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it answers."""
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        if self.certificate:
            certificate, key = map(str, self.certificate)
            options += ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            options += ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate]
        else:
            options += ["--port", str(self.port)]
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
            unseen = {"ssl_cert_reqs": "none"} if self.certificate else {}
            return bool(redis.Redis.from_url(self.url, socket_timeout=1, **unseen).ping())
        except redis.RedisError:
            return False


@contextmanager
def private_redis(*certificate: Path) -> Iterator[RedisServer]:
    """A new Redis that runs, over TLS where a certificate and its key are given; killed afterwards."""
    program = shutil.which("redis-server")
    if program is None:
        servers.missing("A Redis of the tests' own (redis-server)")
        raise AssertionError("unreachable")
    server = RedisServer(program, certificate=(certificate[0], certificate[1]) if certificate else None)
    try:
        server.start()
        yield server
    finally:
        server.kill()
