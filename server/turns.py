"""Who works and who waits in a process of the web server: a turn is what a request needs to work.

Waiting for a client costs no turn. A request gives its turn back while it waits for the bytes of its body, and a
streamed reply takes one only while it makes its next piece. So clients that send a byte a second, or read an export
slowly, hold up nobody but themselves. `server/slow.py` ends those who overdo it.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from queue import SimpleQueue
from time import monotonic
from typing import Any

from werkzeug.exceptions import RequestTimeout

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

BYTES_A_SECOND = 64 * 1024  # of body that a client must send, once its first seconds are over


class Turns:
    """WSGI middleware around an app that works on `turns` requests at once, for clients with `patience` seconds."""

    def __init__(self, app: Callable[[Environ, StartResponse], Iterable[bytes]], turns: int, patience: float) -> None:
        self.app = app
        self.patience = patience
        self.leaving = False  # whether each connection is closed with its next reply
        self.under_way: dict[Arriving, None] = {}
        self._free: SimpleQueue[None] = SimpleQueue()  # its get and put cost a tenth of a microsecond
        self.take = self._free.get
        for _ in range(turns):
            self.give()

    def give(self) -> None:
        self._free.put(None)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"] = Arriving(self, environ["wsgi.input"])
        self.under_way[body] = None
        self.take()
        try:
            reply = self.app(environ, closing(start_response) if self.leaving else start_response)
            pieces = iter(reply)
            first = list(islice(pieces, 2))
        except BaseException:
            del self.under_way[body]
            raise
        finally:
            self.give()
        streamed = Leaving(self, body, reply, first, pieces)
        if len(first) > 1:
            return streamed
        streamed.close()
        return first


def closing(start_response: StartResponse) -> StartResponse:
    """Says in the reply that its connection ends here."""

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        return start_response(status, [*headers, ("Connection", "close")], *more)

    return start


class Arriving:
    """The body of a request; reading gives the turn back meanwhile.

    Reading raises RequestTimeout where the client was cut off for being slow.
    """

    def __init__(self, turns: Turns, stream: Any) -> None:
        self._turns = turns
        self._stream = stream
        self._received = 0
        self._waited = 0.0
        self.waits_since: float | None = None
        self.works_since = monotonic()  # when its body, or the last piece of its reply, was there

    def read(self, size: int = -1) -> bytes:
        return self._wait(self._stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self._wait(self._stream.readline, size)

    def readlines(self, _hint: int = -1) -> list[bytes]:
        return self.read().splitlines(keepends=True)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def is_overdue(self, now: float) -> bool:
        """Whether its client has kept us waiting for too long by now."""
        since = self.waits_since
        return since is not None and self._waited + now - since > self._allowed

    @property
    def _allowed(self) -> float:
        return self._turns.patience + self._received / BYTES_A_SECOND

    def _wait(self, take: Callable[[int], bytes], size: int) -> bytes:
        self.waits_since = began = monotonic()
        self._turns.give()
        try:
            data = take(size)
        finally:
            self._turns.take()
            self.waits_since = None
            self.works_since = now = monotonic()
        self._waited += now - began
        self._received += len(data)
        if self._waited > self._allowed and len(data) != size:
            raise RequestTimeout
        return data


class Leaving:
    """A reply in pieces: `first` are made, each further one takes a turn."""

    def __init__(
        self, turns: Turns, body: Arriving, reply: Iterable[bytes], first: list[bytes], pieces: Iterator[bytes]
    ) -> None:
        self._turns = turns
        self._body = body
        self._reply = reply
        self._made = iter(first)
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        for piece in self._made:
            return piece
        self._turns.take()
        try:
            return next(self._pieces)
        finally:
            self._body.works_since = monotonic()
            self._turns.give()

    def close(self) -> None:
        self._turns.under_way.pop(self._body, None)
        if hasattr(self._reply, "close"):
            self._reply.close()
