"""A server that talks to each caller as a test says, byte by byte, in a thread of its own."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Talk = Callable[[socket.socket], None]


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
