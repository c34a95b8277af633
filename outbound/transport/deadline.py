"""A deadline for the whole of a talk with somebody else's server.

The limits that libraries know are for one read each, so that a server which sends a byte a second is waited for without
end. A deadline cuts the connection from outside, wherever the talk is: the handshake, the request, the answer.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, ClassVar, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

SHORTEST = 0.001  # seconds; a socket's limit of 0 would mean something else
KEPT_FOR = 3.0  # seconds that a connection is kept unused; below what any server waits before it closes one

_here = threading.local()


class Deadline(AbstractContextManager["Deadline"]):
    """`seconds` for everything that happens inside, in this thread; then each connection that it was shown is cut.
    `over` says that it was, `sent` that something had left before, `connected` that a connection was made for it."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self.sent = False
        self.connected = False
        self._until = time.monotonic() + seconds
        self._handles: dict[tuple[int, Any], socket.socket] = {}
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "Deadline":
        self._before = current()
        _here.deadline = self
        self._timer.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _here.deadline = self._before
        with self._lock:
            for handle in self._handles.values():
                handle.close()
            self._handles.clear()

    def extend(self, seconds: float) -> None:
        """Begin anew, with as many seconds from now."""
        self._timer.cancel()
        self._until = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def left(self) -> float:
        """Return seconds until it is over."""
        return max(SHORTEST, self._until - time.monotonic())

    def show(self, connected: socket.socket) -> None:
        """A connection that is cut with the others. A second handle is kept: TLS takes the first for itself."""
        number = connected.fileno()
        which = number, connected.getsockname()  # the next connection may get the same number
        with self._lock:
            if which not in self._handles:
                self._handles[which] = socket.fromfd(number, connected.family, connected.type)
            if self.over:
                _end(self._handles[which])

    def _cut(self) -> None:
        with self._lock:
            self.over = True
            for handle in self._handles.values():
                _end(handle)


def current() -> Deadline | None:
    """Return the deadline that this thread works under."""
    found: Deadline | None = getattr(_here, "deadline", None)
    return found


def _end(handle: socket.socket) -> None:
    with suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


# --- the same for `requests`


class WatchedHTTP(HTTPConnection):
    """Shows its socket to the current deadline, when it is connected and again where it is used anew. One that was not
    used for a while is taken for closed, because its server may be closing it at this moment."""

    used_at = 0.0

    def connect(self) -> None:
        super().connect()
        self.seen(self.sock)

    def seen(self, connected: socket.socket) -> None:
        """A new connection, before anything is said on it."""
        if (deadline := current()) is not None:
            deadline.connected = True
            deadline.show(connected)

    @property
    def is_connected(self) -> bool:
        return super().is_connected and time.monotonic() - self.used_at < KEPT_FOR

    def send(self, data: Any) -> None:
        """Send, and show the deadline a connection that was kept."""
        if self.sock is None:
            self.connect()
        self.used_at = time.monotonic()
        if (deadline := current()) is not None:
            deadline.show(self.sock)
            deadline.sent = True
            self.sock.settimeout(deadline.left())
        super().send(data)


class WatchedHTTPS(WatchedHTTP, HTTPSConnection):
    """The same with TLS."""

    def connect(self) -> None:
        self.ssl_context = Watched(self.seen)
        super().connect()


class Watched(ssl.SSLContext):
    """Trusts whom it is told to, by this machine's minimum; whoever is `seen` is so before the handshake."""

    def __new__(cls, _seen: Callable[[socket.socket], None]) -> Self:
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, seen: Callable[[socket.socket], None]) -> None:
        self._seen = seen

    def wrap_socket(self, sock: socket.socket, *rest: Any, **options: Any) -> ssl.SSLSocket:
        self._seen(sock)
        return super().wrap_socket(sock, *rest, **options)


class _Pool(HTTPConnectionPool):
    ConnectionCls = WatchedHTTP


class _PoolHTTPS(HTTPSConnectionPool):
    ConnectionCls = WatchedHTTPS


class WatchedAdapter(HTTPAdapter):
    """To be mounted in a session whose calls are made under a deadline."""

    pools: ClassVar[dict[str, Any]] = {"http": _Pool, "https": _PoolHTTPS}

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self.pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = self.pools
        return manager
