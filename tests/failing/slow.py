"""Clients that take their time: they begin a webhook call, and then send a byte a second."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.failing.server import Server
from tests.relay import basic

HEAD = """POST {path} HTTP/1.1\r
Host: 127.0.0.1\r
{credentials}Content-Type: application/x-www-form-urlencoded\r
Content-Length: 100000\r
\r
"""


@dataclass
class SlowClient:
    """One connection; `reply` is what came back before it was closed, None while it is open."""

    line: socket.socket
    drips: bool = True  # or sends nothing after its first bytes
    reply: bytes | None = None
    _heard: bytes = field(default=b"")

    def listen(self) -> None:
        """Hear what there is to hear; returns at once."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while part := self.line.recv(4096, socket.MSG_DONTWAIT):
                self._heard += part
            self.reply = self._heard
            return
        if b"\r\n\r\n" in self._heard:  # a reply, whether or not the line is closed yet
            self.reply = self._heard

    def drip(self) -> None:
        with contextlib.suppress(OSError):
            self.line.send(b" ")


@contextmanager
def slow_clients(server: Server, name: str, count: int) -> Iterator[list[SlowClient]]:
    """`count` clients of connection `name`, or strangers at the dashboard's door where it is empty. Every third falls
    silent, the others go on with a byte a second."""
    path, credentials = "/sign-in", ""
    if name:
        path = f"/webhooks/mixpanel/{name}"
        credentials = f"Authorization: {basic(name, server.passwords[name])['Authorization']}\r\n"
    head = HEAD.format(path=path, credentials=credentials).encode()
    with ExitStack() as stack:
        clients = []
        for number in range(count):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            line.sendall(head + b"{")
            clients.append(SlowClient(line, drips=number % 3 != 0))
        done = threading.Event()
        thread = threading.Thread(target=_drip, args=(clients, done))
        thread.start()
        stack.callback(thread.join)
        stack.callback(done.set)
        yield clients


def _drip(clients: list[SlowClient], done: threading.Event) -> None:
    next_byte = time.monotonic()
    while not done.wait(0.05):
        for client in clients:
            if client.reply is None:
                client.listen()
                if client.drips and time.monotonic() >= next_byte:
                    client.drip()
        if time.monotonic() >= next_byte:
            next_byte += 1
