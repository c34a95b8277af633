"""The only socket to Mixpanel and to destinations over HTTP: to their own servers, at addresses that a policy lets be
called, without redirects.

Credentials leave with nearly every call. So the host is one of those that are allowed, the address that was really
connected to is looked at before a byte is sent, a redirect is an answer like any other, and neither `.netrc` nor a
proxy of the environment has a say.
"""

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException, InvalidURL
from typing import IO, Any, ClassVar
from urllib.parse import urlsplit

import requests
from requests.auth import HTTPBasicAuth
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NameResolutionError, NewConnectionError
from urllib3.exceptions import TimeoutError as HTTPTimeout

from outbound.downloads.receiver import Received, Receiver
from outbound.operations.types import Request
from outbound.request.compose import address
from outbound.transport import certificates
from outbound.transport.addresses import Policy, Refused, hold, public_only, refuse
from outbound.transport.deadline import Deadline, WatchedAdapter, WatchedHTTP, WatchedHTTPS
from outbound.transport.decompression import Damaged, unpacked

LARGEST_ANSWER = 16 * 1024 * 1024
CONNECT_WITHIN = 10  # seconds
STREAM_WITHIN = 3600.0  # seconds for a whole export
CHUNK = 64 * 1024
SUCCESS, REDIRECTS = 200, 300
READING = frozenset({"GET", "HEAD"})
FAILURES = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)


class Forbidden(Exception):
    """The call would leave for a place that it must not go to; nothing was sent."""


class Unreached(Exception):
    """No connection came about; nothing was sent."""


class Broken(Exception):
    """It was sent, or some of it, and no whole answer came back."""


@dataclass(frozen=True)
class Answer:
    """What came back; `ms` until its end, `cut` where the body was larger than what is read. `received` says what
    became of all of it, where it was taken as a whole."""

    status: int
    headers: dict[str, str]
    body: bytes
    ms: int
    cut: bool = False
    received: Received | None = None

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def header(self, name: str) -> str:
        """Return a header's value however its name is written; empty where it is missing."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


class _CheckedHTTP(WatchedHTTP):
    """Asks its policy before it connects, and again of the connection before anything is said on it."""

    policy: ClassVar[Policy]

    def connect(self) -> None:
        refuse(self.host, type(self).policy)
        super().connect()

    def seen(self, connected: socket.socket) -> None:
        hold(connected, type(self).policy)
        super().seen(connected)


class _CheckedHTTPS(_CheckedHTTP, WatchedHTTPS):
    pass


@cache
def _pools(policy: Policy) -> dict[str, Any]:
    """Return the pools whose connections ask this policy."""
    own = {"policy": staticmethod(policy)}
    return {
        "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": type("HTTP", (_CheckedHTTP,), own)}),
        "https": type("PoolHTTPS", (HTTPSConnectionPool,), {"ConnectionCls": type("HTTPS", (_CheckedHTTPS,), own)}),
    }


class _CheckedAdapter(WatchedAdapter):
    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._policy)


class _Anonymous(requests.auth.AuthBase):
    """Says that there are no credentials, so that none are looked for."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Client:
    """Calls for one project or destination. `allowed` are the servers that it may call, `policy` says at which
    addresses; of an answer at most `largest` bytes are read. Safe to be used by several threads, but with a `receiver`
    by one."""

    def __init__(
        self,
        timeout: float,
        allowed: frozenset[tuple[str, str]],
        *,
        policy: Policy = public_only,
        receiver: Receiver | None = None,
        largest: int = LARGEST_ANSWER,
    ) -> None:
        self._timeout = timeout
        self._allowed = allowed
        self._policy = policy
        self._largest = largest
        self._receiver = receiver
        self._own = threading.local()

    def call(self, request: Request, timeout: float | None = None) -> Answer:
        """Return the whole answer, within `timeout` seconds from the first step to the last; with a receiver the body
        of a success, however long, within STREAM_WITHIN. Raises Forbidden, Unreached, Broken."""
        started, receiver = time.perf_counter(), self._receiver
        with Deadline(timeout or self._timeout) as deadline, self._opened(request, deadline) as response:
            if receiver is not None and SUCCESS <= response.status_code < REDIRECTS:
                deadline.extend(STREAM_WITHIN)
                receiver.receive(_pieces(response, deadline), Broken, response.headers.get("Content-Type", ""))
                body, cut, received = bytes(receiver.head), receiver.is_cut, receiver.received
            else:
                (body, cut), received = _body(response, deadline, self._largest), None
            ms = round((time.perf_counter() - started) * 1000)
            return Answer(response.status_code, dict(response.headers), body, ms, cut, received)

    @contextmanager
    def stream(self, request: Request, within: float = STREAM_WITHIN) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Yield the status, and the body piece by piece, all of it `within` seconds. Raises Forbidden, Unreached,
        Broken."""
        with Deadline(within) as deadline, self._opened(request, deadline) as response:
            yield response.status_code, _pieces(response, deadline)

    def close(self) -> None:
        """Close the connections that this thread has kept."""
        if (found := getattr(self._own, "session", None)) is not None:
            found.close()

    @contextmanager
    def _opened(self, request: Request, deadline: Deadline) -> Iterator[requests.Response]:
        url = address(request)
        parts = urlsplit(url)
        if (parts.scheme, parts.netloc.lower()) not in self._allowed:
            raise Forbidden(f"{parts.netloc} is none of the servers that may be called.")
        try:
            response = self._asked(request, url, deadline)
        except FAILURES as error:
            if not _may_go_again(request, error, deadline):
                raise _told(error, deadline) from None
            response = self._asked_anew(request, url, deadline)
        with closing(response):
            yield response

    def _asked_anew(self, request: Request, url: str, deadline: Deadline) -> requests.Response:
        """Ask again on a connection of its own."""
        self._session().close()
        deadline.sent = False
        try:
            return self._asked(request, url, deadline)
        except FAILURES as error:
            raise _told(error, deadline) from None

    def _asked(self, request: Request, url: str, deadline: Deadline) -> requests.Response:
        if request.file is not None:
            with request.file.path.open("rb") as file:
                return self._said(request, url, deadline, file)
        return self._said(request, url, deadline, request.body)

    def _said(
        self, request: Request, url: str, deadline: Deadline, body: bytes | IO[bytes] | None
    ) -> requests.Response:
        headers, limit = dict(request.headers), deadline.left()
        if request.gzip and isinstance(body, bytes):
            headers["Content-Encoding"], body = "gzip", gzip.compress(body, 6, mtime=0)
        return self._session().request(
            request.method,
            url,
            data=body,
            headers=headers,
            auth=HTTPBasicAuth(*map(str.encode, request.auth)) if request.auth else _Anonymous(),
            timeout=(min(CONNECT_WITHIN, limit), limit),
            allow_redirects=False,
            stream=True,
        )

    def _session(self) -> requests.Session:
        found: requests.Session | None = getattr(self._own, "session", None)
        if found is None:
            self._own.session = found = requests.Session()
            found.trust_env = False
            found.headers.update({"User-Agent": "cohort-relay", "Accept-Encoding": "gzip"})
            for scheme in ("http://", "https://"):
                found.mount(scheme, _CheckedAdapter(self._policy))
        return found


def _body(response: requests.Response, deadline: Deadline, largest: int) -> tuple[bytes, bool]:
    """Return the body, and whether it was cut."""
    found = bytearray()
    for piece in _pieces(response, deadline):
        found += piece
        if len(found) > largest:
            return bytes(found[:largest]), True
    return bytes(found), False


def _pieces(response: requests.Response, deadline: Deadline) -> Iterator[bytes]:
    """Raises Broken, also where the end was only the deadline's cut."""
    packed = response.raw.stream(CHUNK, decode_content=False)
    try:
        yield from unpacked(packed, response.headers.get("Content-Encoding", ""))
    except Damaged as error:
        raise Broken(LATE if deadline.over else f"the answer broke off: {error}") from None
    except FAILURES as error:
        raise Broken(LATE if deadline.over else f"the answer broke off ({type(error).__name__})") from None
    if deadline.over:
        raise Broken(LATE)


LATE = "no whole answer within the time limit"
# What an error of the library means before anything was sent, the first that fits.
_MEANINGS: tuple[tuple[type[BaseException], type[Exception], str], ...] = (
    (requests.exceptions.InvalidURL, Forbidden, "The address cannot be called."),
    (InvalidURL, Forbidden, "The address cannot be called."),
    (requests.exceptions.InvalidHeader, Forbidden, "A header cannot be sent."),
    (NameResolutionError, Unreached, "its name is not known"),
    (NewConnectionError, Unreached, "the connection was refused"),
    (ConnectTimeoutError, Unreached, "no connection within the time limit"),
)


def _told(error: Exception, deadline: Deadline) -> Exception:
    """Return which of ours it is. Only a reason is told: the text of an error may hold an address."""
    causes = list(_causes(error))
    if refused := next((cause for cause in causes if isinstance(cause, Refused)), None):
        return Forbidden(f"Its name leads to {refused}; nothing was sent.")
    if deadline.sent:
        late = deadline.over or any(
            isinstance(cause, requests.Timeout | HTTPTimeout | TimeoutError) for cause in causes
        )
        return Broken(LATE if late else "the connection broke off before an answer")
    if deadline.over:
        return Unreached("no connection within the time limit")
    for kind, ours, reason in _MEANINGS:
        if any(isinstance(cause, kind) for cause in causes):
            return ours(reason)
    return Unreached(certificates.reason(causes) or "no connection came about")


def _may_go_again(request: Request, error: Exception, deadline: Deadline) -> bool:
    """Tell whether it only reads, and found a connection that was kept, and that its server was about to close."""
    if deadline.connected or deadline.over or request.method not in READING:
        return False
    return any(isinstance(cause, ConnectionError) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, and whatever it wraps."""
    seen: list[BaseException] = []
    ahead: list[Any] = [error]
    while ahead:
        cause = ahead.pop()
        if not isinstance(cause, BaseException) or cause in seen:
            continue
        seen.append(cause)
        yield cause
        ahead += [*cause.args, cause.__cause__, cause.__context__]
        if isinstance(cause, MaxRetryError):
            ahead.append(cause.reason)
