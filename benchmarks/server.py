"""The real server on a free port, and a client that spends as little time of its own as it can."""

import base64
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from app import create_app
from benchmarks.key import SECRET_KEY
from config.settings import load
from security import connections

LENGTH = re.compile(rb"(?i)\r\ncontent-length: (\d+)")
BIN = Path(sys.executable).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Client:
    """One keep-alive connection, as Mixpanel's sender has; what it does itself takes some 0.1 ms a page."""

    def __init__(self, port: int, head: bytes) -> None:
        """`head` is that of every call, up to the length of its body."""
        self.line = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = head

    @classmethod
    def of(cls, port: int, path: str, headers: dict[str, str]) -> "Client":
        named = {"Host": f"127.0.0.1:{port}", "Content-Type": "application/json", **headers}
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items()), "Content-Length: "]
        return cls(port, "\r\n".join(lines).encode())

    def page(self, body: bytes) -> None:
        self.line.sendall(b"%b%d\r\n\r\n%b" % (self.head, len(body), body))
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, text = answer.partition(b"\r\n\r\n")
        length = int(LENGTH.search(head)[1])  # type: ignore[index]  # every reply of both servers says its length
        while len(text) < length:
            text += self._more()
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"{head.splitlines()[0].decode()}: {text.decode()}")

    def _more(self) -> bytes:
        received = self.line.recv(65_536)
        if not received:
            raise ConnectionError("the server closed the connection")
        return received


@contextmanager
def process(command: list[str], environ: dict[str, str], health: str, port: int = 0) -> Iterator[int]:
    """A server started by a command of our environment on PORT, its log thrown away; yields its port."""
    port = port or free_port()
    environ = {**os.environ, **environ, "PORT": str(port)}
    with subprocess.Popen(
        [BIN / command[0], *command[1:]], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            _wait(f"http://127.0.0.1:{port}{health}", running)
            yield port
        finally:
            running.terminate()


def _wait(url: str, running: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and running.poll() is None:
        try:
            urlopen(url, timeout=1).close()  # noqa: S310 - our own address
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not start")


@contextmanager
def relay(url: str, folder: Path) -> Iterator[Client]:
    """Our server on the database at `url`, with a connection set up."""
    environ = {"INSTANCE_PATH": str(folder), "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY}
    database = create_app(load(environ | {"LOG_LEVEL": "error"})).extensions["runtime"].database
    password = database.write(lambda db: connections.add(db, SECRET_KEY, "bench", 1))
    database.dispose()
    signed = {"Authorization": "Basic " + base64.b64encode(f"bench:{password}".encode()).decode()}
    with process(["flask", "serve", "--without-worker"], environ, "/healthz") as port:
        yield Client.of(port, "/webhooks/mixpanel/bench", signed)


@contextmanager
def naive(url: str) -> Iterator[Client]:
    """The handler that most people would write, on the same server."""
    command = ["granian", "--interface", "wsgi", "--factory", "--blocking-threads", "8", "benchmarks.naive:create_app"]
    environ = {"NAIVE_DATABASE_URL": url, "GRANIAN_PORT": str(free_port())}
    with process(command, environ, "/healthz", int(environ["GRANIAN_PORT"])) as port:
        yield Client.of(port, "/webhook", {})
