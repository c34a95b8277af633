"""A server that talks to each caller as a test says, byte by byte, in a thread of its own."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Talk = Callable[[socket.socket], None]


def whole_request(connection: socket.socket) -> bytes:
    """Receive a request to the end of its body, which comes apart from its head; b"" if nobody asks any more."""
    received, wanted = b"", 1
    while len(received) < wanted and (piece := connection.recv(65536)):
        received += piece
        head, end, _ = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        wanted = len(head) + len(end) + int(length[1] if length else 0) if end else len(received) + 1
    return received


@contextmanager
def talking_server(talk: Talk) -> Iterator[int]:
    """Yield the port; each connection is closed when `talk` returns."""

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            talk(connection)

    def serve(listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listening.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        yield listening.getsockname()[1]
