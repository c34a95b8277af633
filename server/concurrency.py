"""Who works and who waits in a process of the web server: a turn is what a request needs to work.

Waiting for a client costs no turn. A request gives its turn back while it waits for the bytes of its body, and a
streamed reply takes one only while it makes its next piece. So clients that send a byte a second, or read an export
slowly, hold up nobody but themselves. `server/slow_clients.py` ends those who overdo it. And nobody has all turns:
`server/caller_shares.py` gives each caller a share.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from queue import SimpleQueue
from time import monotonic
from typing import Any

from werkzeug.exceptions import RequestTimeout

from config.environ import TOO_BUSY
from server.caller_shares import Caller, Callers

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

BYTES_A_SECOND = 64 * 1024  # of body that a client must send, once its first seconds are over


class Turns:
    """WSGI middleware around an app that works on `turns` requests at once, for clients with `patience` seconds, behind
    `proxies` that are trusted.

    A call that is one too many of its caller's is handed on with TOO_BUSY, for the app to say so in its own words.
    """

    def __init__(
        self,
        app: Callable[[Environ, StartResponse], Iterable[bytes]],
        turns: int,
        patience: float,
        proxies: int = 0,
    ) -> None:
        self.app = app
        self.patience = patience
        self.callers = Callers(turns, proxies)
        self.leaving = False  # whether each connection is closed with its next reply
        self.under_way: dict[Arriving, None] = {}
        self._free: SimpleQueue[None] = SimpleQueue()  # its get and put cost a tenth of a microsecond
        self.take = self._free.get
        for _ in range(turns):
            self.give()

    def give(self) -> None:
        self._free.put(None)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        caller, may_work = self.callers.enter(environ)
        has_share = may_work and caller.take_in_time()
        body = environ["wsgi.input"] = Arriving(self, caller, environ["wsgi.input"])
        if not has_share:
            environ[TOO_BUSY] = True
            body.hold_share = False
        self.under_way[body] = None
        self.take()
        try:
            reply = self.app(environ, closing(start_response) if self.leaving else start_response)
            pieces = iter(reply)
            first = list(islice(pieces, 2))
        except BaseException:
            self.end(body)
            raise
        finally:
            body.give_turn()
        streamed = Leaving(body, reply, first, pieces)
        if len(first) > 1:
            body.works_since = None
            return streamed
        streamed.close()
        return first

    def end(self, body: "Arriving") -> None:
        """The request is over; again and again changes nothing."""
        if self.under_way.pop(body, self) is None:
            self.callers.leave(body.caller)


def closing(start_response: StartResponse) -> StartResponse:
    """Says in the reply that its connection ends here."""

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        return start_response(status, [*headers, ("Connection", "close")], *more)

    return start


class Arriving:
    """The body of a request; reading gives the turn back meanwhile.

    Reading raises RequestTimeout where the client was cut off for being slow.
    """

    def __init__(self, turns: Turns, caller: Caller, stream: Any) -> None:
        self.turns = turns
        self.caller = caller
        self.hold_share = True  # a call too many has no part in its caller's share
        self._stream = stream
        self._received = 0
        self._waited = 0.0
        self.waits_since: float | None = None
        self.works_since: float | None = monotonic()  # None while its client is waited for, or reads

    def take_turn(self) -> None:
        if self.hold_share:
            self.caller.take()
        self.turns.take()

    def give_turn(self) -> None:
        self.turns.give()
        if self.hold_share:
            self.caller.give()

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
        return self.turns.patience + self._received / BYTES_A_SECOND

    def _wait(self, take: Callable[[int], bytes], size: int) -> bytes:
        self.waits_since = began = monotonic()
        self.works_since = None
        self.give_turn()
        try:
            data = take(size)
        finally:
            self.works_since = now = monotonic()
            self.waits_since = None
            self.take_turn()
        self._waited += now - began
        self._received += len(data)
        if self._waited > self._allowed and len(data) != size:
            raise RequestTimeout
        return data


class Leaving:
    """A reply in pieces: `first` are made, each further one takes a turn."""

    def __init__(self, body: Arriving, reply: Iterable[bytes], first: list[bytes], pieces: Iterator[bytes]) -> None:
        self._body = body
        self._reply = reply
        self._made = iter(first)
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        for piece in self._made:
            return piece
        self._body.works_since = monotonic()
        self._body.take_turn()
        try:
            return next(self._pieces)
        finally:
            self._body.works_since = None
            self._body.give_turn()

    def close(self) -> None:
        self._body.turns.end(self._body)
        if hasattr(self._reply, "close"):
            self._reply.close()
